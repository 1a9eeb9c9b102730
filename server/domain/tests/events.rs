//! The record: its exact bytes, its canonical form, and its chain.

#![expect(clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use domain::adoption::{Course, Over};
use domain::event::{
    Actor, Details, Envelope, Head, Kind, NO_HASH, NotCompared, SCHEMA, Sealed, Source, Stream,
    seal,
};
use domain::finding::{Closed, Difference, Finding};
use domain::glass::{Closure, GlassState};
use domain::grant::{
    Evidence, Grant, GrantChange, GrantState, Inspection, Part, ReadEvidence, Receipt,
};
use domain::id::{
    AccountId, AskIndex, EventId, FindingId, GrantId, GroupId, PermissionSetArn, PolicyVersion,
    RequestId, ServerId, UserId,
};
use domain::request::{
    Ask, AskState, Completion, Names, Opinion, Refused, Request, Review, Terms, Transition, Who,
};
use domain::sweep::baseline::ProposedBaseline;
use domain::sweep::plan::Confirmation;
use domain::sweep::remove::Swept;
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a date in 2027")
}

fn person(number: u8, name: &str, email: Option<&str>) -> Who {
    Who {
        id: UserId::parse(&format!("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a{number:02x}"))
            .expect("a user id"),
        name: name.to_owned(),
        email: email.map(str::to_owned),
    }
}

fn ana() -> Who {
    person(1, "Ana Silva", Some("ana.silva@example.com"))
}

fn ben() -> Who {
    person(3, "Ben Okafor", Some("ben.okafor@example.com"))
}

/// Somebody without an address.
fn emma() -> Who {
    person(2, "Emma Lindqvist", None)
}

fn version(letter: char) -> PolicyVersion {
    PolicyVersion::parse(&letter.to_string().repeat(64)).expect("a version")
}

fn server() -> ServerId {
    ServerId::new(Uuid::from_u128(0x5e1f))
}

fn account() -> Target {
    let set = "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0123456789abcdef";
    Target::Account {
        account: AccountId::parse("111122223333").expect("an account id"),
        permission_set: PermissionSetArn::parse(set).expect("an ARN"),
    }
}

fn request() -> Request {
    Request {
        id: RequestId::new(Uuid::from_u128(7)),
        requester: ana(),
        reason: "Ledger drifted: \"Ω\" </textarea>\n".to_owned(),
        duration_seconds: 900,
        submitted_at: at(0),
        expires_at: at(28_800),
        policy: version('a'),
        terms: Terms::default(),
        asks: vec![Ask {
            index: AskIndex(0),
            target: account(),
            names: Names {
                account: "Payments Production".to_owned(),
                permission_set: "ReadOnlyAccess".to_owned(),
                session_seconds: 28_800,
            },
            state: AskState::Pending,
            verdict: Value::Null,
            reviews: Vec::new(),
            glass: None,
        }],
        nudged_at: None,
        version: 1,
    }
}

fn completion() -> Completion {
    Completion {
        rule: "prod-read".to_owned(),
        duration_seconds: 600,
        grant: GrantId::new(Uuid::from_u128(9)),
        policy: version('b'),
    }
}

fn review(opinion: Opinion) -> Review {
    Review {
        by: emma(),
        opinion,
        note: "Looks right".to_owned(),
        seconds: None,
        at: at(60),
    }
}

fn grant() -> Grant {
    request()
        .approved(
            AskIndex(0),
            Some(review(Opinion::Approve)),
            &completion(),
            at(60),
        )
        .expect("an approval")
        .request
        .recorded(AskIndex(0), "c".repeat(64))
        .promised(AskIndex(0), at(60))
        .expect("a grant")
        .1
}

/// Two asks, later, for a ticket; the second is approved, for less, and waits for the first.
fn bundle() -> Request {
    let mut bundle = request();
    bundle.terms = Terms {
        ticket: Some("PAY-17".to_owned()),
        start: Some(at(3_600)),
        ..Terms::default()
    };
    let mut second = bundle.asks[0].clone();
    second.index = AskIndex(1);
    bundle.asks.push(second);
    let review = Review {
        seconds: Some(300),
        ..review(Opinion::Approve)
    };
    bundle
        .approved(AskIndex(1), Some(review), &completion(), at(60))
        .expect("an approval")
        .request
}

