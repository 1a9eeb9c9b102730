//! What people may do about a finding: two admins agree, for a while, that it may stay; or that it is
//! taken away ([`crate::revocation`]).
//!
//! One proposes and another confirms; neither of them holds the access that it is about, and both
//! are judged when it is confirmed. What they agree on ends by itself, and then the finding opens
//! again. Deliberately absent: any consequence in AWS, and a way for one person to do it alone.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::event::{Details, Kind};
use crate::finding::{Closed, Difference, Finding};
use crate::id::UserId;
use crate::request::Who;
use crate::sweep::plan::Left;

/// The longest that anything is kept: a quarter of a year, which is how often access is reviewed
/// where somebody audits it. By then those who agreed may have left.
pub const KEPT_MAX: SignedDuration = SignedDuration::from_secs(90 * 24 * 3600);

/// A proposal that nobody answers lapses after a week: who confirms later would confirm what nobody
/// remembers looking at.
pub const PROPOSAL_GOOD_FOR: SignedDuration = SignedDuration::from_secs(7 * 24 * 3600);

/// What is to be done about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Course {
    /// The access is right, and known.
    Adopt,
    /// It is not right, and is left for now.
    Ignore,
    /// It is not right, and is taken away.
    Revoke,
}

impl Course {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Adopt, Self::Ignore, Self::Revoke];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Adopt => "adopt",
            Self::Ignore => "ignore",
            Self::Revoke => "revoke",
        }
    }

    /// Whether that can be done about this kind of finding. What is missing or overdue is ours to
    /// put right, and nobody agrees it away; a grant is ended, by one admin.
    #[must_use]
    pub const fn fits(self, difference: Difference) -> bool {
        match difference {
            Difference::Unmanaged => true,
            Difference::NoLongerAllowed => matches!(self, Self::Ignore),
            Difference::Missing | Difference::Overdue => false,
        }
    }

    /// How agreeing to it closes the finding, if it does.
    const fn closes_as(self) -> Option<Closed> {
        match self {
            Self::Adopt => Some(Closed::Adopted),
            Self::Ignore => Some(Closed::Ignored),
            Self::Revoke => None,
        }
    }
}

/// What an admin proposes about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Which of the finding's proposals, from 1: whoever answers says which they have read.
    pub number: u32,
    /// What is proposed.
    pub course: Course,
    /// By whom.
    pub by: Who,
    /// Why, in their words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Until when it would be kept.
    pub until: Timestamp,
}

impl Proposal {
    /// When it lapses: unanswered for a week, or when what it proposes would be over.
    #[must_use]
    pub fn lapses_at(&self) -> Timestamp {
        let unanswered = self.at.saturating_add(PROPOSAL_GOOD_FOR);
        unanswered.map_or(self.until, |unanswered| unanswered.min(self.until))
    }
}

/// What two admins agreed: the finding is closed, and does not open again before the end of this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// The finding, as it was.
    pub finding: Finding,
    /// What was proposed, and by whom.
    pub proposal: Proposal,
    /// Who confirmed it.
    pub confirmed_by: Who,
    /// When.
    pub confirmed_at: Timestamp,
}

/// Why an agreement is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// Its time is up.
    Expired,
    /// An admin gave it up.
    GivenUp,
    /// A complete read does not show what it was about: whoever adds it again starts anew.
    Gone,
    /// The grant that it was about has ended.
    Ended,
    /// The policy allows it (again), or the sweep's allow-list does.
    Allowed,
}

impl Over {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::GivenUp => "given-up",
            Self::Gone => "gone",
            Self::Ended => "ended",
            Self::Allowed => "allowed",
        }
    }

    /// What the end of a finding says of what was agreed about the same. A grant that wants what was
    /// adopted leaves it as it was.
    #[must_use]
    pub const fn with(closed: Closed) -> Option<Self> {
        match closed {
            Closed::Gone | Closed::Removed => Some(Self::Gone),
            Closed::Ended => Some(Self::Ended),
            Closed::Allowed => Some(Self::Allowed),
            Closed::Seen | Closed::Wanted | Closed::Adopted | Closed::Ignored => None,
        }
    }
}

