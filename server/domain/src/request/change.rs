//! What people and time do to a request.

use jiff::Timestamp;

use super::{
    Ask, AskState, Completion, NUDGED_AT_MOST_EVERY, Opinion, Promise, Refused, Request, Review,
    Transition, Who,
};
use crate::event::{Details, Kind};
use crate::id::AskIndex;

impl Request {
    /// What happened when it was submitted.
    #[must_use]
    pub fn submitted(&self) -> (Kind, Details) {
        let mut details = self.details();
        details.asks(&self.asks);
        details.note("expires_at", &self.expires_at.to_string());
        details.note("policy", self.policy.as_str());
        if let Some(start) = self.terms.start {
            details.note("start", &start.to_string());
        }
        if self.asks.len() > 1 {
            details.note("granting", self.terms.granting.word());
        }
        if let Some(extends) = &self.terms.extends {
            details.note("extends", &extends.grant.to_string());
        }
        (Kind::RequestSubmitted, details)
    }

    /// An approval that does not complete the ask yet.
    pub fn approved_in_part(
        mut self,
        index: AskIndex,
        review: Review,
    ) -> Result<Transition, Refused> {
        let mut details = self.details_of(index)?;
        details.reviewed(&review);
        self.pending(index, review.at)?.review(review)?;
        Ok(self.into_next(Kind::AskReviewed, details))
    }

    /// The approval that completes the ask; without a review if policy alone does. Nothing is
    /// promised by that: see [`Self::recorded`] and [`Self::promised`].
    pub fn approved(
        mut self,
        index: AskIndex,
        review: Option<Review>,
        completion: &Completion,
        at: Timestamp,
    ) -> Result<Transition, Refused> {
        // Whatever completes it, nobody is given more time than they asked for.
        let seconds = completion.duration_seconds.min(self.duration_seconds);
        let mut details = self.details_of(index)?;
        details.note("rule", &completion.rule);
        details.note("policy", completion.policy.as_str());
        details.note("grant", &completion.grant.to_string());
        details.permission_duration = Some(seconds);
        let ask = self.pending(index, at)?;
        if let Some(review) = review {
            details.reviewed(&review);
            ask.review(review)?;
        }
        ask.state = AskState::Approved {
            at,
            rule: completion.rule.clone(),
            grant: completion.grant,
            seconds,
            approved_by: String::new(),
            promise: Promise::Waits,
        };
        Ok(self.into_next(Kind::AskApproved, details))
    }

    /// One "no" by someone who could approve ends the ask. What it is granted together with ends
    /// too: [`Self::bound_to`], [`Self::denied_with`].
    pub fn denied(mut self, index: AskIndex, review: Review) -> Result<Transition, Refused> {
        let mut details = self.details_of(index)?;
        details.reviewed(&review);
        let ask = self.pending(index, review.at)?;
        ask.state = AskState::Denied {
            at: review.at,
            by: review.by.clone(),
        };
        // Someone who approved before may change their mind: the denial is what counts.
        ask.reviews.push(review);
        Ok(self.into_next(Kind::AskDenied, details))
    }

    /// Another ask was denied that this one is granted together with, so that it never will be.
    pub fn denied_with(mut self, index: AskIndex, cause: AskIndex) -> Result<Transition, Refused> {
        let found = self.ask(cause).ok_or(Refused::NoSuchAsk(cause))?;
        let AskState::Denied { by, .. } = found.state.clone() else {
            return Err(Refused::Decided {
                found: Box::new(found.state.clone()),
            });
        };
        let denied = found.state.clone();
        if !self.bound_to(cause).contains(&index) {
            self.undecided_ask(index)?;
            return Err(Refused::Separate);
        }
        let mut details = self.details_of(index)?;
        details.approver = Some(by);
        details.note("with_ask", &cause.to_string());
        self.undecided_ask(index)?.state = denied;
        Ok(self.into_next(Kind::AskDenied, details))
    }

    /// An approver takes their approval back, before it has completed the ask.
    pub fn retracted(
        mut self,
        index: AskIndex,
        by: &Who,
        at: Timestamp,
    ) -> Result<Transition, Refused> {
        let mut details = self.details_of(index)?;
        details.approver = Some(by.clone());
        let ask = self.pending(index, at)?;
        let place = ask
            .reviews
            .iter()
            .position(|have| have.by.id == by.id && have.opinion == Opinion::Approve)
            .ok_or(Refused::NothingToRetract)?;
        ask.reviews.remove(place);
        Ok(self.into_next(Kind::AskRetracted, details))
    }

