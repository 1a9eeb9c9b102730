//! Every key of the table, and the access patterns they serve. The formats are frozen: what an
//! older server wrote, a newer one must find. A golden test holds them.
//!
//! | what | `pk` | `sk` | read by |
//! | --- | --- | --- | --- |
//! | request | `request#ID` | `request` | `GetItem`: one page, one decision |
//! | summary of an ask | `request#ID` | `summary#N` | history, through the indexes |
//! | grant | `grant#ID` | `grant` | `GetItem`, `BatchGetItem` |
//! | key | `key#USER/TARGET` | `key` | `GetItem`, consistent: the worker |
//! | event | `stream#STREAM` | `event#SEQ` | `Query`: a timeline |
//! | head of a stream | `stream#STREAM` | `head` | with each event |
//! | open request | `open` | `MS#ID` | `Query`, consistent: what waits for review |
//! | a person's request | `person#USER` | `request#MS#ID` | `Query`: My access |
//! | a person's live grant | `person#USER` | `live#ID` | `Query`: My access |
//! | a person's tally | `person#USER` | `tally` | what they wait for and asked within the hour |
//! | how a person stands with break-glass | `person#USER` | `break-glass` | `GetItem`, consistent: each time they ask for it |
//! | what a person starred | `person#USER` | `favourites` | `GetItem`: with a page of Access |
//! | request with signatures missing | `unsigned` | `MS#ID` | `Query`, consistent: what waits to be signed |
//! | due entry | `due#SHARD` | `MS#key#KEY`, `MS#request#ID` or `MS#signing#ID` | `Query`, consistent: what is due |
//! | undelivered events of a commit | `outbox#SHARD` | first event's id | `Query`, consistent: shipping |
//! | change feed | `feed#BUCKET` | commit id | `Query` each second |
//! | key whose access was taken away | `ended` | `MS#KEY` | `Query`: what is looked after for a day |
//! | proven end that is to be counted | `delays-uncounted` | grant's id | `Query`, consistent: counting |
//! | how late the ends of a day were | `delays` | `2026-11-23` | `Query`, consistent: the figure |
//! | how long an answer took | `answers#RULE` | one of 32 places | `Query`: a form |
//! | open finding | `findings` | `DIFFERENCE#KEY` | `Query`: all of them |
//! | what two admins agreed about one | `agreed` | `DIFFERENCE#KEY` | `GetItem`, and `Query`: all of them |
//! | what two admins agreed to take away | `revocations` | `DIFFERENCE#KEY` | `Query`, consistent: the worker, every few seconds |
//! | closed finding | `findings-closed` | `MS#DIFFERENCE#KEY` | `Query`: the latest |
//! | how far reconciling is | `reconcile` | `organisation` | `GetItem`: going on |
//! | complete looks at the organisation | `sweep` | `looks` | `GetItem`: since when what is found is known |
//! | what the sweep leaves alone | `sweep` | `baseline` | `GetItem`, and a condition of each removal |
//! | what is proposed for that | `sweep` | `proposed` | `GetItem`: one page, one decision |
//! | the list that an admin let go | `sweep` | `confirmation` | `GetItem`: one pass |
//! | snapshot of the organisation | `snapshot` | `manifest` | `GetItem`: which parts |
//! | part of a snapshot | `snapshot#ID` | `part#N` | `BatchGetItem`, all of them |
//! | policy in force | `policy` | `current` | condition of each decision |
//! | version of the policy | `policy#VERSION` | `manifest` | `GetItem`: which parts |
//! | part of a version | `policy#VERSION` | `part#N` | `BatchGetItem`, all of them |
//! | when a version came into force | `policies` | `MS#VERSION` | `Query`: the latest |
//! | executor lease | `lease` | `executor` | `GetItem`, consistent: who acts |
//!
//! Sessions, sign-ins and logins are documented where they are written, in `web`; proofs in `proof`.
//!
//! The indexes serve history, since index reads are never consistent. They hold summaries, a
//! partition a month: `gsi1` all of it, `gsi2` by person, `gsi3` by account, `gsi4` by permission
//! set; sorted by time. `gsi2` also has `sessions#USER`: a person's sessions, to close them all.

use std::fmt::Display;

use domain::event::Stream;
use domain::finding::Difference;
use domain::id::{
    AccountId, AskIndex, EventId, GrantId, GroupId, PermissionSetArn, PolicyVersion, RequestId,
    UserId,
};
use domain::target::Key;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Due entries are spread over this many partitions. Four take 4,000 changes a second, far above
/// what Identity Center can be asked to do, and cost four reads a look.
pub const DUE_SHARDS: u8 = 4;
/// Undelivered events are spread likewise.
pub const OUTBOX_SHARDS: u8 = 4;
/// A bucket of the change feed, in seconds: small enough that a tail re-reads little, long enough
/// that two reads a second cover the present and the past.
pub const FEED_BUCKET_SECONDS: i64 = 10;

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// Partition.
    pub pk: String,
    /// Place in it.
    pub sk: String,
}