fn sight(second: i64) -> ReadEvidence {
    ReadEvidence {
        began_at: at(second),
        finished_at: at(second + 1),
        pages: 2,
    }
}

/// The record of a step of the grant, which is in that state when it is made.
fn step(change: &GrantChange, state: GrantState) -> (Kind, Details) {
    Grant { state, ..grant() }.changed(change)
}

fn ended(receipt: Receipt) -> (Kind, Details) {
    let change = GrantChange::Ended {
        receipt: receipt.clone(),
    };
    step(
        &change,
        GrantState::Ended {
            at: at(666),
            receipt,
        },
    )
}

fn steps_of_a_request() -> Vec<(Kind, Details)> {
    let first = AskIndex(0);
    let approve = || review(Opinion::Approve);
    let steps = [
        request().approved_in_part(first, approve()),
        request().approved(first, Some(approve()), &completion(), at(60)),
        request().denied(first, review(Opinion::Deny)),
        request().withdrawn(first, at(60)),
        request().expired(first, at(28_800)),
    ];
    let legal = |step: Result<Transition, Refused>| step.expect("a legal step").event;
    let reviewed = request().approved_in_part(first, approve());
    let reviewed = reviewed.expect("a review").request;
    let denied = bundle().denied(first, review(Opinion::Deny));
    let denied = denied.expect("a denial").request;
    let later = [
        Ok(Transition {
            event: bundle().submitted(),
            request: bundle(),
        }),
        reviewed.retracted(first, &emma(), at(61)),
        bundle().reopened(
            AskIndex(1),
            "An approval that counted no longer does.",
            None,
        ),
        denied.denied_with(AskIndex(1), first),
        request().nudged(at(62)),
    ];
    std::iter::once(request().submitted())
        .chain(steps.map(legal))
        .chain(later.map(legal))
        .collect()
}

fn activated(evidence: Evidence) -> (Kind, Details) {
    let change = GrantChange::Activated {
        evidence: evidence.clone(),
    };
    let since = at(63);
    step(&change, GrantState::Active { since, evidence })
}

/// Each, and each evidence and end.
fn steps_of_a_grant() -> Vec<(Kind, Details)> {
    let mut steps = vec![
        grant().scheduled(),
        step(
            &GrantChange::Granting,
            GrantState::Granting { since: at(60) },
        ),
        activated(Evidence::Created {
            aws_request_id: "a2b4c6d8-create".to_owned(),
            accepted_at: at(61),
            succeeded_at: at(63),
        }),
        activated(Evidence::Seen { read: sight(62) }),
        step(
            &GrantChange::Revoking,
            GrantState::Revoking { since: at(660) },
        ),
    ];
    let receipts = [
        Receipt::Removed {
            aws_request_id: "a2b4c6d8-delete".to_owned(),
            accepted_at: at(661),
            succeeded_at: at(664),
            read: sight(664),
            still_given_by: None,
        },
        Receipt::AbsentAlready {
            first: sight(662),
            second: sight(700),
            cause: None,
            still_given_by: None,
        },
        Receipt::HeldBy {
            grants: vec![GrantId::new(Uuid::from_u128(10))],
        },
        Receipt::Standing,
        vanished(),
        Receipt::NeverGranted,
    ];
    steps.extend(receipts.map(ended));
    let active = Grant {
        state: GrantState::Granting { since: at(60) },
        ..grant()
    };
    let early = active.ended_early("Done sooner", at(120));
    steps.push(early.expect("an early end").1);
    let cancelled = grant().ended_early("Not needed", at(61));
    steps.push(cancelled.expect("a cancellation").1);
    steps
}

/// Granted first, to be signed by two.
fn broken() -> Request {
    let skipped = BTreeSet::from([emma().id]);
    let request = Request {
        id: RequestId::new(Uuid::from_u128(12)),
        ..request()
    };
    let completion = Completion {
        grant: GrantId::new(Uuid::from_u128(13)),
        ..completion()
    };
    let broken = request.broken(AskIndex(0), &completion, 2, &skipped, at(60));
    broken.expect("a break-glass").request
}

fn steps_of_a_break_glass() -> Vec<(Kind, Details)> {
    let first = AskIndex(0);
    let skipped = BTreeSet::from([emma().id]);
    let steps = [
        request().broken(first, &completion(), 2, &skipped, at(60)),
        broken().signed(first, review(Opinion::Approve), 1),
        broken().rejected(first, review(Opinion::Deny)),
        broken().overdue(first, at(90_000)),
    ];
    let legal = |step: Result<Transition, Refused>| step.expect("a legal step").event;
    steps.map(legal).into()
}

