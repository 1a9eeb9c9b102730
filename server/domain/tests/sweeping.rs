//! What the sweep takes away, and everything that it leaves.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;

use domain::adoption::Course;
use domain::directory::Beyond;
use domain::finding::{Closed, Difference, Finding};
use domain::grant::{ReadEvidence, Receipt};
use domain::id::{AccountId, FindingId, GrantId, OperationId, PermissionSetArn, ServerId, UserId};
use domain::key::{KeyState, LostCreate, Standing, Telling};
use domain::plan::{Change, Context, SETTLED_AFTER, Step, plan as next};
use domain::progress::{self, Presence, Sent, Sighting, Status};
use domain::request::{Names, Who};
use domain::sweep::baseline::{Baseline, NotAgreed, ProposedBaseline};
use domain::sweep::look::{Look, Looks};
use domain::sweep::plan::{
    Agreed, CONFIRMED_FOR, Candidate, Confirmation, Halt, Left, Ours, Outcome, Pass, Plan,
    REMOVALS_MAX, Setting, cap, judge, judge_revocation, plan,
};
use domain::sweep::remove::{Swept, remove};
use domain::sweep::{AllowList, Sweep};
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// When the pass is planned: every look below is before it.
const NOW: i64 = 1_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a date in 2027")
}

fn person(number: u16) -> Who {
    Who {
        id: UserId::parse(&format!("93a4c8d2-1011-70e2-3a5b-1c2d3e4f{number:04x}"))
            .expect("a user id"),
        name: format!("Person {number}"),
        email: None,
    }
}

fn set(number: u8) -> PermissionSetArn {
    let arn = format!("arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-{number:016x}");
    PermissionSetArn::parse(&arn).expect("an ARN")
}

fn account(number: u8) -> AccountId {
    AccountId::parse(&format!("1111222233{number:02}")).expect("an account id")
}

fn key(user: u16, of: u8) -> Key {
    Key {
        user: person(user).id,
        target: Target::Account {
            account: account(of),
            permission_set: set(1),
        },
    }
}

fn finding(number: u16, of: u8, opened: i64) -> Finding {
    Finding {
        id: FindingId::new(Uuid::from_u128(u128::from(number) + 1)),
        difference: Difference::Unmanaged,
        key: key(number, of),
        names: Names {
            account: "Payments".to_owned(),
            permission_set: "AdministratorAccess".to_owned(),
            session_seconds: 3_600,
        },
        who: person(number),
        grants: Vec::new(),
        opened_at: at(opened),
        read: None,
        why: None,
        proposal: None,
        proposals: 0,
        revocation: None,
        failed: None,
    }
}

fn look(began: i64, seen: u32) -> Look {
    Look {
        began_at: at(began),
        finished_at: at(began + 60),
        seen,
        untold: 0,
    }
}

fn looks(all: &[Look]) -> Looks {
    let mut looks = Looks::default();
    for look in all {
        looks.add(look.clone(), GRACE);
    }
    looks
}

/// Two days of looks, the last a minute ago.
fn two_days(seen: u32) -> Looks {
    looks(&[
        look(NOW - 172_800, seen),
        look(NOW - 90_000, seen),
        look(NOW - 3_600, seen),
        look(NOW - 60, seen),
    ])
}

fn baseline(keys: &[Key]) -> Baseline {
    let proposed = ProposedBaseline::new(keys, (person(900), "known"), at(0));
    let digest = proposed.digest.clone();
    let agreed = proposed.agree(person(901), &digest, None, at(1));
    agreed.expect("a baseline").0
}

/// What a setting is made of.
struct World {
    mode: Sweep,
    allowed: AllowList,
    protected: BTreeSet<AccountId>,
    beyond: Option<Beyond>,
    baseline: Option<Baseline>,
    looks: Looks,
}

impl World {
    fn ready(seen: u32) -> Self {
        Self {
            mode: Sweep::Enforce,
            allowed: AllowList::default(),
            protected: BTreeSet::new(),
            beyond: Some(Beyond::default()),
            baseline: Some(baseline(&[])),
            looks: two_days(seen),
        }
    }

