//! What was promised and what is there are kept the same, or somebody is told: edits by hand, and
//! the whole organisation by the fewest calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::finding::{Closed, Difference, Finding};
use domain::grant::{Cause, GrantState, Receipt};
use domain::plan::REMOVED_AFTER;
use domain::target::Target;
use jiff::SignedDuration;
use serde_json::{Value, json};
use server::live::LiveReadings;
use server::store::Store;

use crate::harness::{ANYTHING_AT_ONCE, Belay, Sandbox, Setup, promise, within};
use crate::killed::{assert_chained, events, kinds};

/// A minute until reads tell, a minute between two of them, a minute between two looks, and a
/// minute after a start; the rest is for slow machines.
const FOUND: Duration = Duration::from_mins(6);

const ACCOUNT: &str = "111122223333";
const SET: &str = "ReadOnlyAccess";

async fn until<T, F: Future<Output = Option<T>>>(what: &str, ask: impl FnMut() -> F) -> T {
    within(what, FOUND, ask).await
}

fn store(sandbox: &Sandbox) -> Store {
    Store::new(sandbox.dynamodb(), "belay".to_owned())
}

/// The open finding of this kind about this person's access on [`ACCOUNT`].
async fn finding(sandbox: &Sandbox, difference: Difference, user: &str) -> Option<Finding> {
    let open = store(sandbox).findings().await.unwrap();
    open.into_iter().find(|finding| {
        finding.difference == difference
            && finding.key.user.as_str() == user
            && matches!(&finding.key.target, Target::Account { account, .. } if account.as_str() == ACCOUNT)
    })
}

fn target(assignment: &Value) -> Target {
    Target::Account {
        account: assignment["account_id"].as_str().unwrap().parse().unwrap(),
        permission_set: assignment["permission_set_arn"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap(),
    }
}

#[tokio::test]
async fn what_is_edited_by_hand_is_found_and_what_was_removed_ends_on_two_reads() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let removed = sandbox.assignment("carla.rossi", ACCOUNT, SET).await;
    let carla = removed["principal_id"].as_str().unwrap().to_owned();
    // By a group of hers the access remains, and her receipt says so.
    let group = sandbox.group_id("Payments").await;
    sandbox.join(&carla, &group).await;
    sandbox
        .assign(&json!({
            "account_id": ACCOUNT,
            "permission_set_arn": removed["permission_set_arn"],
            "principal_type": "GROUP",
            "principal_id": group,
        }))
        .await;
    let promised = promise(
        &sandbox,
        &carla,
        target(&removed),
        SignedDuration::from_mins(30),
    )
    .await;
    until("the grant is active", || async {
        let state = promised.now(&sandbox).await.state;
        matches!(state, GrantState::Active { .. }).then_some(())
    })
    .await;

    // Right after somebody has looked, so that the next look is the first of two that tell, and the
    // second a minute later: what is found between them is there for all of that minute.
    let looks = || belay.metric("belay_reconcile_near_seconds_count");
    let before = looks().await;
    until("those with grants are looked after", || async {
        (looks().await > before).then_some(())
    })
    .await;
    // One is taken away by hand, another given, beside it.
    sandbox.unassign(&removed).await;
    let given = sandbox.assignment("dmitri.volkov", ACCOUNT, SET).await;
    let given = if given["principal_id"] == removed["principal_id"] {
        panic!("two people");
    } else {
        given
    };
    sandbox.assign(&given).await;

    until("what is missing is found", || {
        finding(&sandbox, Difference::Missing, &carla)
    })
    .await;
    let state = promised.now(&sandbox).await.state;
    assert!(
        matches!(state, GrantState::Active { .. }),
        "one read is none"
    );
    let receipt = until("the grant ends", || async {
        match promised.now(&sandbox).await.state {
            GrantState::Ended { receipt, .. } => Some(receipt),
            _ => None,
        }
    })
    .await;
    let Receipt::AbsentAlready {
        first,
        second,
        cause,
        still_given_by,
    } = receipt
    else {
        panic!("{receipt:?}");
    };
    assert_eq!(cause, Some(Cause::RemovedByHand));
    assert!(second.began_at.duration_since(first.finished_at) >= REMOVED_AFTER);
    assert_eq!(still_given_by, Some(vec![group.parse().unwrap()]));
    assert!(
        sandbox
            .calls("sso-admin:DeleteAccountAssignment")
            .await
            .is_empty(),
        "there was nothing to delete",
    );

    leave_alone(&sandbox, &given, &carla).await;
    let events = events(&sandbox).await;
    let stream = format!("stream#grant:{}", promised.grant);
    assert_eq!(
        kinds(&events, &stream),
        [
            "grant.scheduled",
            "grant.granting",
            "grant.activated",
            "grant.revoking",
            "grant.ended"
        ]
    );
    drop(belay);
}

