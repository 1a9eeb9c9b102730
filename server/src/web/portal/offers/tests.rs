#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Arc;

use app::search::narrow;
use app::view::{AccessFilter, AccessView, UnitView};
use domain::directory::{Account, Directory, Group, PermissionSet, Person, Status};
use domain::id::{AccountId, GroupId, PermissionSetArn, PermissionSetName, UserId};
use domain::policy::{Format, Setting, parse, resolve};

use super::{CARDS_A_PAGE, OFFERS_A_CARD, OFFERS_A_PAGE, Offers};
use crate::web::portal::access::Current;
use crate::world::World;

const POLICY: &str = r#"
version = 1
[[rule]]
name = "all"
accounts = ["*"]
permission_sets = ["*"]
requesters = ["user:ana@example.com"]
approvers = ["user:ben@example.com"]

[[rule]]
name = "groups"
groups = ["group:Incident Response", "group:Payments Night"]
requesters = ["user:ana@example.com"]
approvers = ["user:ben@example.com"]
"#;

const NAMES: [&str; 6] = [
    "Payments Production",
    "Payments Staging",
    "Web Shop",
    "Zürich Data",
    "Logs",
    "Incident Archive",
];
const UNITS: [&str; 3] = ["Production", "Staging", "Data Lake"];
const SETS: [&str; 5] = [
    "AdministratorAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "Logs",
    "Billing",
];

fn person(id: u8, name: &str) -> Person {
    Person {
        id: UserId::parse(&format!("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a{id:02x}")).unwrap(),
        user_name: name.to_owned(),
        display_name: name.to_owned(),
        emails: vec![format!("{name}@example.com")],
        status: Status::Active,
    }
}

fn account_id(n: usize) -> AccountId {
    AccountId::parse(&format!("{}", 200_000_000_000 + n)).unwrap()
}

fn arn(n: usize) -> PermissionSetArn {
    let text = format!("arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-{n:016x}");
    PermissionSetArn::parse(&text).unwrap()
}

fn world(accounts: usize, sets: usize) -> World {
    let mut directory = Directory::default();
    for one in [person(1, "ana"), person(2, "ben")] {
        directory.people.insert(one.id.clone(), one);
    }
    for n in 0..accounts {
        let unit = UNITS[n % UNITS.len()];
        let name = NAMES[n % NAMES.len()];
        let account = Account {
            id: account_id(n),
            name: if n < NAMES.len() {
                name.to_owned()
            } else {
                format!("{name} {n}")
            },
            ou_path: vec!["Root".to_owned(), unit.to_owned()],
            ou_ids: vec!["r-1".to_owned(), format!("ou-{unit}")],
            tags: [("env".to_owned(), unit.to_lowercase())].into(),
            active: true,
        };
        directory.accounts.insert(account.id.clone(), account);
    }
    for n in 0..sets {
        let name = SETS
            .get(n)
            .map_or_else(|| format!("Duty{n}"), |name| (*name).to_owned());
        let set = PermissionSet {
            arn: arn(n),
            description: Some(format!("{name}, as in the handbook")),
            name: PermissionSetName::parse(&name).unwrap(),
            session_seconds: 3_600,
        };
        directory.permission_sets.insert(set.arn.clone(), set);
    }
    for (n, name) in ["Incident Response", "Payments Night"]
        .into_iter()
        .enumerate()
    {
        let id = GroupId::parse(&format!("a3a4c8d2-1011-70e2-3a5b-1c2d3e4f5a{n:02x}")).unwrap();
        let held = [(account_id(n), arn(n))].into();
        directory.holdings.insert(id.clone(), held);
        let name = name.to_owned();
        directory.groups.insert(id.clone(), Group { id, name });
    }
    let file = parse(POLICY, Format::Toml, "policy.toml").unwrap();
    let policy = resolve(&file, &directory, &Setting::default()).policy;
    World::new(directory, Arc::new(policy))
}

fn page(world: &World, q: &str, within: &str, page: u32) -> AccessView {
    let ana = person(1, "ana").id;
    let facts = world.facts();
    Offers {
        world,
        catalogue: &world.catalogue.for_person(&ana, &facts),
        groups: &world.catalogue.groups_for_person(&ana, &facts),
        current: &Current::default(),
    }
    .page(&AccessFilter {
        q: q.to_owned(),
        within: within.to_owned(),
        page,
    })
}

