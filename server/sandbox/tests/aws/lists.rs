//! Every list, to its end.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::running::{INSTANCE, PAYMENTS, STORE, Sandbox};

/// Texts of one member of some rows, which must not repeat.
fn distinct<'a>(rows: impl IntoIterator<Item = &'a Value>, member: &str) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for row in rows {
        let text = row.get(member).unwrap_or(row).as_str().unwrap();
        assert!(texts.insert(text.to_owned()), "{text} is listed twice");
    }
    texts
}

fn of(state: &Value, kind: &str, member: &str) -> BTreeSet<String> {
    distinct(state[kind].as_array().unwrap(), member)
}

#[tokio::test]
async fn lists_are_complete_and_without_repeats_whatever_the_page_size() {
    let sandbox = Sandbox::quick(&[
        "--accounts=65",
        "--people=230",
        "--groups=31",
        "--permission-sets=23",
    ]);
    let state = sandbox.state().await;
    assert_eq!(state["accounts"].as_array().unwrap().len(), 65);
    assert_eq!(state["people"].as_array().unwrap().len(), 230);
    for page in [1, 7, 100] {
        let lists = [
            (
                "sso-admin:ListPermissionSets",
                json!({"InstanceArn": INSTANCE}),
                "PermissionSets",
                "",
                "permission_sets",
                "arn",
            ),
            (
                "identitystore:ListUsers",
                json!({"IdentityStoreId": STORE}),
                "Users",
                "UserId",
                "people",
                "user_id",
            ),
            (
                "identitystore:ListGroups",
                json!({"IdentityStoreId": STORE}),
                "Groups",
                "GroupId",
                "groups",
                "group_id",
            ),
            (
                "organizations:ListAccounts",
                json!({}),
                "Accounts",
                "Id",
                "accounts",
                "account_id",
            ),
        ];
        for (operation, mut input, member, id, kind, truth) in lists {
            // Organizations gives 20 at most.
            let most = if operation.starts_with("organizations") {
                20
            } else {
                100
            };
            input["MaxResults"] = page.min(most).into();
            let rows = sandbox.all(operation, &input, member).await;
            assert_eq!(
                distinct(&rows, id),
                of(&state, kind, truth),
                "{operation} by {page}"
            );
        }
    }
}

#[tokio::test]
async fn no_page_holds_more_than_was_asked_for_or_than_the_switch_allows() {
    let sandbox = Sandbox::quick(&[]);
    let rows = async |input: Value| {
        let page = sandbox.call("identitystore:ListUsers", input).await.ok();
        (
            page["Users"].as_array().unwrap().len(),
            page.get("NextToken").is_some(),
        )
    };
    let input = json!({"IdentityStoreId": STORE, "MaxResults": 5});
    assert_eq!(rows(input.clone()).await, (5, true));
    sandbox.switch(json!({"page_size_max": 2})).await;
    assert_eq!(rows(input).await, (2, true));
    let all = json!({"IdentityStoreId": STORE});
    assert_eq!(
        sandbox
            .all("identitystore:ListUsers", &all, "Users")
            .await
            .len(),
        14
    );
}

#[tokio::test]
async fn a_full_scan_of_assignments_finds_exactly_what_there_is() {
    let sandbox = Sandbox::quick(&["--page-size-max=1"]);
    let mut found = BTreeSet::new();
    let instance = json!({"InstanceArn": INSTANCE});
    for set in sandbox
        .all("sso-admin:ListPermissionSets", &instance, "PermissionSets")
        .await
    {
        let of_set = json!({"InstanceArn": INSTANCE, "PermissionSetArn": set});
        let accounts = sandbox
            .all(
                "sso-admin:ListAccountsForProvisionedPermissionSet",
                &of_set,
                "AccountIds",
            )
            .await;
        for account in accounts {
            let in_account = json!({"InstanceArn": INSTANCE, "AccountId": account});
            let sets = sandbox
                .all(
                    "sso-admin:ListPermissionSetsProvisionedToAccount",
                    &in_account,
                    "PermissionSets",
                )
                .await;
            assert!(sets.contains(&set));
            let pair =
                json!({"InstanceArn": INSTANCE, "PermissionSetArn": set, "AccountId": account});
            for row in sandbox
                .all(
                    "sso-admin:ListAccountAssignments",
                    &pair,
                    "AccountAssignments",
                )
                .await
            {
                let parts = [
                    "PermissionSetArn",
                    "AccountId",
                    "PrincipalType",
                    "PrincipalId",
                ];
                assert!(found.insert(parts.map(|part| row[part].as_str().unwrap().to_owned())));
            }
        }
    }
    let state = sandbox.state().await;
    let truth = state["assignments"].as_array().unwrap().iter().map(|row| {
        let parts = [
            "permission_set_arn",
            "account_id",
            "principal_type",
            "principal_id",
        ];
        parts.map(|part| row[part].as_str().unwrap().to_owned())
    });
    assert_eq!(found, truth.collect());
}