/// Whose assignment nobody wants is found, and left alone, until it is gone; and what was missing
/// is no more.
async fn leave_alone(sandbox: &Sandbox, given: &Value, carla: &str) {
    let stranger = given["principal_id"].as_str().unwrap().to_owned();
    let found = until("what is unmanaged is found", || {
        finding(sandbox, Difference::Unmanaged, &stranger)
    })
    .await;
    assert_eq!(found.names.permission_set, SET);
    sandbox.unassign(given).await;
    until("both findings are no more", || async {
        let closed = store(sandbox).closed_findings(100).await.unwrap();
        let of = |difference: Difference, user: &str| {
            closed
                .iter()
                .find(|closed| {
                    closed.finding.difference == difference
                        && closed.finding.key.user.as_str() == user
                })
                .map(|closed| closed.closed_as)
        };
        let missing = of(Difference::Missing, carla)?;
        let unmanaged = of(Difference::Unmanaged, &stranger)?;
        assert_eq!(missing, Closed::Ended);
        assert_eq!(unmanaged, Closed::Gone);
        Some(())
    })
    .await;
    let events = events(sandbox).await;
    assert_chained(&events);
    let stream = format!("stream#finding:{}", found.id);
    assert_eq!(
        kinds(&events, &stream),
        ["finding.opened", "finding.closed"]
    );
}

/// 300 accounts with 20 permission sets, three tenths of the pairs provisioned by a group.
async fn organisation(sandbox: &Sandbox) {
    let state = sandbox.state().await;
    let ids = |list: &str, names: [&str; 2]| -> Vec<String> {
        let rows = state[list].as_array().unwrap();
        let id = |row: &Value| {
            let found = names.iter().find_map(|name| row[*name].as_str());
            found.unwrap_or_else(|| panic!("{row}")).to_owned()
        };
        rows.iter().map(id).collect()
    };
    let accounts = ids("accounts", ["account_id", "id"]);
    let sets = ids("permission_sets", ["permission_set_arn", "arn"]);
    assert!(accounts.len() >= 300 && sets.len() >= 20);
    let group = sandbox.group_id("Payments").await;
    let before = provisioned(&state);
    let mut have = before.len();
    let wanted = accounts.len() * sets.len() * 3 / 10;
    'all: for (number, account) in accounts.iter().enumerate() {
        for (at, set) in sets.iter().enumerate() {
            if have >= wanted {
                break 'all;
            }
            if (number + at) % 3 != 0 || before.contains(&(account.clone(), set.clone())) {
                continue;
            }
            let assignment = json!({
                "account_id": account,
                "permission_set_arn": set,
                "principal_type": "GROUP",
                "principal_id": group,
            });
            sandbox.assign(&assignment).await;
            have += 1;
        }
    }
    assert_eq!(have, wanted);
}

/// The pairs that somebody or some group is assigned.
fn provisioned(state: &Value) -> BTreeSet<(String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = state["assignments"].as_array().unwrap();
    rows.iter()
        .map(|row| (text(row, "account_id"), text(row, "permission_set_arn")))
        .collect()
}

