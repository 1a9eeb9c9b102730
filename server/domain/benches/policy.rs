//! How long a verdict, a person's catalogue and the index take, and how that grows.
//!
//! The largest size is 1,000 rules, 5,000 accounts and 500 permission sets, for a person in 100 of
//! 2,000 groups among 20,000 people. `cargo bench -p domain --bench policy`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "benchmarks")]

mod organisation;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use domain::catalogue::Catalogue;
use domain::policy::{Facts, Proposal, Seconds, decide};
use domain::target::Target;

use self::organisation::{LARGEST, Size, account, directory, policy, set, user};

/// Targets that the person may have, and some that they may not.
fn proposals(catalogue: &Catalogue, facts: &Facts<'_>, size: Size) -> Vec<Proposal> {
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    let entries = catalogue.for_person(&user(0), facts).entries();
    assert!(entries.len() > 100, "{}", entries.len());
    let some = entries.iter().step_by(entries.len() / 50);
    let targets = some.map(|entry| (entry.account.clone(), entry.permission_set.clone()));
    let others = (0..50).map(|n| (account(n * 97 % size.accounts), set(n * 31 % size.sets)));
    targets
        .chain(others)
        .map(|(account, permission_set)| {
            let target = Target::Account {
                account,
                permission_set,
            };
            Proposal::new(user(0), target, Seconds::from_hours(1), 40, now)
        })
        .collect()
}

fn sizes() -> Vec<Size> {
    let Size {
        rules,
        accounts,
        sets,
    } = LARGEST;
    let mut sizes = vec![LARGEST];
    sizes.extend([100, 300].map(|rules| Size { rules, ..LARGEST }));
    sizes.extend([500, 1_500].map(|accounts| Size {
        accounts,
        ..LARGEST
    }));
    sizes.extend([50, 150].map(|sets| Size { sets, ..LARGEST }));
    assert_eq!((rules, accounts, sets), (1_000, 5_000, 500));
    sizes
}

fn benchmarks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("policy");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    for size in sizes() {
        let name = format!(
            "{} rules, {} accounts, {} sets",
            size.rules, size.accounts, size.sets
        );
        let directory = directory(size);
        let facts = Facts::of_snapshot(&directory);
        let policy = Arc::new(policy(size, &directory));
        let catalogue = Catalogue::build(Arc::clone(&policy), &directory);
        let proposals = proposals(&catalogue, &facts, size);
        let mut next = proposals.iter().cycle();
        group.bench_function(BenchmarkId::new("a verdict", &name), |b| {
            b.iter(|| black_box(catalogue.decide(next.next().unwrap(), &facts)));
        });
        group.bench_function(
            BenchmarkId::new("a verdict without the index", &name),
            |b| {
                b.iter(|| black_box(decide(&policy, next.next().unwrap(), &facts)));
            },
        );
        let person = user(0);
        group.bench_function(BenchmarkId::new("a person's catalogue", &name), |b| {
            b.iter(|| black_box(catalogue.for_person(&person, &facts)).len());
        });
        group.bench_function(BenchmarkId::new("building the index", &name), |b| {
            b.iter(|| black_box(Catalogue::build(Arc::clone(&policy), &directory)));
        });
    }
    group.finish();
}

criterion_group!(benches, benchmarks);
criterion_main!(benches);
