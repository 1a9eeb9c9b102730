//! What going in first leaves open for a person: what is not signed yet, and whether they may again.
//!
//! There is one of these for each person who ever did, stored as one item whose version guards it:
//! of two that somebody begins at once, one is refused. An ordinary request never looks at it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::event::{Details, Kind};
use crate::id::{GrantId, RequestId};
use crate::policy::BreakGlass;
use crate::request::Who;

/// How a person stands with break-glass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlassState {
    /// Grows by one with each change; every change is conditional on it. 0: never stored.
    #[serde(default)]
    pub version: u64,
    /// Requests of theirs of which something is not signed yet.
    #[serde(default)]
    pub unsigned: BTreeSet<RequestId>,
    /// Why they may not, if they may not until an admin says so.
    #[serde(default)]
    pub closed: Option<Closure>,
}

/// Break-glass is closed for a person: an approver rejected one of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// Whose rejection did that.
    pub by: Who,
    /// When.
    pub at: Timestamp,
    /// Of which request.
    pub request: RequestId,
    /// Of which grant.
    pub grant: GrantId,
}

/// Why somebody's standing cannot change so.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// An earlier one of theirs is not signed yet.
    #[error("an earlier break-glass of theirs is not signed yet")]
    Unsigned,
    /// It is closed for them.
    #[error("break-glass was closed for them by {}", .0.by.name)]
    Closed(Box<Closure>),
    /// It is not closed for them.
    #[error("break-glass is not closed for them")]
    NotClosed,
    /// Nobody opens it for themselves.
    #[error("nobody opens break-glass for themselves")]
    Own,
}

impl GlassState {
    /// What asking for break-glass means now, as policy judges it.
    #[must_use]
    pub fn asked(&self) -> BreakGlass {
        if self.closed.is_some() {
            BreakGlass::AskedWhileClosed
        } else if self.unsigned.is_empty() {
            BreakGlass::Asked
        } else {
            BreakGlass::AskedWhileUnsigned
        }
    }

    /// They went in first by that request.
    pub fn broke(mut self, request: RequestId) -> Result<Self, Refused> {
        if let Some(closure) = self.closed {
            return Err(Refused::Closed(Box::new(closure)));
        }
        if !self.unsigned.is_empty() {
            return Err(Refused::Unsigned);
        }
        self.unsigned.insert(request);
        Ok(self)
    }

    /// Nothing of that request has to be signed any more.
    #[must_use]
    pub fn settled(mut self, request: RequestId) -> Self {
        self.unsigned.remove(&request);
        self
    }

    /// One of theirs was rejected.
    pub fn closed(
        mut self,
        person: &Who,
        closure: Closure,
    ) -> Result<(Self, (Kind, Details)), Refused> {
        if let Some(before) = self.closed {
            return Err(Refused::Closed(Box::new(before)));
        }
        let details = told(person, &closure);
        self.closed = Some(closure);
        Ok((self, (Kind::BreakGlassClosed, details)))
    }

    /// An admin lets them again, and says why.
    pub fn reopened(
        mut self,
        person: &Who,
        by: &Who,
        note: &str,
    ) -> Result<(Self, (Kind, Details)), Refused> {
        if by.id == person.id {
            return Err(Refused::Own);
        }
        let Some(closure) = self.closed.take() else {
            return Err(Refused::NotClosed);
        };
        let mut details = told(person, &closure);
        details.note("closed_at", &closure.at.to_string());
        details.note("note", note);
        Ok((self, (Kind::BreakGlassReopened, details)))
    }
}

fn told(person: &Who, closure: &Closure) -> Details {
    let mut details = Details {
        requester: Some(person.clone()),
        approver: Some(closure.by.clone()),
        belay_request_id: Some(closure.request),
        ..Details::default()
    };
    details.note("grant", &closure.grant.to_string());
    details
}
