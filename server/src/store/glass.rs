//! Break-glass as it is stored: how a person stands with it, and what has yet to be signed.
//!
//! A request with missing signatures is named in one list, beside the one of open requests, and has
//! a due entry for the end of its approvers' time. Both follow from the request, in the same
//! transaction.

use domain::glass::GlassState;
use domain::id::UserId;
use domain::request::Request;

use super::commit::{Commit, Expect};
use super::item::{self, Attributes};
use super::reads::Range;
use super::{Store, StoreError, keys, records};

impl Store {
    /// How a person stands with break-glass, read consistently.
    pub async fn glass(&self, user: &UserId) -> Result<GlassState, StoreError> {
        Ok(self
            .get(&keys::person_glass(user))
            .await?
            .unwrap_or_default())
    }

    /// Requests with a break-glass that has yet to be signed, oldest first, at most `limit`.
    pub async fn unsigned_requests(&self, limit: i32) -> Result<Vec<Request>, StoreError> {
        let range = Range::prefix(keys::UNSIGNED, "", limit);
        self.pointed_requests(range).await
    }
}

impl Commit {
    /// How a person stands with break-glass now, where `before` was read.
    pub fn change_glass(
        &mut self,
        user: &UserId,
        before: &GlassState,
        now: &GlassState,
    ) -> Result<(), StoreError> {
        if before == now {
            return Ok(());
        }
        let expect = Expect::as_read(before.version);
        let stored = GlassState {
            version: before.version + 1,
            ..now.clone()
        };
        let attributes = item::attributes(&stored)?;
        self.put(&keys::person_glass(user), attributes, Some(expect))
    }

    /// Keeps what leads to missing signatures as the request has it; `before`: `None` if it is new.
    pub(super) fn follow_signing(
        &mut self,
        before: Option<&Request>,
        now: &Request,
    ) -> Result<(), StoreError> {
        let listed = before.is_some_and(|before| !before.unsigned().is_empty());
        let lists = !now.unsigned().is_empty();
        let place = keys::unsigned(now.submitted_at, now.id);
        if lists && !listed {
            self.put(&place, records::pointer(&now.id)?, None)?;
        } else if listed && !lists {
            self.delete(&place)?;
        }
        let (due_before, due) = (before.and_then(Request::sign_by), now.sign_by());
        if due_before != due {
            if let Some(at) = due_before {
                self.delete(&keys::due_signing(at, now.id))?;
            }
            if let Some(at) = due {
                self.put(&keys::due_signing(at, now.id), Attributes::new(), None)?;
            }
        }
        Ok(())
    }
}
