//! What happened: the envelope of every event, and the one list of kinds.
//!
//! Each stream is a hash chain: an event names the hash of the one before it, and its own hash is
//! the SHA-256 of its canonical JSON without the field `hash`. Canonical is: UTF-8, no white space,
//! object keys sorted by code point, integers only. The bytes that were hashed are stored with the
//! event and shipped as they are, so that a verifier never has to repeat our serialiser.
//!
//! The fields are a superset of SSO Elevator's, with its meanings, so that what reads its records
//! reads ours: all of them strings, `"NA"` where there is nothing to say.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::grant::{Evidence, Grant, GrantChange, Receipt};
use crate::id::{EventId, FindingId, GrantId, PolicyVersion, RequestId, ServerId, UserId};
use crate::policy::Change;
use crate::request::{Ask, Names, Opinion, Review, Who};
use crate::target::Target;

/// The envelope's version. A reader that meets a higher one reads what it knows.
pub const SCHEMA: u32 = 1;

/// What the first event of a stream names as the one before it.
pub const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Every kind of event. This is the only list; its words are part of the audit contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A person submitted a request.
    #[serde(rename = "request.submitted")]
    RequestSubmitted,
    /// The requester reminded its approvers.
    #[serde(rename = "request.nudged")]
    RequestNudged,
    /// An approval was counted, and more are needed.
    #[serde(rename = "ask.reviewed")]
    AskReviewed,
    /// An approver took their approval back.
    #[serde(rename = "ask.retracted")]
    AskRetracted,
    /// Policy or reviewers agreed; a grant is promised with the last of those that wait for each
    /// other.
    #[serde(rename = "ask.approved")]
    AskApproved,
    /// What approved it no longer held when all were to be promised: it waits for review again.
    #[serde(rename = "ask.reopened")]
    AskReopened,
    /// A reviewer said no, to it or to what it is granted together with.
    #[serde(rename = "ask.denied")]
    AskDenied,
    /// The requester took it back.
    #[serde(rename = "ask.withdrawn")]
    AskWithdrawn,
    /// Nobody decided in time.
    #[serde(rename = "ask.expired")]
    AskExpired,
    /// Somebody signed a break-glass afterwards.
    #[serde(rename = "ask.signed")]
    AskSigned,
    /// Somebody who could have signed a break-glass rejected it: it ends.
    #[serde(rename = "ask.rejected")]
    AskRejected,
    /// A break-glass was not signed in time: admins may sign it, too.
    #[serde(rename = "ask.unsigned")]
    AskUnsigned,
    /// A grant was promised; names the event that approved it.
    #[serde(rename = "grant.scheduled")]
    GrantScheduled,
    /// The intent to create is on record.
    #[serde(rename = "grant.granting")]
    GrantGranting,
    /// The person has the access.
    #[serde(rename = "grant.activated")]
    GrantActivated,
    /// Somebody moved its end earlier.
    #[serde(rename = "grant.shortened")]
    GrantShortened,
    /// The window is over; the access is being taken away.
    #[serde(rename = "grant.revoking")]
    GrantRevoking,
    /// The grant ended, with its receipt.
    #[serde(rename = "grant.ended")]
    GrantEnded,
    /// Grants and assignments differ.
    #[serde(rename = "finding.opened")]
    FindingOpened,
    /// They do not any more.
    #[serde(rename = "finding.closed")]
    FindingClosed,
    /// An admin proposed to adopt, ignore or revoke it.
    #[serde(rename = "finding.proposed")]
    FindingProposed,
    /// Whoever proposed that took it back.
    #[serde(rename = "finding.taken-back")]
    FindingTakenBack,
    /// Another admin said no to it.
    #[serde(rename = "finding.refused")]
    FindingRefused,
    /// Nobody answered it in time, or what was agreed could not be done in time.
    #[serde(rename = "finding.lapsed")]
    FindingLapsed,
    /// What two admins agreed about it is no more.
    #[serde(rename = "finding.agreement-ended")]
    FindingAgreementEnded,
    /// Two admins agreed that what it is about is taken away.
    #[serde(rename = "finding.revoking")]
    FindingRevoking,
    /// What it is about is to be removed, by the sweep or as two admins agreed: the intent is on
    /// record.
    #[serde(rename = "finding.removing")]
    FindingRemoving,
    /// It was removed, with the proof; it is closed.
    #[serde(rename = "finding.removed")]
    FindingRemoved,
    /// It was not removed: it stays open.
    #[serde(rename = "finding.not-removed")]
    FindingNotRemoved,
    /// An admin proposed what the sweep is to leave alone.
    #[serde(rename = "sweep.baseline-proposed")]
    SweepBaselineProposed,
    /// Another admin agreed: from now on the sweep may remove what came later.
    #[serde(rename = "sweep.baseline-agreed")]
    SweepBaselineAgreed,
    /// Whoever proposed it took it back, or another admin said no.
    #[serde(rename = "sweep.baseline-dropped")]
    SweepBaselineDropped,
    /// An admin let a list go that is longer than one pass removes by itself.
    #[serde(rename = "sweep.confirmed")]
    SweepConfirmed,
    /// Another policy came into force.
    #[serde(rename = "policy.loaded")]
    PolicyLoaded,
    /// A login was bound to a person, once and for ever.
    #[serde(rename = "person.bound")]
    PersonBound,
    /// Two looks found somebody gone from Identity Center: what they hold ends.
    #[serde(rename = "person.departed")]
    PersonDeparted,
    /// Break-glass is closed for a person, since one of theirs was rejected.
    #[serde(rename = "break-glass.closed")]
    BreakGlassClosed,
    /// An admin opened it for them again.
    #[serde(rename = "break-glass.reopened")]
    BreakGlassReopened,
}

