//! `belay sweep --from-copy`: the table is lost, and access ends all the same, by the copy of the live
//! grants, once a person has said so.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use domain::grant::{Evidence, Grant, GrantState, ReadEvidence};
use domain::id::{GroupId, ServerId};
use domain::key::{KeyState, Phase, Standing};
use domain::target::{Key, Target};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use server::copy::{CopiedKey, Copy, LAYOUT};
use server::store::Store;
use uuid::Uuid;

use crate::harness::{Belay, Sandbox, Setup, promise, within};

const ACCOUNT: &str = "111122223333";
const BUCKET: &str = "belay-audit";
const DELETE: &str = "sso-admin:DeleteAccountAssignment";

/// Copies are looked at each minute; the rest is for slow machines.
const COPIED_WITHIN: Duration = Duration::from_mins(3);

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    /// The word that it printed for the copy.
    fn word(&self) -> &str {
        let (_, after) = self.out.split_once("--confirm ").unwrap_or_else(|| {
            panic!("{} {}", self.out, self.err);
        });
        after.trim()
    }
}

/// The table that is lost.
fn lost(sandbox: &Sandbox) -> Setup {
    Setup::of(sandbox).with("BELAY_TABLE", "lost")
}

async fn from_copy(setup: &Setup, more: &[&str]) -> Ran {
    let setup = setup.clone();
    let arguments: Vec<String> = ["sweep", "--from-copy"]
        .iter()
        .chain(more)
        .map(ToString::to_string)
        .collect();
    let ran = tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        setup.run(&arguments)
    });
    let ran = ran.await.unwrap();
    Ran {
        code: ran.status.code().unwrap(),
        out: String::from_utf8(ran.stdout).unwrap(),
        err: String::from_utf8(ran.stderr).unwrap(),
    }
}

async fn objects(sandbox: &Sandbox, folder: &str) -> Vec<(String, Vec<u8>)> {
    let s3 = sandbox.s3();
    let listed = s3.list_objects_v2().bucket(BUCKET).prefix(folder);
    let listed = listed.send().await.unwrap();
    let mut objects = Vec::new();
    for object in listed.contents() {
        let key = object.key().unwrap();
        let got = s3.get_object().bucket(BUCKET).key(key).send().await;
        let bytes = got.unwrap().body.collect().await.unwrap().into_bytes();
        objects.push((key.to_owned(), bytes.to_vec()));
    }
    objects
}

async fn put(sandbox: &Sandbox, at: Timestamp, bytes: Vec<u8>) {
    let at = at
        .to_zoned(TimeZone::UTC)
        .strftime("%Y%m%dT%H%M%S.%3fZ")
        .to_string();
    let key = format!("audit-live/{at}-{}.json.zst", Uuid::now_v7());
    let body = ByteStream::from(bytes);
    let put = sandbox.s3().put_object().bucket(BUCKET).key(key).body(body);
    put.send().await.unwrap();
}

fn copy_of(keys: Vec<CopiedKey>) -> Copy {
    Copy {
        layout: LAYOUT,
        of: Timestamp::now(),
        by: ServerId::new(Uuid::nil()),
        table: "lost".to_owned(),
        keys,
        left_out: 0,
    }
}

/// A grant of which the copy says this much: no server runs that could make it so.
async fn copied(
    sandbox: &Sandbox,
    user: &str,
    target: Target,
    (phase, standing): (Phase, Standing),
) -> CopiedKey {
    let hour = SignedDuration::from_hours(1);
    let promised = promise(sandbox, user, target, hour).await;
    let grant = promised.now(sandbox).await;
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    let stored = store.key(&grant.key).await.unwrap().unwrap();
    let past = Timestamp::now() - SignedDuration::from_mins(20);
    let mut state = stored.state;
    state.standing = standing;
    for live in &mut state.live {
        (live.from, live.until, live.phase) = (past - hour, past, phase);
    }
    let read = ReadEvidence {
        began_at: past - hour,
        finished_at: past - hour,
        pages: 1,
    };
    let grant = Grant {
        from: past - hour,
        until: past,
        state: match phase {
            Phase::Active => GrantState::Active {
                since: past - hour,
                evidence: Evidence::Seen { read },
            },
            _ => grant.state,
        },
        ..grant
    };
    CopiedKey {
        state,
        grants: vec![grant],
    }
}

