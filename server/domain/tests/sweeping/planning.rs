//! What a pass takes away, and everything that it leaves.

use super::*;

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
