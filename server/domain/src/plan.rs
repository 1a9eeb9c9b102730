//! What must happen next to a key. Pure: it leaves the worker no choices.
//!
//! [`plan`] looks at one key at one instant and orders one [`Step`]. The worker takes it, reports
//! what it saw to [`crate::progress`], stores the [`Change`] that comes back, and asks again. So a
//! server that dies between any two steps loses nothing: the next one plans from what is stored.
//!
//! Rules that hold everywhere here:
//!
//! - an intent is recorded before anything is sent (invariants 3, 9);
//! - an intent that another server recorded, or that is not fresh, is never sent, only read about
//!   (invariant 12);
//! - whatever may have been sent and was not heard of is remembered until it can no longer take
//!   effect: a create keeps its key from being called gone, a deletion has what is active looked
//!   after;
//! - once an intent to create is on record, no grant ends except through `Revoking`;
//! - whoever is said to hold a key has begun, and so answers for its removal;
//! - a key that is wanted is never deleted, a standing one never at all (invariant 5).

use jiff::{SignedDuration, Timestamp};

use crate::grant::{Evidence, GrantChange, Receipt};
use crate::id::{FindingId, GrantId, GroupId, OperationId, ServerId};
use crate::key::{Action, Before, Gate, KeyState, Operation, Phase, Stage, Standing};
use crate::sweep::remove::{self, Swept};

/// How long a key that we wrote to counts as ours without a read. AWS's reads lag its writes by
/// seconds; an hour is far beyond any of that, and short enough not to claim what others added.
pub const TOUCHED: SignedDuration = SignedDuration::from_secs(3600);

/// The longest that AWS's reads are assumed to lag its writes.
pub const READS_LAG: SignedDuration = SignedDuration::from_secs(5);

/// An intent older than this is never sent, even by the server that recorded it: half of
/// [`GRACE`], so that clocks may differ by the other half.
pub const SEND_WITHIN: SignedDuration = SignedDuration::from_secs(5);

/// How long an intent of another server is left to it before its outcome is read instead. Its
/// server may be alive: whatever it sends is signed before that ([`SEND_WITHIN`]).
pub const GRACE: SignedDuration = SignedDuration::from_secs(10);

/// What a read says of a key that we have not touched is good for this long: the longest that
/// reading a pair takes (1,000 pages at 20 a second), twice. A server that froze looks again.
pub const FRESH: SignedDuration = SignedDuration::from_secs(120);

/// While a lost deletion may still strike, what is active is looked at this often. Sixteen reads,
/// in a case that is rare.
pub const VERIFY_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// Between the two reads that prove an absence which no deletion of ours explains: six times the
/// longest lag that we assume of AWS's reads.
pub const SECOND_READ_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Z: a signed request that is this old is refused by AWS, so whatever was sent before can no
/// longer take effect. AWS's limit is about 15 min; one more for clocks, for the operation that a
/// request starts which arrives in the last moment, and for reads that lag.
pub const SETTLED_AFTER: SignedDuration = SignedDuration::from_secs(16 * 60);

/// A deletion that AWS calls done, while reads still show the assignment, is sent again after
/// this long: twelve times the longest lag that we assume.
pub const STILL_PRESENT: SignedDuration = SignedDuration::from_secs(60);

/// An operation that AWS still calls `IN_PROGRESS` after this long is read about instead.
pub const STALLED: SignedDuration = SignedDuration::from_secs(300);

/// Between the two reads that show that somebody else removed what is active, and between our last
/// write, or the activation, and the first of them (DESIGN 4). Twelve times the longest lag that we
/// assume of AWS's reads.
pub const REMOVED_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// A deletion that failed, or could not be read about, this often may be about something that no
/// longer exists: a hiccup is over by then, seven seconds after the first failure.
pub const SUSPECT_AFTER: u32 = 3;

/// Between the two looks that show that something no longer exists: as between two reads that show
/// a removal.
pub const GONE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// While a deletion gets nowhere, somebody looks this often whether what it is about exists: as
/// often as it is tried again at the longest.
pub const INSPECT_EVERY: SignedDuration = SignedDuration::from_secs(300);

