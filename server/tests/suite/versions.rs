//! Each version of the policy, kept whole: what changed while nobody ran, and what an old verdict was
//! judged by.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::PolicyVersion;
use serde_json::{Value, json};
use server::store::{Loaded, PartsError, Store, keys};

use crate::harness::{Belay, Sandbox, Setup, create_table, eventually};

const POLICY: &str = r#"
version = 1

[[rule]]
name = "staging"
accounts = ["ou:Staging"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:SRE"]
approval = "none"
max_duration = "1h"

[[include]]
file = "team.toml"
within = { accounts = ["111122223333"], permission_sets = ["ReadOnlyAccess"] }
"#;

/// The team's own file: who may read payments.
fn team(requesters: &str) -> String {
    format!(
        r#"
version = 1

[[rule]]
name = "payments"
accounts = ["*"]
permission_sets = ["*"]
requesters = [{requesters}]
approvers = ["group:Security"]
max_duration = "1h"
"#
    )
}

const FEW: &str = "\"group:Payments\"";
const MORE: &str = "\"group:Payments\", \"group:Data\"";
const GAINED: &str = "ines.costa and jonas.weber can now have ReadOnlyAccess in Payments Production \
                      with 1 approval, up to 1h.";

/// A policy in two files, for any number of servers.
struct Files(PathBuf);

impl Files {
    fn of(sandbox: &Sandbox) -> Self {
        let files = Self(sandbox.folder().join("policy.toml"));
        files.write(POLICY, FEW);
        files
    }

    fn write(&self, policy: &str, requesters: &str) {
        // As an editor does it, the included file first: a server that looks meanwhile finds whole
        // files.
        put(&self.0.with_file_name("team.toml"), &team(requesters));
        put(&self.0, policy);
    }

    fn setup(&self, sandbox: &Sandbox) -> Setup {
        Setup::of(sandbox).with("BELAY_POLICY", self.0.to_str().unwrap())
    }
}

fn put(file: &Path, text: &str) {
    let next = file.with_extension("next");
    std::fs::write(&next, text).unwrap();
    std::fs::rename(&next, file).unwrap();
}

fn store(sandbox: &Sandbox) -> Store {
    Store::new(sandbox.dynamodb(), "belay".to_owned())
}

/// What is on record of policies that came into force, oldest first.
async fn events(sandbox: &Sandbox) -> Vec<Value> {
    let answer = sandbox
        .dynamodb()
        .query()
        .table_name("belay")
        .key_condition_expression("pk = :stream AND begins_with(sk, :event)")
        .expression_attribute_values(":stream", AttributeValue::S("stream#policy".to_owned()))
        .expression_attribute_values(":event", AttributeValue::S("event#".to_owned()))
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    answer
        .items()
        .iter()
        .map(|item| serde_json::from_str(item["bytes"].as_s().unwrap()).unwrap())
        .collect()
}

/// What came into force, the latest first.
async fn loaded(store: &Store) -> Vec<Loaded> {
    store.policy_versions(None).await.unwrap().rows
}

/// A server with what the files say now, until it is ready, and not any more.
async fn run_once(setup: &Setup) -> Belay {
    let mut belay = Belay::launch(setup).ready().await;
    belay.kill();
    belay
}

async fn delete(sandbox: &Sandbox, at: &keys::At) {
    sandbox
        .dynamodb()
        .delete_item()
        .table_name("belay")
        .set_key(Some(server::store::item::primary(at)))
        .send()
        .await
        .unwrap();
}

/// Garbage where a part was.
async fn damage(sandbox: &Sandbox, at: &keys::At) {
    put_bytes(sandbox, at, b"not zstd at all").await;
}

async fn put_bytes(sandbox: &Sandbox, at: &keys::At, bytes: &[u8]) {
    let bytes = AttributeValue::B(Blob::new(bytes));
    let mut part = server::store::item::primary(at);
    part.insert("zstd".to_owned(), bytes);
    put_item(sandbox, part).await;
}

type Item = HashMap<String, AttributeValue>;

async fn put_item(sandbox: &Sandbox, item: Item) {
    sandbox
        .dynamodb()
        .put_item()
        .table_name("belay")
        .set_item(Some(item))
        .send()
        .await
        .unwrap();
}

async fn get_item(sandbox: &Sandbox, at: &keys::At) -> Item {
    let answer = sandbox
        .dynamodb()
        .get_item()
        .table_name("belay")
        .set_key(Some(server::store::item::primary(at)))
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    answer.item.unwrap()
}

#[tokio::test]
async fn a_restart_with_another_policy_says_who_gained_and_keeps_both() {
    let sandbox = Sandbox::start();
    let files = Files::of(&sandbox);
    let setup = files.setup(&sandbox);
    run_once(&setup).await;
    let first = &events(&sandbox).await[0];
    assert_eq!(first["previous"], "NA");
    assert!(first.get("gained").is_none() && first.get("not_compared").is_none());

    // Only the included file says something else.
    files.write(POLICY, MORE);
    run_once(&setup).await;
    files.write(POLICY, FEW);
    run_once(&setup).await;
    let events = events(&sandbox).await;
    assert_eq!(events.len(), 3, "{events:?}");
    assert_eq!(events[1]["gained"], json!([GAINED]));
    assert_eq!(events[1]["lost"], json!([]));
    assert_eq!(events[1]["previous"], events[0]["policy"]);
    let lost = "ines.costa and jonas.weber can no longer ask for ReadOnlyAccess in Payments \
                Production.";
    assert_eq!(events[2]["lost"], json!([lost]));

    // There and back: three times in force, two versions.
    let store = store(&sandbox);
    let loaded = loaded(&store).await;
    let named: Vec<&str> = loaded
        .iter()
        .map(|loaded| loaded.policy_version.as_str())
        .collect();
    let told: Vec<&str> = events
        .iter()
        .rev()
        .map(|event| event["policy"].as_str().unwrap())
        .collect();
    assert_eq!(named, told);
    assert_eq!(named[0], named[2]);
    assert_eq!(loaded[0].previous.as_ref(), Some(&loaded[1].policy_version));
    assert_eq!(loaded[2].previous, None);
    let earlier = store.policy_versions(Some(loaded[0].at)).await.unwrap();
    assert_eq!(
        (earlier.rows.as_slice(), earlier.more),
        (&loaded[1..], false)
    );
    for (version, requesters) in [(&loaded[2], FEW), (&loaded[1], MORE)] {
        let version = &version.policy_version;
        let kept = store.policy_version(version).await.unwrap().unwrap();
        assert_eq!(kept.text, POLICY);
        assert_eq!(kept.included["team.toml"], team(requesters));
        assert_eq!(kept.policy().unwrap().version(), version);
    }
    let never = PolicyVersion::of_digest([7; 32]);
    assert_eq!(store.policy_version(&never).await.unwrap(), None);
}

#[tokio::test]
async fn servers_that_start_at_once_put_a_policy_in_force_once() {
    let sandbox = Sandbox::start();
    let files = Files::of(&sandbox);
    let setup = files.setup(&sandbox);
    for (round, requesters) in [(1, FEW), (2, MORE)] {
        files.write(POLICY, requesters);
        let (one, two) = (Belay::launch(&setup), Belay::launch(&setup));
        let (mut one, mut two) = tokio::join!(one.ready(), two.ready());
        one.kill();
        two.kill();
        let loaded = loaded(&store(&sandbox)).await;
        assert_eq!(loaded.len(), round, "{loaded:?}");
        assert_eq!(events(&sandbox).await.len(), round);
        let version = &loaded[0].policy_version;
        let kept = store(&sandbox).policy_version(version).await.unwrap();
        assert_eq!(kept.unwrap().included["team.toml"], team(requesters));
    }
}

#[tokio::test]
async fn a_version_that_is_damaged_is_said_to_be_and_written_again_where_it_is_at_hand() {
    let sandbox = Sandbox::start();
    let files = Files::of(&sandbox);
    let setup = files.setup(&sandbox);
    run_once(&setup).await;
    let store = store(&sandbox);
    let version = loaded(&store).await[0].policy_version.clone();
    let part = keys::policy_part(&version, 0);
    let manifest = keys::policy_version(&version);

    // The same file is there still.
    for lose in ["the part", "its bytes", "the manifest"] {
        match lose {
            "the part" => delete(&sandbox, &part).await,
            "its bytes" => damage(&sandbox, &part).await,
            _ => delete(&sandbox, &manifest).await,
        }
        let lost = store.policy_version(&version).await;
        assert!(
            matches!(lost, Ok(None) | Err(PartsError::NotWhole { .. })),
            "{lose}: {lost:?}"
        );
        run_once(&setup).await;
        let kept = store.policy_version(&version).await.unwrap().unwrap();
        assert_eq!(kept.text, POLICY, "{lose}");
        assert_eq!(events(&sandbox).await.len(), 1, "nothing came into force");
    }

    // It is not: nobody can say who gained, and nobody says that nobody did.
    for (lose, requesters, word) in [(&part, MORE, "damaged"), (&manifest, FEW, "not-kept")] {
        let version = loaded(&store).await[0].policy_version.clone();
        // The version that is in force by now.
        let at = keys::At {
            pk: keys::policy_version(&version).pk,
            sk: lose.sk.clone(),
        };
        delete(&sandbox, &at).await;
        files.write(POLICY, requesters);
        run_once(&setup).await;
        let events = events(&sandbox).await;
        let last = events.last().unwrap();
        assert_eq!(last["not_compared"], word, "{last}");
        assert!(last.get("gained").is_none(), "{last}");
        assert_eq!(last["previous"], version.as_str());
    }
    // The first one came into force again, and is whole again.
    let first = store.policy_version(&version).await.unwrap().unwrap();
    assert_eq!(first.included["team.toml"], team(FEW));
}

/// Some 900 KB that pack to more than one part.
fn long_comment() -> String {
    const LETTERS: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    let mut state = 1_u64;
    let mut lines = String::new();
    for _ in 0..9_000 {
        lines.push_str("# ");
        for _ in 0..98 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            lines.push(char::from(LETTERS[(state >> 58) as usize]));
        }
        lines.push('\n');
    }
    lines
}

