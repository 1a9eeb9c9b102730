//! What an organisation is made of before anybody has been given anything: accounts in
//! organizational units, permission sets, people and groups. Fixed by the flags at start.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::person::{Group, Person};
use crate::clock::Moment;

/// The one Identity Center instance.
pub(crate) const INSTANCE_ARN: &str = "arn:aws:sso:::instance/ssoins-6987a1b2c3d4e5f6";
/// The Identity Store behind it.
pub(crate) const IDENTITY_STORE_ID: &str = "d-99670a1b2c";
/// The account that owns the organisation and the instance.
pub(crate) const MANAGEMENT_ACCOUNT: &str = "100000000001";
/// The organisation.
pub(crate) const ORGANIZATION_ID: &str = "o-b3lay0sandbx";
/// The root of the tree of organizational units.
pub(crate) const ROOT_ID: &str = "r-b3la";
/// When all of it was made: 2024-01-15 09:30 UTC, so that nothing looks new.
pub(crate) const FOUNDED: Moment = Moment(1_705_311_000_000);

/// An AWS account.
#[derive(Debug, Clone, Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "an id says of what it is, here as in `GET /state`"
)]
pub(crate) struct Account {
    pub(crate) account_id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    /// The root's or an organizational unit's id.
    pub(crate) parent_id: String,
    pub(crate) tags: BTreeMap<String, String>,
}

/// An organizational unit.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OrganizationalUnit {
    pub(crate) unit_id: String,
    pub(crate) name: String,
    pub(crate) parent_id: String,
}

/// A permission set.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PermissionSet {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// ISO 8601, as AWS keeps it.
    pub(crate) session_duration: String,
}

/// Everything, by id. Lists are served in this order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) units: BTreeMap<String, OrganizationalUnit>,
    pub(crate) permission_sets: BTreeMap<String, PermissionSet>,
    pub(crate) people: BTreeMap<String, Person>,
    pub(crate) groups: BTreeMap<String, Group>,
}

impl Directory {
    /// Adds a unit under a parent and gives its id.
    pub(super) fn add_unit(&mut self, parent_id: &str, name: &str) -> String {
        let unit_id = format!("ou-b3la-{}", &digest(&["unit", parent_id, name])[..8]);
        self.units.insert(
            unit_id.clone(),
            OrganizationalUnit {
                unit_id: unit_id.clone(),
                name: name.to_owned(),
                parent_id: parent_id.to_owned(),
            },
        );
        unit_id
    }

    pub(super) fn add_account(
        &mut self,
        account_id: &str,
        name: &str,
        parent_id: &str,
        tags: &[(&str, &str)],
    ) {
        let local = name.to_lowercase().replace(' ', "-");
        let account = Account {
            account_id: account_id.to_owned(),
            name: name.to_owned(),
            email: format!("aws+{local}@example.com"),
            parent_id: parent_id.to_owned(),
            tags: tags
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        };
        self.accounts.insert(account.account_id.clone(), account);
    }

    /// Adds a permission set and gives its ARN.
    pub(super) fn add_permission_set(
        &mut self,
        name: &str,
        description: &str,
        session_duration: &str,
    ) -> String {
        let arn = permission_set_arn(name);
        self.permission_sets.insert(
            arn.clone(),
            PermissionSet {
                arn: arn.clone(),
                name: name.to_owned(),
                description: description.to_owned(),
                session_duration: session_duration.to_owned(),
            },
        );
        arn
    }

    pub(super) fn add_person(&mut self, given: &str, family: &str) -> &mut Person {
        let user_id = identity_id("user", &format!("{given}.{family}"));
        self.people
            .entry(user_id.clone())
            .or_insert_with(|| Person::named(user_id, given, family))
    }

    /// Adds a group and gives its id.
    pub(super) fn add_group(&mut self, name: &str, description: &str) -> String {
        let group_id = identity_id("group", name);
        self.groups.insert(
            group_id.clone(),
            Group {
                group_id: group_id.clone(),
                display_name: name.to_owned(),
                description: description.to_owned(),
            },
        );
        group_id
    }

    /// The path of a root, unit or account, as Organizations writes it.
    pub(crate) fn path(&self, id: &str) -> String {
        let mut steps = vec![id];
        let mut at = id;
        // Five levels of units are AWS's limit; an account makes six.
        for _ in 0..6 {
            let parent = self
                .units
                .get(at)
                .map(|unit| unit.parent_id.as_str())
                .or_else(|| self.accounts.get(at).map(|it| it.parent_id.as_str()));
            let Some(parent) = parent else { break };
            steps.push(parent);
            at = parent;
        }
        steps.push(ORGANIZATION_ID);
        steps.reverse();
        steps.join("/") + "/"
    }

    /// Whether this is the root's or a unit's id.
    pub(crate) fn is_parent(&self, id: &str) -> bool {
        id == ROOT_ID || self.units.contains_key(id)
    }
}

/// The ARN that a permission set of this name has in every sandbox.
pub(super) fn permission_set_arn(name: &str) -> String {
    format!(
        "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-{}",
        &digest(&["permission-set", name])[..16]
    )
}

/// An Identity Store id that follows from a name. Both shapes that AWS hands out occur: a UUID, and
/// ten hex digits, a dash and a UUID.
pub(super) fn identity_id(kind: &str, name: &str) -> String {
    let hex = digest(&[kind, name]);
    let uuid = format!(
        "{}-{}-4{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    );
    if hex.as_bytes()[40].is_multiple_of(2) {
        format!("99670a1b2c-{uuid}")
    } else {
        uuid
    }
}

/// Lower-case hex of a digest of the parts.
fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    format!("{:x}", hasher.finalize())
}
