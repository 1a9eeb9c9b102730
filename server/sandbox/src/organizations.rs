//! AWS Organizations: accounts, organizational units, tags. Reads only.
//!
//! <https://docs.aws.amazon.com/organizations/latest/APIReference/>

use serde_json::{Map, Value, json};

use crate::aws::input::{ACCOUNT_ID, ANY, Input, PARENT_ID};
use crate::aws::refusal::Refusal;
use crate::clock::Moment;
use crate::organisation::{
    Account, Directory, FOUNDED, MANAGEMENT_ACCOUNT, ORGANIZATION_ID, OrganizationalUnit, ROOT_ID,
};
use crate::sandbox::Sandbox;
use crate::sso_admin::with_token;

/// What is answered here.
pub(crate) const OPERATIONS: &[&str] = &[
    "DescribeAccount",
    "DescribeOrganization",
    "DescribeOrganizationalUnit",
    "ListAccounts",
    "ListAccountsForParent",
    "ListChildren",
    "ListOrganizationalUnitsForParent",
    "ListParents",
    "ListRoots",
    "ListTagsForResource",
];

/// Rows in a page, for every list of this API: a fifth of what the others give.
const PAGE_ROWS_MAX: usize = 20;

/// Answers one call.
pub(crate) fn answer(sandbox: &Sandbox, input: &Input<'_>, now: Moment) -> Result<Value, Refusal> {
    let state = sandbox.organisation.at(now);
    let directory = &state.directory;
    match input.operation {
        "DescribeOrganization" => Ok(organization(directory)),
        "ListRoots" => {
            let root = std::iter::once((ROOT_ID, root()));
            listed(input, "Roots", root)
        }
        "ListAccounts" => {
            let accounts = directory.accounts.values();
            let rows = accounts.map(|it| (&it.account_id, account(directory, it)));
            listed(input, "Accounts", rows)
        }
        "ListAccountsForParent" => {
            let parent = known_parent(input, directory)?;
            let accounts = directory.accounts.values();
            let children = accounts.filter(|it| it.parent_id == parent);
            let rows = children.map(|it| (&it.account_id, account(directory, it)));
            listed(input, "Accounts", rows)
        }
        "ListOrganizationalUnitsForParent" => {
            let parent = known_parent(input, directory)?;
            let units = directory.units.values();
            let children = units.filter(|it| it.parent_id == parent);
            let rows = children.map(|it| (&it.unit_id, unit(directory, it)));
            listed(input, "OrganizationalUnits", rows)
        }
        "ListChildren" => children(input, directory),
        "ListParents" => parents(input, directory),
        "ListTagsForResource" => tags(input, directory),
        "DescribeAccount" => {
            let id = input.text("AccountId", ACCOUNT_ID)?;
            let found = directory.accounts.get(id);
            found
                .map(|it| json!({"Account": account(directory, it)}))
                .ok_or_else(|| {
                    let message = "You specified an account that doesn't exist.";
                    input.refuse("AccountNotFoundException", message)
                })
        }
        "DescribeOrganizationalUnit" => {
            let id = input.text("OrganizationalUnitId", PARENT_ID)?;
            let found = directory.units.get(id);
            found
                .map(|it| json!({"OrganizationalUnit": unit(directory, it)}))
                .ok_or_else(|| {
                    let message = "You specified an organizational unit that doesn't exist.";
                    input.refuse("OrganizationalUnitNotFoundException", message)
                })
        }
        _ => Err(input.refuse("UnknownOperationException", "")),
    }
}

fn listed<K: AsRef<str>>(
    input: &Input<'_>,
    member: &str,
    rows: impl Iterator<Item = (K, Value)>,
) -> Result<Value, Refusal> {
    let (rows, token) = input.paging(PAGE_ROWS_MAX)?.take(rows);
    let answer = Map::from_iter([(member.to_owned(), Value::Array(rows))]);
    Ok(with_token(Value::Object(answer), token))
}