impl At {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }
}

/// Milliseconds as 13 digits, so that text sorts as time does until the year 2286.
#[must_use]
pub fn millis(at: Timestamp) -> String {
    format!("{:013}", at.as_millisecond().max(0))
}

/// A request.
#[must_use]
pub fn request(id: RequestId) -> At {
    At::new(format!("request#{id}"), "request")
}

/// What history shows of an ask.
#[must_use]
pub fn summary(id: RequestId, ask: AskIndex) -> At {
    At::new(format!("request#{id}"), format!("summary#{ask}"))
}

/// A grant.
#[must_use]
pub fn grant(id: GrantId) -> At {
    At::new(format!("grant#{id}"), "grant")
}

/// What is wanted of a person and target.
#[must_use]
pub fn key(key: &Key) -> At {
    At::new(format!("key#{key}"), "key")
}

/// The same, of a key's text.
#[must_use]
pub fn key_of_text(key: &str) -> At {
    At::new(format!("key#{key}"), "key")
}

/// The partition of a stream's events.
#[must_use]
pub fn stream(stream: &Stream) -> String {
    format!("stream#{stream}")
}

/// One event of a stream.
#[must_use]
pub fn event(of: &Stream, seq: u64) -> At {
    At::new(stream(of), format!("event#{seq:010}"))
}

/// Where a stream stands.
#[must_use]
pub fn head(of: &Stream) -> At {
    At::new(stream(of), "head")
}

/// The partition of requests that wait for review.
pub const OPEN: &str = "open";

/// A request that waits for review.
#[must_use]
pub fn open(submitted_at: Timestamp, id: RequestId) -> At {
    At::new(OPEN, format!("{}#{id}", millis(submitted_at)))
}

/// The partition of `gsi2` that has a person's sessions.
#[must_use]
pub fn sessions_of(user: &UserId) -> String {
    format!("sessions#{user}")
}

/// The partition of requests with a break-glass that has yet to be signed.
pub const UNSIGNED: &str = "unsigned";

/// A request with a break-glass that has yet to be signed.
#[must_use]
pub fn unsigned(submitted_at: Timestamp, id: RequestId) -> At {
    At::new(UNSIGNED, format!("{}#{id}", millis(submitted_at)))
}

/// The partition of what belongs to a person.
#[must_use]
pub fn person(user: &UserId) -> String {
    format!("person#{user}")
}

/// Prefix of a person's requests.
pub const PERSON_REQUEST: &str = "request#";
/// Prefix of a person's live grants.
pub const PERSON_LIVE: &str = "live#";
/// A person's request.
#[must_use]
pub fn person_request(user: &UserId, submitted_at: Timestamp, id: RequestId) -> At {
    let sk = format!("{PERSON_REQUEST}{}#{id}", millis(submitted_at));
    At::new(person(user), sk)
}

/// A person's live grant.
#[must_use]
pub fn person_live(user: &UserId, id: GrantId) -> At {
    At::new(person(user), format!("{PERSON_LIVE}{id}"))
}

/// What a person waits for, and how often they asked of late: one item, so that two submissions at
/// once cannot both be the last that is allowed.
#[must_use]
pub fn person_tally(user: &UserId) -> At {
    At::new(person(user), "tally")
}

/// How a person stands with break-glass: one item, so that of two at once one is refused.
#[must_use]
pub fn person_glass(user: &UserId) -> At {
    At::new(person(user), "break-glass")
}

/// What a person starred: one item, so that two tabs meet at it.
#[must_use]
pub fn person_favourites(user: &UserId) -> At {
    At::new(person(user), "favourites")
}

fn shard_of(of: &dyn Display, shards: u8) -> u8 {
    let digest = Sha256::digest(of.to_string().as_bytes());
    digest[0] % shards
}

/// A partition of due entries.
#[must_use]
pub fn due_shard(shard: u8) -> String {
    format!("due#{shard}")
}

/// When a key must be looked at.
#[must_use]
pub fn due_key(at: Timestamp, key: &Key) -> At {
    let shard = shard_of(key, DUE_SHARDS);
    At::new(due_shard(shard), format!("{}#key#{key}", millis(at)))
}

/// When a request expires.
#[must_use]
pub fn due_request(at: Timestamp, id: RequestId) -> At {
    let shard = shard_of(&id, DUE_SHARDS);
    At::new(due_shard(shard), format!("{}#request#{id}", millis(at)))
}

/// When the approvers' time to sign a request's break-glass ends.
#[must_use]
pub fn due_signing(at: Timestamp, id: RequestId) -> At {
    let shard = shard_of(&id, DUE_SHARDS);
    At::new(due_shard(shard), format!("{}#signing#{id}", millis(at)))
}

