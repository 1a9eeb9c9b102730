//! What pages ask of the server.
//!
//! Deliberately absent: who is asking. A [`Backend`] is made for one signed-in person, so no call takes a user id and
//! no page can ask on behalf of another. Mutations are not here either: they are plain HTML forms that the server
//! handles itself, so that they work before and without script.

use std::sync::Arc;

use async_trait::async_trait;

use crate::view::{
    AccessFilter, AccessView, ApprovalView, AskFormView, DraftPage, EndsView, ExplainFilter,
    ExplainPage, FindingsFilter, FindingsPage, HeldFilter, HeldPage, HistoryFilter, HistoryPage,
    Me, MyAccessView, PolicyFilter, PolicyPage, RequestView, VersionView, VersionsPage, WireError,
};

/// In context, for every page and every read: the [`Backend`] of whoever is signed in; none if nobody is.
///
/// Said in either case. Leptos looks for what is not there further up, and what is further up on a server's thread is
/// the page of another request, made for another person.
#[derive(Clone)]
pub struct Reader(pub Option<Arc<dyn Backend>>);

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Reader").field(&self.0.is_some()).finish()
    }
}

/// What the server tells one signed-in person.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Who they are, and what waits for them.
    async fn me(&self) -> Result<Me, WireError>;

    /// What they may ask for, a page of it.
    async fn access(&self, filter: &AccessFilter) -> Result<AccessView, WireError>;

    /// The form for one target, by the segments of its address: an account's id and a permission set's name, or
    /// `group` and a group's id. [`WireError::NotFound`] for everything they may not ask for, known or not. `like` is
    /// an earlier request of theirs whose words it begins with; empty: none. `chosen` is what of the form is filled in,
    /// encoded as a form is: what would become of that is told; empty: of what the form begins with.
    async fn ask_form(
        &self,
        account_id: &str,
        permission_set: &str,
        like: &str,
        chosen: &str,
    ) -> Result<AskFormView, WireError>;

    /// What they have, wait for and had. With a cursor, only what was over before that place.
    async fn mine(&self, cursor: &str) -> Result<MyAccessView, WireError>;

    /// What waits for their review, oldest first.
    async fn approvals(&self) -> Result<Vec<ApprovalView>, WireError>;

    /// One request. [`WireError::NotFound`] unless they are its requester, a possible approver, an auditor or an admin.
    async fn request(&self, id: &str) -> Result<RequestView, WireError>;

    /// Everyone's requests. [`WireError::NotAllowed`] unless they are an auditor or an admin.
    async fn history(&self, filter: &HistoryFilter) -> Result<HistoryPage, WireError>;

    /// Who held what, and when. [`WireError::NotAllowed`] unless they are an auditor or an admin.
    async fn held(&self, filter: &HeldFilter) -> Result<HeldPage, WireError>;

    /// Where grants and assignments differ. [`WireError::NotFound`] unless they are an auditor or an admin.
    async fn findings(&self, filter: &FindingsFilter) -> Result<FindingsPage, WireError>;

    /// What the policy in force says. [`WireError::NotAllowed`] unless they are an auditor or an admin, as for all
    /// that follow.
    async fn policy(&self, filter: &PolicyFilter) -> Result<PolicyPage, WireError>;

    /// What it would answer somebody.
    async fn explain(&self, filter: &ExplainFilter) -> Result<ExplainPage, WireError>;

    /// What would change if this text came into force; `notation` is `json`, or else it is TOML.
    async fn draft(&self, text: &str, notation: &str) -> Result<DraftPage, WireError>;

    /// What was in force, before that instant in epoch milliseconds if one is given.
    async fn versions(&self, before: &str) -> Result<VersionsPage, WireError>;

    /// One version.
    async fn version(&self, id: &str) -> Result<VersionView, WireError>;
    /// How late ends were, and what is late now. [`WireError::NotFound`] unless they are an auditor or an admin.
    async fn ends(&self) -> Result<EndsView, WireError>;
}