    fn setting(&self) -> Setting<'_> {
        Setting {
            mode: self.mode,
            grace: GRACE,
            allowed: &self.allowed,
            protected: &self.protected,
            beyond: self.beyond.as_ref(),
            baseline: self.baseline.as_ref(),
            looks: &self.looks,
        }
    }

    fn plan(&self, findings: &[Finding], pass: Pass, confirmed: Option<&Confirmation>) -> Plan {
        let all = findings.iter().map(nobodys);
        plan(all, &self.setting(), pass, confirmed, at(NOW))
    }

    fn left(&self, one: &Candidate<'_>) -> Option<Left> {
        judge(one, &self.setting(), at(NOW)).err()
    }
}

const fn nobodys(finding: &Finding) -> Candidate<'_> {
    Candidate {
        finding,
        ours: Ours::Nothing,
        agreed: Agreed::No,
    }
}

/// Long known: found two days ago.
const OLD: i64 = NOW - 172_801;

fn many(count: u16) -> Vec<Finding> {
    (0..count).map(|number| finding(number, 1, OLD)).collect()
}

#[test]
fn what_two_looks_have_shown_for_a_day_is_taken_away() {
    let plan = World::ready(100).plan(&many(2), Pass::Complete, None);
    assert_eq!(plan.outcome, Outcome::Within);
    assert_eq!(plan.removals().len(), 2);
    assert_eq!(plan.removals()[0].known_since, at(NOW - 89_940));
}

#[test]
fn each_reason_to_leave_something_is_enough() {
    let mut world = World::ready(100);
    let old = finding(1, 1, OLD);
    assert_eq!(world.left(&nobodys(&old)), None);

    for difference in [
        Difference::Missing,
        Difference::Overdue,
        Difference::NoLongerAllowed,
    ] {
        let mut other = old.clone();
        other.difference = difference;
        assert_eq!(world.left(&nobodys(&other)), Some(Left::OtherKind));
    }
    let mut member = old.clone();
    member.key.target = Target::Group {
        group: "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b"
            .parse()
            .expect("an id"),
    };
    assert_eq!(world.left(&nobodys(&member)), Some(Left::NotAnAssignment));
    let day = SignedDuration::from_hours(24);
    let proposed = old
        .clone()
        .propose(Course::Adopt, (person(5), "known"), day, at(NOW))
        .expect("a proposal")
        .0;
    assert_eq!(world.left(&nobodys(&proposed)), Some(Left::Proposed));
    let (revoked, _) = proposed_to_go(&old)
        .confirm_revocation(person(6), 1, at(NOW))
        .expect("agreed");
    assert_eq!(world.left(&nobodys(&revoked)), Some(Left::Revoking));
    let agreed = Candidate {
        agreed: Agreed::Yes,
        ..nobodys(&old)
    };
    assert_eq!(world.left(&agreed), Some(Left::Agreed));
    for (ours, left) in [
        (Ours::Promised, Left::Promised),
        (Ours::Standing, Left::Standing),
        (Ours::UnderWay, Left::UnderWay),
        (Ours::Lately, Left::Lately),
    ] {
        let one = Candidate {
            ours,
            ..nobodys(&old)
        };
        assert_eq!(world.left(&one), Some(left));
    }

    world.allowed = "111122223301/*/*".parse().expect("a list");
    assert_eq!(world.left(&nobodys(&old)), Some(Left::Allowed));
    world.allowed = AllowList::default();
    world.protected = BTreeSet::from([account(1)]);
    assert_eq!(world.left(&nobodys(&old)), Some(Left::Protected));
    world.protected = BTreeSet::new();
    for beyond in [
        None,
        Some(Beyond {
            account: Some(account(1)),
            ..Beyond::default()
        }),
        Some(Beyond {
            account: Some(account(9)),
            permission_sets: BTreeSet::from([set(1)]),
        }),
    ] {
        world.beyond = beyond;
        assert_eq!(world.left(&nobodys(&old)), Some(Left::BeyondReach));
    }
    world.beyond = Some(Beyond::default());
    world.baseline = Some(baseline(&[key(1, 1)]));
    assert_eq!(world.left(&nobodys(&old)), Some(Left::Baseline));
}

#[test]
fn what_is_known_too_short_is_left_until_it_is_not() {
    let world = World::ready(100);
    let since = |opened| world.left(&nobodys(&finding(1, 1, opened)));
    // The look that showed it again ended 60 s after NOW - 90,000, so it is known for 89,940 s.
    assert_eq!(since(NOW - 90_001), None);
    let until = at(NOW - 3_540) + GRACE;
    assert_eq!(since(NOW - 90_000), Some(Left::Young { until }));
    assert_eq!(since(NOW - 60), Some(Left::SeenOnce));
    assert_eq!(since(NOW), Some(Left::SeenOnce));
}

