//! The sandbox's S3, spoken to with AWS's own client. What the wire looks like is judged in `oracle/`; here is what
//! needs many writers at once or a kill in the middle.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

#[path = "running/sandbox.rs"]
mod sandbox;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode};
use sandbox::Sandbox;
use tokio::task::JoinSet;

const BUCKET: &str = "belay-audit";

async fn client(sandbox: &Sandbox, secret: &str) -> Client {
    let shared = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(sandbox.address("aws"))
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("sandbox", secret, None, None, "test"))
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .load()
        .await;
    let config = aws_sdk_s3::config::Builder::from(&shared)
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

fn code<E: aws_sdk_s3::error::ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    error.code().unwrap_or("no code").to_owned()
}

async fn body(client: &Client, key: &str, version: Option<&str>) -> Vec<u8> {
    let object = client
        .get_object()
        .bucket(BUCKET)
        .key(key)
        .set_version_id(version.map(str::to_owned))
        .send()
        .await;
    object.unwrap().body.collect().await.unwrap().to_vec()
}

fn in_days(days: u64) -> DateTime {
    DateTime::from(SystemTime::now() + Duration::from_secs(days * 24 * 60 * 60))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_thirty_two_conditional_puts_exactly_one_wins_and_its_body_is_the_object() {
    let sandbox = Sandbox::start();
    let client = client(&sandbox, "sandbox").await;
    let mut puts = JoinSet::new();
    for number in 0..32 {
        let put = client
            .put_object()
            .bucket(BUCKET)
            .key("race")
            .if_none_match("*");
        let put = put.body(ByteStream::from(format!("writer {number}").into_bytes()));
        puts.spawn(async move { (number, put.send().await) });
    }
    let (mut winners, mut refusals) = (Vec::new(), Vec::new());
    while let Some(outcome) = puts.join_next().await {
        match outcome.unwrap() {
            (number, Ok(_)) => winners.push(number),
            (_, Err(error)) => {
                assert_eq!(error.raw_response().unwrap().status().as_u16(), 412);
                refusals.push(code(&error));
            }
        }
    }
    assert_eq!(refusals, ["PreconditionFailed"; 31]);
    let [winner] = winners[..] else {
        panic!("winners: {winners:?}")
    };
    assert_eq!(
        body(&client, "race", None).await,
        format!("writer {winner}").into_bytes()
    );
    let versions = client
        .list_object_versions()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    assert_eq!(
        versions.versions().len(),
        1,
        "a refused put leaves no version"
    );
}

#[tokio::test]
async fn an_overwrite_adds_a_version_and_a_delete_adds_a_marker() {
    let sandbox = Sandbox::start();
    let client = client(&sandbox, "sandbox").await;
    let put = |text: &'static str| {
        client
            .put_object()
            .bucket(BUCKET)
            .key("record")
            .body(ByteStream::from_static(text.as_bytes()))
            .send()
    };
    let first = put("first").await.unwrap().version_id.unwrap();
    let second = put("second").await.unwrap().version_id.unwrap();
    assert_eq!(body(&client, "record", None).await, b"second");

    let deleted = client
        .delete_object()
        .bucket(BUCKET)
        .key("record")
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.delete_marker(), Some(true));
    let refused = client
        .get_object()
        .bucket(BUCKET)
        .key("record")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "NoSuchKey");
    assert_eq!(body(&client, "record", Some(&first)).await, b"first");
    assert_eq!(body(&client, "record", Some(&second)).await, b"second");

    client
        .delete_object()
        .bucket(BUCKET)
        .key("record")
        .set_version_id(deleted.version_id)
        .send()
        .await
        .unwrap();
    assert_eq!(
        body(&client, "record", None).await,
        b"second",
        "without the marker the object is back"
    );
}

