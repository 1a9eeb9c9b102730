//! What happened, from the canonical records.

use app::view::{ActorView, EventKind, EventView};
use domain::event::Kind;
use jiff::Timestamp;
use serde_json::Value;

/// An event as pages show it. A record that cannot be read is left out here; it is whole in the
/// audit log.
pub(super) fn view(event: &Value) -> Option<EventView> {
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    let at: Timestamp = text("at")?.parse().ok()?;
    Some(EventView {
        id: text("id")?.to_owned(),
        kind: kind(event),
        actor: actor(event),
        at: at.as_millisecond(),
        ask: text("ask").and_then(|ask| ask.parse().ok()),
        note: note(event).unwrap_or_default(),
    })
}

/// What a person said, or else why Belay did it.
fn note(event: &Value) -> Option<String> {
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    if let Some(cause) = with_ask(event) {
        let number = cause.saturating_add(1);
        return Some(format!(
            "It would only have been granted together with no. {number}, which was denied."
        ));
    }
    let said = text("note").filter(|note| *note != "NA");
    said.or_else(|| text("why")).map(str::to_owned)
}

/// The ask with which this one was denied, if nobody denied this one itself.
fn with_ask(event: &Value) -> Option<u32> {
    let cause = event.get("with_ask").and_then(Value::as_str)?;
    cause.parse().ok()
}

/// Kinds that this version does not know keep their own word.
fn kind(event: &Value) -> EventKind {
    let word = event
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let Ok(kind) = serde_json::from_value::<Kind>(Value::String(word.to_owned())) else {
        return EventKind::Other(word.to_owned());
    };
    match kind {
        Kind::RequestSubmitted => EventKind::Submitted,
        Kind::AskReviewed if event.get("opinion").and_then(Value::as_str) == Some("deny") => {
            EventKind::ReviewedDeny
        }
        Kind::AskReviewed => EventKind::ReviewedApprove,
        Kind::AskRetracted => EventKind::Retracted,
        Kind::AskReopened => EventKind::Reopened,
        Kind::RequestNudged => EventKind::Nudged,
        Kind::AskApproved if event.get("break_glass").is_some() => EventKind::BrokeGlass,
        Kind::AskApproved => EventKind::Approved,
        Kind::AskSigned => EventKind::Signed,
        Kind::AskRejected => EventKind::Rejected,
        Kind::AskUnsigned => EventKind::Unsigned,
        Kind::AskDenied => EventKind::Denied,
        Kind::AskWithdrawn => EventKind::Withdrawn,
        Kind::AskExpired => EventKind::Expired,
        Kind::GrantScheduled => EventKind::Scheduled,
        Kind::GrantGranting => EventKind::Granting,
        Kind::GrantActivated => EventKind::Active,
        Kind::GrantShortened => EventKind::EndedEarly,
        Kind::GrantRevoking => EventKind::Revoking,
        Kind::GrantEnded => EventKind::Ended,
        Kind::PolicyLoaded
        | Kind::PersonBound
        | Kind::PersonDeparted
        | Kind::FindingOpened
        | Kind::FindingClosed
        | Kind::FindingProposed
        | Kind::FindingTakenBack
        | Kind::FindingRefused
        | Kind::FindingLapsed
        | Kind::FindingAgreementEnded
        | Kind::FindingRevoking
        | Kind::FindingRemoving
        | Kind::FindingRemoved
        | Kind::FindingNotRemoved
        | Kind::SweepBaselineProposed
        | Kind::SweepBaselineAgreed
        | Kind::SweepBaselineDropped
        | Kind::SweepConfirmed
        | Kind::BreakGlassClosed
        | Kind::BreakGlassReopened => EventKind::Other(word.to_owned()),
    }
}

/// A person by name; a server is the worker to those who read a page. What nobody decided follows
/// from the policy, whoever's act it came with.
fn actor(event: &Value) -> ActorView {
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    let is_automatic = text("kind") == Some(Kind::AskApproved.word())
        && text("opinion").is_none()
        && text("break_glass").is_none();
    if is_automatic || with_ask(event).is_some() {
        return ActorView::Policy;
    }
    match event.pointer("/actor/name").and_then(Value::as_str) {
        Some(name) => ActorView::Person(name.to_owned()),
        None => ActorView::Worker,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_kind_of_a_later_version_is_shown_as_it_is() {
        let event = json!({
            "id": "01932c07-20a1-7e3c-a0a5-0123456789ab",
            "kind": "grant.extended",
            "at": "2026-11-22T08:00:00Z",
            "actor": {"kind": "server", "id": "x"},
        });
        let view = view(&event).unwrap();
        assert_eq!(view.kind, EventKind::Other("grant.extended".to_owned()));
        assert_eq!(view.actor, ActorView::Worker);
    }

    fn told(kind: &str, more: &Value) -> EventView {
        let mut event = json!({
            "id": "01932c07-20a1-7e3c-a0a5-0123456789ab",
            "kind": kind,
            "at": "2026-11-22T08:00:00Z",
            "actor": {"kind": "person", "id": "x", "name": "Ana Silva"},
            "note": "NA",
        });
        for (name, value) in more.as_object().unwrap() {
            event[name] = value.clone();
        }
        view(&event).unwrap()
    }

    #[test]
    fn nobody_is_said_to_have_decided_what_they_did_not() {
        let ana = ActorView::Person("Ana Silva".to_owned());
        let automatic = told("ask.approved", &json!({}));
        assert_eq!(automatic.actor, ActorView::Policy);
        let reviewed = told("ask.approved", &json!({ "opinion": "approve" }));
        assert_eq!(reviewed.actor, ana);
        let glass = told("ask.approved", &json!({ "break_glass": "true" }));
        assert_eq!(
            (glass.actor, glass.kind),
            (ana.clone(), EventKind::BrokeGlass)
        );
        let denied = told("ask.denied", &json!({ "opinion": "deny", "note": "no" }));
        assert_eq!((denied.actor, denied.note.as_str()), (ana, "no"));
        let fallen = told("ask.denied", &json!({ "with_ask": "1" }));
        assert_eq!(fallen.actor, ActorView::Policy);
        assert!(fallen.note.contains("no. 2"), "{}", fallen.note);
    }
}