#[test]
fn looks_are_forgotten_without_making_anything_known_earlier() {
    let mut looks = Looks::default();
    let mut all = Vec::new();
    let mut longest = 0;
    for hour in 0..400 {
        // Every quarter of an hour.
        let one = look(hour * 900, 10);
        all.push(one.clone());
        looks.add(one, GRACE);
        longest = longest.max(looks.all().len());
        assert_eq!(looks.last(), all.last());
    }
    assert!(longest <= 60, "{longest}");
    let last = all.last().expect("one").finished_at;
    for second in (0..360_000).step_by(500) {
        let found_at = at(second);
        let exact = all.iter().find(|look| look.began_at > found_at);
        let exact = exact.map(|look| look.finished_at);
        let known = looks.known_since(found_at);
        assert!(known >= exact || known.is_none(), "{second}");
        // And what is a part of a grace older than that is ripe all the same.
        let ripe = exact.is_some_and(|since| last.duration_since(since) >= GRACE * 2);
        if ripe {
            let known = known.expect("known");
            assert!(last.duration_since(known) >= GRACE, "{second}");
        }
    }
}

#[test]
fn the_look_before_is_remembered_without_any_grace() {
    let mut looks = Looks::default();
    for second in [0, 1_000, 2_000, 3_000] {
        looks.add(look(second, 10), SignedDuration::ZERO);
    }
    assert_eq!(looks.all(), [look(2_000, 10), look(3_000, 10)]);
}

#[test]
fn the_cap_is_twenty_or_two_in_a_hundred_rounded_up() {
    for (seen, most) in [
        (0, 0),
        (1, 1),
        (50, 1),
        (51, 2),
        (100, 2),
        (101, 3),
        (999, 20),
        (1_000, 20),
        (100_000, 20),
        (u32::MAX, 20),
    ] {
        assert_eq!(cap(seen), most, "{seen}");
    }
}

fn confirmation(plan: &Plan) -> Confirmation {
    Confirmation {
        version: 1,
        digest: plan.digest.clone(),
        removals: 0,
        by: person(7),
        at: at(NOW - 600),
        used_at: None,
    }
}

#[test]
fn more_than_the_cap_waits_for_that_very_list_to_be_confirmed() {
    let world = World::ready(100);
    let three = many(3);
    let waits = world.plan(&three, Pass::Complete, None);
    assert_eq!((waits.outcome, waits.ripe.len()), (Outcome::Waits, 3));
    assert!(waits.removals().is_empty());

    let good = confirmation(&waits);
    let confirmed = world.plan(&three, Pass::Complete, Some(&good));
    assert_eq!(confirmed.outcome, Outcome::Confirmed);
    assert_eq!(confirmed.removals().len(), 3);

    // Another list, another confirmation; and one more or one less is another list.
    let mut other = three.clone();
    other[2] = finding(9, 1, OLD);
    for findings in [other, many(4), many(3)[..].to_vec()] {
        let is_same = findings == three;
        let plan = world.plan(&findings, Pass::Complete, Some(&good));
        assert_eq!(plan.outcome == Outcome::Confirmed, is_same);
    }
    let mut again = three.clone();
    again[0].id = FindingId::new(Uuid::from_u128(77));
    let plan = world.plan(&again, Pass::Complete, Some(&good));
    assert_eq!(plan.outcome, Outcome::Waits);
    // It counts once, and for an hour.
    let used = Confirmation {
        used_at: Some(at(NOW - 1)),
        ..good.clone()
    };
    let late = Confirmation {
        at: at(NOW - 60) - CONFIRMED_FOR - SignedDuration::from_secs(1),
        ..good.clone()
    };
    let last = Confirmation {
        at: at(NOW - 60) - CONFIRMED_FOR,
        ..good
    };
    for (one, outcome) in [
        (used, Outcome::Waits),
        (late, Outcome::Waits),
        (last, Outcome::Confirmed),
    ] {
        let plan = world.plan(&three, Pass::Complete, Some(&one));
        assert_eq!(plan.outcome, outcome);
    }
}

