//! What cannot be deleted is asked about: whether its person, its place, its permission set and its
//! group are still there. An answer that does not come is no answer, and nothing ends by it.

use domain::grant::GrantState;
use domain::target::{Key, Target};
use jiff::SignedDuration;
use serde_json::{Value, json};
use server::store::Store;

use super::promised::{Case, Expect, come_and_go, in_time};
use crate::harness::{Belay, Sandbox, promise};

/// Each question, by what its fault is told apart.
pub(super) const QUESTIONS: [(&str, &str); 4] = [
    ("identitystore:DescribeUser", "UserId"),
    ("identitystore:DescribeGroup", "GroupId"),
    ("organizations:DescribeAccount", "AccountId"),
    ("sso-admin:DescribePermissionSet", "PermissionSetArn"),
];

pub(super) fn faults() -> [Value; 5] {
    [
        json!({"kind": "latency", "ms": 2_000}),
        json!({"kind": "throttle"}),
        json!({"kind": "error", "error": "InternalServerException"}),
        json!({"kind": "lose-response"}),
        json!({"kind": "stall", "ms": 11_000}),
    ]
}

/// A deletion that is refused until its target is asked about, which happens at the third time.
const REFUSED: u32 = 4;

#[tokio::test]
async fn a_question_whether_something_exists_that_is_not_answered_ends_nothing() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let state = sandbox.state().await;
    let ids = |list: &str, id: &str| -> Vec<String> {
        let rows = state[list].as_array().unwrap().iter();
        rows.map(|row| row[id].as_str().unwrap().to_owned())
            .collect()
    };
    let people = ids("people", "user_id");
    let groups = ids("groups", "group_id");
    let sets = ids("permission_sets", "arn");
    let accounts: Vec<String> = ids("accounts", "account_id")
        .into_iter()
        .filter(|id| !["100000000001", "666677778888"].contains(&id.as_str()))
        .collect();
    let assigned = state["assignments"].as_array().unwrap();
    let members = state["memberships"].as_array().unwrap();
    let mut cases = Vec::new();
    for (at, (operation, name)) in QUESTIONS.into_iter().enumerate() {
        for (nth, mut fault) in faults().into_iter().enumerate() {
            // So that no two faults of one question are about the same.
            let user = if operation.ends_with("DescribeGroup") {
                let is_stranger = |user: &&String| {
                    !members.iter().any(|have| {
                        have["group_id"] == groups[nth] && have["user_id"] == user.as_str()
                    })
                };
                people.iter().find(is_stranger).unwrap().clone()
            } else {
                people[nth].clone()
            };
            let (account, set) = (&accounts[(nth + at) % accounts.len()], &sets[nth]);
            let (target, delete, of) = if operation.ends_with("DescribeGroup") {
                let target = Target::Group {
                    group: groups[nth].parse().unwrap(),
                };
                (target, "identitystore:DeleteGroupMembership", json!({}))
            } else {
                assert!(
                    !assigned.iter().any(|have| have["principal_id"] == user
                        && have["account_id"] == *account
                        && have["permission_set_arn"] == *set),
                    "choose another: {user} has {set} in {account}"
                );
                let target = Target::Account {
                    account: account.parse().unwrap(),
                    permission_set: set.parse().unwrap(),
                };
                let of = json!({"PrincipalId": user, "TargetId": account, "PermissionSetArn": set});
                (target, "sso-admin:DeleteAccountAssignment", of)
            };
            let id = match name {
                "UserId" => &user,
                "GroupId" => &groups[nth],
                "AccountId" => account,
                _ => set,
            };
            fault["operation"] = operation.into();
            fault["match"] = json!({ name: id });
            let refused = json!({
                "operation": delete, "kind": "error", "error": "AccessDeniedException",
                "times": REFUSED, "match": of,
            });
            let is_group = matches!(target, Target::Group { .. });
            cases.push(Case {
                user,
                target,
                faults: if is_group {
                    vec![fault]
                } else {
                    vec![fault, refused.clone()]
                },
                of_membership: is_group.then_some(refused),
                expect: Expect::Gone,
            });
        }
    }
    come_and_go(&sandbox, &belay, cases).await;
}

#[tokio::test]
async fn what_cannot_be_asked_about_is_not_on_record_as_gone() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    let row = sandbox
        .assignment("ines.costa", "111122223333", "NetworkAdministrator")
        .await;
    let text = |name: &str| row[name].as_str().unwrap();
    let pair = Target::Account {
        account: text("account_id").parse().unwrap(),
        permission_set: text("permission_set_arn").parse().unwrap(),
    };
    let group = Target::Group {
        group: sandbox.group_id("Oncall").await.parse().unwrap(),
    };
    for operation in [
        "sso-admin:DeleteAccountAssignment",
        "identitystore:DeleteGroupMembership",
    ] {
        sandbox.refuse(operation, "AccessDeniedException").await;
    }
    for (operation, _) in QUESTIONS {
        sandbox.refuse(operation, "InternalServerException").await;
    }
    let user = text("principal_id");
    let mut given = Vec::new();
    for target in [pair, group] {
        let lasts = SignedDuration::from_secs(10);
        let promised = promise(&sandbox, user, target.clone(), lasts).await;
        let user = user.parse().unwrap();
        given.push((promised, Key { user, target }));
    }
    for (promised, key) in &given {
        let inspected = in_time("somebody asks whether it exists", || async {
            store.key(key).await.unwrap().unwrap().state.inspected
        })
        .await;
        assert!(inspected.first.is_none(), "{key}: {inspected:?}");
        let state = promised.now(&sandbox).await.state;
        assert!(matches!(state, GrantState::Revoking { .. }), "{state:?}");
    }
    for (operation, _) in QUESTIONS {
        assert!(!sandbox.calls(operation).await.is_empty(), "{operation}");
    }
    drop(belay);
}