fn children(input: &Input<'_>, directory: &Directory) -> Result<Value, Refusal> {
    let parent = known_parent(input, directory)?;
    let kind = input.one_of("ChildType", &["ACCOUNT", "ORGANIZATIONAL_UNIT"])?;
    let ids: Vec<&String> = if kind == "ACCOUNT" {
        let accounts = directory.accounts.values();
        let below = accounts.filter(|it| it.parent_id == parent);
        below.map(|it| &it.account_id).collect()
    } else {
        let units = directory.units.values();
        let below = units.filter(|it| it.parent_id == parent);
        below.map(|it| &it.unit_id).collect()
    };
    let rows = ids
        .into_iter()
        .map(|id| (id, json!({"Id": id, "Type": kind})));
    listed(input, "Children", rows)
}

fn parents(input: &Input<'_>, directory: &Directory) -> Result<Value, Refusal> {
    let child = input.text("ChildId", ANY)?;
    let account = directory.accounts.get(child).map(|it| &it.parent_id);
    let parent = account.or_else(|| directory.units.get(child).map(|it| &it.parent_id));
    let Some(parent) = parent else {
        let message = "You specified a child that doesn't exist.";
        return Err(input.refuse("ChildNotFoundException", message));
    };
    let kind = if parent == ROOT_ID {
        "ROOT"
    } else {
        "ORGANIZATIONAL_UNIT"
    };
    let row = (parent, json!({"Id": parent, "Type": kind}));
    listed(input, "Parents", std::iter::once(row))
}

fn tags(input: &Input<'_>, directory: &Directory) -> Result<Value, Refusal> {
    let id = input.text("ResourceId", ANY)?;
    let account = directory.accounts.get(id);
    if account.is_none() && !directory.is_parent(id) {
        let message = "You specified a target that doesn't exist.";
        return Err(input.refuse("TargetNotFoundException", message));
    }
    let tags = account.into_iter().flat_map(|it| &it.tags);
    let rows = tags.map(|(key, value)| (key, json!({"Key": key, "Value": value})));
    listed(input, "Tags", rows)
}

fn known_parent<'a>(input: &Input<'a>, directory: &Directory) -> Result<&'a str, Refusal> {
    let id = input.text("ParentId", PARENT_ID)?;
    if directory.is_parent(id) {
        return Ok(id);
    }
    let message = "You specified a parent that doesn't exist.";
    Err(input.refuse("ParentNotFoundException", message))
}

fn organization(directory: &Directory) -> Value {
    let email = directory
        .accounts
        .get(MANAGEMENT_ACCOUNT)
        .map(|it| it.email.as_str());
    json!({"Organization": {
        "Id": ORGANIZATION_ID,
        "Arn": arn(&format!("organization/{ORGANIZATION_ID}")),
        "FeatureSet": "ALL",
        "MasterAccountArn": arn(&format!("account/{ORGANIZATION_ID}/{MANAGEMENT_ACCOUNT}")),
        "MasterAccountId": MANAGEMENT_ACCOUNT,
        "MasterAccountEmail": email,
        "AvailablePolicyTypes": policy_types(),
    }})
}

fn root() -> Value {
    json!({
        "Id": ROOT_ID,
        "Arn": arn(&format!("root/{ORGANIZATION_ID}/{ROOT_ID}")),
        "Name": "Root",
        "PolicyTypes": policy_types(),
    })
}

fn policy_types() -> Value {
    json!([{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}])
}

fn account(directory: &Directory, account: &Account) -> Value {
    let id = &account.account_id;
    json!({
        "Id": id,
        "Arn": arn(&format!("account/{ORGANIZATION_ID}/{id}")),
        "Email": account.email,
        "Name": account.name,
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "Paths": [directory.path(id)],
        "JoinedMethod": if id == MANAGEMENT_ACCOUNT { "INVITED" } else { "CREATED" },
        "JoinedTimestamp": FOUNDED.to_json(),
    })
}

fn unit(directory: &Directory, unit: &OrganizationalUnit) -> Value {
    json!({
        "Id": unit.unit_id,
        "Arn": arn(&format!("ou/{ORGANIZATION_ID}/{}", unit.unit_id)),
        "Name": unit.name,
        "Path": directory.path(&unit.unit_id),
    })
}

fn arn(resource: &str) -> String {
    format!("arn:aws:organizations::{MANAGEMENT_ACCOUNT}:{resource}")
}
