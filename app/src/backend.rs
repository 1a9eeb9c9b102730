//! What pages ask of the server.
//!
//! Deliberately absent: who is asking. A [`Backend`] is made for one signed-in person, so no call takes a user id and
//! no page can ask on behalf of another. Mutations are not here either: they are plain HTML forms that the server
//! handles itself, so that they work before and without script.

use async_trait::async_trait;

use crate::view::{
    AccessView, ApprovalView, AskFormView, EndsView, FindingsFilter, FindingsPage, HistoryFilter,
    HistoryPage, Me, MyAccessView, RequestView, WireError,
};

/// What the server tells one signed-in person. The server puts it in context as `Arc<dyn Backend>`; no such context
/// means that nobody is signed in.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Who they are, and what waits for them.
    async fn me(&self) -> Result<Me, WireError>;

    /// What they may ask for.
    async fn access(&self) -> Result<AccessView, WireError>;

    /// The form for one target, by the segments of its address: an account's id and a permission set's name, or
    /// `group` and a group's id. [`WireError::NotFound`] for everything they may not ask for, known or not. `like` is
    /// an earlier request of theirs whose words it begins with; empty: none.
    async fn ask_form(
        &self,
        account_id: &str,
        permission_set: &str,
        like: &str,
    ) -> Result<AskFormView, WireError>;

    /// What they have, wait for and had.
    async fn mine(&self) -> Result<MyAccessView, WireError>;

    /// What waits for their review, oldest first.
    async fn approvals(&self) -> Result<Vec<ApprovalView>, WireError>;

    /// One request. [`WireError::NotFound`] unless they are its requester, a possible approver, an auditor or an admin.
    async fn request(&self, id: &str) -> Result<RequestView, WireError>;

    /// Everyone's requests. [`WireError::NotAllowed`] unless they are an auditor or an admin.
    async fn history(&self, filter: &HistoryFilter) -> Result<HistoryPage, WireError>;

    /// Where grants and assignments differ. [`WireError::NotFound`] unless they are an auditor or an admin.
    async fn findings(&self, filter: &FindingsFilter) -> Result<FindingsPage, WireError>;

    /// How late ends were, and what is late now. [`WireError::NotFound`] unless they are an auditor or an admin.
    async fn ends(&self) -> Result<EndsView, WireError>;
}