#[tokio::test]
async fn a_version_of_several_parts_is_whole_and_itself_or_said_not_to_be() {
    let sandbox = Sandbox::start();
    let files = Files::of(&sandbox);
    let text = format!("{}{POLICY}", long_comment());
    files.write(&text, FEW);
    run_once(&files.setup(&sandbox)).await;
    let store = store(&sandbox);
    let version = loaded(&store).await[0].policy_version.clone();
    let whole = || async { store.policy_version(&version).await.unwrap().unwrap().text };
    assert_eq!(whole().await, text);

    let at = keys::policy_version(&version);
    let manifest = get_item(&sandbox, &at).await;
    assert_eq!(manifest["parts"], AttributeValue::N("2".to_owned()));
    let (first, second) = (
        keys::policy_part(&version, 0),
        keys::policy_part(&version, 1),
    );
    let parts = [
        get_item(&sandbox, &first).await,
        get_item(&sandbox, &second).await,
    ];
    let bytes: Vec<Vec<u8>> = parts
        .iter()
        .map(|part| part["zstd"].as_b().unwrap().as_ref().to_vec())
        .collect();
    let why = |of: PolicyVersion| {
        let store = &store;
        async move {
            match store.policy_version(&of).await {
                Err(PartsError::NotWhole { why, .. }) => why,
                other => panic!("{other:?}"),
            }
        }
    };

    delete(&sandbox, &second).await;
    assert_eq!(why(version.clone()).await, "a part is missing");

    put_bytes(&sandbox, &first, &bytes[1]).await;
    put_bytes(&sandbox, &second, &bytes[0]).await;
    assert_eq!(why(version.clone()).await, "it cannot be unpacked");

    // One letter of a comment: the same policy by all that it says.
    let unpacked = zstd::bulk::decompress(&bytes.concat(), 4_000_000).unwrap();
    let changed = String::from_utf8(unpacked).unwrap().replacen("# ", "#:", 1);
    let packed = zstd::bulk::compress(changed.as_bytes(), 3).unwrap();
    let (one, other) = packed.split_at(350 * 1024);
    put_bytes(&sandbox, &first, one).await;
    put_bytes(&sandbox, &second, other).await;
    assert_eq!(why(version.clone()).await, "it is not what was written");

    for part in parts.clone() {
        put_item(&sandbox, part).await;
    }
    for (field, number, expected) in [
        ("layout", "2", "a later version of Belay wrote it"),
        ("parts", "9", "it has too many parts"),
        ("parts", "1", "it cannot be unpacked"),
    ] {
        let mut manifest = manifest.clone();
        manifest.insert(field.to_owned(), AttributeValue::N(number.to_owned()));
        put_item(&sandbox, manifest).await;
        assert_eq!(why(version.clone()).await, expected, "{field}");
    }

    // Whole, in the place of another.
    let other = PolicyVersion::of_digest([7; 32]);
    for (item, at) in [
        (&manifest, keys::policy_version(&other)),
        (&parts[0], keys::policy_part(&other, 0)),
        (&parts[1], keys::policy_part(&other, 1)),
    ] {
        let mut item = item.clone();
        item.extend(server::store::item::primary(&at));
        put_item(&sandbox, item).await;
    }
    assert_eq!(why(other).await, "it is another version");

    put_item(&sandbox, manifest).await;
    assert_eq!(whole().await, text);
}