/// A partition of undelivered events.
#[must_use]
pub fn outbox_shard(shard: u8) -> String {
    format!("outbox#{shard}")
}

/// Events that have not been shipped, by the first of them.
#[must_use]
pub fn outbox(id: EventId) -> At {
    let shard = shard_of(&id, OUTBOX_SHARDS);
    At::new(outbox_shard(shard), id.to_string())
}

/// A bucket of the change feed, so many buckets before the one of `at`.
#[must_use]
pub fn feed_bucket(at: Timestamp, before: i64) -> String {
    format!("feed#{}", at.as_second() / FEED_BUCKET_SECONDS - before)
}

/// One commit in the change feed.
#[must_use]
pub fn feed(at: Timestamp, commit: Uuid) -> At {
    At::new(feed_bucket(at, 0), commit.to_string())
}

/// The partition of keys whose access was taken away lately.
pub const ENDED: &str = "ended";

/// A key whose access was taken away.
#[must_use]
pub fn ended(at: Timestamp, key: &Key) -> At {
    At::new(ENDED, format!("{}#{key}", millis(at)))
}

/// The partition of proven ends that are to be counted. Each is written once and taken away once, at
/// the pace of AWS's deletions, far below the thousand changes a second that one partition takes.
pub const DELAYS_UNCOUNTED: &str = "delays-uncounted";

/// A proven end that is to be counted: a grant has one.
#[must_use]
pub fn delay_uncounted(id: GrantId) -> At {
    At::new(DELAYS_UNCOUNTED, id.to_string())
}

/// The partition of how late ends were.
pub const DELAYS: &str = "delays";

/// How late the ends of a day were.
#[must_use]
pub fn delays_of_day(day: Date) -> At {
    At::new(DELAYS, day.to_string())
}

/// Places for answers that each rule has.
pub const ANSWER_PLACES: u8 = 32;

/// The partition of how long answers took, by the rule whose approvers were asked.
#[must_use]
pub fn answers(rule: &str) -> String {
    format!("answers#{rule}")
}

/// How long the answer to a request took: in the place that its id's last byte chooses, which is random.
#[must_use]
pub fn answer(rule: &str, id: RequestId) -> At {
    let last = id.uuid().as_bytes()[15];
    At::new(answers(rule), format!("{:02}", last % ANSWER_PLACES))
}

/// The partition of open findings.
pub const FINDINGS: &str = "findings";

/// An open finding: of each difference a key has at most one.
#[must_use]
pub fn finding(difference: Difference, key: &Key) -> At {
    At::new(FINDINGS, format!("{difference}#{key}"))
}

/// The partition of what is agreed about findings.
pub const AGREED: &str = "agreed";

/// What two admins agreed about a finding: named as it was.
#[must_use]
pub fn agreed(difference: Difference, key: &Key) -> At {
    At::new(AGREED, finding(difference, key).sk)
}

/// The partition of what two admins agreed to take away, for as long as nobody has begun with it.
pub const REVOCATIONS: &str = "revocations";

/// That a finding's access is to be taken away: named as the finding is.
#[must_use]
pub fn revocation(difference: Difference, key: &Key) -> At {
    At::new(REVOCATIONS, finding(difference, key).sk)
}

/// The partition of closed findings.
pub const FINDINGS_CLOSED: &str = "findings-closed";

/// A finding that is no more.
#[must_use]
pub fn finding_closed(at: Timestamp, difference: Difference, key: &Key) -> At {
    let sk = format!("{}#{difference}#{key}", millis(at));
    At::new(FINDINGS_CLOSED, sk)
}

/// How far reconciling the organisation is.
#[must_use]
pub fn reconcile() -> At {
    At::new("reconcile", "organisation")
}

/// The complete looks at the organisation.
#[must_use]
pub fn sweep_looks() -> At {
    At::new("sweep", "looks")
}

/// What two admins agreed that the sweep leaves alone.
#[must_use]
pub fn sweep_baseline() -> At {
    At::new("sweep", "baseline")
}

/// What an admin proposes that it leaves alone.
#[must_use]
pub fn sweep_proposed() -> At {
    At::new("sweep", "proposed")
}

/// The list that an admin let the sweep take away.
#[must_use]
pub fn sweep_confirmation() -> At {
    At::new("sweep", "confirmation")
}

/// Which parts the snapshot of the organisation has.
#[must_use]
pub fn snapshot() -> At {
    At::new("snapshot", "manifest")
}

/// A part of a snapshot.
#[must_use]
pub fn snapshot_part(id: Uuid, number: usize) -> At {
    At::new(format!("snapshot#{id}"), format!("part#{number:04}"))
}

/// The policy in force.
#[must_use]
pub fn policy() -> At {
    At::new("policy", "current")
}

