//! From approval to promise: what an approved ask remembers, and the grant that comes of it.
//!
//! An ask may be approved long before the others that it is granted together with, by another
//! server, under another policy. So its approval is stored with it, and whoever records the last
//! one promises all of them.

use jiff::{SignedDuration, Timestamp};

use super::{AskState, Opinion, Promise, Refused, Request};
use crate::grant::{Grant, GrantState};
use crate::id::AskIndex;
use crate::target::Key;

impl Request {
    /// Remembers the hash of the event that approved the ask.
    #[must_use]
    pub fn recorded(mut self, index: AskIndex, hash: String) -> Self {
        if let Some(ask) = self.asks.iter_mut().find(|ask| ask.index == index)
            && let AskState::Approved { approved_by, .. } = &mut ask.state
        {
            *approved_by = hash;
        }
        self
    }

    /// The approval, judged again before the promise, gives no more than this.
    #[must_use]
    pub fn capped(mut self, index: AskIndex, at_most: u32) -> Self {
        if let Some(ask) = self.asks.iter_mut().find(|ask| ask.index == index)
            && let AskState::Approved {
                seconds,
                promise: Promise::Waits,
                ..
            } = &mut ask.state
        {
            *seconds = (*seconds).min(at_most);
        }
        self
    }

    /// The promise that comes of an approved ask. The window is fixed here: from this instant, or
    /// the later start that was asked for.
    pub fn promised(mut self, index: AskIndex, at: Timestamp) -> Result<(Self, Grant), Refused> {
        let promisable = self.promisable().contains(&index);
        let from = self.begins(at);
        let ask = self.undecided_ask(index)?;
        let AskState::Approved {
            grant,
            seconds,
            approved_by,
            promise,
            ..
        } = &mut ask.state
        else {
            return Err(Refused::NotAllApproved);
        };
        if !promisable {
            return Err(Refused::NotAllApproved);
        }
        let length = SignedDuration::from_secs(i64::from(*seconds));
        let until = from.checked_add(length).map_err(|_| Refused::Endless)?;
        *promise = Promise::Made;
        let (id, approved_by) = (*grant, approved_by.clone());
        let (target, names) = (ask.target.clone(), ask.names.clone());
        let approver = ask
            .reviews
            .iter()
            .rfind(|review| review.opinion == Opinion::Approve)
            .map(|review| review.by.clone());
        let break_glass = ask.glass.is_some();
        let grant = Grant {
            id,
            request: self.id,
            ask: index,
            key: Key {
                user: self.requester.id.clone(),
                target,
            },
            names,
            requester: self.requester.clone(),
            approver,
            reason: self.reason.clone(),
            ticket: self.terms.ticket.clone(),
            from,
            until,
            run_from: None,
            state: GrantState::Scheduled,
            approved_by,
            break_glass,
        };
        Ok((self, grant))
    }
}