    /// What approved the ask no longer holds, before anything was promised: it waits for review
    /// again, by what is possible now. `verdict` replaces what policy said of it, if that alone had
    /// approved it.
    pub fn reopened(
        mut self,
        index: AskIndex,
        why: &str,
        verdict: Option<serde_json::Value>,
    ) -> Result<Transition, Refused> {
        let mut details = self.details_of(index)?;
        details.note("why", why);
        let ask = self.undecided_ask(index)?;
        if ask.state == AskState::Pending {
            return Err(Refused::Decided {
                found: Box::new(AskState::Pending),
            });
        }
        ask.state = AskState::Pending;
        if let Some(verdict) = verdict {
            ask.verdict = verdict;
        }
        Ok(self.into_next(Kind::AskReopened, details))
    }

    /// The requester takes it back: also what is approved, as long as it waits for others.
    pub fn withdrawn(mut self, index: AskIndex, at: Timestamp) -> Result<Transition, Refused> {
        let details = self.details_of(index)?;
        self.in_time(at)?;
        self.undecided_ask(index)?.state = AskState::Withdrawn { at };
        Ok(self.into_next(Kind::AskWithdrawn, details))
    }

    /// The requester has left, so nobody needs to answer any more.
    pub fn abandoned(
        mut self,
        index: AskIndex,
        why: &str,
        at: Timestamp,
    ) -> Result<Transition, Refused> {
        let mut details = self.details_of(index)?;
        details.note("why", why);
        self.in_time(at)?;
        self.undecided_ask(index)?.state = AskState::Withdrawn { at };
        Ok(self.into_next(Kind::AskWithdrawn, details))
    }

    /// Nobody decided in time. For the caller to ask when it has passed: [`Self::expires_at`].
    pub fn expired(mut self, index: AskIndex, at: Timestamp) -> Result<Transition, Refused> {
        let details = self.details_of(index)?;
        self.undecided_ask(index)?.state = AskState::Expired { at };
        Ok(self.into_next(Kind::AskExpired, details))
    }

    /// Its approvers are reminded of it.
    pub fn nudged(mut self, at: Timestamp) -> Result<Transition, Refused> {
        if !self.is_open() {
            let found = self.asks.first().ok_or(Refused::NoSuchAsk(AskIndex(0)))?;
            return Err(Refused::Decided {
                found: Box::new(found.state.clone()),
            });
        }
        self.in_time(at)?;
        if let Some(again_at) = self
            .nudged_at
            .and_then(|before| before.checked_add(NUDGED_AT_MOST_EVERY).ok())
            .filter(|again_at| at < *again_at)
        {
            return Err(Refused::NudgedAlready { again_at });
        }
        let mut details = self.details();
        details.asks(&self.asks);
        self.nudged_at = Some(at);
        Ok(self.into_next(Kind::RequestNudged, details))
    }

    /// The ask, if reviewers can still decide it at this instant. One whose time is up cannot be,
    /// even if nobody has recorded that yet.
    fn pending(&mut self, index: AskIndex, at: Timestamp) -> Result<&mut Ask, Refused> {
        let late = self.in_time(at);
        let ask = self
            .asks
            .iter_mut()
            .find(|ask| ask.index == index)
            .ok_or(Refused::NoSuchAsk(index))?;
        if ask.state != AskState::Pending {
            return Err(Refused::Decided {
                found: Box::new(ask.state.clone()),
            });
        }
        late.map(|()| ask)
    }

    pub(super) fn undecided_ask(&mut self, index: AskIndex) -> Result<&mut Ask, Refused> {
        let ask = self
            .asks
            .iter_mut()
            .find(|ask| ask.index == index)
            .ok_or(Refused::NoSuchAsk(index))?;
        if ask.state.is_undecided() {
            Ok(ask)
        } else {
            Err(Refused::Decided {
                found: Box::new(ask.state.clone()),
            })
        }
    }

    fn in_time(&self, at: Timestamp) -> Result<(), Refused> {
        if at < self.expires_at {
            return Ok(());
        }
        Err(Refused::Decided {
            found: Box::new(AskState::Expired {
                at: self.expires_at,
            }),
        })
    }

    /// What every event of this request says.
    fn details(&self) -> Details {
        let mut details = Details {
            reason: Some(self.reason.clone()),
            requester: Some(self.requester.clone()),
            permission_duration: Some(self.duration_seconds),
            belay_request_id: Some(self.id),
            ..Details::default()
        };
        if let Some(ticket) = &self.terms.ticket {
            details.note("ticket", ticket);
        }
        details
    }

    pub(super) fn details_of(&self, index: AskIndex) -> Result<Details, Refused> {
        let ask = self.ask(index).ok_or(Refused::NoSuchAsk(index))?;
        let mut details = self.details();
        details.about(&ask.target, &ask.names);
        details.note("ask", &index.to_string());
        Ok(details)
    }

    pub(super) fn into_next(self, kind: Kind, details: Details) -> Transition {
        Transition {
            request: self,
            event: (kind, details),
        }
    }
}

impl Ask {
    fn review(&mut self, review: Review) -> Result<(), Refused> {
        if self.reviews.iter().any(|have| have.by.id == review.by.id) {
            return Err(Refused::ReviewedAlready);
        }
        self.reviews.push(review);
        Ok(())
    }
}
