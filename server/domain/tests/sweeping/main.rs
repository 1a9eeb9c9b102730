//! The sweep: what it takes away, everything that it leaves, and how a removal goes on.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

mod generated;
mod planning;
mod removing;
mod revoking;

use std::collections::BTreeSet;

use domain::adoption::Course;
use domain::directory::Beyond;
use domain::finding::{Closed, Difference, Finding};
use domain::grant::{ReadEvidence, Receipt};
use domain::id::{AccountId, FindingId, GrantId, OperationId, PermissionSetArn, ServerId, UserId};
use domain::key::{KeyState, LostCreate, Standing, Telling};
use domain::plan::{Change, Context, SETTLED_AFTER, Step, plan as next};
use domain::progress::{self, Presence, Sent, Sighting, Status};
use domain::request::{Names, Who};
use domain::sweep::baseline::{Baseline, NotAgreed, ProposedBaseline};
use domain::sweep::look::{Look, Looks};
use domain::sweep::plan::{
    Agreed, CONFIRMED_FOR, Candidate, Confirmation, Halt, Left, Ours, Outcome, Pass, Plan,
    REMOVALS_MAX, Setting, cap, judge, judge_revocation, plan,
};
use domain::sweep::remove::{Swept, remove};
use domain::sweep::{AllowList, Sweep};
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// When the pass is planned: every look below is before it.
const NOW: i64 = 1_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a date in 2027")
}

fn person(number: u16) -> Who {
    Who {
        id: UserId::parse(&format!("93a4c8d2-1011-70e2-3a5b-1c2d3e4f{number:04x}"))
            .expect("a user id"),
        name: format!("Person {number}"),
        email: None,
    }
}

fn set(number: u8) -> PermissionSetArn {
    let arn = format!("arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-{number:016x}");
    PermissionSetArn::parse(&arn).expect("an ARN")
}

fn account(number: u8) -> AccountId {
    AccountId::parse(&format!("1111222233{number:02}")).expect("an account id")
}

fn key(user: u16, of: u8) -> Key {
    Key {
        user: person(user).id,
        target: Target::Account {
            account: account(of),
            permission_set: set(1),
        },
    }
}

fn finding(number: u16, of: u8, opened: i64) -> Finding {
    Finding {
        id: FindingId::new(Uuid::from_u128(u128::from(number) + 1)),
        difference: Difference::Unmanaged,
        key: key(number, of),
        names: Names {
            account: "Payments".to_owned(),
            permission_set: "AdministratorAccess".to_owned(),
            session_seconds: 3_600,
        },
        who: person(number),
        grants: Vec::new(),
        opened_at: at(opened),
        read: None,
        why: None,
        proposal: None,
        proposals: 0,
        revocation: None,
        failed: None,
    }
}

fn look(began: i64, seen: u32) -> Look {
    Look {
        began_at: at(began),
        finished_at: at(began + 60),
        seen,
        untold: 0,
    }
}

fn looks(all: &[Look]) -> Looks {
    let mut looks = Looks::default();
    for look in all {
        looks.add(look.clone(), GRACE);
    }
    looks
}

/// Two days of looks, the last a minute ago.
fn two_days(seen: u32) -> Looks {
    looks(&[
        look(NOW - 172_800, seen),
        look(NOW - 90_000, seen),
        look(NOW - 3_600, seen),
        look(NOW - 60, seen),
    ])
}

fn baseline(keys: &[Key]) -> Baseline {
    let proposed = ProposedBaseline::new(keys, (person(900), "known"), at(0));
    let digest = proposed.digest.clone();
    let agreed = proposed.agree(person(901), &digest, None, at(1));
    agreed.expect("a baseline").0
}

/// What a setting is made of.
struct World {
    mode: Sweep,
    allowed: AllowList,
    protected: BTreeSet<AccountId>,
    beyond: Option<Beyond>,
    baseline: Option<Baseline>,
    looks: Looks,
}

impl World {
    fn ready(seen: u32) -> Self {
        Self {
            mode: Sweep::Enforce,
            allowed: AllowList::default(),
            protected: BTreeSet::new(),
            beyond: Some(Beyond::default()),
            baseline: Some(baseline(&[])),
            looks: two_days(seen),
        }
    }

    fn setting(&self) -> Setting<'_> {
        Setting {
            mode: self.mode,
            grace: GRACE,
            allowed: &self.allowed,
            protected: &self.protected,
            beyond: self.beyond.as_ref(),
            baseline: self.baseline.as_ref(),
            looks: &self.looks,
        }
    }

    fn plan(&self, findings: &[Finding], pass: Pass, confirmed: Option<&Confirmation>) -> Plan {
        let all = findings.iter().map(nobodys);
        plan(all, &self.setting(), pass, confirmed, at(NOW))
    }

    fn left(&self, one: &Candidate<'_>) -> Option<Left> {
        judge(one, &self.setting(), at(NOW)).err()
    }
}

const fn nobodys(finding: &Finding) -> Candidate<'_> {
    Candidate {
        finding,
        ours: Ours::Nothing,
        agreed: Agreed::No,
    }
}

/// Long known: found two days ago.
const OLD: i64 = NOW - 172_801;

fn many(count: u16) -> Vec<Finding> {
    (0..count).map(|number| finding(number, 1, OLD)).collect()
}

fn confirmation(plan: &Plan) -> Confirmation {
    Confirmation {
        version: 1,
        digest: plan.digest.clone(),
        removals: 0,
        by: person(7),
        at: at(NOW - 600),
        used_at: None,
    }
}

fn proposed_to_go(finding: &Finding) -> Finding {
    let day = SignedDuration::from_hours(24);
    let asked = finding
        .clone()
        .propose(Course::Revoke, (person(5), "nobody's"), day, at(NOW));
    asked.expect("a proposal").0
}