#[test]
fn what_cannot_be_relied_on_takes_nothing_away() {
    let halted = |world: &World, pass| match world.plan(&many(1), pass, None).outcome {
        Outcome::Halted(halt) => Some(halt),
        _ => None,
    };
    let complete = |world: &World| halted(world, Pass::Complete);
    assert_eq!(complete(&World::ready(100)), None);
    let incomplete = halted(&World::ready(100), Pass::Incomplete);
    assert_eq!(incomplete, Some(Halt::Incomplete));
    for mode in [Sweep::Off, Sweep::Warn] {
        let world = World {
            mode,
            ..World::ready(100)
        };
        assert_eq!(complete(&world), Some(Halt::NotEnforcing));
    }
    let world = World {
        baseline: None,
        ..World::ready(100)
    };
    assert_eq!(complete(&world), Some(Halt::NoBaseline));
    assert_eq!(complete(&World::ready(0)), Some(Halt::Nothing));
    let with = |all: &[Look]| World {
        looks: looks(all),
        ..World::ready(100)
    };
    let one = look(NOW - 60, 100);
    assert_eq!(complete(&with(&[])), Some(Halt::NoLook));
    assert_eq!(complete(&with(&[one])), Some(Halt::NoLook));
    let untold = Look {
        untold: 1,
        ..look(NOW - 60, 100)
    };
    let before = look(NOW - 200_000, 100);
    let world = with(&[before, untold]);
    assert_eq!(complete(&world), Some(Halt::Untold));
    for (before, seen, is_odd) in [
        (10, 5, false),
        (10, 4, true),
        (7, 6, false),
        (100, 80, false),
        (100, 79, true),
        (1_000, 900, false),
        (1_000, 899, true),
        (100, 200, false),
    ] {
        let world = with(&[look(NOW - 200_000, before), look(NOW - 60, seen)]);
        let halt = is_odd.then_some(Halt::Fewer { before, seen });
        assert_eq!(complete(&world), halt, "{before} {seen}");
        // The next look believes it.
        let world = with(&[
            look(NOW - 200_000, before),
            look(NOW - 100_000, seen),
            look(NOW - 60, seen),
        ]);
        assert_eq!(complete(&world), None, "{before} {seen}");
    }
}

#[test]
fn a_baseline_is_what_two_admins_have_read_and_what_stays() {
    let keys = [key(1, 1), key(2, 1)];
    let proposed = || ProposedBaseline::new(&keys, (person(5), "known"), at(0));
    let backwards = ProposedBaseline::new(keys.iter().rev(), (person(5), "known"), at(0));
    assert_eq!(proposed(), backwards);
    let digest = proposed().digest;
    let agree = |by: u16, digest: &str, second: i64| {
        let agreed = proposed().agree(person(by), digest, None, at(second));
        agreed.map(|(baseline, _)| baseline)
    };
    assert_eq!(agree(5, &digest, 1), Err(NotAgreed::Own));
    assert_eq!(agree(6, "other", 1), Err(NotAgreed::NotProposed));
    assert_eq!(agree(6, &digest, 7 * 86_400), Err(NotAgreed::Lapsed));
    let agreed = agree(6, &digest, 1).expect("a baseline");
    assert!(agreed.covers(&keys[0]) && agreed.covers(&keys[1]));
    assert!(!agreed.covers(&key(3, 1)) && !agreed.covers(&key(1, 2)));

    let all = BTreeSet::from([key(1, 1), key(2, 1), key(3, 1)]);
    assert_eq!(agreed.after(&all), None);
    // One look may have missed it; it is gone when the next one has not shown it either.
    let fewer = BTreeSet::from([key(2, 1), key(3, 1)]);
    let missed = agreed.after(&fewer).expect("one is missing");
    assert!(missed.covers(&keys[0]) && missed.covers(&keys[1]));
    assert_eq!(missed.version, agreed.version + 1);
    let found = missed.after(&all).expect("it is there again");
    assert_eq!(
        (&found.keys, &found.missing),
        (&agreed.keys, &agreed.missing)
    );
    let rest = missed.after(&fewer).expect("it is gone");
    assert!(!rest.covers(&keys[0]) && rest.covers(&keys[1]));
    assert_eq!((rest.version, rest.missing.len()), (agreed.version + 2, 0));
    assert_eq!(rest.after(&fewer), None);
    // Missing once, there again, missing once: not gone.
    let again = found.after(&fewer).expect("one is missing again");
    assert!(again.covers(&keys[0]));
}