#[tokio::test]
async fn a_compliance_lock_is_neither_shortened_nor_lifted_nor_overridden() {
    let sandbox = Sandbox::start();
    let client = client(&sandbox, "sandbox").await;
    let put = client
        .put_object()
        .bucket(BUCKET)
        .key("kept")
        .body(ByteStream::from_static(b"evidence"));
    let put = put
        .object_lock_mode(ObjectLockMode::Compliance)
        .object_lock_retain_until_date(in_days(2));
    let version = put.send().await.unwrap().version_id.unwrap();

    let delete = client
        .delete_object()
        .bucket(BUCKET)
        .key("kept")
        .version_id(&version);
    assert_eq!(
        code(&delete.clone().send().await.unwrap_err()),
        "AccessDenied"
    );
    let overridden = delete.bypass_governance_retention(true).send().await;
    assert_eq!(code(&overridden.unwrap_err()), "AccessDenied");

    let retain = |mode: ObjectLockRetentionMode, days: u64| {
        let retention = ObjectLockRetention::builder()
            .mode(mode)
            .retain_until_date(in_days(days))
            .build();
        client
            .put_object_retention()
            .bucket(BUCKET)
            .key("kept")
            .version_id(&version)
            .retention(retention)
            .send()
    };
    let shortened = retain(ObjectLockRetentionMode::Compliance, 1).await;
    assert_eq!(code(&shortened.unwrap_err()), "AccessDenied");
    let weakened = retain(ObjectLockRetentionMode::Governance, 9).await;
    assert_eq!(code(&weakened.unwrap_err()), "AccessDenied");
    retain(ObjectLockRetentionMode::Compliance, 3)
        .await
        .expect("longer is allowed");
    assert_eq!(body(&client, "kept", Some(&version)).await, b"evidence");
}

#[tokio::test]
async fn a_request_signed_with_another_secret_is_refused() {
    let sandbox = Sandbox::start();
    let client = client(&sandbox, "guessed").await;
    let refused = client
        .list_objects_v2()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "SignatureDoesNotMatch");
}

/// Writers put new objects and overwrite one as fast as they can; the process is killed under them. Whatever was
/// acknowledged must be there afterwards, whole; whatever was not is there whole or not at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9() {
    let mut sandbox = Sandbox::start();
    for round in 0..3 {
        let acknowledged = write_until_killed(&mut sandbox, round).await;
        assert!(acknowledged.len() >= 20, "the writers had time to write");
        sandbox.start_again();
        let client = client(&sandbox, "sandbox").await;
        for ((key, version), text) in &acknowledged {
            assert_eq!(
                body(&client, key, Some(version)).await,
                text.as_bytes(),
                "{key} {version}"
            );
        }
        let all = client
            .list_objects_v2()
            .bucket(BUCKET)
            .prefix(format!("{round}/"))
            .send()
            .await
            .unwrap();
        for object in all.contents() {
            let key = object.key().unwrap();
            let found = String::from_utf8(body(&client, key, None).await).unwrap();
            assert!(
                found.starts_with(&format!("{key} ")) && found.ends_with(" end"),
                "{key} is torn: {found}"
            );
        }
    }
}

async fn write_until_killed(
    sandbox: &mut Sandbox,
    round: usize,
) -> BTreeMap<(String, String), String> {
    let client = client(sandbox, "sandbox").await;
    let over = Arc::new(AtomicBool::new(false));
    let count = Arc::new(AtomicUsize::new(0));
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let (client, over, count) = (client.clone(), Arc::clone(&over), Arc::clone(&count));
        writers.spawn(async move {
            let mut acknowledged = Vec::new();
            for number in 0.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                // Every third put overwrites, so that versions are torn as well as objects.
                let key = format!("{round}/{writer}/{}", number / 3);
                let text = format!("{key} {} end", "x".repeat(number % 5_000));
                let put = client.put_object().bucket(BUCKET).key(&key);
                if let Ok(done) = put
                    .body(ByteStream::from(text.clone().into_bytes()))
                    .send()
                    .await
                {
                    acknowledged.push(((key, done.version_id.unwrap()), text));
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            acknowledged
        });
    }
    let enough = async {
        while count.load(Ordering::Relaxed) < 60 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), enough)
        .await
        .expect("sixty puts");
    sandbox.kill();
    over.store(true, Ordering::Relaxed);
    writers.join_all().await.into_iter().flatten().collect()
}