#[tokio::test]
async fn another_comment_is_no_other_version() {
    let sandbox = Sandbox::start();
    let files = Files::of(&sandbox);
    let setup = files.setup(&sandbox);
    run_once(&setup).await;
    let store = store(&sandbox);
    let before = store.policy_in_force().await.unwrap().unwrap();
    files.write(&format!("# Asked for in OPS-17.\n{POLICY}"), FEW);
    let _belay = Belay::launch(&setup).ready().await;
    let now = eventually("the text is known", || async {
        let now = store.policy_in_force().await.unwrap().unwrap();
        (now.source != before.source).then_some(now)
    })
    .await;
    assert_eq!(now.policy_version, before.policy_version);
    assert_eq!(loaded(&store).await.len(), 1);
    assert_eq!(events(&sandbox).await.len(), 1);
}

#[tokio::test]
async fn a_policy_in_s3_is_reloaded_and_a_wrong_one_is_not() {
    let sandbox = Sandbox::start();
    let s3 = sandbox.s3();
    let put = async |key: &str, text: String| {
        s3.put_object()
            .bucket("belay-audit")
            .key(key)
            .body(text.into_bytes().into())
            .send()
            .await
            .unwrap();
    };
    put("policies/belay.toml", POLICY.to_owned()).await;
    put("policies/team.toml", team(FEW)).await;
    let setup = Setup::of(&sandbox).with("BELAY_POLICY", "s3://belay-audit/policies/belay.toml");
    let belay = Belay::launch(&setup).ready().await;
    let store = store(&sandbox);
    let first = loaded(&store).await;
    assert_eq!(first.len(), 1);

    // Half of a change never takes effect.
    put(
        "policies/team.toml",
        team("\"group:Payments\", \"group Data\""),
    )
    .await;
    eventually("the mistake is reported", || async {
        belay
            .said()
            .contains("is not valid (problems: 1")
            .then_some(())
    })
    .await;
    assert!(belay.said().contains("team.toml:8:33: "), "with its place");
    assert_eq!(loaded(&store).await, first);
    let page = belay.signed_in("carla.rossi").await;
    assert!(page.get("/").await.body.contains("Payments Production"));

    put("policies/team.toml", team(MORE)).await;
    let kept = eventually("it is in force", || async {
        let last = loaded(&store).await.remove(0);
        let kept = store.policy_version(&last.policy_version).await.unwrap()?;
        (last.policy_version != first[0].policy_version).then_some(kept)
    })
    .await;
    assert_eq!(kept.file, "s3://belay-audit/policies/belay.toml");
    assert_eq!(kept.included["team.toml"], team(MORE));
    let events = events(&sandbox).await;
    assert_eq!(events.last().unwrap()["gained"], json!([GAINED]));
}