fn context(second: i64) -> Context {
    Context {
        now: at(second),
        me: ServerId::new(Uuid::from_u128(3)),
        fresh: OperationId::new(Uuid::from_u128(4)),
    }
}

fn state() -> KeyState {
    KeyState::new(key(1, 1))
}

fn swept() -> FindingId {
    FindingId::new(Uuid::from_u128(2))
}

#[test]
fn what_is_ours_in_any_way_is_told() {
    let ours = |key: &KeyState, second| Ours::of(Some(key), at(second));
    let settled = SETTLED_AFTER.as_secs();
    assert_eq!(Ours::of(None, at(0)), Ours::Nothing);
    assert_eq!(ours(&state(), 0), Ours::Nothing);
    // Also one that begins in a year.
    let promised = state().with(
        GrantId::new(Uuid::from_u128(1)),
        at(9_000_000),
        at(9_000_100),
    );
    assert_eq!(ours(&promised, 0), Ours::Promised);
    let mut standing = promised;
    standing.standing = Standing::Standing;
    assert_eq!(ours(&standing, 0), Ours::Standing);
    let change = remove(&state(), swept(), context(0)).expect("an intent");
    assert_eq!(ours(&change.key, 100_000), Ours::UnderWay);
    let marks: [fn(&mut KeyState); 4] = [
        |key| key.last_write_at = Some(at(0)),
        |key| key.last_delete_at = Some(at(0)),
        |key| key.lost_delete_at = Some(at(0)),
        |key| {
            key.lost_create = Some(LostCreate {
                last_at: at(0),
                sighting: Telling::Ambiguous,
            });
        },
    ];
    for mark in marks {
        let mut key = state();
        mark(&mut key);
        assert_ne!(ours(&key, settled - 1), Ours::Nothing);
        assert_eq!(ours(&key, settled), Ours::Nothing);
    }
}

fn sighting(second: i64, presence: Presence) -> Sighting {
    let read = ReadEvidence {
        began_at: at(second),
        finished_at: at(second),
        pages: 1,
    };
    Sighting { presence, read }
}

/// Removed and accepted, as of 1 s.
fn accepted() -> KeyState {
    let key = remove(&state(), swept(), context(0))
        .expect("an intent")
        .key;
    assert!(matches!(next(&key, context(0)), Step::Send { .. }));
    let accepted = Sent::Accepted {
        aws_request_id: "req".to_owned(),
    };
    let sent = progress::sent(&key, context(0).fresh, accepted, at(1));
    sent.expect("a change").key
}

#[test]
fn a_removal_is_proved_as_every_end_is() {
    let id = context(0).fresh;
    let polled = progress::polled(&accepted(), id, &Status::Succeeded, at(2));
    let key = polled.expect("a change").key;
    let Step::Read(purpose) = next(&key, context(2)) else {
        panic!("{key:?}");
    };
    // That AWS says so is no proof.
    let still = sighting(3, Presence::Present);
    let change = progress::read(&key, purpose, &still, context(3)).expect("a change");
    assert_eq!(change.swept, None);
    let gone = sighting(3, Presence::Absent);
    let change = progress::read(&key, purpose, &gone, context(3)).expect("a change");
    let Some((finding, Swept::Removed(receipt))) = &change.swept else {
        panic!("{change:?}");
    };
    assert_eq!(*finding, swept());
    assert!(matches!(receipt, Receipt::Removed { .. }));
    assert_eq!(change.key.operation, None);
    assert_eq!(Swept::closes_as(receipt), Closed::Removed);
}

fn proposed_to_go(finding: &Finding) -> Finding {
    let day = SignedDuration::from_hours(24);
    let asked = finding
        .clone()
        .propose(Course::Revoke, (person(5), "nobody's"), day, at(NOW));
    asked.expect("a proposal").0
}

/// Of what two admins agreed on.
fn revoked(finding: &Finding, ours: Ours, protected: &[&str], beyond: &Beyond) -> Option<Left> {
    let ids = protected.iter().map(|id| AccountId::parse(id));
    let protected = ids.map(|id| id.expect("an account id")).collect();
    judge_revocation(finding, ours, &protected, Some(beyond)).err()
}