/// What is on a page, in its order.
fn listed(view: &AccessView) -> Vec<String> {
    let of_unit = |unit: &UnitView| match unit {
        UnitView::Groups { offers, .. } => offers.iter().map(|group| group.name.clone()).collect(),
        UnitView::Accounts { accounts, .. } => accounts
            .iter()
            .flat_map(|account| {
                let offers = account.offers.iter();
                offers.map(|offer| format!("{}/{}", account.id, offer.permission_set))
            })
            .collect::<Vec<_>>(),
    };
    view.units.iter().flat_map(of_unit).collect()
}

#[test]
fn what_a_browser_narrows_is_what_the_server_answers() {
    let world = world(6, 5);
    let whole = page(&world, "", "", 1);
    assert!(whole.is_whole);
    assert_eq!(listed(&whole).len(), 6 * 5 + 2);
    for q in [
        "",
        "pay",
        "payments",
        "PAYMENTS prod",
        "zurich",
        "logs",
        "logs logs",
        "incident",
        "200000000003",
        "2000-0000-0003 read",
        "0000",
        "env=staging",
        "access",
        "handbook data",
        "group",
        "night",
        "nothing of that",
    ] {
        let answered = page(&world, q, "", 1);
        let narrowed = narrow(&whole, q);
        assert_eq!(listed(&narrowed), listed(&answered), "{q}");
        assert_eq!(narrowed.units, answered.units, "{q}");
        assert_eq!(narrowed.total, answered.total, "{q}");
    }
}

#[test]
fn the_account_whose_number_is_typed_stands_first() {
    let world = world(2_000, 30);
    for n in [0, 7, 1_999] {
        let found = listed(&page(&world, &format!("read {}", account_id(n)), "", 1));
        let first = found.first().map(String::as_str);
        assert_eq!(first, Some(&*format!("{}/ReadOnlyAccess", account_id(n))));
    }
    // A group of which the words are found better stands before, and any other behind.
    let found = listed(&page(&world, "incident response", "", 1));
    assert_eq!(found.first().map(String::as_str), Some("Incident Response"));
    let found = listed(&page(&world, "web shop", "", 1));
    assert_eq!(
        found.first().map(|first| &first[..12]),
        Some("200000000002")
    );
}

#[test]
fn however_much_there_is_a_page_holds_only_so_much_and_all_of_it_is_on_some_page() {
    let world = world(300, 130);
    let first = page(&world, "", "", 1);
    assert_eq!(first.total, 300 * 130 + 2);
    assert!(!first.is_whole);
    let mut accounts = BTreeSet::new();
    for number in 1..=first.pages {
        let view = page(&world, "", "", number);
        assert_eq!(view.filter.page, number);
        assert!(listed(&view).len() <= OFFERS_A_PAGE);
        let mut cards = 0;
        for unit in &view.units {
            let UnitView::Accounts { accounts: here, .. } = unit else {
                continue;
            };
            cards += here.len();
            for account in here {
                assert_eq!(account.offers.len(), OFFERS_A_CARD);
                assert_eq!(account.more as usize, 130 - OFFERS_A_CARD);
                assert!(accounts.insert(account.id.clone()), "{} twice", account.id);
            }
        }
        assert!(cards <= CARDS_A_PAGE);
    }
    assert_eq!(accounts.len(), 300);
    // Where accounts have little, their headings are what fills a page.
    let one_each = self::world(100, 1);
    assert_eq!(page(&one_each, "", "", 1).pages, 3);
    // Beyond the last there is the last.
    assert_eq!(page(&world, "", "", 9_999).filter.page, first.pages);

    // The rest of one account is a list of its own.
    let id = account_id(17).to_string();
    let all: Vec<_> = [1, 2]
        .iter()
        .flat_map(|number| listed(&page(&world, "", &id, *number)))
        .collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 130);
    assert_eq!(page(&world, "duty", &id, 1).total, 125);
    assert_eq!(page(&world, "", "999999999999", 1).total, 0);
    assert_eq!(page(&world, "", "groups", 1).total, 2);
}

#[test]
fn no_word_less_finds_less() {
    let world = world(50, 20);
    let words = ["pay", "prod", "access", "env=", "2000"];
    for less in 0..words.len() {
        let fewer: Vec<_> = words
            .iter()
            .enumerate()
            .filter_map(|(at, word)| (at != less).then_some(*word))
            .collect();
        let all = page(&world, &words.join(" "), "", 1).total;
        assert!(page(&world, &fewer.join(" "), "", 1).total >= all);
    }
}
