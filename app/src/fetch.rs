//! The reads of `read.rs` as a browser makes them: an address, a fetch, bytes.
//!
//! Deliberately absent: the client that Leptos writes for each server function. Eleven of them, with a serializer each,
//! were a thirtieth of what the browser had to load, for addresses that can be written in a line.

use js_sys::Uint8Array;
use leptos::{prelude::window, server_fn::ContentType as _};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::{
    follow::Reading,
    link,
    query::{self, Fields},
    view::{AccessFilter, FindingsFilter, HeldFilter, HistoryFilter, Part, WireError},
    wire::{Compact, Payload},
};

/// Reads it. What comes of it is the answer itself: also a refusal is one, unless it came before there was a session
/// or a page.
fn get(read: &str, fields: Fields) -> Reading {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let address = link::with_all(&format!("/api/ui/{read}"), &fields);
    Box::pin(send_wrapper::SendWrapper::new(async move {
        let (is_answer, bytes) = fetched(&address)
            .await
            // Also what is no answer at all: the line broke.
            .map_err(|_| WireError::Unavailable {
                part: Part::Network,
            })?;
        if is_answer {
            Ok(Payload::arrived(bytes))
        } else {
            Err(Compact::refusal(&bytes))
        }
    }))
}

/// What came, and whether it came as an answer.
async fn fetched(address: &str) -> Result<(bool, Vec<u8>), JsValue> {
    let response: web_sys::Response = JsFuture::from(window().fetch_with_str(address))
        .await?
        .dyn_into()?;
    // A hotel's network answers with a page of its own, and says that all is well.
    let is_ours = response.headers().get("content-type")?.as_deref() == Some(Compact::CONTENT_TYPE);
    let body = JsFuture::from(response.array_buffer()?).await?;
    Ok((response.ok() && is_ours, Uint8Array::new(&body).to_vec()))
}

pub(crate) fn read_me() -> Reading {
    get("me", Fields::new())
}

pub(crate) fn read_access(filter: AccessFilter) -> Reading {
    get("access", query::access(&filter))
}

pub(crate) fn read_ask_form(
    account_id: String,
    permission_set: String,
    like: String,
    chosen: String,
) -> Reading {
    get(
        "ask-form",
        vec![
            ("account_id".to_owned(), account_id),
            ("permission_set".to_owned(), permission_set),
            ("like".to_owned(), like),
            ("chosen".to_owned(), chosen),
        ],
    )
}

pub(crate) fn read_mine(cursor: String) -> Reading {
    get("mine", vec![("cursor".to_owned(), cursor)])
}

pub(crate) fn read_approvals() -> Reading {
    get("approvals", Fields::new())
}

pub(crate) fn read_request(id: String) -> Reading {
    get("request", vec![("id".to_owned(), id)])
}

pub(crate) fn read_history(filter: HistoryFilter) -> Reading {
    get("history", query::history(&filter))
}

pub(crate) fn read_findings(filter: FindingsFilter) -> Reading {
    get("findings", query::findings(&filter))
}

pub(crate) fn read_policy(page: String, fields: Vec<String>) -> Reading {
    get("policy", query::policy(page, fields))
}

pub(crate) fn read_held(filter: HeldFilter) -> Reading {
    get("held", query::held(&filter))
}

pub(crate) fn read_ends() -> Reading {
    get("ends", Fields::new())
}