impl Kind {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RequestSubmitted => "request.submitted",
            Self::RequestNudged => "request.nudged",
            Self::AskReviewed => "ask.reviewed",
            Self::AskRetracted => "ask.retracted",
            Self::AskApproved => "ask.approved",
            Self::AskReopened => "ask.reopened",
            Self::AskDenied => "ask.denied",
            Self::AskWithdrawn => "ask.withdrawn",
            Self::AskExpired => "ask.expired",
            Self::AskSigned => "ask.signed",
            Self::AskRejected => "ask.rejected",
            Self::AskUnsigned => "ask.unsigned",
            Self::GrantScheduled => "grant.scheduled",
            Self::GrantGranting => "grant.granting",
            Self::GrantActivated => "grant.activated",
            Self::GrantShortened => "grant.shortened",
            Self::GrantRevoking => "grant.revoking",
            Self::GrantEnded => "grant.ended",
            Self::FindingOpened => "finding.opened",
            Self::FindingClosed => "finding.closed",
            Self::FindingProposed => "finding.proposed",
            Self::FindingTakenBack => "finding.taken-back",
            Self::FindingRefused => "finding.refused",
            Self::FindingLapsed => "finding.lapsed",
            Self::FindingAgreementEnded => "finding.agreement-ended",
            Self::FindingRevoking => "finding.revoking",
            Self::FindingRemoving => "finding.removing",
            Self::FindingRemoved => "finding.removed",
            Self::FindingNotRemoved => "finding.not-removed",
            Self::SweepBaselineProposed => "sweep.baseline-proposed",
            Self::SweepBaselineAgreed => "sweep.baseline-agreed",
            Self::SweepBaselineDropped => "sweep.baseline-dropped",
            Self::SweepConfirmed => "sweep.confirmed",
            Self::PolicyLoaded => "policy.loaded",
            Self::PersonBound => "person.bound",
            Self::PersonDeparted => "person.departed",
            Self::BreakGlassClosed => "break-glass.closed",
            Self::BreakGlassReopened => "break-glass.reopened",
        }
    }
}

/// A hash chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// One request.
    Request(RequestId),
    /// One grant.
    Grant(GrantId),
    /// One finding.
    Finding(FindingId),
    /// What a person may do by themselves.
    Person(UserId),
    /// The policy in force.
    Policy,
    /// What the sweep may do.
    Sweep,
    /// One run of one server.
    Server(ServerId),
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(id) => write!(f, "request:{id}"),
            Self::Grant(id) => write!(f, "grant:{id}"),
            Self::Finding(id) => write!(f, "finding:{id}"),
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Policy => f.write_str("policy"),
            Self::Sweep => f.write_str("sweep"),
            Self::Server(id) => write!(f, "server:{id}"),
        }
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    Person(Who),
    /// Belay itself.
    Server(ServerId),
}

/// Through which door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The portal.
    Portal,
    /// Slack.
    Slack,
    /// The HTTP API.
    Api,
    /// The command line.
    Cli,
    /// The worker.
    Worker,
}

impl Source {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Slack => "slack",
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Worker => "worker",
        }
    }
}

