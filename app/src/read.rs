//! The reads that a browser may make: each reaches the [`Backend`] of the signed-in person, and nothing else.
//!
//! They are GET requests, because they change nothing. Each names its endpoint, because the default would hash the
//! path of the folder that it was built in.

use leptos::{prelude::*, server_fn::codec::GetUrl};

#[cfg(feature = "ssr")]
use crate::backend::Backend;
use crate::view::{
    AccessView, ApprovalView, AskFormView, HistoryFilter, HistoryPage, Me, MyAccessView,
    RequestView, WireError,
};

/// A read's answer. The refusal travels inside a successful reply: Leptos 0.8 gives every server-function error the
/// status 500, and browsers log failed fetches on the console as errors, which a session that ended is not.
pub(crate) type Answer<T> = Result<Result<T, WireError>, WireError>;

#[cfg(feature = "ssr")]
fn backend() -> Result<std::sync::Arc<dyn Backend>, WireError> {
    use_context().ok_or(WireError::SignedOut)
}

/// [`Backend::me`].
#[server(prefix = "/api/ui", endpoint = "me", input = GetUrl)]
pub(crate) async fn read_me() -> Answer<Me> {
    Ok(match backend() {
        Ok(backend) => backend.me().await,
        Err(error) => Err(error),
    })
}

/// [`Backend::access`].
#[server(prefix = "/api/ui", endpoint = "access", input = GetUrl)]
pub(crate) async fn read_access() -> Answer<AccessView> {
    Ok(match backend() {
        Ok(backend) => backend.access().await,
        Err(error) => Err(error),
    })
}

/// [`Backend::ask_form`].
#[server(prefix = "/api/ui", endpoint = "ask-form", input = GetUrl)]
pub(crate) async fn read_ask_form(
    account_id: String,
    permission_set: String,
) -> Answer<AskFormView> {
    Ok(match backend() {
        Ok(backend) => backend.ask_form(&account_id, &permission_set).await,
        Err(error) => Err(error),
    })
}

/// [`Backend::mine`].
#[server(prefix = "/api/ui", endpoint = "mine", input = GetUrl)]
pub(crate) async fn read_mine() -> Answer<MyAccessView> {
    Ok(match backend() {
        Ok(backend) => backend.mine().await,
        Err(error) => Err(error),
    })
}

/// [`Backend::approvals`].
#[server(prefix = "/api/ui", endpoint = "approvals", input = GetUrl)]
pub(crate) async fn read_approvals() -> Answer<Vec<ApprovalView>> {
    Ok(match backend() {
        Ok(backend) => backend.approvals().await,
        Err(error) => Err(error),
    })
}

/// [`Backend::request`].
#[server(prefix = "/api/ui", endpoint = "request", input = GetUrl)]
pub(crate) async fn read_request(id: String) -> Answer<RequestView> {
    Ok(match backend() {
        Ok(backend) => backend.request(&id).await,
        Err(error) => Err(error),
    })
}

/// [`Backend::history`].
#[server(prefix = "/api/ui", endpoint = "history", input = GetUrl)]
pub(crate) async fn read_history(filter: HistoryFilter) -> Answer<HistoryPage> {
    Ok(match backend() {
        Ok(backend) => backend.history(&filter).await,
        Err(error) => Err(error),
    })
}

impl server_fn::error::FromServerFnError for WireError {
    type Encoder = server_fn::codec::JsonEncoding;

    fn from_server_fn_error(error: server_fn::error::ServerFnErrorErr) -> Self {
        use server_fn::error::ServerFnErrorErr as Fault;

        use crate::view::Part;
        match error {
            Fault::Request(_) => Self::Unavailable {
                part: Part::Network,
            },
            Fault::Deserialization(_) | Fault::Args(_) | Fault::MissingArg(_) => Self::Stale,
            _ => Self::Unavailable { part: Part::Server },
        }
    }
}