fn pair(row: &Value) -> Target {
    Target::Account {
        account: ACCOUNT.parse().unwrap(),
        permission_set: row["permission_set_arn"].as_str().unwrap().parse().unwrap(),
    }
}

async fn in_time<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    within(what, COPIED_WITHIN, || {
        let asked = ask();
        async { asked.await.then_some(()) }
    })
    .await;
}

/// Waits until the newest copy says this of a person's key.
async fn copied_as(sandbox: &Sandbox, user: &str, holds: impl Fn(&KeyState) -> bool) {
    in_time("a copy that says so", || async {
        let objects = objects(sandbox, "audit-live/").await;
        let Some((_, bytes)) = objects.last() else {
            return false;
        };
        let copy = Copy::unpack(bytes).unwrap();
        let mut keys = copy.keys.iter().map(|key| &key.state);
        keys.any(|state| state.key.user.as_str() == user && holds(state))
    })
    .await;
}

#[tokio::test]
async fn when_the_table_is_lost_what_is_past_its_end_ends_and_nothing_else() {
    let sandbox = Sandbox::start();
    let mut belay = Belay::launch(&Setup::of(&sandbox).role("worker"))
        .ready()
        .await;
    let [ended, wanted, standing] = ["carla.rossi", "mia.novak", "ana.silva"]
        .map(|name| sandbox.assignment(name, ACCOUNT, "ReadOnlyAccess"));
    let (ended, wanted, standing) = futures::join!(ended, wanted, standing);
    sandbox.assign(&standing).await;
    let mut until = None;
    for (row, minutes) in [(&ended, 4), (&wanted, 60), (&standing, 4)] {
        let user = row["principal_id"].as_str().unwrap();
        let lasts = SignedDuration::from_mins(minutes);
        let promised = promise(&sandbox, user, pair(row), lasts).await;
        if minutes == 4 {
            until = until.max(Some(promised.now(&sandbox).await.until));
        }
    }
    for (row, expected) in [
        (&ended, Standing::Ours),
        (&wanted, Standing::Ours),
        (&standing, Standing::Standing),
    ] {
        let user = row["principal_id"].as_str().unwrap();
        copied_as(&sandbox, user, |state| {
            state.standing == expected && state.live.iter().all(|live| live.phase == Phase::Active)
        })
        .await;
    }
    belay.kill();
    let lost = lost(&sandbox);

    // While the table answers, that is what counts.
    let ran = from_copy(&Setup::of(&sandbox), &[]).await;
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("answers"), "{}", ran.err);

    let until = until.unwrap();
    assert!(Timestamp::now() < until, "the machine is too slow for this");
    let early = from_copy(&lost, &[]).await;
    assert_eq!(early.code, 0, "{} {}", early.out, early.err);
    assert!(
        early.out.contains("nothing of it is past its end"),
        "{}",
        early.out
    );

    eventually_past(until).await;
    let shown = from_copy(&lost, &[]).await;
    assert_eq!(shown.code, 1, "{} {}", shown.out, shown.err);
    for part in [
        "past its end (1):",
        "still wanted, left alone (1):",
        "it stays (1):",
    ] {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    let other = from_copy(&lost, &["--confirm", "0123456789ab"]).await;
    assert_eq!(other.code, 2, "{} {}", other.out, other.err);
    assert!(sandbox.calls(DELETE).await.is_empty());

    let done = from_copy(&lost, &["--confirm", shown.word()]).await;
    assert_eq!(done.code, 0, "{} {}", done.out, done.err);
    assert!(!sandbox.has(&ended).await, "{}", done.out);
    assert!(sandbox.has(&wanted).await);
    assert!(sandbox.has(&standing).await);
    assert_eq!(sandbox.calls(DELETE).await.len(), 1);
    assert!(done.out.contains("\nremoved: "), "{}", done.out);
    assert!(done.out.contains("\nstanding: "), "{}", done.out);
    let [(name, record)] = objects(&sandbox, "audit-recovered/")
        .await
        .try_into()
        .unwrap();
    assert!(done.out.contains(&name), "{}", done.out);
    let record: Value = serde_json::from_slice(&record).unwrap();
    let receipts: Vec<&Value> = record["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["grants"][0]["state"]["receipt"]["kind"])
        .collect();
    assert_eq!(receipts.len(), 2, "{record:#}");
    assert!(receipts.contains(&&json!("removed")) && receipts.contains(&&json!("standing")));
    assert_eq!(
        sandbox
            .calls("sso-admin:CreateAccountAssignment")
            .await
            .len(),
        2
    );
}

async fn eventually_past(until: Timestamp) {
    let left = until
        .duration_since(Timestamp::now())
        .max(SignedDuration::ZERO);
    tokio::time::sleep(left.unsigned_abs() + Duration::from_secs(1)).await;
}

#[tokio::test]
async fn what_changes_is_copied_within_a_minute_and_what_s3_refused_is_written_again() {
    let sandbox = Sandbox::start();
    let _belay = Belay::launch(&Setup::of(&sandbox).role("worker"))
        .ready()
        .await;
    let refused = json!({
        "operation": "s3:PutObject", "kind": "error", "error": "InternalError", "times": 0,
    });
    let row = sandbox.assignment("carla.rossi", ACCOUNT, "ReadOnlyAccess");
    let row = row.await;
    let user = row["principal_id"].as_str().unwrap();
    let hour = SignedDuration::from_hours(1);
    promise(&sandbox, user, pair(&row), hour).await;
    let active = |state: &KeyState| state.live.iter().all(|live| live.phase == Phase::Active);
    copied_as(&sandbox, user, active).await;

    // Another on the same key: nothing is to be done about it for an hour.
    let refused = sandbox.fault(refused).await;
    promise(&sandbox, user, pair(&row), hour * 2).await;
    // All three attempts.
    in_time("S3 has refused a copy", || async {
        let puts = sandbox.calls("s3:PutObject").await;
        let refused = puts.iter().filter(|call| {
            let key = call["input"]["Key"].as_str().unwrap_or_default();
            call["outcome"] == "InternalError" && key.starts_with("audit-live/")
        });
        refused.count() > 2
    })
    .await;
    sandbox.lift(&refused).await;
    copied_as(&sandbox, user, |state| state.live.len() == 2).await;
}

#[tokio::test]
async fn what_may_have_begun_after_it_was_copied_is_left_to_a_person() {
    let sandbox = Sandbox::start();
    let there = sandbox.assignment("carla.rossi", ACCOUNT, "ReadOnlyAccess");
    let there = there.await;
    sandbox.assign(&there).await;
    let unknown = (Phase::Scheduled, Standing::Unknown);
    let mut keys = Vec::new();
    for name in ["carla.rossi", "mia.novak"] {
        let user = sandbox.user_id(name).await;
        keys.push(copied(&sandbox, &user, pair(&there), unknown).await);
    }
    put(&sandbox, Timestamp::now(), copy_of(keys).pack().unwrap()).await;
    let lost = lost(&sandbox);
    let shown = from_copy(&lost, &[]).await;
    assert!(shown.out.contains("not begun (2):"), "{}", shown.out);
    let done = from_copy(&lost, &["--confirm", shown.word()]).await;
    assert_eq!(done.code, 1, "{} {}", done.out, done.err);
    assert_eq!(done.out.matches("OPEN: ").count(), 1, "{}", done.out);
    assert!(done.out.contains("never-granted: "), "{}", done.out);
    assert!(sandbox.has(&there).await);
    assert!(sandbox.calls(DELETE).await.is_empty());
}

#[tokio::test]
async fn a_deletion_that_fails_or_is_not_heard_of_is_followed_to_its_proof() {
    let sandbox = Sandbox::start();
    let mut keys = Vec::new();
    let mut rows = Vec::new();
    for (name, kind) in [
        ("carla.rossi", "throttle"),
        ("mia.novak", "lose-response"),
        ("ana.silva", "fail-status"),
    ] {
        let row = sandbox.assignment(name, ACCOUNT, "ReadOnlyAccess").await;
        sandbox.assign(&row).await;
        let fault = json!({
            "operation": DELETE, "kind": kind, "times": 1,
            "match": { "PrincipalId": row["principal_id"] },
        });
        sandbox.fault(fault).await;
        let user = row["principal_id"].as_str().unwrap();
        let ours = (Phase::Active, Standing::Ours);
        keys.push(copied(&sandbox, user, pair(&row), ours).await);
        rows.push(row);
    }
    put(&sandbox, Timestamp::now(), copy_of(keys).pack().unwrap()).await;
    let lost = lost(&sandbox);
    let shown = from_copy(&lost, &[]).await;
    let done = from_copy(&lost, &["--confirm", shown.word()]).await;
    for row in &rows {
        assert!(!sandbox.has(row).await, "{} {}", done.out, done.err);
    }
    assert_eq!(done.code, 0, "{} {}", done.out, done.err);
    assert_eq!(sandbox.faults_fired().await.values().sum::<u64>(), 3);
}

#[tokio::test]
async fn a_membership_ends_by_its_id_and_somebody_elses_stays() {
    let sandbox = Sandbox::start();
    let group = sandbox.group_id("Oncall").await;
    let target = Target::Group {
        group: GroupId::parse(&group).unwrap(),
    };
    let mut keys = Vec::new();
    let mut users = Vec::new();
    for name in ["carla.rossi", "mia.novak"] {
        let user = sandbox.user_id(name).await;
        let id = sandbox.join(&user, &group).await;
        let ours = (Phase::Active, Standing::Ours);
        let mut key = copied(&sandbox, &user, target.clone(), ours).await;
        key.state.membership = Some(if name == "mia.novak" {
            Uuid::nil().to_string()
        } else {
            id
        });
        keys.push(key);
        users.push(user);
    }
    put(&sandbox, Timestamp::now(), copy_of(keys).pack().unwrap()).await;
    let lost = lost(&sandbox);
    let shown = from_copy(&lost, &[]).await;
    let done = from_copy(&lost, &["--confirm", shown.word()]).await;
    assert_eq!(done.code, 0, "{} {}", done.out, done.err);
    assert_eq!(sandbox.membership(&users[0], &group).await, None);
    assert!(sandbox.membership(&users[1], &group).await.is_some());
    assert!(done.out.contains("\nabsent-already: "), "{}", done.out);
}

#[tokio::test]
async fn without_a_copy_that_can_be_believed_nothing_is_done() {
    let sandbox = Sandbox::start();
    let lost = lost(&sandbox);
    let none = from_copy(&lost, &[]).await;
    assert_eq!(none.code, 3, "{}", none.out);
    assert!(
        none.err.contains("no copy of the last 30 days"),
        "{}",
        none.err
    );

    let fault = sandbox.refuse("s3:ListObjectsV2", "AccessDenied").await;
    let ran = from_copy(&lost, &[]).await;
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.err.contains("cannot be read"), "{}", ran.err);
    sandbox.lift(&fault).await;

    // Of the day after tomorrow.
    let row = sandbox
        .assignment("carla.rossi", ACCOUNT, "ReadOnlyAccess")
        .await;
    let user = row["principal_id"].as_str().unwrap();
    let ours = (Phase::Active, Standing::Ours);
    let copy = copy_of(vec![copied(&sandbox, user, pair(&row), ours).await]);
    let ahead = Timestamp::now() + SignedDuration::from_hours(48);
    put(&sandbox, ahead, copy.pack().unwrap()).await;
    assert_eq!(from_copy(&lost, &[]).await.code, 3);

    let later = Copy {
        layout: LAYOUT + 1,
        ..copy.clone()
    };
    let mut damaged = copy.pack().unwrap();
    damaged.truncate(damaged.len() / 2);
    for (bytes, why) in [(damaged, "damaged"), (later.pack().unwrap(), "layout")] {
        put(&sandbox, Timestamp::now(), bytes).await;
        let ran = from_copy(&lost, &[]).await;
        assert_eq!(ran.code, 3, "{}", ran.out);
        assert!(ran.err.contains(why), "{}", ran.err);
    }

    // And one that is a whole one again.
    put(&sandbox, Timestamp::now(), copy.pack().unwrap()).await;
    let fault = sandbox.refuse("s3:GetObject", "AccessDenied").await;
    let ran = from_copy(&lost, &[]).await;
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.err.contains("cannot be read"), "{}", ran.err);
    sandbox.lift(&fault).await;
    let shown = from_copy(&lost, &["--json"]).await;
    assert_eq!(shown.code, 1, "{}", shown.err);
    let told: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(told["keys"][0]["stand"], "past-its-end", "{told:#}");
    let key = Key {
        user: user.parse().unwrap(),
        target: pair(&row),
    };
    assert_eq!(told["keys"][0]["key"], key.to_string());
    // It says how old it is, and that it cannot be told who was given something since.
    let again = from_copy(&lost, &[]).await;
    assert!(again.out.contains("is not in it"), "{}", again.out);
    assert_eq!(again.word(), told["word"]);
}