/// The smallest time that matters here.
const A_MOMENT: SignedDuration = SignedDuration::from_millis(1);

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a step lives for one match, and most of them are records"
)]
pub enum Step {
    /// Nothing before this instant; `None`: nothing until somebody wants something.
    Wait {
        /// When to plan again.
        until: Option<Timestamp>,
    },
    /// Store this; nothing is to be done in AWS for it.
    Record(Change),
    /// Read every page of the pair's assignments.
    Read(Purpose),
    /// Send this operation. Its intent is on record, since less than [`SEND_WITHIN`].
    ///
    /// The worker sends it at once or not at all: it signs first, then looks at a clock that
    /// counts suspension, and plans again if [`SEND_WITHIN`] has passed since the intent. It never
    /// hands one operation to the network twice: whoever meets this step for an operation that it
    /// may have handed over already reports [`crate::progress::Sent::Unheard`] instead. What AWS
    /// answers is reported until it is stored.
    Send {
        /// Which.
        operation: OperationId,
        /// What it does.
        action: Action,
    },
    /// Ask AWS whether everything that the key is made of still exists: the operation gets nowhere.
    Inspect(OperationId),
    /// Ask AWS how it is going.
    Poll {
        /// Which.
        operation: OperationId,
        /// What it does.
        action: Action,
        /// AWS's id of it.
        aws_request_id: String,
    },
}

/// What a read is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Whether the assignment was there before us.
    Standing,
    /// Whether it is (still) there, so that one more grant can use it.
    Presence,
    /// What became of an operation whose outcome was never heard.
    Outcome(OperationId),
    /// Whether it is gone.
    Absence(OperationId),
}

/// A new state of a key, and what that means for its grants. Stored as one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a change that is not stored has not happened"]
pub struct Change {
    /// The key's new state. Its version is still the one that was read: storing is conditional on
    /// that, and adds one.
    pub key: KeyState,
    /// The steps of its grants, in order.
    pub grants: Vec<(GrantId, GrantChange)>,
    /// What became of a removal by the sweep, and of which finding.
    pub swept: Option<(FindingId, Swept)>,
}

impl Change {
    /// Whether this records an intent, which is then to be sent at once. So whatever sending has
    /// to wait for (a place among AWS's 15, a turn at its 20 a second) is waited for before this
    /// is stored, and the key planned again if that took a while.
    #[must_use]
    pub fn intends(&self) -> bool {
        self.key
            .operation
            .as_ref()
            .is_some_and(|operation| operation.stage == Stage::Intended)
    }

    pub(crate) const fn to(key: KeyState) -> Self {
        Self {
            key,
            grants: Vec::new(),
            swept: None,
        }
    }

    fn set(&mut self, grant: GrantId, phase: Phase, change: GrantChange) {
        if let Some(live) = self.key.live.iter_mut().find(|live| live.grant == grant) {
            live.phase = phase;
        }
        self.grants.push((grant, change));
    }