/// The fewest calls that show every assignment: each list's pages, of a hundred rows.
fn fewest(state: &Value) -> usize {
    let pages = |rows: usize| rows.div_ceil(100).max(1);
    let sets = state["permission_sets"].as_array().unwrap().len();
    let mut rows_of = BTreeMap::<(String, String), usize>::new();
    for row in state["assignments"].as_array().unwrap() {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let pair = (text("permission_set_arn"), text("account_id"));
        *rows_of.entry(pair).or_default() += 1;
    }
    let mut accounts_of = BTreeMap::<&str, usize>::new();
    for (set, _) in rows_of.keys() {
        *accounts_of.entry(set).or_default() += 1;
    }
    let empty = sets - accounts_of.len();
    let lists: usize = accounts_of.values().map(|accounts| pages(*accounts)).sum();
    let reads: usize = rows_of.values().map(|rows| pages(*rows)).sum();
    pages(sets) + lists + empty + reads
}

async fn count(sandbox: &Sandbox, operation: &str) -> usize {
    sandbox.calls(operation).await.len()
}

/// Reads by the reconciler: the directory lists permission sets, too, and describes each.
async fn reads(sandbox: &Sandbox) -> usize {
    count(sandbox, "sso-admin:ListAccountsForProvisionedPermissionSet").await
        + count(sandbox, "sso-admin:ListAccountAssignments").await
}

#[tokio::test]
async fn the_whole_organisation_takes_the_fewest_calls_and_goes_on_where_it_was_interrupted() {
    let sandbox = Sandbox::start_with(&["--accounts=300", "--permission-sets=20"]);
    organisation(&sandbox).await;
    let state = sandbox.state().await;
    let fewest = fewest(&state);
    assert!(fewest > 1_800, "{fewest}");
    let setup = Setup::of(&sandbox).role("worker");
    // Organizations' own limit keeps the directory busy for a while; this need not wait for it.
    let mut belay = Belay::launch(&setup);
    // Killed in the middle, and somebody else goes on.
    until("half is read", || async {
        (reads(&sandbox).await > fewest / 2).then_some(())
    })
    .await;
    belay.kill();
    let at_the_kill = reads(&sandbox).await;
    let belay = Belay::launch(&setup);
    let pass = until("all is read", || async {
        let pass = store(&sandbox).pass().await.unwrap();
        pass.completed_at.is_some().then_some(pass)
    })
    .await;
    assert_eq!(pass.began_at, None);
    let all = reads(&sandbox).await;
    // Of the permission set in which it was interrupted, some pairs were read twice.
    let largest = 300;
    assert!(at_the_kill < all, "{at_the_kill} {all}");
    assert!(all <= fewest + largest, "{all} calls, {fewest} would do");

    // Without an interruption: exactly as many as are needed.
    store(&sandbox)
        .set_pass(&server::store::Pass::default())
        .await
        .unwrap();
    let before = reads(&sandbox).await;
    until("all is read again", || async {
        let pass = store(&sandbox).pass().await.unwrap();
        pass.completed_at.is_some().then_some(())
    })
    .await;
    // One more list of permission sets, which the directory makes just so.
    let calls = reads(&sandbox).await - before + 1;
    eprintln!("{calls} calls; the fewest possible: {fewest}");
    assert!(
        calls * 100 <= fewest * 105,
        "{calls} calls, {fewest} would do"
    );

    // Everybody's own assignment that no grant wants is found, once, and no group's.
    let own: BTreeSet<(String, String, String)> = state["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["principal_type"] == "USER")
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            (
                text("principal_id"),
                text("account_id"),
                text("permission_set_arn"),
            )
        })
        .collect();
    let found: BTreeSet<(String, String, String)> = store(&sandbox)
        .findings()
        .await
        .unwrap()
        .into_iter()
        .filter_map(|finding| match finding.key.target {
            Target::Account {
                account,
                permission_set,
            } if finding.difference == Difference::Unmanaged => Some((
                finding.key.user.to_string(),
                account.to_string(),
                permission_set.to_string(),
            )),
            _ => None,
        })
        .collect();
    assert_eq!(found, own);
    let events = events(&sandbox).await;
    let opened = kinds(&events, "stream#finding:");
    assert_eq!(opened.len(), own.len(), "each is found once: {opened:?}");
    drop(belay);
}