/// Which parts a version of the policy has.
#[must_use]
pub fn policy_version(version: &PolicyVersion) -> At {
    At::new(format!("policy#{version}"), "manifest")
}

/// A part of a version of the policy.
#[must_use]
pub fn policy_part(version: &PolicyVersion, number: usize) -> At {
    At::new(format!("policy#{version}"), format!("part#{number:04}"))
}

/// The partition of what came into force.
pub const POLICIES: &str = "policies";

/// A version of the policy came into force.
#[must_use]
pub fn policy_loaded(at: Timestamp, version: &PolicyVersion) -> At {
    At::new(POLICIES, format!("{}#{version}", millis(at)))
}

/// The executor lease.
#[must_use]
pub fn lease() -> At {
    At::new("lease", "executor")
}

/// A month of history: `2026-11`.
#[must_use]
pub fn month(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string()
}

/// History of a month.
#[must_use]
pub fn history(month: &str) -> String {
    format!("month#{month}")
}

/// History of a month, one person's.
#[must_use]
pub fn history_of_person(month: &str, user: &UserId) -> String {
    format!("month#{month}#person#{user}")
}

/// History of a month, one account's.
#[must_use]
pub fn history_of_account(month: &str, account: &AccountId) -> String {
    format!("month#{month}#account#{account}")
}

/// History of a month, one permission set's.
#[must_use]
pub fn history_of_set(month: &str, set: &PermissionSetArn) -> String {
    format!("month#{month}#set#{set}")
}

/// History of a month, one group's.
#[must_use]
pub fn history_of_group(month: &str, group: &GroupId) -> String {
    format!("month#{month}#group#{group}")
}

/// A place in history: newest last.
#[must_use]
pub fn history_place(at: Timestamp, id: RequestId, ask: AskIndex) -> String {
    format!("{}#{id}#{ask}", millis(at))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use domain::target::Target;

    use super::*;

    /// The formats are a contract with every table that exists.
    #[test]
    fn key_formats_do_not_change() {
        let request_id = RequestId::parse("01932c07-20a1-7e3c-a0a5-0123456789ab").unwrap();
        let grant_id = GrantId::parse("01932c07-20a1-7e3c-a0a5-0123456789ac").unwrap();
        let event_id = EventId::parse("01932c07-20a1-7e3c-a0a5-0123456789ad").unwrap();
        let user = UserId::parse("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b").unwrap();
        let set: PermissionSetArn =
            "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0123456789abcdef"
                .parse()
                .unwrap();
        let target = Target::Account {
            account: AccountId::parse("111122223333").unwrap(),
            permission_set: set.clone(),
        };
        let of = Key {
            user: user.clone(),
            target: target.clone(),
        };
        let at: Timestamp = "2026-11-22T08:00:00.5Z".parse().unwrap();
        let version = PolicyVersion::of_digest([0xab; 32]);
        let all = [
            request(request_id),
            summary(request_id, AskIndex(3)),
            grant(grant_id),
            key(&of),
            event(&Stream::Grant(grant_id), 7),
            head(&Stream::Request(request_id)),
            open(at, request_id),
            person_request(&user, at, request_id),
            person_live(&user, grant_id),
            person_tally(&user),
            due_key(at, &of),
            due_request(at, request_id),
            outbox(event_id),
            feed(at, request_id.uuid()),
            policy(),
            lease(),
            ended(at, &of),
            finding(Difference::NoLongerAllowed, &of),
            finding_closed(at, Difference::Missing, &of),
            reconcile(),
            snapshot(),
            snapshot_part(request_id.uuid(), 7),
            policy_version(&version),
            policy_part(&version, 7),
            policy_loaded(at, &version),
            person_glass(&user),
            person_favourites(&user),
            unsigned(at, request_id),
            due_signing(at, request_id),
            agreed(Difference::Unmanaged, &of),
            revocation(Difference::Unmanaged, &of),
            delay_uncounted(grant_id),
            delays_of_day(Date::constant(2026, 11, 3)),
            sweep_looks(),
            sweep_baseline(),
            sweep_proposed(),
            sweep_confirmation(),
            answer("production", request_id),
        ];
        let lines: Vec<String> = all
            .iter()
            .map(|at| format!("{} | {}", at.pk, at.sk))
            .collect();
        let history = [
            history(&month(at)),
            history_of_person(&month(at), &user),
            history_of_account(&month(at), &AccountId::parse("111122223333").unwrap()),
            history_of_set(&month(at), &set),
            history_of_group(&month(at), &GroupId::parse(user.as_str()).unwrap()),
            history_place(at, request_id, AskIndex(0)),
        ];
        let found = [lines, history.to_vec()].concat().join("\n");
        let expected = include_str!("keys.golden.txt");
        assert_eq!(found.trim(), expected.trim(), "\nfound:\n{found}\n");
    }
}
