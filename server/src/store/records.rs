//! How each kind of record changes: the items that go together, in one place.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::delay::End;
use domain::event::Stream;
use domain::grant::{Grant, GrantChange, GrantState};
use domain::id::{AskIndex, UserId};
use domain::key::{Live, Phase};
use domain::request::{AskState, Request};
use domain::target::Target;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::commit::{Commit, Expect};
use super::item::{self, Attributes, Pointer, SUMMARY_REASON_CHARS, StoredKey, Summary, Tally};
use super::keys::{self, At};
use super::reads::{DUE_PROMISED_END, DUE_UNTIL};
use super::{StoreError, Topic};

/// How long a key whose access was taken away is looked after often, and so remembered.
pub(crate) const ENDED_KEPT: SignedDuration = SignedDuration::from_secs(24 * 3600);

/// A key that nobody wants is remembered for a day: longer than the hour in which it counts as
/// touched by us.
const IDLE_KEY_KEPT: SignedDuration = SignedDuration::from_secs(24 * 3600);

pub(super) fn expires(at: Timestamp, after: SignedDuration) -> AttributeValue {
    let expires = at.saturating_add(after).unwrap_or(at);
    AttributeValue::N(expires.as_second().to_string())
}

pub(super) fn pointer(to: &impl ToString) -> Result<Attributes, StoreError> {
    item::attributes(&Pointer { to: to.to_string() })
}

impl Commit {
    /// A new request with all that leads to it.
    pub fn submit(&mut self, request: &Request) -> Result<(), StoreError> {
        let user = &request.requester.id;
        let at = request.submitted_at;
        self.put(
            &keys::request(request.id),
            item::of_request(request)?,
            Some(Expect::Absent),
        )?;
        self.put(
            &keys::person_request(user, at, request.id),
            pointer(&request.id)?,
            None,
        )?;
        for ask in &request.asks {
            self.put_summary(request, ask.index)?;
        }
        if request.is_open() {
            self.put(&keys::open(at, request.id), pointer(&request.id)?, None)?;
            self.put(
                &keys::due_request(request.expires_at, request.id),
                Attributes::new(),
                None,
            )?;
        }
        self.follow_signing(None, request)?;
        self.tell_about(request);
        Ok(())
    }

    /// A request as it is now, where `before` was read.
    pub fn change_request(&mut self, before: &Request, now: &Request) -> Result<(), StoreError> {
        let mut stored = now.clone();
        stored.version = before.version + 1;
        // Targets, window, reason and terms never change: only these attributes do.
        let mut set = item::of_request(&stored)?;
        set.retain(|name, _| matches!(name.as_str(), "asks" | "nudged_at" | "version"));
        self.update(
            &keys::request(now.id),
            set,
            &[],
            Expect::Version(before.version),
        )?;
        for ask in &now.asks {
            let summary_before = summary(before, ask.index);
            if let Some(summary) = summary(now, ask.index)
                && summary_before.as_ref() != Some(&summary)
            {
                self.set_summary(&summary)?;
            }
        }
        if before.is_open() && !now.is_open() {
            self.delete(&keys::open(now.submitted_at, now.id))?;
            self.delete(&keys::due_request(now.expires_at, now.id))?;
        }
        self.follow_signing(Some(before), now)?;
        self.leave_answers(before, now)?;
        self.tell_about(now);
        Ok(())
    }

    /// What a person waits for and has asked of late, as it is now, where `before` was read.
    pub fn change_tally(
        &mut self,
        user: &UserId,
        before: &Tally,
        now: &Tally,
    ) -> Result<(), StoreError> {
        if before == now {
            return Ok(());
        }
        let expect = Expect::as_read(before.version);
        let stored = Tally {
            version: before.version + 1,
            ..now.clone()
        };
        let attributes = item::attributes(&stored)?;
        self.put(&keys::person_tally(user), attributes, Some(expect))
    }

