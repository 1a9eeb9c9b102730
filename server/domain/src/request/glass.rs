//! Break-glass: what is granted first, and signed afterwards.
//!
//! That it was break-glass stays with the ask for ever, and with its grant. Who may sign is not
//! known here: policy says so at the moment of signing. That nobody signs for themselves is held
//! here as well, since nothing may ever make that untrue.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{AskState, Completion, Opinion, Refused, Request, Review, Transition, Who};
use crate::event::Kind;
use crate::id::{AskIndex, UserId};

/// For so long it is the approvers' to sign (DESIGN 6): a night, and the day that follows it.
pub const SIGN_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// People named in the record as having been passed by; the rest is counted.
const SKIPPED_TOLD: usize = 50;

/// What is kept of a break-glass with the ask that it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glass {
    /// How many signatures it needed when it was granted.
    pub needed: u32,
    /// Until when it is the approvers' alone to sign.
    pub sign_by: Timestamp,
    /// What those who could sign it said, in order.
    pub signatures: Vec<Review>,
    /// How that stands.
    pub stands: Stands,
}

/// How it stands with a break-glass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stands", rename_all = "kebab-case")]
pub enum Stands {
    /// Signatures are missing.
    Unsigned,
    /// They still are, after the time for that: admins may sign, too.
    Overdue {
        /// Since when.
        since: Timestamp,
    },
    /// Enough people signed it.
    Signed {
        /// When.
        at: Timestamp,
    },
    /// Somebody who could have signed rejected it.
    Rejected {
        /// When.
        at: Timestamp,
        /// Who.
        by: Who,
    },
}

impl Stands {
    /// Whether signatures are missing.
    #[must_use]
    pub const fn is_unsigned(&self) -> bool {
        matches!(self, Self::Unsigned | Self::Overdue { .. })
    }

    /// The word for it, as pages and records show it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Overdue { .. } => "overdue",
            Self::Signed { .. } => "signed",
            Self::Rejected { .. } => "rejected",
        }
    }
}

impl Request {
    /// The asks whose break-glass still has to be signed.
    #[must_use]
    pub fn unsigned(&self) -> Vec<AskIndex> {
        let unsigned = |glass: &Glass| glass.stands.is_unsigned();
        self.asks
            .iter()
            .filter(|ask| ask.glass.as_ref().is_some_and(unsigned))
            .map(|ask| ask.index)
            .collect()
    }

    /// Whether any of it was granted as break-glass.
    #[must_use]
    pub fn is_break_glass(&self) -> bool {
        self.asks.iter().any(|ask| ask.glass.is_some())
    }

    /// When the approvers' time to sign ends, if signatures are missing and that is still to come.
    #[must_use]
    pub fn sign_by(&self) -> Option<Timestamp> {
        self.asks
            .iter()
            .filter_map(|ask| ask.glass.as_ref())
            .filter(|glass| glass.stands == Stands::Unsigned)
            .map(|glass| glass.sign_by)
            .min()
    }

    /// Policy lets the requester in first: approved by nobody, to be signed by so many. The record
    /// names those who were not asked.
    pub fn broken(
        self,
        index: AskIndex,
        completion: &Completion,
        needed: u32,
        skipped: &BTreeSet<UserId>,
        at: Timestamp,
    ) -> Result<Transition, Refused> {
        let sign_by = at.checked_add(SIGN_WITHIN).map_err(|_| Refused::Endless)?;
        let needed = needed.max(1);
        let mut approved = self.approved(index, None, completion, at)?;
        if let Some(ask) = approved.request.ask_mut(index) {
            ask.glass = Some(Glass {
                needed,
                sign_by,
                signatures: Vec::new(),
                stands: Stands::Unsigned,
            });
        }
        let (_, details) = &mut approved.event;
        details.note("break_glass", "true");
        details.note("signatures_needed", &needed.to_string());
        details.note("sign_by", &sign_by.to_string());
        let told: Vec<String> = skipped
            .iter()
            .take(SKIPPED_TOLD)
            .map(ToString::to_string)
            .collect();
        details.more.insert("skipped", told.into());
        details.note("skipped_in_all", &skipped.len().to_string());
        Ok(approved)
    }

    /// Somebody who may signs it; so many are missing after that, as policy counts.
    pub fn signed(
        mut self,
        index: AskIndex,
        signature: Review,
        missing: u32,
    ) -> Result<Transition, Refused> {
        let mut details = self.details_of(index)?;
        details.reviewed(&signature);
        details.note("break_glass", "true");
        details.note("signatures_missing", &missing.to_string());
        let glass = self.unsigned_glass(index, &signature.by)?;
        let by = &signature.by.id;
        if glass.signatures.iter().any(|have| have.by.id == *by) {
            return Err(Refused::SignedAlready);
        }
        if missing == 0 {
            glass.stands = Stands::Signed { at: signature.at };
        }
        glass.signatures.push(Review {
            opinion: Opinion::Approve,
            ..signature
        });
        Ok(self.into_next(Kind::AskSigned, details))
    }

    /// Somebody who may sign rejects it, also one who has signed: its grant is to end.
    pub fn rejected(mut self, index: AskIndex, signature: Review) -> Result<Transition, Refused> {
        let mut details = self.details_of(index)?;
        details.reviewed(&signature);
        details.note("break_glass", "true");
        let glass = self.unsigned_glass(index, &signature.by)?;
        glass.stands = Stands::Rejected {
            at: signature.at,
            by: signature.by.clone(),
        };
        glass.signatures.push(Review {
            opinion: Opinion::Deny,
            ..signature
        });
        Ok(self.into_next(Kind::AskRejected, details))
    }

    /// It was not signed in time: admins may sign it from now on.
    pub fn overdue(mut self, index: AskIndex, at: Timestamp) -> Result<Transition, Refused> {
        let mut details = self.details_of(index)?;
        details.note("break_glass", "true");
        let glass = self.glass(index)?;
        match glass.stands {
            Stands::Unsigned if at < glass.sign_by => {
                let sign_by = glass.sign_by;
                return Err(Refused::InTime { sign_by });
            }
            Stands::Unsigned => {}
            _ => return Err(settled(glass)),
        }
        details.note("sign_by", &glass.sign_by.to_string());
        glass.stands = Stands::Overdue { since: at };
        Ok(self.into_next(Kind::AskUnsigned, details))
    }

    fn glass(&mut self, index: AskIndex) -> Result<&mut Glass, Refused> {
        let ask = self.ask_mut(index).ok_or(Refused::NoSuchAsk(index))?;
        match (&ask.state, ask.glass.as_mut()) {
            (AskState::Approved { .. }, Some(glass)) => Ok(glass),
            _ => Err(Refused::NotBreakGlass),
        }
    }

    fn unsigned_glass(&mut self, index: AskIndex, by: &Who) -> Result<&mut Glass, Refused> {
        let own = self.requester.id == by.id;
        let glass = self.glass(index)?;
        if own {
            return Err(Refused::OwnBreakGlass);
        }
        if glass.stands.is_unsigned() {
            Ok(glass)
        } else {
            Err(settled(glass))
        }
    }

    fn ask_mut(&mut self, index: AskIndex) -> Option<&mut super::Ask> {
        self.asks.iter_mut().find(|ask| ask.index == index)
    }
}

fn settled(glass: &Glass) -> Refused {
    Refused::Settled {
        found: Box::new(glass.stands.clone()),
    }
}