#[test]
fn two_admins_decide_what_the_sweep_would_leave_and_nothing_else() {
    let nowhere = Beyond::default();
    let finding = finding(1, 1, NOW);
    // Neither a baseline, nor a look, nor how long it is known is asked about, nor our own last word.
    for ours in [Ours::Nothing, Ours::Lately] {
        assert_eq!(revoked(&finding, ours, &[], &nowhere), None);
    }
    for (ours, left) in [
        (Ours::Promised, Left::Promised),
        (Ours::Standing, Left::Standing),
        (Ours::UnderWay, Left::UnderWay),
    ] {
        assert_eq!(revoked(&finding, ours, &[], &nowhere), Some(left));
        assert_eq!(left.passes(), ours == Ours::UnderWay);
    }
    let Target::Account {
        account,
        permission_set,
    } = &finding.key.target
    else {
        panic!("{finding:?}");
    };
    let of_it = [account.as_str()];
    let protected = revoked(&finding, Ours::Nothing, &of_it, &nowhere);
    assert_eq!(protected, Some(Left::Protected));
    for beyond in [
        Beyond {
            account: Some(account.clone()),
            ..Beyond::default()
        },
        Beyond {
            permission_sets: [permission_set.clone()].into(),
            ..Beyond::default()
        },
    ] {
        let left = revoked(&finding, Ours::Nothing, &[], &beyond);
        assert_eq!(left, Some(Left::BeyondReach));
    }
    let unread = judge_revocation(&finding, Ours::Nothing, &BTreeSet::new(), None);
    assert_eq!(unread, Err(Left::BeyondReach), "what is not known is left");
    for difference in [
        Difference::Missing,
        Difference::Overdue,
        Difference::NoLongerAllowed,
    ] {
        let other = Finding {
            difference,
            ..finding.clone()
        };
        let left = revoked(&other, Ours::Nothing, &[], &nowhere);
        assert_eq!(left, Some(Left::OtherKind));
    }
}

/// What the plan records next.
fn recorded(key: &KeyState, second: i64) -> Change {
    match next(key, context(second)) {
        Step::Record(change) => change,
        other => panic!("{other:?}"),
    }
}

fn given_up(change: &Change, because: &str) {
    let Some((finding, Swept::NotRemoved { reason })) = &change.swept else {
        panic!("{change:?}");
    };
    assert_eq!((*finding, reason.as_str()), (swept(), because));
    assert_eq!(change.key.operation, None);
    assert!(!change.intends());
}

#[test]
fn a_removal_that_fails_is_not_tried_again() {
    let id = context(0).fresh;
    let key = remove(&state(), swept(), context(0))
        .expect("an intent")
        .key;
    let refused = Sent::Refused {
        code: "AccessDeniedException".to_owned(),
    };
    let refused = progress::sent(&key, id, refused, at(1)).expect("a change");
    given_up(&recorded(&refused.key, 1), "AccessDeniedException");
    given_up(&recorded(&refused.key, 1_000), "AccessDeniedException");

    // It may have happened: a read tells that it has not.
    let lost = progress::sent(&key, id, Sent::Unheard, at(1)).expect("a change");
    let Step::Read(purpose) = next(&lost.key, context(2)) else {
        panic!("{lost:?}");
    };
    let there = sighting(3, Presence::Present);
    let read = progress::read(&lost.key, purpose, &there, context(3)).expect("a change");
    given_up(&recorded(&read.key, 3), "outcome-unknown");
    // It may yet strike, so that the key is not swept again before it cannot.
    let after = recorded(&read.key, 3).key;
    assert_eq!(Ours::of(Some(&after), at(900)), Ours::UnderWay);
    assert_eq!(remove(&after, swept(), context(3)).map(|_| ()), Some(()));

    // Whose server died before it sent it: the next one reads, and sends nothing.
    let other = Context {
        me: ServerId::new(Uuid::from_u128(9)),
        ..context(30)
    };
    let Step::Record(adopted) = next(&key, other) else {
        panic!("{key:?}");
    };
    assert!(!adopted.intends());
    assert!(matches!(next(&adopted.key, other), Step::Read(_)));
}

