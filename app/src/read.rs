//! The reads that a browser may make: each reaches the [`Backend`] of the signed-in person, and nothing else.
//!
//! They are GET requests, because they change nothing. Each names its endpoint, because the default would hash the
//! path of the folder that it was built in.

use leptos::{
    prelude::*,
    server_fn::codec::{GetUrl, Post},
};

#[cfg(feature = "ssr")]
use crate::backend::Backend;
use crate::{
    view::{
        AccessFilter, ExplainFilter, FindingsFilter, HeldFilter, HistoryFilter, PolicyFilter,
        WireError,
    },
    wire::{Compact, Payload},
};

#[cfg(feature = "ssr")]
fn backend() -> Result<std::sync::Arc<dyn Backend>, WireError> {
    use_context().ok_or(WireError::SignedOut)
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
) -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.ask_form(&account_id, &permission_set, &like).await,
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

/// [`Backend::policy`](crate::Backend::policy).
#[server(prefix = "/api/ui", endpoint = "policy", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_policy(filter: PolicyFilter) -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.policy(&filter).await,
        Err(error) => Err(error),
    }))
}

/// [`Backend::explain`](crate::Backend::explain).
#[server(prefix = "/api/ui", endpoint = "explain", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_explain(filter: ExplainFilter) -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.explain(&filter).await,
        Err(error) => Err(error),
    }))
}

/// [`Backend::draft`](crate::Backend::draft).
#[server(prefix = "/api/ui", endpoint = "draft", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_draft(text: String, notation: String) -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.draft(&text, &notation).await,
        Err(error) => Err(error),
    }))
}

/// [`Backend::versions`](crate::Backend::versions).
#[server(prefix = "/api/ui", endpoint = "versions", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_versions(before: String) -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.versions(&before).await,
        Err(error) => Err(error),
    }))
}

/// [`Backend::version`](crate::Backend::version).
#[server(prefix = "/api/ui", endpoint = "version", input = GetUrl, output = Post<Compact>)]
pub(crate) async fn read_version(id: String) -> Result<Payload, WireError> {
    Ok(Payload::of(&match backend() {
        Ok(backend) => backend.version(&id).await,
        Err(error) => Err(error),
    }))
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
