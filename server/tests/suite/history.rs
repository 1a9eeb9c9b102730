//! What was asked for is found again by time, by person, by account, by permission set and by group,
//! each through an index of the table's own, and nothing else is.

use std::collections::BTreeSet;

use domain::id::RequestId;
use domain::target::Target;
use jiff::{SignedDuration, Timestamp};
use server::store::Store;
use server::store::history::{Bound, Search};

use crate::harness::{Sandbox, eventually, promise};

#[tokio::test]
async fn history_is_found_by_each_of_its_indexes() {
    let sandbox = Sandbox::start();
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    let began = Timestamp::now();
    let group = sandbox.group_id("Oncall").await;
    let mut asked = Vec::new();
    for (person, account, set) in [
        ("carla.rossi", "111122223333", "ReadOnlyAccess"),
        ("carla.rossi", "222233334444", "PowerUserAccess"),
        ("ana.silva", "111122223333", "PowerUserAccess"),
        ("ana.silva", "", ""),
    ] {
        let user = sandbox.user_id(person).await;
        let target = if account.is_empty() {
            Target::Group {
                group: group.parse().unwrap(),
            }
        } else {
            let row = sandbox.assignment(person, account, set).await;
            Target::Account {
                account: account.parse().unwrap(),
                permission_set: row["permission_set_arn"].as_str().unwrap().parse().unwrap(),
            }
        };
        let lasts = SignedDuration::from_mins(30);
        let promised = promise(&sandbox, &user, target.clone(), lasts).await;
        let request = promised.now(&sandbox).await.request;
        asked.push((user, target, request));
    }
    let carla = &asked[0].0;
    let Target::Account { permission_set, .. } = &asked[1].1 else {
        panic!("an account");
    };
    let everything = Search::default();
    let by_person = Search {
        person: Some(carla.parse().unwrap()),
        ..Search::default()
    };
    let in_account = Search {
        account: Some("111122223333".parse().unwrap()),
        ..Search::default()
    };
    let for_set = Search {
        permission_set: Some(permission_set.clone()),
        ..Search::default()
    };
    let before = Search {
        before: Some(began - SignedDuration::from_secs(1)),
        ..Search::default()
    };
    for (what, search, expected) in [
        ("everything", everything, &[0, 1, 2, 3][..]),
        ("a person", by_person, &[0, 1]),
        ("an account", in_account, &[0, 2]),
        ("a permission set", for_set, &[1, 2]),
        ("a time before", before, &[]),
    ] {
        let expected: BTreeSet<RequestId> = expected.iter().map(|nth| asked[*nth].2).collect();
        // An index follows its table.
        eventually(what, || async {
            let found = store
                .history(&search, Bound::PAGE, Timestamp::now(), |_| true)
                .await;
            let rows = found.unwrap().rows;
            let newest_first = rows.is_sorted_by(|a, b| a.submitted_at >= b.submitted_at);
            assert!(newest_first, "{what}");
            let found: BTreeSet<RequestId> = rows.iter().map(|row| row.request).collect();
            (rows.len() == expected.len() && found == expected).then_some(())
        })
        .await;
    }
    // What no index knows is a filter, and a page goes on where the one before ended.
    let search = Search::default();
    let kept = store
        .history(&search, Bound::PAGE, Timestamp::now(), |row| {
            row.request == asked[2].2
        })
        .await;
    assert_eq!(kept.unwrap().rows.len(), 1);
    let found = store
        .history(&search, Bound::PAGE, Timestamp::now(), |_| true)
        .await
        .unwrap();
    let second = &found.rows[1];
    let after = Search {
        after: Some(server::store::history::Place {
            at: second.submitted_at,
            request: second.request,
            ask: second.ask,
        }),
        ..Search::default()
    };
    let rest = store
        .history(&after, Bound::PAGE, Timestamp::now(), |_| true)
        .await
        .unwrap();
    let rest: Vec<RequestId> = rest.rows.iter().map(|row| row.request).collect();
    let expected: Vec<RequestId> = found.rows[2..].iter().map(|row| row.request).collect();
    assert_eq!(rest, expected);
}
