//! The organisation is read by one server and known to all: from the table, whole or not at all.

use jiff::Timestamp;
use server::store::{PartsError, Store, StoreError};

use crate::harness::{Belay, Sandbox, Setup, create_table, eventually};

const LIST_USERS: &str = "identitystore:ListUsers";
const LIST_ROOTS: &str = "organizations:ListRoots";

async fn reads(sandbox: &Sandbox) -> usize {
    sandbox.calls(LIST_USERS).await.len() + sandbox.calls(LIST_ROOTS).await.len()
}

#[tokio::test]
async fn who_stands_by_and_who_starts_knows_the_organisation_without_asking_aws() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox);
    let mut leader = Belay::launch(&setup).ready().await;
    let read = reads(&sandbox).await;
    assert_eq!(read, 2, "one reading");
    let other = Belay::launch(&setup).ready().await;
    let page = other.browser().sign_in("ana.silva").await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.body.contains("Payments Production"), "{}", page.text());
    assert_eq!(reads(&sandbox).await, read);

    // Whoever starts while AWS cannot be read serves what was known, and says how old it is.
    leader.kill();
    drop(other);
    for operation in [LIST_USERS, LIST_ROOTS] {
        sandbox.refuse(operation, "InternalServerException").await;
    }
    let late = Belay::launch(&setup).ready().await;
    let page = late.browser().sign_in("ana.silva").await;
    assert!(page.body.contains("Payments Production"), "{}", page.text());
    let metrics = late.browser();
    eventually("the age is shown", || async {
        let page = metrics.get(&format!("{}/metrics", late.metrics)).await;
        page.body
            .contains("belay_directory_age_seconds")
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_snapshot_that_is_damaged_is_read_anew() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox);
    let mut belay = Belay::launch(&setup).ready().await;
    belay.kill();
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    let manifest = store.snapshot_manifest().await.unwrap().unwrap();
    let part = server::store::keys::snapshot_part(manifest.id, 0);
    sandbox
        .dynamodb()
        .delete_item()
        .table_name("belay")
        .set_key(Some(server::store::item::primary(&part)))
        .send()
        .await
        .unwrap();
    let read = reads(&sandbox).await;
    let belay = Belay::launch(&setup).ready().await;
    let page = belay.browser().sign_in("ana.silva").await;
    assert!(page.body.contains("Payments Production"), "{}", page.text());
    assert_eq!(reads(&sandbox).await, read + 2);
    let anew = store.snapshot_manifest().await.unwrap().unwrap();
    assert_ne!(anew.id, manifest.id);
    assert!(store.snapshot(&anew).await.is_ok());
}

#[tokio::test]
async fn a_snapshot_is_whole_or_nothing_however_large_and_whoever_writes() {
    let sandbox = Sandbox::start();
    create_table(&sandbox.dynamodb(), "apart").await;
    let store = Store::new(sandbox.dynamodb(), "apart".to_owned());
    assert_eq!(store.snapshot_manifest().await.unwrap(), None);
    // What does not pack well, so that it takes several parts.
    let noise = |seed: u64| -> Vec<u8> {
        let mut state = seed;
        let next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            u8::try_from(state >> 56).unwrap()
        };
        std::iter::repeat_with(next).take(1_500_000).collect()
    };
    let at = Timestamp::now();
    let first = store.put_snapshot(noise(1), at, None).await.unwrap();
    assert!(first.parts > 3, "{first:?}");
    assert_eq!(store.snapshot(&first).await.unwrap(), noise(1));

    // The same again: only its time moves on.
    let had = Some(first.id);
    let again = store.put_snapshot(noise(1), at, had).await.unwrap();
    assert_eq!((again.id, again.version), (first.id, first.version + 1));

    // Whoever still reads the one before gets all of it; the one before that is gone.
    let second = store.put_snapshot(noise(2), at, None).await.unwrap();
    assert_eq!(store.snapshot(&first).await.unwrap(), noise(1));
    assert_eq!(store.snapshot(&second).await.unwrap(), noise(2));
    let third = store.put_snapshot(noise(3), at, None).await.unwrap();
    assert!(matches!(
        store.snapshot(&first).await,
        Err(PartsError::NotWhole { .. })
    ));
    assert_eq!(store.snapshot(&second).await.unwrap(), noise(2));
    assert_eq!(store.snapshot_manifest().await.unwrap(), Some(third));

    // Two write at once: one of them has written.
    let (one, two) = tokio::join!(
        store.put_snapshot(noise(4), at, None),
        store.put_snapshot(noise(5), at, None)
    );
    let kept = store.snapshot_manifest().await.unwrap().unwrap();
    let whole = store.snapshot(&kept).await.unwrap();
    for (outcome, written) in [(one, noise(4)), (two, noise(5))] {
        match outcome {
            // The later of two that did not meet.
            Ok(_) => {}
            Err(PartsError::Store(StoreError::Changed)) => assert_ne!(whole, written),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(whole == noise(4) || whole == noise(5));
    // What was read of a part that is not of it is no snapshot.
    let mixed = server::store::Manifest {
        parts: kept.parts - 1,
        ..kept
    };
    assert!(store.snapshot(&mixed).await.is_err());
}
