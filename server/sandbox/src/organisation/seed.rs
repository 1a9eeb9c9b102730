//! The believable organisation that every sandbox has, and the extras that make it bigger.
//!
//! Everything follows from names, so two sandboxes of one size have the same ids.

use super::directory::{Directory, MANAGEMENT_ACCOUNT, ROOT_ID, identity_id, permission_set_arn};
use super::ledger::{Principal, Triple};
use super::person::UserStatus;
use crate::arguments::Size;

/// A directory with who belongs where and what was assigned before anybody asked.
#[derive(Debug, Default)]
pub(super) struct Seed {
    pub(super) directory: Directory,
    /// Group id, user id.
    pub(super) memberships: Vec<(String, String)>,
    pub(super) assignments: Vec<Triple>,
}

/// Given name, family name, groups.
const PEOPLE: [(&str, &str, &[&str]); 14] = [
    ("Ana", "Silva", &["SRE", "Payments"]),
    ("Ben", "Okafor", &["SRE", "Oncall"]),
    ("Carla", "Rossi", &["Payments"]),
    ("Dmitri", "Volkov", &["Payments"]),
    ("Emma", "Lindqvist", &["Security"]),
    ("Farid", "Haddad", &["Security"]),
    ("Grace", "Chen", &["Platform"]),
    ("Hugo", "Martin", &["Audit"]),
    ("Ines", "Costa", &["Data"]),
    ("Jonas", "Weber", &["Data"]),
    ("Keiko", "Tanaka", &["Platform"]),
    ("Liam", "Murphy", &[]),
    ("Mia", "Novak", &["Security", "Payments"]),
    ("Noah", "Berg", &[]),
];

/// In no group: new here, and gone.
const NOT_IN_ENGINEERING: [&str; 2] = ["Liam", "Noah"];

const GROUPS: [(&str, &str); 9] = [
    ("Platform", "Runs the organisation's accounts"),
    ("Security", "Approves what is dangerous"),
    ("SRE", "Keeps production up"),
    ("Payments", "Builds and runs payments"),
    ("Data", "Builds and runs the data lake"),
    ("Audit", "Reads everything, changes nothing"),
    ("Oncall", "Whoever is on call this week"),
    ("Engineering", "Everyone who builds"),
    ("Incident Response", "Joined while there is an incident"),
];

/// Name, description, session duration.
const PERMISSION_SETS: [(&str, &str, &str); 7] = [
    ("AdministratorAccess", "Everything", "PT1H"),
    ("PowerUserAccess", "Everything but identities", "PT4H"),
    ("ReadOnlyAccess", "Look, change nothing", "PT8H"),
    ("Billing", "Invoices and budgets", "PT1H"),
    (
        "DatabaseOperator",
        "Operate databases, read their data",
        "PT2H",
    ),
    ("SecurityAudit", "Read security configuration", "PT12H"),
    (
        "NetworkAdministrator",
        "Networks and their gateways",
        "PT1H",
    ),
];

/// The believable organisation, enlarged to `size`.
pub(super) fn seed(size: Size) -> Seed {
    let mut seed = Seed::default();
    accounts(&mut seed.directory);
    for (name, description, session) in PERMISSION_SETS {
        seed.directory
            .add_permission_set(name, description, session);
    }
    people(&mut seed);
    standing(&mut seed);
    enlarge(&mut seed, size);
    seed
}

fn accounts(directory: &mut Directory) {
    let production = directory.add_unit(ROOT_ID, "Production");
    let payments = directory.add_unit(&production, "Payments");
    let data = directory.add_unit(&production, "Data");
    let staging = directory.add_unit(ROOT_ID, "Staging");
    let development = directory.add_unit(ROOT_ID, "Development");
    let infrastructure = directory.add_unit(ROOT_ID, "Infrastructure");
    let security = directory.add_unit(ROOT_ID, "Security");
    let sandboxes = directory.add_unit(ROOT_ID, "Sandboxes");
    let rows: [(&str, &str, &str, &str, &str); 14] = [
        (
            "111122223333",
            "Payments Production",
            &payments,
            "prod",
            "payments",
        ),
        (
            "111122223334",
            "Payments Staging",
            &staging,
            "staging",
            "payments",
        ),
        (
            "222233334444",
            "Orders Production",
            &production,
            "prod",
            "orders",
        ),
        (
            "222233334445",
            "Orders Staging",
            &staging,
            "staging",
            "orders",
        ),
        (
            "333344445555",
            "Data Lake Production",
            &data,
            "prod",
            "data",
        ),
        ("333344445556", "Data Lake Dev", &development, "dev", "data"),
        (
            "444455556666",
            "Shared Services",
            &infrastructure,
            "shared",
            "platform",
        ),
        (
            "555566667777",
            "Network",
            &infrastructure,
            "shared",
            "platform",
        ),
        (
            "666677778888",
            "Log Archive",
            &security,
            "shared",
            "security",
        ),
        (
            "777788889999",
            "Security Tooling",
            &security,
            "shared",
            "security",
        ),
        ("888899990000", "Sandbox Ana", &sandboxes, "sandbox", "sre"),
        ("888899990001", "Sandbox Ben", &sandboxes, "sandbox", "sre"),
        ("999900001111", "Web Production", &production, "prod", "web"),
        (
            MANAGEMENT_ACCOUNT,
            "Management",
            ROOT_ID,
            "shared",
            "platform",
        ),
    ];
    for (id, name, parent, env, team) in rows {
        directory.add_account(id, name, parent, &[("env", env), ("team", team)]);
    }
}