#[test]
fn whoever_is_promised_it_meanwhile_keeps_it() {
    let grant = GrantId::new(Uuid::from_u128(1));
    let key = remove(&state(), swept(), context(0))
        .expect("an intent")
        .key;
    let promised = key.with(grant, at(0), at(3_600));
    given_up(&recorded(&promised, 1), "wanted");
    // Too late: it was accepted. It is given again once that is over.
    let id = context(0).fresh;
    let promised = accepted().with(grant, at(0), at(3_600));
    let polled = progress::polled(&promised, id, &Status::Succeeded, at(2));
    let key = polled.expect("a change").key;
    let read = match next(&key, context(2)) {
        Step::Read(purpose) => {
            let still = sighting(2, Presence::Present);
            progress::read(&key, purpose, &still, context(2)).expect("a change")
        }
        Step::Record(change) => change,
        other => panic!("{other:?}"),
    };
    let change = match &read.swept {
        Some(_) => read,
        None => recorded(&read.key, 2),
    };
    given_up(&change, "wanted");
    assert!(recorded(&change.key, 3).intends());
}

#[test]
fn nothing_of_ours_is_removed_by_the_sweep() {
    let grant = GrantId::new(Uuid::from_u128(1));
    let intent = |key: &KeyState| remove(key, swept(), context(10)).map(|change| change.key);
    assert!(intent(&state()).is_some());
    let promised = state().with(grant, at(9_000), at(9_100));
    assert_eq!(intent(&promised), None);
    let mut standing = state();
    standing.standing = Standing::Standing;
    assert_eq!(intent(&standing), None);
    let busy = intent(&state()).expect("an intent");
    assert_eq!(intent(&busy), None);
    let mut lost = state();
    lost.lost_create = Some(LostCreate {
        last_at: at(0),
        sighting: Telling::Ambiguous,
    });
    assert_eq!(intent(&lost), None);
}

/// Everything that a plan is made of, at random; small, so that things meet.
#[derive(Debug, Clone)]
struct Case {
    mode: Sweep,
    findings: Vec<(Finding, Ours, Agreed)>,
    allowed: bool,
    protected: bool,
    beyond: Option<Beyond>,
    baseline: Option<Vec<Key>>,
    looks: Vec<(i64, u32, u32)>,
    pass: Pass,
}

fn any_finding(number: u16) -> impl Strategy<Value = (Finding, Ours, Agreed)> {
    let ours = prop_oneof![
        6 => Just(Ours::Nothing),
        1 => Just(Ours::Promised),
        1 => Just(Ours::Standing),
        1 => Just(Ours::UnderWay),
        1 => Just(Ours::Lately),
    ];
    let agreed = prop_oneof![6 => Just(Agreed::No), 1 => Just(Agreed::Yes)];
    let kind = prop_oneof![
        6 => Just(Difference::Unmanaged),
        1 => Just(Difference::Missing),
        1 => Just(Difference::NoLongerAllowed),
    ];
    let opened = prop_oneof![NOW - 200_000..NOW, Just(OLD)];
    let of = prop_oneof![5 => Just(1_u8), 1 => 2..5_u8];
    (ours, agreed, kind, opened, of, 0..8_u8).prop_map(
        move |(ours, agreed, difference, opened, of, odd)| {
            let mut one = finding(number, of, opened);
            one.difference = difference;
            if odd == 0 {
                one.key.target = Target::Group {
                    group: "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b"
                        .parse()
                        .expect("an id"),
                };
            }
            (one, ours, agreed)
        },
    )
}

fn any_case() -> impl Strategy<Value = Case> {
    let findings =
        (0..40_u16).prop_flat_map(|count| (0..count).map(any_finding).collect::<Vec<_>>());
    let mode = prop_oneof![
        1 => Just(Sweep::Off),
        1 => Just(Sweep::Warn),
        8 => Just(Sweep::Enforce),
    ];
    let beyond = prop_oneof![
        1 => Just(None),
        6 => Just(Some(Beyond::default())),
        1 => Just(Some(Beyond { account: Some(account(1)), ..Beyond::default() })),
    ];
    let keys = prop::collection::vec((0..40_u16).prop_map(|user| key(user, 1)), 0..10);
    let baseline = prop_oneof![1 => Just(None), 8 => keys.prop_map(Some)];
    let looks = prop::collection::vec(
        (
            0..200_000_i64,
            900..1_300_u32,
            prop_oneof![9 => Just(0_u32), 1 => Just(1)],
        ),
        0..8,
    );
    let pass = prop_oneof![8 => Just(Pass::Complete), 1 => Just(Pass::Incomplete)];
    let lists = (any::<bool>(), any::<bool>());
    (mode, findings, lists, beyond, baseline, looks, pass).prop_map(
        |(mode, findings, (allowed, protected), beyond, baseline, mut looks, pass)| {
            looks.sort_unstable();
            Case {
                mode,
                findings,
                allowed,
                protected,
                beyond,
                baseline,
                looks,
                pass,
            }
        },
    )
}