/// What an event says beyond its envelope. What is absent becomes `"NA"`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// Why, in the requester's words.
    pub reason: Option<String>,
    /// Who asked.
    pub requester: Option<Who>,
    /// Who reviewed.
    pub approver: Option<Who>,
    /// To what.
    pub target: Option<(Target, Names)>,
    /// Whole seconds.
    pub permission_duration: Option<u32>,
    /// AWS's request id, where AWS was asked.
    pub aws_request_id: Option<String>,
    /// Ours.
    pub belay_request_id: Option<RequestId>,
    /// Everything else, by name.
    pub more: BTreeMap<&'static str, Value>,
}

/// Why two policies were not compared when one took the other's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCompared {
    /// The one before is not in the table.
    NotKept,
    /// What the table has of it is damaged, or not of a language that this version reads.
    Damaged,
    /// Who is in the groups that it names could not be read.
    MembersUnknown,
    /// It would have kept everyone waiting: `belay policy diff` takes the time.
    TooMuch,
}

impl NotCompared {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotKept => "not-kept",
            Self::Damaged => "damaged",
            Self::MembersUnknown => "members-unknown",
            Self::TooMuch => "too-much",
        }
    }
}

impl Details {
    pub(crate) fn about(&mut self, target: &Target, names: &Names) {
        self.target = Some((target.clone(), names.clone()));
        // A name may be another set's tomorrow; an ARN is never used again.
        if let Target::Account { permission_set, .. } = target {
            self.note("permission_set_arn", permission_set.as_str());
        }
    }

    /// Everything that was asked for. A request for one thing is also about that thing.
    pub(crate) fn asks(&mut self, asks: &[Ask]) {
        if let [ask] = asks {
            self.about(&ask.target, &ask.names);
        }
        let named = asks.iter().map(|ask| match &ask.target {
            Target::Account { .. } => serde_json::json!({
                "ask": ask.index.to_string(),
                "target": ask.target.to_string(),
                "account_name": ask.names.account,
                "role_name": ask.names.permission_set,
            }),
            Target::Group { .. } => serde_json::json!({
                "ask": ask.index.to_string(),
                "target": ask.target.to_string(),
                "group_name": ask.names.permission_set,
            }),
        });
        self.more.insert("asks", named.collect());
    }

    pub(crate) fn note(&mut self, name: &'static str, text: &str) {
        self.more.insert(name, Value::String(text.to_owned()));
    }

    pub(crate) fn reviewed(&mut self, review: &Review) {
        self.approver = Some(review.by.clone());
        self.note("note", &review.note);
        let opinion = match review.opinion {
            Opinion::Approve => "approve",
            Opinion::Deny => "deny",
        };
        self.note("opinion", opinion);
        if let Some(seconds) = review.seconds {
            self.note("agreed_seconds", &seconds.to_string());
        }
    }

    /// Another policy came into force.
    #[must_use]
    pub fn policy(version: &PolicyVersion, previous: Option<&PolicyVersion>) -> Self {
        let mut details = Self::default();
        details.note("policy", version.as_str());
        details.note("previous", previous.map_or("NA", PolicyVersion::as_str));
        details
    }

    /// Why nobody can say who gained and who lost by another policy.
    #[must_use]
    pub fn not_compared(mut self, why: NotCompared) -> Self {
        self.note("not_compared", why.word());
        self
    }

    /// Who gained and who lost by another policy.
    #[must_use]
    pub fn with_changes(mut self, changes: &[Change]) -> Self {
        /// An event is read by people and kept for ever; the rest is counted.
        const TOLD: usize = 50;
        for (name, gains) in [("gained", true), ("lost", false)] {
            let of_kind = || changes.iter().filter(|change| change.gains == gains);
            let mut told: Vec<String> = of_kind()
                .take(TOLD)
                .map(|change| change.sentence.clone())
                .collect();
            let rest = of_kind().count().saturating_sub(TOLD);
            if rest > 0 {
                told.push(format!("And {rest} more."));
            }
            self.more.insert(name, told.into());
        }
        self
    }
}

impl Grant {
    fn details(&self) -> Details {
        let mut details = Details {
            reason: Some(self.reason.clone()),
            requester: Some(self.requester.clone()),
            approver: self.approver.clone(),
            permission_duration: u32::try_from(self.until.duration_since(self.from).as_secs()).ok(),
            belay_request_id: Some(self.request),
            ..Details::default()
        };
        details.about(&self.key.target, &self.names);
        details.note("grant", &self.id.to_string());
        details.note("ask", &self.ask.to_string());
        details.note("from", &self.from.to_string());
        details.note("until", &self.until.to_string());
        if let Some(ticket) = &self.ticket {
            details.note("ticket", ticket);
        }
        if self.break_glass {
            details.note("break_glass", "true");
        }
        details
    }

