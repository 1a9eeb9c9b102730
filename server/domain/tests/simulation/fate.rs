//! What is asked of the keys, and what others do to them meanwhile.

use domain::grant::{Grant, GrantState};
use domain::id::{AccountId, AskIndex, GrantId, PermissionSetArn, RequestId, UserId};
use domain::key::{Phase, Standing};
use domain::request::{Names, Who as Person};
use domain::target::{Key, Target};

use crate::faults::{HOUR, MINUTE, Millis, SECOND};
use crate::world::{Event, RECOVERY, World, tell};

impl World {
    /// Decides what will be asked of a key, and when.
    pub(crate) fn write_fate(&mut self, key: usize) {
        let mut last_end = 0;
        for _ in 0..self.dice.between(1, 6) {
            let approved = self.dice.between(0, self.quiet_at);
            let from = match self.dice.between(0, 3) {
                // Exactly when another ends, as an extension does.
                0 if last_end > 0 => last_end,
                1 => approved + self.dice.between(0, 30 * MINUTE),
                _ => approved,
            };
            let lasts = match self.dice.between(0, 4) {
                0 => 20 * SECOND,
                1 => MINUTE,
                2 | 3 => self.dice.between(5 * MINUTE, 20 * MINUTE),
                _ => self.dice.between(HOUR, 3 * HOUR),
            };
            let until = from + lasts;
            last_end = until;
            let approved = approved.min(from);
            self.at(approved, Event::Promise { key, from, until });
            if self.dice.chance(0.2) {
                let when = self.dice.between(approved, until);
                self.at(when, Event::EndEarly { key });
            }
            if self.dice.chance(self.faults.by_hand) {
                self.write_hands(key, approved, until);
            }
        }
        if self.dice.chance(self.faults.vanish) {
            let when = self.dice.between(0, self.quiet_at);
            self.at(when, Event::Vanish { key });
        }
        let settled = self.quiet_at + RECOVERY;
        self.at(settled, Event::Served { key });
        self.ends_at = self.ends_at.max(settled);
        // Not always: a last grant would also clear up what the others left.
        if self.dice.flip() {
            let prompt = self.prompt();
            let from = settled + MINUTE;
            let until = from + self.dice.between(3 * MINUTE, 20 * MINUTE);
            self.at(from, Event::Promise { key, from, until });
            self.at(from + prompt, Event::Served { key });
            self.at(until - 20 * SECOND, Event::Served { key });
        }
    }

    /// Somebody edits the assignment while a grant lives, or near its edges.
    fn write_hands(&mut self, key: usize, approved: Millis, until: Millis) {
        for _ in 0..self.dice.between(1, 2) {
            let when = match self.dice.between(0, 2) {
                0 => self.dice.between(approved, until),
                1 => approved + self.dice.between(-10 * SECOND, 10 * SECOND),
                _ => until + self.dice.between(-10 * SECOND, MINUTE),
            };
            let adds = self.dice.flip();
            self.at(when.clamp(0, self.quiet_at), Event::ByHand { key, adds });
        }
    }

    /// A request was approved.
    pub(crate) fn promise(&mut self, key: usize, from: Millis, until: Millis) {
        let id = GrantId::new(self.fresh_id());
        tell!(self, "grant {id} on key {key} from {from} until {until}");
        let grant = Grant {
            id,
            request: RequestId::new(id.uuid()),
            ask: AskIndex(0),
            key: key_of(key),
            names: Names {
                account: "Payments Production".into(),
                permission_set: "ReadOnlyAccess".into(),
                session_seconds: 3_600,
            },
            requester: Person {
                id: key_of(key).user,
                name: "Ana Silva".into(),
                email: None,
            },
            approver: None,
            reason: "because".into(),
            ticket: None,
            from: self.instant(from),
            until: self.instant(until),
            run_from: None,
            state: GrantState::Scheduled,
            approved_by: String::new(),
            break_glass: false,
        };
        self.store.promise(key, grant);
        let exists = self.aws.pairs[key].vanished.is_none();
        let must_end = if self.now > self.quiet_at + RECOVERY && exists {
            until + self.prompt()
        } else {
            until.max(self.quiet_at) + RECOVERY
        };
        self.at(must_end, Event::Ended { grant: id });
        self.ends_at = self.ends_at.max(must_end);
        self.wake_all(key);
    }

    /// Somebody has had enough of one of the grants: it ends now, or sooner than it would have.
    pub(crate) fn end_early(&mut self, key: usize) {
        let skew = self.a_skew();
        let now = self.instant(self.now + skew);
        let ending: Vec<GrantId> = self
            .store
            .key(key)
            .live
            .iter()
            .filter(|live| live.phase != Phase::Revoking && live.until > now)
            .map(|live| live.grant)
            .collect();
        let Some(last) = i64::try_from(ending.len()).ok().filter(|count| *count > 0) else {
            return;
        };
        let which = usize::try_from(self.dice.between(0, last - 1)).expect("small");
        let id = ending[which];
        let until = if self.dice.chance(0.3) {
            now + jiff::SignedDuration::from_secs(self.dice.between(1, 300))
        } else {
            now
        };
        tell!(self, "grant {id} on key {key} is to end at {until}");
        self.count("ended early");
        self.store.end_early(key, id, until);
        self.wake_all(key);
    }

    /// An account is closed, or a person deleted.
    pub(crate) fn vanish(&mut self, key: usize) {
        tell!(self, "what key {key} is about ceases to exist");
        self.count("something vanished");
        self.aws.vanish(key, self.now);
    }

    /// Somebody with rights of their own adds or removes the assignment.
    pub(crate) fn edit_by_hand(&mut self, key: usize, adds: bool) {
        if !self.aws.change_by_hand(key, adds, self.now) {
            return;
        }
        let ours = self.store.key(key).standing == Standing::Ours;
        let what = if adds { "adds" } else { "removes" };
        tell!(self, "somebody {what} the assignment of key {key} by hand");
        match (adds, ours) {
            // Nothing tells it from ours: it goes with it.
            (true, true) => self.count("added by hand while ours"),
            (true, false) => {
                self.aws.pairs[key].theirs = Some(self.now);
                self.count("added by hand");
            }
            (false, _) => self.count("removed by hand"),
        }
    }
}

pub(crate) fn key_of(number: usize) -> Key {
    let user = format!("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a{number:02x}");
    let set = "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0123456789abcdef";
    Key {
        user: UserId::parse(&user).expect("a user id"),
        target: Target::Account {
            account: AccountId::parse("111122223333").expect("an account id"),
            permission_set: PermissionSetArn::parse(set).expect("an ARN"),
        },
    }
}