    /// A new grant, and that its person holds it.
    pub fn promise(&mut self, grant: &Grant) -> Result<(), StoreError> {
        self.put(
            &keys::grant(grant.id),
            item::of_grant(grant)?,
            Some(Expect::Absent),
        )?;
        self.put(
            &keys::person_live(&grant.key.user, grant.id),
            pointer(&grant.id)?,
            None,
        )?;
        let (kind, details) = grant.scheduled();
        self.event(&Stream::Grant(grant.id), kind, &details)?;
        Ok(())
    }

    /// A grant as it is now, after it `took` these steps. Its key's version, in the same
    /// transaction, guards it.
    pub fn change_grant<'c>(
        &mut self,
        grant: &Grant,
        took: impl IntoIterator<Item = &'c GrantChange>,
    ) -> Result<(), StoreError> {
        let mut set = item::of_grant(grant)?;
        set.retain(|name, _| matches!(name.as_str(), "state" | "until" | "wants_until"));
        self.update(&keys::grant(grant.id), set, &[], Expect::Present)?;
        if let GrantState::Ended { .. } = grant.state {
            self.delete(&keys::person_live(&grant.key.user, grant.id))?;
        }
        if let GrantState::Ended { at, receipt } = &grant.state
            && receipt.access_is_gone()
        {
            let kept = Attributes::from([("expires_at".to_owned(), expires(*at, ENDED_KEPT))]);
            // Grants of one key that end together are one of these: the last is as good as all.
            let place = keys::ended(*at, &grant.key);
            if !self.touches(&place) {
                self.put(&place, kept, None)?;
            }
        }
        if let Some(end) = End::of(grant) {
            self.leave_to_count(grant.id, end)?;
        }
        let mut change = GrantSummary {
            state: grant.state.word(),
            granted_from: grant.from,
            granted_until: grant.until,
            ended_at: None,
            receipt: None,
            begun_at: None,
            active_at: None,
        };
        // One commit may take several steps, of which the state shows the last.
        for step in took {
            match step {
                GrantChange::Granting => change.begun_at = Some(self.at()),
                GrantChange::Activated { .. } => change.active_at = Some(self.at()),
                GrantChange::Revoking | GrantChange::Ended { .. } => {}
            }
        }
        if let GrantState::Ended { at, receipt } = &grant.state {
            change.ended_at = Some(*at);
            change.receipt = Some(receipt.word());
        }
        self.update(
            &keys::summary(grant.request, grant.ask),
            item::attributes(&change)?,
            &[],
            Expect::Present,
        )?;
        self.topic(Topic::Mine.to_string());
        self.topic(Topic::History.to_string());
        self.topic(Topic::Request(grant.request).to_string());
        Ok(())
    }

    /// A key as it is now, and when it is due. `before` is what was read; `None`: nobody ever
    /// wanted it.
    pub fn change_key(
        &mut self,
        before: Option<&StoredKey>,
        now: &StoredKey,
    ) -> Result<(), StoreError> {
        let key = &now.state.key;
        let mut stored = now.clone();
        stored.state.version = before.map_or(1, |before| before.state.version + 1);
        let mut set = item::of_key(&stored)?;
        let idle = stored.state.live.is_empty() && stored.state.operation.is_none();
        if idle {
            set.insert("expires_at".to_owned(), expires(self.at(), IDLE_KEY_KEPT));
        }
        match before {
            None => self.put(&keys::key(key), set, Some(Expect::Absent))?,
            Some(before) => {
                let remove: &[&str] = if idle { &[] } else { &["expires_at"] };
                let expect = Expect::Version(before.state.version);
                self.update(&keys::key(key), set, remove, expect)?;
            }
        }
        let due_before = before.and_then(|before| before.due_at);
        if let Some(at) = due_before
            && now.due_at != due_before
        {
            self.delete(&keys::due_key(at, key))?;
        }
        let says = |key: &StoredKey| [wanted_until(key), promised_end(key)];
        if let Some(at) = now.due_at
            && (now.due_at != due_before || before.map(says) != Some(says(now)))
        {
            let instants = [DUE_UNTIL, DUE_PROMISED_END].into_iter().zip(says(now));
            let entry = instants
                .filter_map(|(name, at)| {
                    let millis = at?.as_millisecond().to_string();
                    Some((name.to_owned(), AttributeValue::N(millis)))
                })
                .collect();
            self.put(&keys::due_key(at, key), entry, None)?;
        }
        self.topic(Topic::Work.to_string());
        Ok(())
    }

    fn tell_about(&mut self, request: &Request) {
        self.topic(Topic::Approvals.to_string());
        self.topic(Topic::Mine.to_string());
        self.topic(Topic::History.to_string());
        self.topic(Topic::Request(request.id).to_string());
    }

    fn put_summary(&mut self, request: &Request, ask: AskIndex) -> Result<(), StoreError> {
        let Some(summary) = summary(request, ask) else {
            return Ok(());
        };
        let month = keys::month(summary.submitted_at);
        let place = keys::history_place(summary.submitted_at, request.id, ask);
        let mut item = item::attributes(&summary)?;
        let mut index = |number: u8, pk: String| {
            item.insert(format!("gsi{number}pk"), AttributeValue::S(pk));
            item.insert(format!("gsi{number}sk"), AttributeValue::S(place.clone()));
        };
        index(1, keys::history(&month));
        index(2, keys::history_of_person(&month, &request.requester.id));
        match &summary.target {
            Target::Account {
                account,
                permission_set,
            } => {
                index(3, keys::history_of_account(&month, account));
                index(4, keys::history_of_set(&month, permission_set));
            }
            Target::Group { group } => index(4, keys::history_of_group(&month, group)),
        }
        let at: At = keys::summary(request.id, ask);
        self.put(&at, item, Some(Expect::Absent))
    }

    fn set_summary(&mut self, summary: &Summary) -> Result<(), StoreError> {
        let mut set = item::attributes(summary)?;
        set.retain(|name, _| matches!(name.as_str(), "state" | "reviewers" | "ended_at"));
        let at = keys::summary(summary.request, summary.ask);
        self.update(&at, set, &[], Expect::Present)
    }
}