#[tokio::test]
async fn the_list_of_versions_goes_on_page_by_page() {
    use domain::event::{Actor, Source};
    use domain::id::ServerId;
    use server::store::commit::Commit;
    use server::store::item::PolicyInForce;

    let sandbox = Sandbox::start();
    create_table(&sandbox.dynamodb(), "apart").await;
    let store = Store::new(sandbox.dynamodb(), "apart".to_owned());
    let server = ServerId::new(uuid::Uuid::from_u128(1));
    let version = |n: u8| PolicyVersion::of_digest([n; 32]);
    let mut previous = None;
    for n in 0..120_u8 {
        let at = jiff::Timestamp::from_second(1_800_000_000 + i64::from(n)).unwrap();
        let mut commit = Commit::new(Actor::Server(server), Source::Worker, at);
        let in_force = PolicyInForce {
            policy_version: version(n),
            source: "a digest".to_owned(),
        };
        commit
            .put_in_force(&in_force, previous.as_ref(), server)
            .unwrap();
        store.commit(commit).await.unwrap();
        previous = Some(version(n));
    }
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let page = store.policy_versions(before).await.unwrap();
        before = page.rows.last().map(|last| last.at);
        found.extend(page.rows);
        if !page.more {
            break;
        }
    }
    let all: Vec<PolicyVersion> = (0..120).rev().map(version).collect();
    let found: Vec<PolicyVersion> = found.into_iter().map(|row| row.policy_version).collect();
    assert_eq!(found, all);
}