fn steps_of_a_closure() -> Vec<(Kind, Details)> {
    let closure = Closure {
        by: emma(),
        at: at(70),
        request: broken().id,
        grant: GrantId::new(Uuid::from_u128(13)),
    };
    let closed = GlassState::default().closed(&ana(), closure);
    let (state, closed) = closed.expect("a closure");
    let reopened = state.reopened(&ana(), &emma(), "We talked about it");
    vec![closed, reopened.expect("an opening").1]
}

fn vanished() -> Receipt {
    let look = |second| Inspection {
        began_at: at(second),
        finished_at: at(second + 1),
        gone: BTreeSet::from([Part::Account]),
    };
    Receipt::TargetGone {
        gone: BTreeSet::from([Part::Account]),
        first: look(670),
        second: look(740),
    }
}

fn finding() -> Finding {
    Finding {
        id: FindingId::new(Uuid::from_u128(11)),
        difference: Difference::Unmanaged,
        key: grant().key,
        names: grant().names,
        who: ana(),
        grants: Vec::new(),
        opened_at: at(800),
        read: Some(sight(799)),
        why: None,
        proposal: None,
        proposals: 0,
        revocation: None,
        failed: None,
    }
}

/// What admins do about it: each step from what is proposed, with who takes it.
fn steps_of_a_proposal() -> Vec<(Actor, (Kind, Details))> {
    let (adopt, keep) = (Course::Adopt, SignedDuration::from_secs(86_400));
    let by_emma = || Actor::Person(emma());
    let by_ben = || Actor::Person(ben());
    let (proposed, first) = finding()
        .propose(adopt, (emma(), "the vendor's own"), keep, at(810))
        .expect("a proposal");
    let taken = proposed.clone().take_back(&emma().id, 1, at(811));
    let refused = proposed.clone().refuse(&ben(), "not theirs", 1, at(812));
    let lapsed = proposed.lapse(at(810 + 7 * 86_400)).expect("lapsed");
    let agreed = proposed.confirm(ben(), 1, at(813)).expect("an agreement");
    let (agreement, closed, confirmed) = agreed;
    assert_eq!(closed, Closed::Adopted);
    vec![
        (by_emma(), first),
        (by_emma(), taken.expect("taken back").1),
        (by_ben(), refused.expect("refused").1),
        (Actor::Server(server()), lapsed.1),
        (by_ben(), confirmed),
        (Actor::Server(server()), agreement.ended(Over::Expired)),
    ]
}

/// One of each kind, and of each end.
fn one_of_each() -> Vec<(Stream, Actor, Source, (Kind, Details))> {
    let by_ana = |stream, event| (stream, Actor::Person(ana()), Source::Portal, event);
    let by_server = |stream, source, event| (stream, Actor::Server(server()), source, event);
    let mut all = Vec::new();
    for event in steps_of_a_request() {
        all.push(by_ana(Stream::Request(request().id), event));
    }
    for event in steps_of_a_grant() {
        all.push(by_server(Stream::Grant(grant().id), Source::Worker, event));
    }
    let loaded = (Kind::PolicyLoaded, Details::policy(&version('a'), None));
    all.push(by_server(Stream::Policy, Source::Cli, loaded));
    let bound = Details {
        requester: Some(ana()),
        more: BTreeMap::from([("issuer", Value::from("http://localhost:8002"))]),
        ..Details::default()
    };
    all.push(by_ana(Stream::Server(server()), (Kind::PersonBound, bound)));
    let found = finding();
    for event in [found.opened(), found.closed(Closed::Gone)] {
        all.push(by_server(Stream::Finding(found.id), Source::Worker, event));
    }
    for (actor, event) in steps_of_a_proposal() {
        all.push((Stream::Finding(found.id), actor, Source::Portal, event));
    }
    let departed = Details {
        requester: Some(ana()),
        more: BTreeMap::from([("gone", Value::from("disabled"))]),
        ..Details::default()
    };
    all.push(by_server(
        Stream::Server(server()),
        Source::Worker,
        (Kind::PersonDeparted, departed),
    ));
    for event in steps_of_a_break_glass() {
        all.push(by_ana(Stream::Request(broken().id), event));
    }
    let (_, grant) = broken().promised(AskIndex(0), at(60)).expect("a grant");
    all.push(by_ana(Stream::Grant(grant.id), grant.scheduled()));
    for event in steps_of_a_closure() {
        all.push(by_ana(Stream::Person(ana().id), event));
    }
    for event in steps_of_a_removal() {
        all.push(by_server(Stream::Finding(found.id), Source::Worker, event));
    }
    for event in steps_of_a_sweep() {
        all.push(by_ana(Stream::Sweep, event));
    }
    for event in steps_of_a_revocation() {
        all.push(by_ana(Stream::Finding(found.id), event));
    }
    all
}

