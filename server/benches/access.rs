//! How long a page of Access takes in the largest organisation that the design promises: 5,000
//! accounts, 500 permission sets, 100,000 people. `make bench-access`, or, in minutes less and an
//! upper bound, `cargo bench --workspace --bench access --profile dev`.
//!
//! Two policies: one that gives the person everything, 2,500,000 offers, and one of 1,000 rules. Not
//! measured here: what the table takes to say what the person has, nor drawing the page.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark"
)]

#[path = "../domain/benches/organisation.rs"]
mod organisation;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::view::AccessFilter;
use domain::directory::{Directory, Person, Status};
use domain::policy::{Format, Policy, Setting, parse, resolve};
use server::web::access_page;
use server::world::World;

use self::organisation::{LARGEST, directory, policy, user};

const PEOPLE: usize = 100_000;

/// Enough that the slowest of a hundred is not one unlucky moment.
const ROUNDS: usize = 300;

/// What is typed: nothing, a letter, parts of names, a number, what is found nowhere.
const TYPED: [&str; 7] = [
    "",
    "t",
    "prod",
    "team01 prod duty",
    "200000004321",
    "division3 unit13 env=dev duty07",
    "nothing of that kind",
];

const EVERYTHING: &str = r#"
version = 1
[[rule]]
name = "everything"
accounts = ["*"]
permission_sets = ["*"]
requesters = ["group:Group 0"]
approvers = ["group:Group 1"]
"#;

fn everything(directory: &Directory) -> Policy {
    let file = parse(EVERYTHING, Format::Toml, "policy.toml").expect("a valid policy");
    resolve(&file, directory, &Setting::default()).policy
}

fn add_people(directory: &mut Directory) {
    for n in directory.people.len()..PEOPLE {
        let id = user(n);
        let person = Person {
            id: id.clone(),
            user_name: format!("person{n}"),
            display_name: format!("Person {n}"),
            emails: vec![format!("person{n}@example.com")],
            status: Status::Active,
        };
        directory.people.insert(id, person);
    }
}

fn measure(name: &str, world: &World) {
    let person = user(0);
    for typed in TYPED {
        let filter = AccessFilter {
            q: typed.to_owned(),
            ..AccessFilter::default()
        };
        let mut took: Vec<Duration> = Vec::with_capacity(ROUNDS);
        let mut total = 0;
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let view = black_box(access_page(world, &person, &filter, (&[], &[])));
            took.push(began.elapsed());
            total = view.total;
        }
        took.sort_unstable();
        let at = |share: usize| took.get(ROUNDS * share / 100).unwrap();
        println!(
            "{name:<12} {typed:<34} {total:>9} found  p50 {:>8.2?}  p99 {:>8.2?}",
            at(50),
            at(99)
        );
    }
}

fn main() {
    // `cargo bench` passes `--bench`; a test runner that lists the tests here finds none.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let mut directory = directory(LARGEST);
    add_people(&mut directory);
    for (name, policy) in [
        ("everything", everything(&directory)),
        ("1,000 rules", policy(LARGEST, &directory)),
    ] {
        let began = Instant::now();
        let world = World::new(directory.clone(), Arc::new(policy));
        println!("{name:<12} indexing a snapshot {:.2?}", began.elapsed());
        measure(name, &world);
    }
}
