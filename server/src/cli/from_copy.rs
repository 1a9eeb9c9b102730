//! `belay sweep --from-copy`: the table is lost, and access ends all the same.
//!
//! It asks the table first: where that answers, it is not for this to act. Then it shows what the
//! newest copy says, and only with the word that it printed for that copy does it change anything. What
//! it did is an object in the audit bucket, since there is no table for events.

use std::collections::BTreeMap;

use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::ByteStream;
use domain::grant::{Grant, GrantState};
use domain::id::ServerId;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::assignments::Assignments;
use crate::aws::Clients;
use crate::config::{Config, Problems};
use crate::copy::finish::{Finished, Finisher, Stand};
use crate::copy::latest::{Found, LookFailed, latest};
use crate::copy::{CopiedKey, recovered};
use crate::lease::Lease;
use crate::limiter::Limiter;
use crate::people::People;
use crate::store::{Store, now};

use super::{Outcome, print, print_json, say};

/// Letters of a copy's hash that a person copies.
const WORD_CHARS: usize = 12;

/// Grants of a kind that are listed by name; of more the number. `--json` lists all.
const LISTED_MAX: usize = 200;

/// What is told, with `--json`.
#[derive(Debug, Serialize)]
struct Told<'a> {
    /// The copy's object.
    copy: &'a str,
    /// When it is of.
    of: Timestamp,
    /// The word that confirms it.
    word: &'a str,
    /// By this clock.
    now: Timestamp,
    /// Why the table did not answer.
    table: &'a str,
    /// Keys that could not be copied.
    left_out: usize,
    /// How each key stands.
    keys: Vec<Line<'a>>,
    /// What was done; absent if nothing was confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished: Option<&'a [Finished]>,
    /// Where that is on record.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    key: String,
    stand: Stand,
    grants: &'a [Grant],
}

/// What was done, as it is put on record.
#[derive(Debug, Serialize)]
struct Record<'a> {
    copy: &'a str,
    sha256: &'a str,
    of: Timestamp,
    by: ServerId,
    began_at: Timestamp,
    ended_at: Timestamp,
    table: &'a str,
    keys: &'a [Finished],
}

pub(super) async fn run(
    config: &Config,
    confirm: Option<&str>,
    json: bool,
) -> Result<Outcome, Problems> {
    let clients = Clients::load(config).await?;
    let store = Store::new(clients.dynamodb.clone(), config.table.clone());
    let table = match store.lease().await {
        Ok(_) => {
            say(&format!(
                "the table {} answers, so nothing is done from the copy: `belay sweep` works from the table",
                config.table
            ));
            return Ok(Outcome::No);
        }
        Err(error) => format!("{error} {}", error.detail().unwrap_or_default()),
    };
    let found = match latest(&clients.s3, &config.audit, now()).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            say(&format!(
                "there is no copy of the last 30 days in the bucket {}: `belay inventory` lists who holds what",
                config.audit.bucket
            ));
            return Ok(Outcome::Unknown);
        }
        Err(error) => return Ok(not_found_out(&error)),
    };
    // Ends are instants of this clock, and the table's is out of reach.
    if let Err(why) = clients.s3_clock.is_right() {
        say(&format!("nothing is done: {why}"));
        return Ok(Outcome::Unknown);
    }
    let word: String = found.sha256.chars().take(WORD_CHARS).collect();
    let told = Telling {
        found: &found,
        word: &word,
        now: now(),
        table: table.trim(),
    };
    let Some(confirm) = confirm else {
        return Ok(told.shown(json));
    };
    if confirm != word {
        say(&format!(
            "`{confirm}` is not the word for the newest copy, {}: look at it first, by the same command without --confirm",
            found.name
        ));
        return Ok(Outcome::Usage);
    }
    let me = ServerId::new(Uuid::now_v7());
    let finished = finish(config, &clients, (store, me), &found, told.now).await;
    let record = told.record(config, &clients, me, &finished).await;
    Ok(told.done(&finished, record, json))
}

async fn finish(
    config: &Config,
    clients: &Clients,
    (store, me): (Store, ServerId),
    found: &Found,
    now: Timestamp,
) -> Vec<Finished> {
    let center = &config.identity_center;
    let limiters = (Limiter::new(config.aws_rate), Limiter::new(config.aws_rate));
    let people = People::new(
        clients.clone(),
        center.identity_store_id.clone(),
        limiters.1.clone(),
        store,
    );
    let lease = Lease::without_a_table(me);
    let assignments = Assignments::new(clients.clone(), center, limiters, lease);
    let due = found.copy.keys.iter().filter(|key| key.is_due(now));
    let mut finished = Finisher::new(assignments, people, me)
        .finish(due.cloned().collect())
        .await;
    finished.sort_by(|one, other| one.key.cmp(&other.key));
    finished
}

fn not_found_out(error: &LookFailed) -> Outcome {
    say(&format!("it could not be found out: {error}"));
    Outcome::Unknown
}

/// One copy, as it is told.
struct Telling<'a> {
    found: &'a Found,
    word: &'a str,
    now: Timestamp,
    table: &'a str,
}