    /// The grant's first event.
    #[must_use]
    pub fn scheduled(&self) -> (Kind, Details) {
        let mut details = self.details();
        details.note("approved_by", &self.approved_by);
        (Kind::GrantScheduled, details)
    }

    /// Somebody ended it early: the end that it had, and why.
    #[must_use]
    pub(crate) fn shortened(&self, before: Timestamp, why: &str) -> (Kind, Details) {
        let mut details = self.details();
        details.note("until_before", &before.to_string());
        details.note("note", why);
        (Kind::GrantShortened, details)
    }

    /// It ended before anything was done for it, and why.
    #[must_use]
    pub(crate) fn cancelled(&self, change: &GrantChange, why: &str) -> (Kind, Details) {
        let (kind, mut details) = self.changed(change);
        details.note("note", why);
        (kind, details)
    }

    /// The event of a change that was just applied to this grant.
    #[must_use]
    pub fn changed(&self, change: &GrantChange) -> (Kind, Details) {
        let mut details = self.details();
        let kind = match change {
            GrantChange::Granting => Kind::GrantGranting,
            GrantChange::Activated { evidence } => {
                if let Evidence::Created { aws_request_id, .. } = evidence {
                    details.aws_request_id = Some(aws_request_id.clone());
                }
                details.evidence("evidence", evidence);
                Kind::GrantActivated
            }
            GrantChange::Revoking => Kind::GrantRevoking,
            GrantChange::Ended { receipt } => {
                if let Receipt::Removed { aws_request_id, .. } = receipt {
                    details.aws_request_id = Some(aws_request_id.clone());
                }
                details.evidence("receipt", receipt);
                details.note(
                    "access_is_gone",
                    if receipt.access_is_gone() {
                        "true"
                    } else {
                        "false"
                    },
                );
                // What was never there was never opened.
                let sessions = match receipt {
                    Receipt::NeverGranted => "NA".to_owned(),
                    _ => self.sessions_may_last_until().to_string(),
                };
                details.note("sessions_may_last_until", &sessions);
                Kind::GrantEnded
            }
        };
        (kind, details)
    }
}

impl Details {
    pub(crate) fn evidence(&mut self, name: &'static str, value: &impl Serialize) {
        // These values are plain data: serialising them cannot fail, and if it ever did, the
        // record must say so rather than look complete.
        let value = serde_json::to_value(value)
            .unwrap_or_else(|error| Value::String(format!("not serialisable: {error}")));
        self.more.insert(name, value);
    }
}

/// Where a stream stands: its head item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The next event's place, from 0.
    pub next_seq: u64,
    /// The last event's hash, or [`NO_HASH`].
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            next_seq: 0,
            hash: NO_HASH.to_owned(),
        }
    }
}

/// An event as it is stored and shipped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an event that is not stored did not happen"]
pub struct Sealed {
    /// Ours.
    pub id: EventId,
    /// Its stream.
    pub stream: Stream,
    /// Its place in the stream.
    pub seq: u64,
    /// What happened.
    pub kind: Kind,
    /// When.
    pub at: Timestamp,
    /// The SHA-256 of the canonical bytes without `hash`, in hex.
    pub hash: String,
    /// The canonical JSON, `hash` included: exactly what is shipped.
    pub bytes: String,
}

/// What the envelope needs to know.
#[derive(Debug, Clone)]
pub struct Envelope<'a> {
    /// Ours, a fresh `UUIDv7`.
    pub id: EventId,
    /// Its stream.
    pub stream: Stream,
    /// Who did it.
    pub actor: &'a Actor,
    /// Through which door.
    pub source: Source,
    /// When.
    pub at: Timestamp,
}

/// Seals an event onto its stream, and moves the head.
pub fn seal(envelope: Envelope<'_>, head: &mut Head, kind: Kind, details: &Details) -> Sealed {
    let Envelope {
        id,
        stream,
        actor,
        source,
        at,
    } = envelope;
    let mut fields = elevator_fields(kind, details, at);
    let seq = head.next_seq;
    fields.insert("id", Value::String(id.to_string()));
    fields.insert("stream", Value::String(stream.to_string()));
    fields.insert("seq", Value::from(seq));
    fields.insert("prev_hash", Value::String(head.hash.clone()));
    fields.insert("kind", Value::String(kind.word().to_owned()));
    fields.insert("source", Value::String(source.word().to_owned()));
    fields.insert("at", Value::String(at.to_string()));
    fields.insert("schema", Value::from(SCHEMA));
    fields.insert("actor", actor_value(actor));
    let unsealed = canonical(&fields);
    let hash = hex(&Sha256::digest(unsealed.as_bytes()));
    fields.insert("hash", Value::String(hash.clone()));
    head.next_seq = seq + 1;
    head.hash.clone_from(&hash);
    Sealed {
        id,
        stream,
        seq,
        kind,
        at,
        bytes: canonical(&fields),
        hash,
    }
}