#[tokio::test]
async fn a_token_is_good_for_its_own_question_only() {
    let sandbox = Sandbox::quick(&[]);
    let first = json!({"IdentityStoreId": STORE, "MaxResults": 3});
    let page = sandbox
        .call("identitystore:ListUsers", first.clone())
        .await
        .ok();
    let with = |mut input: Value, token: &Value| {
        input["NextToken"] = token.clone();
        input
    };
    let token = &page["NextToken"];
    let groups = sandbox
        .call("identitystore:ListGroups", with(first.clone(), token))
        .await;
    assert_eq!(groups.code(), "ValidationException");
    let made_up = sandbox
        .call("identitystore:ListUsers", with(first, &json!("AAAA")))
        .await;
    assert_eq!(made_up.code(), "ValidationException");
    let organizations = sandbox
        .call("organizations:ListAccounts", json!({"NextToken": "AAAA"}))
        .await;
    assert_eq!(organizations.code(), "InvalidInputException");
    assert_eq!(organizations.body["Reason"], "INVALID_NEXT_TOKEN");
}

#[tokio::test]
async fn the_tree_of_units_leads_to_every_account_and_back() {
    let sandbox = Sandbox::quick(&["--accounts=40"]);
    let mut parents = vec!["r-b3la".to_owned()];
    let mut accounts = BTreeSet::new();
    while let Some(parent) = parents.pop() {
        let below = json!({"ParentId": parent});
        for account in sandbox
            .all("organizations:ListAccountsForParent", &below, "Accounts")
            .await
        {
            let id = account["Id"].as_str().unwrap().to_owned();
            let up = sandbox
                .all(
                    "organizations:ListParents",
                    &json!({"ChildId": id}),
                    "Parents",
                )
                .await;
            assert_eq!(up[0]["Id"], *parent);
            assert!(accounts.insert(id));
        }
        for unit in sandbox
            .all(
                "organizations:ListOrganizationalUnitsForParent",
                &below,
                "OrganizationalUnits",
            )
            .await
        {
            parents.push(unit["Id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(
        accounts,
        of(&sandbox.state().await, "accounts", "account_id")
    );
    let tags = json!({"ResourceId": PAYMENTS});
    let tags = sandbox
        .all("organizations:ListTagsForResource", &tags, "Tags")
        .await;
    assert_eq!(
        tags,
        [
            json!({"Key": "env", "Value": "prod"}),
            json!({"Key": "team", "Value": "payments"})
        ]
    );
}

#[tokio::test]
async fn what_a_person_has_through_groups_is_shown_as_the_switch_says() {
    let sandbox = Sandbox::quick(&[]);
    let input = json!({
        "InstanceArn": INSTANCE,
        "PrincipalType": "USER",
        "PrincipalId": sandbox.person("jonas.weber").await,
    });
    let kinds = async || {
        let rows = sandbox
            .all(
                "sso-admin:ListAccountAssignmentsForPrincipal",
                &input,
                "AccountAssignments",
            )
            .await;
        let kind = |row: &Value| row["PrincipalType"].as_str().unwrap().to_owned();
        rows.iter().map(kind).collect::<BTreeSet<_>>()
    };
    assert_eq!(
        kinds().await,
        ["GROUP".to_owned(), "USER".to_owned()].into()
    );
    sandbox.switch(json!({"group_rows": "hidden"})).await;
    assert_eq!(kinds().await, ["USER".to_owned()].into());
}

#[tokio::test]
async fn membership_is_told_for_many_groups_at_once() {
    let sandbox = Sandbox::quick(&[]);
    let groups = [
        sandbox.group("Security").await,
        sandbox.group("Audit").await,
    ];
    let answer = sandbox
        .call(
            "identitystore:IsMemberInGroups",
            json!({
                "IdentityStoreId": STORE,
                "MemberId": {"UserId": sandbox.person("mia.novak").await},
                "GroupIds": groups,
            }),
        )
        .await
        .ok();
    let results = answer["Results"].as_array().unwrap();
    let told: Vec<(&str, bool)> = results
        .iter()
        .map(|row| {
            (
                row["GroupId"].as_str().unwrap(),
                row["MembershipExists"] == true,
            )
        })
        .collect();
    assert_eq!(
        told,
        [(groups[0].as_str(), true), (groups[1].as_str(), false)]
    );
}

#[tokio::test]
async fn statuses_are_in_the_order_that_the_switch_says() {
    let sandbox = Sandbox::quick(&[]);
    let mut newest = Vec::new();
    for person in ["carla.rossi", "ines.costa", "grace.chen"] {
        let input = sandbox.ask_for(person).await;
        let answer = sandbox
            .call("sso-admin:CreateAccountAssignment", input)
            .await;
        let status = &answer.body["AccountAssignmentCreationStatus"];
        newest.insert(0, status["RequestId"].clone());
    }
    let told = async || {
        let rows = sandbox
            .all(
                "sso-admin:ListAccountAssignmentCreationStatus",
                &json!({"InstanceArn": INSTANCE, "MaxResults": 2}),
                "AccountAssignmentsCreationStatus",
            )
            .await;
        let id = |row: &Value| row["RequestId"].clone();
        rows.iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(told().await, newest);
    sandbox.switch(json!({"status_order": "oldest"})).await;
    newest.reverse();
    assert_eq!(told().await, newest);
}
