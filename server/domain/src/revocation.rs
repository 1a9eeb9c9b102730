//! What two admins agree to take away: an assignment that nobody promised.
//!
//! Belay never takes such access away by itself unless it sweeps; these two say that it is to, about
//! one finding, and the worker does it by the sweep's own steps, once, after a complete read and a
//! judgement at that moment. Deliberately absent: the end of a grant, which one admin may bring
//! about, and any effect in AWS.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::adoption::{Course, Proposal, Refused};
use crate::event::{Details, Kind};
use crate::finding::Finding;
use crate::request::Who;

/// It is done within seconds where AWS can be read. What could not be begun within a day is not what
/// these two are looking at any more.
pub const REVOCATION_GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Two admins agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// What was proposed, and by whom.
    pub proposal: Proposal,
    /// Who confirmed it.
    pub confirmed_by: Who,
    /// When.
    pub confirmed_at: Timestamp,
}

impl Revocation {
    /// When it is not done any more.
    #[must_use]
    pub fn lapses_at(&self) -> Timestamp {
        let lapses_at = self.confirmed_at.saturating_add(REVOCATION_GOOD_FOR);
        lapses_at.unwrap_or(self.confirmed_at)
    }
}

impl Finding {
    /// Somebody else agrees to take it away: it stays open until that is proved. Both have been
    /// judged ([`Finding::may_decide`]).
    pub fn confirm_revocation(
        mut self,
        by: Who,
        number: u32,
        now: Timestamp,
    ) -> Result<(Self, (Kind, Details)), Refused> {
        let proposal = self.answered(number, now)?.clone();
        if proposal.course != Course::Revoke {
            return Err(Refused::NotProposed);
        }
        if proposal.by.id == by.id {
            return Err(Refused::Own);
        }
        let revocation = Revocation {
            proposal,
            confirmed_by: by,
            confirmed_at: now,
        };
        let details = self.revoked_by(&revocation);
        self.proposal = None;
        self.revocation = Some(Box::new(revocation));
        Ok((self, (Kind::FindingRevoking, details)))
    }

    /// What was agreed could not be begun in time.
    pub(crate) fn revocation_lapse(&self, now: Timestamp) -> Option<(Self, (Kind, Details))> {
        let revocation = self.revocation.as_deref()?;
        if now < revocation.lapses_at() {
            return None;
        }
        let details = self.revoked_by(revocation);
        let lapsed = Self {
            revocation: None,
            ..self.clone()
        };
        Some((lapsed, (Kind::FindingLapsed, details)))
    }

    /// The worker begins with what was agreed. From here on it is as any removal by the sweep: tried
    /// once.
    #[must_use]
    pub fn begin_revocation(&self) -> Option<(Self, (Kind, Details))> {
        let revocation = self.revocation.as_deref()?;
        let mut details = self.revoked_by(revocation);
        details.note("opened_at", &self.opened_at.to_string());
        let begun = Self {
            revocation: None,
            ..self.clone()
        };
        Some((begun, (Kind::FindingRemoving, details)))
    }

    fn revoked_by(&self, revocation: &Revocation) -> Details {
        let mut details = self.proposed(&revocation.proposal);
        details.approver = Some(revocation.confirmed_by.clone());
        details.note("confirmed_at", &revocation.confirmed_at.to_string());
        details
    }
}