impl Telling<'_> {
    /// What there is to do, and how to have it done.
    fn shown(&self, json: bool) -> Outcome {
        let keys = &self.found.copy.keys;
        let due = keys.iter().filter(|key| key.is_due(self.now)).count();
        let outcome = if due == 0 && self.found.copy.left_out == 0 {
            Outcome::Yes
        } else {
            Outcome::No
        };
        if json {
            print_json(&self.told(None, None));
            return outcome;
        }
        self.head();
        let mut by_stand: BTreeMap<Stand, Vec<&CopiedKey>> = BTreeMap::new();
        for key in keys {
            by_stand.entry(key.stand(self.now)).or_default().push(key);
        }
        for (stand, keys) in &by_stand {
            print(&format!("{}:", heading(*stand, keys.len())));
            for key in keys.iter().take(LISTED_MAX) {
                print(&format!("  {}", line(key)));
            }
            if keys.len() > LISTED_MAX {
                print(&format!(
                    "  and {} more (--json lists all)",
                    keys.len() - LISTED_MAX
                ));
            }
        }
        if due == 0 {
            print("nothing of it is past its end");
        } else {
            print(&format!(
                "nothing was changed; to end what is past its end: belay sweep --from-copy --confirm {}",
                self.word
            ));
        }
        outcome
    }

    fn head(&self) {
        let copy = &self.found.copy;
        print(&format!("the table does not answer: {}", self.table));
        let age = self.now.duration_since(copy.of).as_secs().max(0);
        print(&format!(
            "the newest copy is of {:.0}, {} before now ({:.0}): {}",
            copy.of,
            spoken(age),
            self.now,
            self.found.name
        ));
        print("what was promised, ended or extended after that is not in it");
        if copy.left_out > 0 {
            print(&format!(
                "{} could not be copied: `belay inventory` lists who holds what",
                people_have(copy.left_out)
            ));
        }
    }

    fn told<'a>(&'a self, finished: Option<&'a [Finished]>, record: Option<&'a str>) -> Told<'a> {
        let keys = self.found.copy.keys.iter().map(|key| Line {
            key: key.state.key.to_string(),
            stand: key.stand(self.now),
            grants: &key.grants,
        });
        Told {
            copy: &self.found.name,
            of: self.found.copy.of,
            word: self.word,
            now: self.now,
            table: self.table,
            left_out: self.found.copy.left_out,
            keys: keys.collect(),
            finished,
            record,
        }
    }

    /// Puts what was done on record, and says where.
    async fn record(
        &self,
        config: &Config,
        clients: &Clients,
        by: ServerId,
        finished: &[Finished],
    ) -> Result<String, String> {
        let ended_at = now();
        let record = Record {
            copy: &self.found.name,
            sha256: &self.found.sha256,
            of: self.found.copy.of,
            by,
            began_at: self.now,
            ended_at,
            table: self.table,
            keys: finished,
        };
        let name = recovered(&config.audit, ended_at, by);
        let body = serde_json::to_vec(&record).map_err(|error| error.to_string())?;
        let put = clients
            .s3
            .put_object()
            .bucket(&config.audit.bucket)
            .key(&name)
            .content_type("application/json")
            .if_none_match("*")
            .body(ByteStream::from(body))
            .send()
            .await;
        put.map(|_| name)
            .map_err(|error| DisplayErrorContext(&error).to_string())
    }

    /// What was done.
    fn done(&self, finished: &[Finished], record: Result<String, String>, json: bool) -> Outcome {
        let (place, unrecorded) = match record {
            Ok(place) => (Some(place), None),
            Err(why) => (None, Some(why)),
        };
        if json {
            print_json(&self.told(Some(finished), place.as_deref()));
        } else {
            self.head();
            for key in finished {
                print(&ended(key));
            }
            if finished.is_empty() {
                print("nothing of it is past its end");
            }
            if let Some(place) = &place {
                print(&format!("on record: {place}"));
            }
        }
        if let Some(why) = unrecorded {
            say(&format!(
                "what was done could not be put on record, keep this output: {why}"
            ));
            return Outcome::Unknown;
        }
        if finished.iter().any(|key| key.open.is_some()) {
            Outcome::No
        } else {
            Outcome::Yes
        }
    }
}

fn heading(stand: Stand, keys: usize) -> String {
    let what = match stand {
        Stand::PastItsEnd => "past its end",
        Stand::Wanted => "still wanted, left alone",
        Stand::Standing => "past its end, and there before Belay: it stays",
        Stand::NotBegun => "not begun",
    };
    format!("{what} ({keys})")
}

/// A key as people know it.
fn line(key: &CopiedKey) -> String {
    let until = key.state.live.iter().map(|live| live.until).max();
    let until = until.map_or_else(String::new, |until| format!(", until {until:.0}"));
    match key.grants.first() {
        Some(grant) => format!("{}{until} ({})", named(grant), key.state.key),
        None => format!("{}{until}", key.state.key),
    }
}

fn named(grant: &Grant) -> String {
    let names = &grant.names;
    let target = if names.account.is_empty() {
        format!("group {}", names.permission_set)
    } else {
        format!("{} in {}", names.permission_set, names.account)
    };
    format!("{}: {target}", grant.requester.name)
}

/// How a key's grants ended.
fn ended(key: &Finished) -> String {
    let mut how: Vec<&str> = key
        .grants
        .iter()
        .filter_map(|grant| match &grant.state {
            GrantState::Ended { receipt, .. } => Some(receipt.word()),
            _ => None,
        })
        .collect();
    how.dedup();
    let what = match key.grants.first() {
        Some(grant) => named(grant),
        None => key.key.clone(),
    };
    match &key.open {
        Some(why) => format!("OPEN: {what}: {why}"),
        None if how.is_empty() => format!("ended: {what}"),
        None => format!("{}: {what}", how.join(", ")),
    }
}

fn spoken(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

fn people_have(keys: usize) -> String {
    if keys == 1 {
        "1 key".to_owned()
    } else {
        format!("{keys} keys")
    }
}