impl Case {
    fn world(&self) -> World {
        let looks: Vec<Look> = self
            .looks
            .iter()
            .map(|(ago, seen, untold)| Look {
                untold: *untold,
                ..look(NOW - 200_000 + ago - 60, *seen)
            })
            .collect();
        World {
            mode: self.mode,
            allowed: if self.allowed {
                "111122223302/*/*".parse().expect("a list")
            } else {
                AllowList::default()
            },
            protected: self.protected.then(|| account(3)).into_iter().collect(),
            beyond: self.beyond.clone(),
            baseline: self.baseline.as_deref().map(baseline),
            looks: self::looks(&looks),
        }
    }

    fn plan(&self, world: &World, backwards: bool, confirmed: Option<&Confirmation>) -> Plan {
        let mut all: Vec<_> = self.findings.iter().collect();
        if backwards {
            all.reverse();
        }
        let all = all.into_iter().map(|(finding, ours, agreed)| Candidate {
            finding,
            ours: *ours,
            agreed: *agreed,
        });
        plan(all, &world.setting(), self.pass, confirmed, at(NOW))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Said again, in other words than the plan's own.
    #[test]
    fn nothing_is_ever_removed_that_anything_speaks_for(case in any_case(), confirms in any::<bool>()) {
        let world = case.world();
        let waits = case.plan(&world, false, None);
        let confirmed = confirmation(&waits);
        let plan = case.plan(&world, false, confirms.then_some(&confirmed));
        let removed = plan.removals();
        prop_assert_eq!(&plan, &case.plan(&world, true, confirms.then_some(&confirmed)));
        if removed.is_empty() {
            return Ok(());
        }
        prop_assert_eq!(case.mode, Sweep::Enforce);
        prop_assert_eq!(case.pass, Pass::Complete);
        let baseline = case.baseline.clone().expect("a baseline");
        let last = world.looks.last().expect("a look");
        prop_assert!(last.seen > 0 && last.untold == 0 && case.looks.len() > 1);
        let most = (last.seen as usize * 2).div_ceil(100).min(REMOVALS_MAX);
        prop_assert!(removed.len() <= most || confirms);
        for one in removed {
            let (finding, ours, agreed) = case
                .findings
                .iter()
                .find(|(finding, ..)| *finding == one.finding)
                .expect("an open finding");
            prop_assert_eq!((*ours, *agreed), (Ours::Nothing, Agreed::No));
            prop_assert_eq!(finding.difference, Difference::Unmanaged);
            prop_assert!(!baseline.contains(&finding.key));
            let Target::Account { account: of, .. } = &finding.key.target else {
                return Err(TestCaseError::fail("a membership"));
            };
            prop_assert!(!(case.allowed && *of == account(2)));
            prop_assert!(!(case.protected && *of == account(3)));
            let beyond = case.beyond.as_ref().expect("a directory");
            prop_assert_ne!(beyond.account.as_ref(), Some(of));
            // A look that began after it was found ended a grace ago.
            let is_known = case.looks.iter().any(|(ago, ..)| {
                let began = NOW - 200_000 + ago - 60;
                at(began) > finding.opened_at && at(began + 60) + GRACE <= at(NOW)
            });
            prop_assert!(is_known);
        }
    }

    /// Whatever is found is either ripe or left for a reason, and once.
    #[test]
    fn everything_that_is_found_is_accounted_for(case in any_case()) {
        let plan = case.plan(&case.world(), false, None);
        let ripe: BTreeSet<FindingId> = plan.ripe.iter().map(|one| one.finding.id).collect();
        prop_assert_eq!(ripe.len() + plan.left.len(), case.findings.len());
        prop_assert!(plan.left.keys().all(|id| !ripe.contains(id)));
        prop_assert!(plan.removals().len() <= plan.cap);
    }
}