fn people(seed: &mut Seed) {
    for (name, description) in GROUPS {
        seed.directory.add_group(name, description);
    }
    for (given, family, groups) in PEOPLE {
        let person = seed.directory.add_person(given, family);
        let user_id = person.user_id.clone();
        if given == "Noah" {
            person.status = UserStatus::Disabled;
        }
        let engineering = (!NOT_IN_ENGINEERING.contains(&given)).then_some("Engineering");
        for group in groups.iter().copied().chain(engineering) {
            seed.memberships
                .push((identity_id("group", group), user_id.clone()));
        }
    }
}

/// What was assigned before anybody asked, to groups and to people, so that not everything that
/// exists is ours. Only `Billing` is in the management account: a delegated administrator may use no
/// permission set that is provisioned there.
fn standing(seed: &mut Seed) {
    let group = |name| Principal::Group(identity_id("group", name));
    let user = |name| Principal::User(identity_id("user", name));
    let rows = [
        (group("Platform"), "AdministratorAccess", "444455556666"),
        (group("Platform"), "NetworkAdministrator", "555566667777"),
        (group("Platform"), "Billing", MANAGEMENT_ACCOUNT),
        (group("Security"), "SecurityAudit", "666677778888"),
        (group("Security"), "SecurityAudit", "777788889999"),
        (group("Security"), "SecurityAudit", "111122223333"),
        (group("Audit"), "SecurityAudit", "666677778888"),
        (group("Engineering"), "ReadOnlyAccess", "222233334445"),
        (group("Data"), "ReadOnlyAccess", "333344445555"),
        (group("Incident Response"), "SecurityAudit", "111122223333"),
        (group("Incident Response"), "ReadOnlyAccess", "222233334444"),
        (group("Incident Response"), "ReadOnlyAccess", "333344445555"),
        (user("Ana.Silva"), "AdministratorAccess", "888899990000"),
        (user("Ben.Okafor"), "AdministratorAccess", "888899990001"),
        (user("Ana.Silva"), "ReadOnlyAccess", "222233334444"),
        (user("Jonas.Weber"), "PowerUserAccess", "333344445556"),
    ];
    seed.assignments
        .extend(rows.map(|(principal, set, account)| Triple {
            permission_set_arn: permission_set_arn(set),
            account_id: account.to_owned(),
            principal,
        }));
}

/// Adds accounts, sets, groups and people until there are as many as were asked for. Each extra
/// person is in one extra group, each extra set is assigned to a group in every tenth account.
fn enlarge(seed: &mut Seed, size: Size) {
    let directory = &mut seed.directory;
    let mut accounts = Vec::new();
    for n in 0..size.accounts.saturating_sub(directory.accounts.len()) {
        let estate = directory.add_unit(ROOT_ID, "Estate");
        let unit = directory.add_unit(&estate, &format!("Division {:02}", n % 12));
        let id = format!("{}", 200_000_000_000_u64 + n as u64);
        let env = ["prod", "staging", "dev"][n % 3];
        let team = format!("team-{:02}", n % 40);
        directory.add_account(
            &id,
            &format!("Estate {n:04} {env}"),
            &unit,
            &[("env", env), ("team", &team)],
        );
        accounts.push(id);
    }
    let mut sets = Vec::new();
    for n in 0..size
        .permission_sets
        .saturating_sub(directory.permission_sets.len())
    {
        let hours = n % 12 + 1;
        sets.push(directory.add_permission_set(
            &format!("Duty{n:04}"),
            &format!("Duty number {n}"),
            &format!("PT{hours}H"),
        ));
    }
    let mut groups = Vec::new();
    for n in 0..size.groups.saturating_sub(directory.groups.len()) {
        groups.push(directory.add_group(&format!("Team {n:04}"), &format!("Team number {n}")));
    }
    for n in 0..size.people.saturating_sub(directory.people.len()) {
        let person = directory.add_person(&format!("Person{n:05}"), "Extra");
        let user_id = person.user_id.clone();
        let team = groups.get(n % groups.len().max(1)).cloned();
        let engineering = identity_id("group", "Engineering");
        for group in team.into_iter().chain([engineering]) {
            seed.memberships.push((group, user_id.clone()));
        }
    }
    let holders = if groups.is_empty() {
        vec![identity_id("group", "Engineering")]
    } else {
        groups
    };
    for (n, set) in sets.iter().enumerate() {
        for (m, account) in accounts.iter().enumerate().skip(n % 10).step_by(10) {
            seed.assignments.push(Triple {
                permission_set_arn: set.clone(),
                account_id: account.clone(),
                principal: Principal::Group(holders[(n + m) % holders.len()].clone()),
            });
        }
    }
}