fn actor_value(actor: &Actor) -> Value {
    match actor {
        Actor::Person(who) => serde_json::json!({
            "kind": "person",
            "id": who.id.as_str(),
            "name": who.name,
            "email": who.email,
        }),
        Actor::Server(id) => serde_json::json!({ "kind": "server", "id": id.to_string() }),
    }
}

fn elevator_fields(kind: Kind, details: &Details, at: Timestamp) -> BTreeMap<&'static str, Value> {
    let text = |value: Option<&str>| Value::String(value.unwrap_or("NA").to_owned());
    let (kind_of_target, account, set) = match &details.target {
        Some((Target::Account { account, .. }, names)) => (
            Some("account"),
            Some(account.as_str()),
            Some(names.permission_set.as_str()),
        ),
        Some((Target::Group { .. }, _)) => (Some("group"), None, None),
        None => (None, None, None),
    };
    let group = match &details.target {
        Some((Target::Group { group }, names)) => Some((group.as_str(), &names.permission_set)),
        _ => None,
    };
    // A membership has no request of AWS's that could be asked about later, and an id of its own.
    let membership = group.and(details.aws_request_id.as_deref());
    let email = |who: &Option<Who>| who.as_ref().and_then(|who| who.email.clone());
    let duration = details
        .permission_duration
        .map(|seconds| seconds.to_string());
    let id = |who: &Option<Who>| who.as_ref().map(|who| who.id.as_str().to_owned());
    let request = details.belay_request_id.map(|id| id.to_string());
    let operation = match kind {
        Kind::GrantActivated => "grant",
        // Only a proven end may call itself a revocation.
        Kind::GrantEnded if is_proven_end(details) => "revoke",
        Kind::AskDenied | Kind::AskExpired => "declined",
        other => other.word(),
    };
    let zoned = at.to_zoned(TimeZone::UTC);
    let mut fields: BTreeMap<&'static str, Value> = details
        .more
        .iter()
        .map(|(name, value)| (*name, value.clone()))
        .collect();
    fields.extend([
        ("role_name", text(set)),
        ("account_id", text(account)),
        ("reason", text(details.reason.as_deref())),
        ("requester_slack_id", text(None)),
        (
            "requester_email",
            text(email(&details.requester).as_deref()),
        ),
        ("request_id", text(details.aws_request_id.as_deref())),
        ("belay_request_id", text(request.as_deref())),
        ("approver_slack_id", text(None)),
        ("approver_email", text(email(&details.approver).as_deref())),
        ("operation_type", text(Some(operation))),
        ("permission_duration", text(duration.as_deref())),
        (
            "time",
            Value::String(zoned.strftime("%Y-%m-%d %H:%M:%S%.6f+00:00").to_string()),
        ),
        ("group_name", text(group.map(|(_, name)| name.as_str()))),
        ("group_id", text(group.map(|(id, _)| id))),
        ("group_membership_id", text(membership)),
        ("audit_entry_type", text(kind_of_target)),
        ("version", text(Some("3"))),
        (
            "sso_user_principal_id",
            text(id(&details.requester).as_deref()),
        ),
        // Not SSO Elevator's: an approver may have no address.
        ("approver_user_id", text(id(&details.approver).as_deref())),
        ("secondary_domain_was_used", text(Some("false"))),
        ("timestamp", Value::String(at.as_millisecond().to_string())),
    ]);
    fields
}

fn is_proven_end(details: &Details) -> bool {
    details.more.get("access_is_gone") == Some(&Value::String("true".to_owned()))
}

/// Canonical JSON of an object.
fn canonical(fields: &BTreeMap<&'static str, Value>) -> String {
    let mut out = String::from("{");
    for (at, (name, value)) in fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_text(&mut out, name);
        out.push(':');
        write_canonical(&mut out, value);
    }
    out.push('}');
    out
}

fn write_canonical(out: &mut String, value: &Value) {
    match value {
        Value::Object(fields) => {
            // Sorted here: a map's own order depends on a feature that any crate may switch on.
            let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
            out.push('{');
            for (at, (name, value)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(out, name);
                out.push(':');
                write_canonical(out, value);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_canonical(out, item);
            }
            out.push(']');
        }
        Value::String(text) => write_text(out, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push_str(&Value::String(text.to_owned()).to_string());
}

/// As hashes are written: in hexadecimal, lower case.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