/// What was found of somebody at the moment in which they decide about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bearing<'a> {
    /// Who.
    pub user: &'a UserId,
    /// Whether they are an active admin.
    pub admin: Admin,
    /// Whether they have the access that it is about.
    pub holds: Holds,
}

/// Whether somebody is an active admin, by a live look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admin {
    /// They are.
    Yes,
    /// They are not.
    No,
}

/// Whether somebody has an access themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Neither a grant nor an assignment of their own.
    Nothing,
    /// A grant of it that has not ended.
    Grant,
    /// A complete read shows an assignment of their own.
    Assignment,
}

/// Why somebody may not decide about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unfit {
    /// They are no active admin.
    #[error("only an admin decides about a finding")]
    NotAdmin,
    /// It is about them, or they have the same access.
    #[error("nobody decides about access that they hold themselves")]
    Holder,
}

/// Why a finding does not change so.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// That is not done about findings of this kind.
    #[error("that is not possible for what is {0}")]
    NotForThis(Difference),
    /// Somebody proposed something already.
    #[error("{} proposed to {} it already", .0.by.name, .0.course.word())]
    Proposed(Box<Proposal>),
    /// Nothing is proposed, or no longer what they have read.
    #[error("that is not what is proposed")]
    NotProposed,
    /// What they have read has lapsed.
    #[error("the proposal has lapsed")]
    Lapsed,
    /// It is their own: somebody else has to say so.
    #[error("nobody confirms or refuses what they proposed themselves")]
    Own,
    /// It is somebody else's: they can refuse it.
    #[error("only whoever proposed it takes it back")]
    NotTheirs,
    /// Two admins agreed that it is taken away.
    #[error("it is being taken away")]
    Revoking,
    /// It is not taken away, whoever agrees.
    #[error("it cannot be taken away: {0}")]
    NotRevocable(Left),
    /// Not at all, or longer than anything is kept.
    #[error("it can be kept for at most {} days", KEPT_MAX.as_hours() / 24)]
    Duration,
}

impl Finding {
    /// Whether this person may decide about it.
    pub fn may_decide(&self, who: &Bearing<'_>) -> Result<(), Unfit> {
        if who.admin == Admin::No {
            return Err(Unfit::NotAdmin);
        }
        if self.key.user == *who.user || who.holds != Holds::Nothing {
            return Err(Unfit::Holder);
        }
        Ok(())
    }

    /// The proposal that this person has read, if it is still that one and has not lapsed.
    pub(crate) fn answered(&self, number: u32, now: Timestamp) -> Result<&Proposal, Refused> {
        let proposal = self.proposal.as_deref().ok_or(Refused::NotProposed)?;
        if proposal.number != number {
            return Err(Refused::NotProposed);
        }
        if proposal.lapses_at() <= now {
            return Err(Refused::Lapsed);
        }
        Ok(proposal)
    }

    /// Somebody proposes what to do about it, for this long.
    pub fn propose(
        mut self,
        course: Course,
        (by, reason): (Who, &str),
        keep: SignedDuration,
        now: Timestamp,
    ) -> Result<(Self, (Kind, Details)), Refused> {
        if !course.fits(self.difference) {
            return Err(Refused::NotForThis(self.difference));
        }
        if let Some(proposal) = self.proposal {
            return Err(Refused::Proposed(proposal));
        }
        if self.revocation.is_some() {
            return Err(Refused::Revoking);
        }
        if keep <= SignedDuration::ZERO || keep > KEPT_MAX {
            return Err(Refused::Duration);
        }
        let until = now.checked_add(keep).map_err(|_| Refused::Duration)?;
        self.proposals += 1;
        let proposal = Proposal {
            number: self.proposals,
            course,
            by,
            reason: reason.to_owned(),
            at: now,
            until,
        };
        let details = self.proposed(&proposal);
        self.proposal = Some(Box::new(proposal));
        Ok((self, (Kind::FindingProposed, details)))
    }