/// What two admins agree to take away.
fn steps_of_a_revocation() -> Vec<(Kind, Details)> {
    let keep = SignedDuration::from_hours(7 * 24);
    let (proposed, first) = finding()
        .propose(Course::Revoke, (emma(), "nobody knows it"), keep, at(910))
        .expect("a proposal");
    let (agreed, second) = proposed
        .confirm_revocation(ben(), 1, at(911))
        .expect("an agreement");
    let (_, begun) = agreed.begin_revocation().expect("what was agreed");
    let (_, lapsed) = agreed.lapse(at(911 + 86_400)).expect("lapsed");
    vec![first, second, begun, lapsed]
}

/// What the sweep does about it, and each way in which that ends.
fn steps_of_a_removal() -> Vec<(Kind, Details)> {
    let removed = Receipt::Removed {
        aws_request_id: "req-2".to_owned(),
        accepted_at: at(900),
        succeeded_at: at(901),
        read: sight(902),
        still_given_by: None,
    };
    let failed = Swept::NotRemoved {
        reason: "ConflictException".to_owned(),
    };
    vec![
        finding().removing(at(890), "ab12"),
        finding().swept(&Swept::Removed(removed)),
        finding().swept(&Swept::Removed(vanished())),
        finding().swept(&failed),
    ]
}

/// What admins say about what the sweep may do.
fn steps_of_a_sweep() -> Vec<(Kind, Details)> {
    let proposed = ProposedBaseline::new([&finding().key], (ana(), "all known"), at(820));
    let digest = proposed.digest.clone();
    let (first, dropped) = (proposed.proposed(), proposed.dropped());
    let (_, agreed) = proposed
        .agree(ben(), &digest, None, at(821))
        .expect("a baseline");
    let confirmation = Confirmation {
        version: 1,
        digest,
        removals: 21,
        by: ana(),
        at: at(830),
        used_at: None,
    };
    vec![first, dropped, agreed, confirmation.confirmed()]
}

#[test]
fn a_policy_that_took_another_ones_place_says_why_nobody_compared_them() {
    let all = [
        (NotCompared::NotKept, "not-kept"),
        (NotCompared::Damaged, "damaged"),
        (NotCompared::MembersUnknown, "members-unknown"),
        (NotCompared::TooMuch, "too-much"),
    ];
    for (why, word) in all {
        let server = Actor::Server(server());
        let envelope = Envelope {
            id: EventId::new(Uuid::from_u128(1)),
            stream: Stream::Policy,
            actor: &server,
            source: Source::Worker,
            at: at(0),
        };
        let details = Details::policy(&version('b'), Some(&version('a'))).not_compared(why);
        let event = seal(envelope, &mut Head::default(), Kind::PolicyLoaded, &details);
        let fields = fields(&event);
        assert_eq!(fields["not_compared"], word);
        assert!(!fields.contains_key("gained"), "nobody knows: {fields:?}");
    }
}

/// All of them, each onto its stream.
fn sealed() -> Vec<Sealed> {
    let mut heads = BTreeMap::<Stream, Head>::new();
    (0_u128..)
        .zip(one_of_each())
        .map(|(number, (stream, actor, source, (kind, details)))| {
            let envelope = Envelope {
                id: EventId::new(Uuid::from_u128(number)),
                stream: stream.clone(),
                actor: &actor,
                source,
                at: at(i64::try_from(number).expect("few")),
            };
            seal(envelope, heads.entry(stream).or_default(), kind, &details)
        })
        .collect()
}

fn fields(event: &Sealed) -> serde_json::Map<String, Value> {
    let value: Value = serde_json::from_str(&event.bytes).expect("JSON");
    value.as_object().expect("an object").clone()
}