    /// Scheduled grants whose time has come are now on record as being granted.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        for grant in self.chosen(|live| live.phase == Phase::Scheduled && live.wanted(now)) {
            self.set(grant, Phase::Granting, GrantChange::Granting);
        }
    }

    /// The assignment is known to be there: those being granted have it.
    pub(crate) fn activate(&mut self, evidence: &Evidence) {
        let known_at = match evidence {
            Evidence::Created { succeeded_at, .. } => *succeeded_at,
            Evidence::Seen { read } => read.finished_at,
        };
        self.key.active_at = self.key.active_at.max(Some(known_at));
        self.key.missed = None;
        for grant in self.chosen(|live| live.phase == Phase::Granting) {
            let evidence = evidence.clone();
            self.set(grant, Phase::Active, GrantChange::Activated { evidence });
        }
    }

    /// Grants whose time is up are on their way out.
    pub(crate) fn revoke(&mut self, now: Timestamp) {
        for grant in self.chosen(|live| {
            live.until <= now && matches!(live.phase, Phase::Granting | Phase::Active)
        }) {
            self.set(grant, Phase::Revoking, GrantChange::Revoking);
        }
    }

    /// Grants whose time is up, while others need the key. Those become answerable for it first,
    /// or the access would be nobody's to remove should their time pass unattended.
    pub(crate) fn hand_over(&mut self, now: Timestamp) {
        self.begin(now);
        self.revoke(now);
        let grants = self.key.holders(now).map(|live| live.grant).collect();
        self.end(&Receipt::HeldBy { grants });
    }

    /// What was active is gone, whatever its window says.
    pub(crate) fn gone(&mut self, receipt: &Receipt) {
        for grant in self.chosen(|live| matches!(live.phase, Phase::Granting | Phase::Active)) {
            self.set(grant, Phase::Revoking, GrantChange::Revoking);
        }
        self.end(receipt);
    }

    /// Whether some grant ends by this with a receipt that says that access is gone.
    #[must_use]
    pub fn says_gone(&self) -> bool {
        self.grants.iter().any(|(_, change)| {
            matches!(change, GrantChange::Ended { receipt } if receipt.access_is_gone())
        }) || matches!(&self.swept, Some((_, Swept::Removed(receipt))) if receipt.access_is_gone())
    }

    /// Names the groups of the person that are assigned the same: by them the access remains, and
    /// whatever says that it is gone says so.
    pub fn name_groups(&mut self, groups: &[GroupId]) {
        for (_, change) in &mut self.grants {
            if let GrantChange::Ended { receipt } = change {
                receipt.name_groups(groups);
            }
        }
        if let Some((_, Swept::Removed(receipt))) = &mut self.swept {
            receipt.name_groups(groups);
        }
    }

    /// Those on their way out have ended, all with this receipt.
    pub(crate) fn end(&mut self, receipt: &Receipt) {
        for grant in self.chosen(|live| live.phase == Phase::Revoking) {
            self.finish(grant, receipt.clone());
        }
    }

    fn finish(&mut self, grant: GrantId, receipt: Receipt) {
        self.key.live.retain(|live| live.grant != grant);
        self.grants.push((grant, GrantChange::Ended { receipt }));
    }

    /// Grants whose window passed before any intent was recorded for them.
    fn lapse(&mut self, now: Timestamp) {
        for grant in self.chosen(|live| live.phase == Phase::Scheduled && live.until <= now) {
            self.finish(grant, Receipt::NeverGranted);
        }
    }

    /// An idle key forgets its verdict: what appears on it from now on is not ours. (For an hour
    /// more, [`TOUCHED`] remembers.) It is idle only once the access was proved gone, or was never
    /// ours: until then some grant has begun and has not ended.
    pub(crate) fn settle(mut self) -> Self {
        let idle = self.key.operation.is_none()
            && self
                .key
                .live
                .iter()
                .all(|live| live.phase == Phase::Scheduled);
        if idle {
            self.key.standing = Standing::Unknown;
            self.key.membership = None;
        }
        self
    }

    fn chosen(&self, choose: impl Fn(&crate::key::Live) -> bool) -> Vec<GrantId> {
        self.key
            .live
            .iter()
            .filter(|live| choose(live))
            .map(|live| live.grant)
            .collect()
    }
}

/// Who plans, when, and a fresh id in case an operation begins.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// This instant.
    pub now: Timestamp,
    /// This run of this server.
    pub me: ServerId,
    /// Used if an operation begins.
    pub fresh: OperationId,
}

/// Orders one step.
#[must_use]
pub fn plan(key: &KeyState, at: Context) -> Step {
    match &key.operation {
        Some(operation) => continue_with(key, operation, at),
        None => start_or_end(key, at),
    }
}

/// When the key must be planned again, for its due entry: now, if there is something to do or to
/// decide.
#[must_use]
pub fn due(key: &KeyState, at: Context) -> Option<Timestamp> {
    match plan(key, at) {
        _ if key.live.iter().any(|live| live.undecided(at.now)) => Some(at.now),
        Step::Wait { until } => until,
        _ => Some(at.now),
    }
}

fn start_or_end(key: &KeyState, at: Context) -> Step {
    let now = at.now;
    let mut change = Change::to(key.clone());
    change.lapse(now);
    if key.over(now) {
        if key.standing == Standing::Standing {
            change.revoke(now);
            change.end(&Receipt::Standing);
        } else if key.wanted(now) {
            change.hand_over(now);
        } else {
            change.revoke(now);
            change.intend(Action::Delete, Before::Uncertain, 1, at);
        }
    }
    if !change.grants.is_empty() || change.intends() {
        return Step::Record(change.settle());
    }
    let edge = next_edge(key, now);
    let starting = key
        .holders(now)
        .any(|live| matches!(live.phase, Phase::Scheduled | Phase::Granting));
    if starting {
        return start(key, at);
    }
    match key.verify_at {
        Some(verify_at) if key.wanted(now) && verify_at <= now => look(key, Purpose::Presence, now),
        Some(verify_at) if key.wanted(now) => wait(earlier(edge, verify_at)),
        _ => Step::Wait { until: edge },
    }
}

