#![expect(clippy::unwrap_used, reason = "tests")]

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::{
    Action, Membership, Operation, Organisation, Plan, Principal, Status, Triple, UserStatus,
};
use crate::arguments::Size;
use crate::clock::Moment;

const SMALL: Size = Size {
    accounts: 0,
    people: 0,
    groups: 0,
    permission_sets: 0,
};

/// Histories tried. Each has dozens of changes and a few restarts.
const SEEDS: u64 = 60;

/// Everything that can be asked of an organisation at one moment.
fn seen(organisation: &Organisation, now: Moment) -> impl PartialEq + std::fmt::Debug + use<> {
    let state = organisation.at(now);
    let all: Vec<Triple> = state.ledger.all().cloned().collect();
    let visible: Vec<Triple> = state.ledger.visible(now).cloned().collect();
    let operations: Vec<(String, Status)> = state
        .ledger
        .operations()
        .map(|it| (it.request_id.clone(), it.status.clone()))
        .collect();
    let memberships: Vec<Membership> = state.memberships.all().cloned().collect();
    let people: Vec<(String, UserStatus)> = state
        .directory
        .people
        .values()
        .map(|it| (it.user_id.clone(), it.status))
        .collect();
    (all, visible, operations, memberships, people)
}

/// One change drawn at random, on few enough things that they meet.
fn change(organisation: &Organisation, random: &mut StdRng, n: u32, now: Moment) {
    let mut state = organisation.at(now);
    let set = state
        .directory
        .permission_sets
        .keys()
        .next()
        .unwrap()
        .clone();
    let people: Vec<String> = state.directory.people.keys().cloned().collect();
    let user_id = people[..3].choose(random).unwrap().clone();
    let group_id = state.directory.groups.keys().next().unwrap().clone();
    let triple = Triple {
        permission_set_arn: set,
        account_id: "111122223333".to_owned(),
        principal: Principal::User(user_id.clone()),
    };
    match random.random_range(0..10) {
        0 => drop(state.assign(triple, now).unwrap()),
        1 => drop(state.unassign(triple, now).unwrap()),
        2 => state.release(now).unwrap(),
        3 => match state.memberships.find(&group_id, &user_id) {
            Some(found) => {
                let id = found.membership_id.clone();
                state.leave(id, random.random_range(0..50), now).unwrap();
            }
            None => state
                .join(Membership {
                    membership_id: format!("membership-{n}"),
                    group_id,
                    user_id,
                    visible_from: now.plus(random.random_range(0..50)),
                    visible_until: None,
                })
                .unwrap(),
        },
        4 => drop(state.set_status(user_id, UserStatus::Disabled).unwrap()),
        5 if people.len() > 8 => drop(state.remove_person(user_id, now).unwrap()),
        kind => {
            let reason = "drawn".to_owned();
            let plans = [
                Plan::Do,
                Plan::Fail(reason.clone()),
                Plan::DoAndFail(reason),
            ];
            let ends = now.plus(random.random_range(0..60));
            state
                .start(Operation {
                    request_id: format!("request-{n}"),
                    action: if kind % 2 == 0 {
                        Action::Create
                    } else {
                        Action::Delete
                    },
                    triple,
                    created: now,
                    ends: random.random_bool(0.9).then_some(ends),
                    plan: plans.choose(random).unwrap().clone(),
                    lag_ms: random.random_range(0..50),
                    status: Status::InProgress,
                })
                .unwrap();
        }
    }
}

#[test]
fn a_restart_at_any_moment_changes_nothing() {
    for seed in 0..SEEDS {
        let folder = tempfile::tempdir().unwrap();
        let mut random = StdRng::seed_from_u64(seed);
        let organisation = Organisation::open(folder.path(), SMALL).unwrap();
        let mut now = Moment(2_000_000_000_000);
        for n in 0..60 {
            // Callers read the clock before they wait for the lock, so time may go back a little.
            now = Moment((now.0 + random.random_range(0..20)).saturating_sub(5));
            change(&organisation, &mut random, n, now);
            if random.random_bool(0.3) {
                // A read carries out what is due, and is in no journal.
                drop(organisation.at(now.plus(random.random_range(0..10))));
            }
            if random.random_bool(0.1) {
                let restarted = Organisation::open(folder.path(), SMALL).unwrap();
                let settled = organisation.at(now).settled;
                assert!(
                    seen(&restarted, settled) == seen(&organisation, settled),
                    "seed {seed}, change {n}"
                );
            }
        }
        let over = now.plus(10_000);
        let restarted = Organisation::open(folder.path(), SMALL).unwrap();
        assert!(
            seen(&restarted, over) == seen(&organisation, over),
            "seed {seed}"
        );
    }
}

#[test]
fn a_torn_last_line_is_forgotten_and_the_rest_is_kept() {
    use std::io::Write as _;

    let folder = tempfile::tempdir().unwrap();
    let organisation = Organisation::open(folder.path(), SMALL).unwrap();
    let mut random = StdRng::seed_from_u64(1);
    let now = Moment(2_000_000_000_000);
    for n in 0..20 {
        change(&organisation, &mut random, n, now);
    }
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(folder.path().join("organisation.jsonl"))
        .unwrap();
    file.write_all(br#"{"settled":2000000000000,"change":"assi"#)
        .unwrap();
    let restarted = Organisation::open(folder.path(), SMALL).unwrap();
    let later = now.plus(1_000);
    assert!(seen(&restarted, later) == seen(&organisation, later));
    // And what comes next is on a line of its own.
    change(&restarted, &mut random, 20, later);
    let again = Organisation::open(folder.path(), SMALL).unwrap();
    let over = later.plus(1_000);
    assert!(seen(&again, over) == seen(&restarted, over));
}