    /// Whoever proposed it takes it back.
    pub fn take_back(
        mut self,
        by: &UserId,
        number: u32,
        now: Timestamp,
    ) -> Result<(Self, (Kind, Details)), Refused> {
        let proposal = self.answered(number, now)?;
        if proposal.by.id != *by {
            return Err(Refused::NotTheirs);
        }
        let details = self.proposed(proposal);
        self.proposal = None;
        Ok((self, (Kind::FindingTakenBack, details)))
    }

    /// Somebody else says no to it.
    pub fn refuse(
        mut self,
        by: &Who,
        note: &str,
        number: u32,
        now: Timestamp,
    ) -> Result<(Self, (Kind, Details)), Refused> {
        let proposal = self.answered(number, now)?;
        if proposal.by.id == by.id {
            return Err(Refused::Own);
        }
        let mut details = self.proposed(proposal);
        details.approver = Some(by.clone());
        details.note("note", note);
        self.proposal = None;
        Ok((self, (Kind::FindingRefused, details)))
    }

    /// Nobody answered in time, or what was agreed could not be done in time: `None` if there is
    /// still time, or nothing is proposed or agreed.
    #[must_use]
    pub fn lapse(&self, now: Timestamp) -> Option<(Self, (Kind, Details))> {
        let Some(proposal) = self.proposal.as_deref() else {
            return self.revocation_lapse(now);
        };
        if now < proposal.lapses_at() {
            return None;
        }
        let details = self.proposed(proposal);
        let lapsed = Self {
            proposal: None,
            ..self.clone()
        };
        Some((lapsed, (Kind::FindingLapsed, details)))
    }

    /// Somebody else agrees to leave it: it is closed, and remembered. Both have been judged
    /// ([`Finding::may_decide`]).
    pub fn confirm(
        mut self,
        by: Who,
        number: u32,
        now: Timestamp,
    ) -> Result<(Agreement, Closed, (Kind, Details)), Refused> {
        let proposal = self.answered(number, now)?.clone();
        if proposal.by.id == by.id {
            return Err(Refused::Own);
        }
        let closed = proposal.course.closes_as().ok_or(Refused::NotProposed)?;
        let (kind, mut details) = self.closed(closed);
        details.more.extend(self.proposed(&proposal).more);
        details.reason = Some(proposal.reason.clone());
        details.approver = Some(by.clone());
        self.proposal = None;
        let agreement = Agreement {
            finding: self,
            proposal,
            confirmed_by: by,
            confirmed_at: now,
        };
        Ok((agreement, closed, (kind, details)))
    }

    pub(crate) fn proposed(&self, proposal: &Proposal) -> Details {
        let mut details = self.details();
        details.reason = Some(proposal.reason.clone());
        details.note("course", proposal.course.word());
        details.note("proposal", &proposal.number.to_string());
        details.note("proposed_by", proposal.by.id.as_str());
        details.note("proposed_at", &proposal.at.to_string());
        details.note("until", &proposal.until.to_string());
        details
    }
}

impl Agreement {
    /// Until when it holds.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.proposal.until
    }

    /// Whether its time is up.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until() <= now
    }

    /// What happened when it was no more.
    #[must_use]
    pub fn ended(&self, over: Over) -> (Kind, Details) {
        let mut details = self.finding.proposed(&self.proposal);
        details.approver = Some(self.confirmed_by.clone());
        details.note("confirmed_at", &self.confirmed_at.to_string());
        details.note("ended_as", over.word());
        (Kind::FindingAgreementEnded, details)
    }
}