fn text<'a>(fields: &'a serde_json::Map<String, Value>, name: &str) -> &'a str {
    fields[name].as_str().expect("a text")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a String takes everything");
        out
    })
}

/// A verifier that shares no code with the sealer: `serde_json` sorts keys of its own accord, and
/// writes neither spaces nor escapes that it need not.
fn verify(chain: &[&str]) -> Result<(), String> {
    let mut previous = NO_HASH.to_owned();
    for (seq, bytes) in chain.iter().enumerate() {
        let value: Value = serde_json::from_str(bytes).map_err(|error| error.to_string())?;
        if serde_json::to_string(&value).expect("JSON") != *bytes {
            return Err(format!("{seq} is not canonical"));
        }
        let Value::Object(mut fields) = value else {
            return Err(format!("{seq} is not an object"));
        };
        let hash = fields.remove("hash").ok_or("no hash")?;
        let unsealed = serde_json::to_string(&fields).expect("JSON");
        if hash != hex(&Sha256::digest(unsealed)) {
            return Err(format!("{seq} was changed"));
        }
        if fields["prev_hash"] != previous || fields["seq"] != seq {
            return Err(format!("{seq} does not follow"));
        }
        hash.as_str().ok_or("no hash")?.clone_into(&mut previous);
    }
    Ok(())
}

