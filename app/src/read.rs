//! The reads that a browser may make: each reaches the [`Backend`] of the signed-in person, and nothing else.
//!
//! They are GET requests, because they change nothing. Each names its endpoint, because the default would hash the
//! path of the folder that it was built in.

use leptos::{
    prelude::*,
    server_fn::codec::{GetUrl, Post},
};

#[cfg(feature = "ssr")]
use crate::{
    backend::{Backend, Reader},
    view::{ExplainFilter, PolicyFilter},
};
use crate::{
    view::{AccessFilter, FindingsFilter, HeldFilter, HistoryFilter, WireError},
    wire::{Compact, Payload},
};

#[cfg(feature = "ssr")]
fn backend() -> Result<std::sync::Arc<dyn Backend>, WireError> {
    let reader = use_context::<Reader>();
    reader.and_then(|it| it.0).ok_or(WireError::SignedOut)
}

/// [`Backend::me`](crate::Backend::me).
#[server(prefix = "/api/ui", endpoint = "me", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_me() -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.me().await,
        Err(error) => Err(error),
    }))
}

/// [`Backend::access`](crate::Backend::access).
#[server(prefix = "/api/ui", endpoint = "access", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_access(filter: AccessFilter) -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.access(&filter).await,
        Err(error) => Err(error),
    }))
}

/// [`Backend::ask_form`](crate::Backend::ask_form).
#[server(prefix = "/api/ui", endpoint = "ask-form", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_ask_form(
    account_id: String,
    permission_set: String,
    like: String,
    chosen: String,
) -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => {
            backend
                .ask_form(&account_id, &permission_set, &like, &chosen)
                .await
        }
        Err(error) => Err(error),
    }))
}

/// [`Backend::mine`](crate::Backend::mine).
#[server(prefix = "/api/ui", endpoint = "mine", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_mine(cursor: String) -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.mine(&cursor).await,
        Err(error) => Err(error),
    }))
}

/// [`Backend::approvals`](crate::Backend::approvals).
#[server(prefix = "/api/ui", endpoint = "approvals", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_approvals() -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.approvals().await,
        Err(error) => Err(error),
    }))
}

/// [`Backend::request`](crate::Backend::request).
#[server(prefix = "/api/ui", endpoint = "request", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_request(id: String) -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.request(&id).await,
        Err(error) => Err(error),
    }))
}

/// [`Backend::history`](crate::Backend::history).
#[server(prefix = "/api/ui", endpoint = "history", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_history(filter: HistoryFilter) -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.history(&filter).await,
        Err(error) => Err(error),
    }))
}

/// [`Backend::findings`](crate::Backend::findings).
#[server(prefix = "/api/ui", endpoint = "findings", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_findings(filter: FindingsFilter) -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.findings(&filter).await,
        Err(error) => Err(error),
    }))
}

/// The reads of the policy's pages: [`Backend::policy`](crate::Backend::policy), `explain`, `draft`, `versions` and
/// `version`, by what the page is called and the fields that it asks with, in their order. One read, because each
/// brings some kilobytes to the browser.
#[server(prefix = "/api/ui", endpoint = "policy", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_policy(page: String, fields: Vec<String>) -> Result<Payload, WireError> {
    let backend = match backend() {
        Ok(backend) => backend,
        Err(error) => return Ok(Payload::of::<()>(&Err(error))),
    };
    let mut fields = fields.into_iter();
    let mut next = || fields.next().unwrap_or_default();
    Ok(match page.as_str() {
        "rules" => {
            let filter = PolicyFilter {
                text: next(),
                after: next(),
            };
            Payload::of(&backend.policy(&filter).await)
        }
        "explain" => {
            let filter = ExplainFilter {
                person: next(),
                account: next(),
                permission_set: next(),
                group: next(),
                duration: next(),
                ticket: next(),
                break_glass: next(),
            };
            Payload::of(&backend.explain(&filter).await)
        }
        "draft" => {
            let (text, notation) = (next(), next());
            Payload::of(&backend.draft(&text, &notation).await)
        }
        "versions" => Payload::of(&backend.versions(&next()).await),
        "version" => Payload::of(&backend.version(&next()).await),
        _ => Payload::of::<()>(&Err(WireError::NotFound)),
    })
}

/// [`Backend::held`](crate::Backend::held).
#[server(prefix = "/api/ui", endpoint = "held", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_held(filter: HeldFilter) -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.held(&filter).await,
        Err(error) => Err(error),
    }))
}

/// [`Backend::ends`](crate::Backend::ends).
#[server(prefix = "/api/ui", endpoint = "ends", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_ends() -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.ends().await,
        Err(error) => Err(error),
    }))
}