/// What a grant adds to its ask's summary.
#[derive(Debug, Serialize)]
struct GrantSummary {
    state: &'static str,
    granted_from: Timestamp,
    granted_until: Timestamp,
    ended_at: Option<Timestamp>,
    receipt: Option<&'static str>,
    // A grant does not keep these once it has gone on; what was written stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    begun_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_at: Option<Timestamp>,
}

/// When the last of a key's windows ends.
fn wanted_until(key: &StoredKey) -> Option<Timestamp> {
    key.state.live.iter().map(|live| live.until).max()
}

/// When the first of its grants ends that have begun, and so must be proved.
fn promised_end(key: &StoredKey) -> Option<Timestamp> {
    let begun = |live: &&Live| live.phase != Phase::Scheduled;
    let begun = key.state.live.iter().filter(begun);
    begun.map(|live| live.until).min()
}

fn summary(request: &Request, ask: AskIndex) -> Option<Summary> {
    let ask = request.ask(ask)?;
    let ended_at = match &ask.state {
        AskState::Pending | AskState::Approved { .. } => None,
        AskState::Denied { at, .. } | AskState::Withdrawn { at } | AskState::Expired { at } => {
            Some(*at)
        }
    };
    Some(Summary {
        request: request.id,
        ask: ask.index,
        requester: request.requester.clone(),
        target: ask.target.clone(),
        names: ask.names.clone(),
        reason: request.reason.chars().take(SUMMARY_REASON_CHARS).collect(),
        submitted_at: request.submitted_at,
        duration_seconds: request.duration_seconds,
        state: ask.state.word().to_owned(),
        reviewers: ask
            .reviews
            .iter()
            .map(|review| review.by.name.clone())
            .collect(),
        granted_from: None,
        granted_until: None,
        ended_at,
        receipt: None,
        break_glass: ask.glass.is_some(),
        ticket: request.terms.ticket.clone(),
        begun_at: None,
        active_at: None,
    })
}