/// What reads our records, ours or SSO Elevator's, reads these bytes: a change here is a change of
/// the audit contract.
#[test]
fn the_bytes_of_each_kind_of_event_never_change() {
    let lines: Vec<_> = sealed().into_iter().map(|event| event.bytes).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn there_is_an_example_of_each_kind() {
    let kinds: Vec<_> = sealed().iter().map(|event| event.kind.word()).collect();
    for kind in [
        "request.submitted",
        "request.nudged",
        "ask.reviewed",
        "ask.retracted",
        "ask.approved",
        "ask.reopened",
        "ask.denied",
        "ask.withdrawn",
        "ask.expired",
        "grant.scheduled",
        "grant.granting",
        "grant.activated",
        "grant.shortened",
        "grant.revoking",
        "grant.ended",
        "policy.loaded",
        "person.bound",
        "person.departed",
        "finding.opened",
        "finding.closed",
        "finding.proposed",
        "finding.taken-back",
        "finding.refused",
        "finding.lapsed",
        "finding.agreement-ended",
        "finding.removing",
        "finding.removed",
        "finding.not-removed",
        "sweep.baseline-proposed",
        "sweep.baseline-agreed",
        "sweep.baseline-dropped",
        "sweep.confirmed",
    ] {
        assert!(kinds.contains(&kind), "{kind}");
        let quoted = Value::String(kind.to_owned());
        let read: Kind = serde_json::from_value(quoted.clone()).expect("a kind");
        assert_eq!(read.word(), kind);
        assert_eq!(serde_json::to_value(read).expect("JSON"), quoted);
    }
}

/// SSO Elevator's fields are there in every record, and all of them are strings.
#[test]
fn what_reads_sso_elevators_records_reads_ours() {
    const NAMES: [&str; 19] = [
        "role_name",
        "account_id",
        "reason",
        "requester_slack_id",
        "requester_email",
        "request_id",
        "approver_slack_id",
        "approver_email",
        "operation_type",
        "permission_duration",
        "time",
        "group_name",
        "group_id",
        "group_membership_id",
        "audit_entry_type",
        "version",
        "sso_user_principal_id",
        "secondary_domain_was_used",
        "timestamp",
    ];
    for event in sealed() {
        let fields = fields(&event);
        for name in NAMES {
            assert!(fields[name].is_string(), "{name} of {}", event.kind.word());
        }
        assert_eq!(text(&fields, "version"), "3");
        assert_eq!(
            text(&fields, "timestamp"),
            event.at.as_millisecond().to_string()
        );
        assert_eq!(fields["schema"], SCHEMA);
    }
}

#[test]
fn only_an_activation_is_a_grant_and_only_a_proven_end_is_a_revocation() {
    let said: Vec<_> = sealed()
        .iter()
        .map(|event| {
            let fields = fields(event);
            let receipt = fields
                .get("receipt")
                .map_or("", |receipt| receipt["kind"].as_str().expect("a text"));
            let said = text(&fields, "operation_type");
            format!("{} {receipt} is {said}", event.kind.word())
        })
        .collect();
    assert_eq!(
        said,
        [
            "request.submitted  is request.submitted",
            "ask.reviewed  is ask.reviewed",
            "ask.approved  is ask.approved",
            "ask.denied  is declined",
            "ask.withdrawn  is ask.withdrawn",
            "ask.expired  is declined",
            "request.submitted  is request.submitted",
            "ask.retracted  is ask.retracted",
            "ask.reopened  is ask.reopened",
            "ask.denied  is declined",
            "request.nudged  is request.nudged",
            "grant.scheduled  is grant.scheduled",
            "grant.granting  is grant.granting",
            "grant.activated  is grant",
            "grant.activated  is grant",
            "grant.revoking  is grant.revoking",
            "grant.ended removed is revoke",
            "grant.ended absent-already is revoke",
            "grant.ended held-by is grant.ended",
            "grant.ended standing is grant.ended",
            "grant.ended target-gone is grant.ended",
            "grant.ended never-granted is grant.ended",
            "grant.shortened  is grant.shortened",
            "grant.ended never-granted is grant.ended",
            "policy.loaded  is policy.loaded",
            "person.bound  is person.bound",
            "finding.opened  is finding.opened",
            "finding.closed  is finding.closed",
            "finding.proposed  is finding.proposed",
            "finding.taken-back  is finding.taken-back",
            "finding.refused  is finding.refused",
            "finding.lapsed  is finding.lapsed",
            "finding.closed  is finding.closed",
            "finding.agreement-ended  is finding.agreement-ended",
            "person.departed  is person.departed",
            "ask.approved  is ask.approved",
            "ask.signed  is ask.signed",
            "ask.rejected  is ask.rejected",
            "ask.unsigned  is ask.unsigned",
            "grant.scheduled  is grant.scheduled",
            "break-glass.closed  is break-glass.closed",
            "break-glass.reopened  is break-glass.reopened",
            "finding.removing  is finding.removing",
            "finding.removed removed is finding.removed",
            "finding.removed target-gone is finding.removed",
            "finding.not-removed  is finding.not-removed",
            "sweep.baseline-proposed  is sweep.baseline-proposed",
            "sweep.baseline-dropped  is sweep.baseline-dropped",
            "sweep.baseline-agreed  is sweep.baseline-agreed",
            "sweep.confirmed  is sweep.confirmed",
            "finding.proposed  is finding.proposed",
            "finding.revoking  is finding.revoking",
            "finding.removing  is finding.removing",
            "finding.lapsed  is finding.lapsed",
        ]
    );
}

#[test]
fn a_record_says_what_was_asked_approved_and_done() {
    let all = sealed();
    let of = |kind| fields(all.iter().find(|event| event.kind == kind).expect("one"));
    let submitted = of(Kind::RequestSubmitted);
    assert_eq!(text(&submitted, "permission_duration"), "900");
    assert_eq!(text(&submitted, "request_id"), "NA", "that is AWS's");
    assert_eq!(
        text(&submitted, "belay_request_id"),
        request().id.to_string()
    );
    assert_eq!(submitted["asks"][0]["target"], account().to_string());

    let approved = of(Kind::AskApproved);
    assert_eq!(
        text(&approved, "permission_duration"),
        "600",
        "what was granted"
    );
    assert_eq!(text(&approved, "approver_email"), "NA");
    assert_eq!(text(&approved, "approver_user_id"), emma().id.as_str());
    assert_eq!(text(&approved, "rule"), "prod-read");

    let activated = of(Kind::GrantActivated);
    assert_eq!(text(&activated, "request_id"), "a2b4c6d8-create");
    assert_eq!(text(&activated, "role_name"), "ReadOnlyAccess");
    assert_eq!(text(&activated, "account_id"), "111122223333");
    assert_eq!(text(&activated, "audit_entry_type"), "account");
    assert_eq!(text(&activated, "sso_user_principal_id"), ana().id.as_str());

    let scheduled = of(Kind::GrantScheduled);
    assert_eq!(text(&scheduled, "approved_by"), "c".repeat(64));
    assert_eq!(text(&of(Kind::PolicyLoaded), "audit_entry_type"), "NA");
}

#[test]
fn a_group_is_recorded_as_a_group() {
    let group = GroupId::parse("99670a1b2c-93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b");
    let target = Target::Group {
        group: group.expect("a group id"),
    };
    let grant = Grant {
        key: Key {
            user: ana().id,
            target,
        },
        names: Names {
            account: String::new(),
            permission_set: "Night shift".to_owned(),
            session_seconds: 3_600,
        },
        ..grant()
    };
    let (kind, mut details) = grant.scheduled();
    details.aws_request_id = Some("the membership's id".to_owned());
    let envelope = Envelope {
        id: EventId::new(Uuid::nil()),
        stream: Stream::Grant(grant.id),
        actor: &Actor::Server(server()),
        source: Source::Worker,
        at: at(0),
    };
    let fields = fields(&seal(envelope, &mut Head::default(), kind, &details));
    assert_eq!(text(&fields, "audit_entry_type"), "group");
    assert_eq!(
        text(&fields, "group_id"),
        "99670a1b2c-93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b"
    );
    assert_eq!(text(&fields, "group_name"), "Night shift");
    assert_eq!(text(&fields, "group_membership_id"), "the membership's id");
    assert_eq!(text(&fields, "role_name"), "NA");
    assert_eq!(text(&fields, "account_id"), "NA");
}

#[test]
fn each_stream_is_a_chain_of_its_own() {
    let mut streams = BTreeMap::<Stream, Vec<Sealed>>::new();
    for event in sealed() {
        streams.entry(event.stream.clone()).or_default().push(event);
    }
    assert_eq!(streams.len(), 9);
    for events in streams.values() {
        let bytes: Vec<_> = events.iter().map(|event| &*event.bytes).collect();
        assert_eq!(verify(&bytes), Ok(()));
    }
}

/// A chain of events with these texts in them.
fn chain(texts: &[(String, String)]) -> Vec<String> {
    let mut head = Head::default();
    (0_u128..)
        .zip(texts)
        .map(|(number, (reason, note))| {
            let details = Details {
                reason: Some(reason.clone()),
                requester: Some(Who {
                    name: note.clone(),
                    ..ana()
                }),
                more: BTreeMap::from([
                    ("note", Value::String(note.clone())),
                    (
                        "nested",
                        serde_json::json!({ "z": [1, null, true], "a": { note: reason } }),
                    ),
                ]),
                ..Details::default()
            };
            let envelope = Envelope {
                id: EventId::new(Uuid::from_u128(number)),
                stream: Stream::Policy,
                actor: &Actor::Person(emma()),
                source: Source::Api,
                at: at(0),
            };
            seal(envelope, &mut head, Kind::AskReviewed, &details).bytes
        })
        .collect()
}

proptest! {
    /// Whatever people write, a verifier that knows nothing of our serialiser agrees.
    #[test]
    fn a_chain_verifies(texts in prop::collection::vec((any::<String>(), any::<String>()), 1..6)) {
        let chain = chain(&texts);
        let bytes: Vec<_> = chain.iter().map(String::as_str).collect();
        prop_assert_eq!(verify(&bytes), Ok(()));
        for ((reason, _), bytes) in texts.iter().zip(bytes) {
            let value: Value = serde_json::from_str(bytes).expect("JSON");
            prop_assert_eq!(value["reason"].as_str(), Some(&**reason));
        }
    }

    /// Whatever is changed, left out, or put elsewhere, it disagrees.
    #[test]
    fn a_chain_that_was_tampered_with_does_not_verify(
        texts in prop::collection::vec(("[a-z]{1,8}", "[a-z]{1,8}"), 3..6),
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        byte in b'a'..=b'z',
    ) {
        let chain = chain(&texts);
        let which = which.index(chain.len());
        let check = |chain: &[String]| {
            let bytes: Vec<_> = chain.iter().map(String::as_str).collect();
            verify(&bytes)
        };

        let mut changed = chain.clone();
        let mut bytes = changed[which].clone().into_bytes();
        let place = place.index(bytes.len());
        if bytes[place] != byte {
            bytes[place] = byte;
            changed[which] = String::from_utf8(bytes).expect("ASCII");
            prop_assert!(check(&changed).is_err());
        }

        let mut shorter = chain.clone();
        shorter.remove(which);
        // Cutting off the tail is what heads and digests are for.
        prop_assert_eq!(check(&shorter).is_ok(), which + 1 == chain.len());

        let mut reordered = chain.clone();
        reordered.swap(0, 1 + which % (chain.len() - 1));
        prop_assert!(check(&reordered).is_err());
    }
}