#[tokio::test]
async fn nothing_is_concluded_from_reads_that_fail() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let assignment = sandbox.assignment("carla.rossi", ACCOUNT, SET).await;
    let carla = assignment["principal_id"].as_str().unwrap().to_owned();
    let promised = promise(
        &sandbox,
        &carla,
        target(&assignment),
        SignedDuration::from_mins(30),
    )
    .await;
    until("the grant is active", || async {
        let state = promised.now(&sandbox).await.state;
        matches!(state, GrantState::Active { .. }).then_some(())
    })
    .await;
    // It is there; every read of it is lost, or refused, from now on.
    let list = "sso-admin:ListAccountAssignments";
    for kind in ["lose-response", "error", "throttle"] {
        sandbox
            .fault(json!({
                "operation": list, "kind": kind, "times": 4, "error": "ResourceNotFoundException",
            }))
            .await;
    }
    let before = count(&sandbox, list).await;
    until("it was looked for in vain", || async {
        (count(&sandbox, list).await >= before + 3).then_some(())
    })
    .await;
    let state = promised.now(&sandbox).await.state;
    assert!(matches!(state, GrantState::Active { .. }), "{state:?}");
    assert!(
        finding(&sandbox, Difference::Missing, &carla)
            .await
            .is_none()
    );
    drop(belay);
}

#[tokio::test]
async fn one_reading_of_what_is_live_serves_all_who_need_no_newer_one() {
    let sandbox = Sandbox::start();
    let readings = LiveReadings::new(store(&sandbox));
    let first = readings.recent().await.unwrap();
    assert_eq!(first.entries, []);
    let row = sandbox.assignment("carla.rossi", ACCOUNT, SET).await;
    let carla = row["principal_id"].as_str().unwrap();
    promise(&sandbox, carla, target(&row), SignedDuration::from_mins(15)).await;
    let same = readings.recent().await.unwrap();
    assert!(Arc::ptr_eq(&first, &same), "nothing is read again so soon");
    let (one, other) = tokio::join!(readings.fresh(), readings.recent());
    let (one, other) = (one.unwrap(), other.unwrap());
    let keys: Vec<&str> = one.entries.iter().map(|entry| &*entry.key).collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert!(keys[0].starts_with(carla), "{keys:?}");
    assert!(Arc::ptr_eq(&one, &other), "who asks meanwhile shares it");
    assert!(first.of <= one.of);
    let next = readings.fresh().await.unwrap();
    assert!(!Arc::ptr_eq(&one, &next), "a fresh one begins now");
}

#[tokio::test]
async fn what_was_promised_just_before_another_policy_came_is_judged_by_it() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox)
        .role("worker")
        .policy(&sandbox, ANYTHING_AT_ONCE);
    let belay = Belay::launch(&setup).ready().await;
    // What is live was read just now, and that is good enough for much else.
    until("it was copied", || async {
        let written = belay.metric("belay_copy_written_timestamp_seconds").await;
        (written > 0.0).then_some(())
    })
    .await;
    let row = sandbox.assignment("carla.rossi", ACCOUNT, SET).await;
    let carla = row["principal_id"].as_str().unwrap();
    let lasts = SignedDuration::from_mins(30);
    promise(&sandbox, carla, target(&row), lasts).await;
    let another = ANYTHING_AT_ONCE.replace(
        r#"permission_sets = ["*"]"#,
        r#"permission_sets = ["AdministratorAccess"]"#,
    );
    assert_ne!(another, ANYTHING_AT_ONCE);
    let _reloaded = setup.policy(&sandbox, &another);
    let difference = Difference::NoLongerAllowed;
    let found = until("it is found", || finding(&sandbox, difference, carla)).await;
    assert_eq!(found.why.as_deref(), Some("no-rule"));
    drop(belay);
}