fn start(key: &KeyState, at: Context) -> Step {
    let now = at.now;
    let touched = key
        .last_write_at
        .is_some_and(|write| now.duration_since(write) < TOUCHED);
    // A read would still show what we have just deleted.
    let blinded = key.deletes_shown_from().is_some_and(|from| now < from);
    match key.standing {
        Standing::Unknown if !touched => look(key, Purpose::Standing, now),
        Standing::Standing => look(key, Purpose::Presence, now),
        Standing::Ours if !blinded => look(key, Purpose::Presence, now),
        Standing::Unknown | Standing::Ours => {
            // Nobody looked: others may have added it since it was proved gone.
            let mut change = Change::to(key.clone());
            change.create(Before::Uncertain, at);
            Step::Record(change)
        }
    }
}

/// Orders a read, unless it would tell nothing: because it would begin before a write that another
/// server's clock puts later, or show what was just deleted.
fn look(key: &KeyState, purpose: Purpose, now: Timestamp) -> Step {
    let write = key
        .last_write_at
        .and_then(|write| write.checked_add(A_MOMENT).ok());
    match write.max(key.deletes_shown_from()) {
        Some(from) if now < from => wait(from),
        _ => Step::Read(purpose),
    }
}

fn wait(until: Timestamp) -> Step {
    Step::Wait { until: Some(until) }
}

fn earlier(edge: Option<Timestamp>, other: Timestamp) -> Timestamp {
    edge.map_or(other, |edge| edge.min(other))
}

impl Change {
    /// Whatever appears on this key from here on is ours.
    pub(crate) fn create(&mut self, before: Before, at: Context) {
        self.key.standing = Standing::Ours;
        self.begin(at.now);
        self.intend(Action::Create, before, 1, at);
    }

    pub(crate) fn intend(&mut self, action: Action, before: Before, attempt: u32, at: Context) {
        self.key.operation = Some(Operation {
            id: at.fresh,
            action,
            intended_at: at.now,
            by: at.me,
            attempt,
            before,
            stage: Stage::Intended,
            finding: None,
        });
        self.key.last_write_at = Some(at.now);
        self.key.verify_at = None;
        self.key.missed = None;
        match action {
            Action::Delete => self.key.last_delete_at = Some(at.now),
            Action::Create => {
                self.key.inspected = None;
                self.key.membership = None;
            }
        }
    }
}

fn continue_with(key: &KeyState, operation: &Operation, at: Context) -> Step {
    let now = at.now;
    if let (Some(finding), Stage::Backoff { reason, .. }) = (operation.finding, &operation.stage) {
        // The sweep judges anew before it tries anything again.
        return Step::Record(remove::give_up(key, finding, reason));
    }
    if operation.action == Action::Create && key.wanted(now) && key.over(now) {
        // Those whose time is up do not wait for a create that only others need.
        let mut change = Change::to(key.clone());
        change.hand_over(now);
        return Step::Record(change);
    }
    if operation.stage != Stage::Intended {
        // Nor do those whose time passed before anything was begun for them.
        let mut change = Change::to(key.clone());
        change.lapse(now);
        if !change.grants.is_empty() {
            return Step::Record(change);
        }
    }
    let inspect_at = inspect_at(key, operation, now);
    if inspect_at.is_some_and(|at| at <= now) {
        return Step::Inspect(operation.id);
    }
    // A start or an end that comes before what an operation waits for may turn it round.
    let until = |when: Timestamp| {
        let when = inspect_at.map_or(when, |at| at.min(when));
        wait(earlier(next_edge(key, now), when))
    };
    match &operation.stage {
        Stage::Intended => send_or_adopt(key, operation, at),
        Stage::Backoff { retry_at, .. } => turn_round(key, operation, at).unwrap_or_else(|| {
            if *retry_at <= now {
                Step::Record(retry(key, operation, at))
            } else {
                until(*retry_at)
            }
        }),
        Stage::Sent {
            aws_request_id,
            poll_at,
            ..
        } => {
            if *poll_at <= now {
                Step::Poll {
                    operation: operation.id,
                    action: operation.action,
                    aws_request_id: aws_request_id.clone(),
                }
            } else {
                wait(*poll_at)
            }
        }
        Stage::Unknown { read_at, failures } => {
            let blind = *failures > 0;
            let turned = blind.then(|| turn_round(key, operation, at)).flatten();
            turned.unwrap_or_else(|| {
                if *read_at <= now {
                    Step::Read(Purpose::Outcome(operation.id))
                } else {
                    until(*read_at)
                }
            })
        }
        Stage::Deleted { read_at, .. } if *read_at <= now => {
            Step::Read(Purpose::Absence(operation.id))
        }
        Stage::Deleted { read_at, .. } => {
            turn_round(key, operation, at).unwrap_or_else(|| until(*read_at))
        }
        Stage::Absent { read_at, .. } => turn_round(key, operation, at).unwrap_or_else(|| {
            if *read_at <= now {
                Step::Read(Purpose::Absence(operation.id))
            } else {
                until(*read_at)
            }
        }),
    }
}

/// When to look whether what a deletion is about still exists, if there is reason to.
///
/// The reason is that it gets nowhere, whatever AWS calls that: the names of its errors decide
/// nothing here.
fn inspect_at(key: &KeyState, operation: &Operation, now: Timestamp) -> Option<Timestamp> {
    let failures = match operation.stage {
        // Whoever sends, or is at work, is heard first.
        Stage::Intended | Stage::Sent { .. } => return None,
        Stage::Backoff { .. } => operation.attempt,
        Stage::Unknown { failures, .. } | Stage::Absent { failures, .. } => {
            failures.max(operation.attempt.saturating_sub(1))
        }
        // Reads that lag count here, too: after twice this, it is no lag.
        Stage::Deleted {
            succeeded_at,
            reads,
            ..
        } if now.duration_since(succeeded_at) > STILL_PRESENT * 2 => reads,
        Stage::Deleted { .. } => 0,
    };
    let suspect = operation.action == Action::Delete && failures >= SUSPECT_AFTER;
    if !suspect || key.wanted(now) {
        return None;
    }
    let Some(inspected) = &key.inspected else {
        return Some(now);
    };
    let again = match &inspected.first {
        // The second look counts only once nothing of ours can take effect any more.
        Some(first) => key
            .unsettled_until(now)
            .max(first.finished_at.checked_add(GONE_AFTER).ok()),
        None => inspected.looked_at.checked_add(INSPECT_EVERY).ok(),
    };
    Some(again.unwrap_or(now).max(inspected.looked_at))
}

fn send_or_adopt(key: &KeyState, operation: &Operation, at: Context) -> Step {
    let mine = operation.by == at.me;
    let age = at.now.duration_since(operation.intended_at);
    let theirs_until = operation.intended_at.saturating_add(GRACE);
    match theirs_until {
        _ if mine && age <= SEND_WITHIN => turn_round(key, operation, at).unwrap_or(Step::Send {
            operation: operation.id,
            action: operation.action,
        }),
        Ok(until) if !mine && at.now < until => wait(until),
        _ => Step::Record(adopt(key, operation, at)),
    }
}

fn retry(key: &KeyState, operation: &Operation, at: Context) -> Change {
    let mut change = Change::to(key.clone());
    // Those that became wanted meanwhile are served by the same attempt.
    if operation.action == Action::Create {
        change.begin(at.now);
    }
    let attempt = operation.attempt.saturating_add(1);
    change.intend(operation.action, operation.before, attempt, at);
    change
}

/// An operation that nobody is sending, and that no longer fits what is wanted.
fn turn_round(key: &KeyState, operation: &Operation, at: Context) -> Option<Step> {
    let wanted = key.wanted(at.now);
    let mut change = Change::to(key.clone());
    if operation.stage == Stage::Intended {
        // Its server believes that it was not sent. Belief is no evidence.
        change.key.lose(operation, at.now);
    }
    match operation.action {
        Action::Create if !wanted => {
            // The intent is on record: it may still appear, so it is deleted and proved gone.
            change.revoke(at.now);
            change.intend(Action::Delete, Before::Uncertain, 1, at);
        }
        Action::Delete if wanted => {
            // The key is wanted again: whoever wants it sees to it that the access is there.
            change.key.operation = None;
            change.not_removed(operation.finding, remove::WANTED);
            change.hand_over(at.now);
        }
        _ => return None,
    }
    Some(Step::Record(change))
}

/// Takes over an intent whose server did not say what became of it.
fn adopt(key: &KeyState, operation: &Operation, at: Context) -> Change {
    let mut change = Change::to(key.clone());
    change.key.lose(operation, at.now);
    change.key.operation = Some(Operation {
        by: at.me,
        stage: Stage::Unknown {
            read_at: at.now,
            failures: 0,
        },
        ..operation.clone()
    });
    change
}

/// The next start or end of a window.
fn next_edge(key: &KeyState, now: Timestamp) -> Option<Timestamp> {
    key.live
        .iter()
        .flat_map(|live| {
            let ask_at = match live.gate {
                Gate::Shut { ask_at } => Some(ask_at),
                Gate::Open | Gate::Passed { .. } => None,
            };
            [Some(live.from), Some(live.until), ask_at]
        })
        .flatten()
        .filter(|edge| *edge > now)
        .min()
}
