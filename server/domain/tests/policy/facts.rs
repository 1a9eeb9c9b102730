//! What a decision rests on: groups that were read just now, or no decision.

use std::collections::BTreeSet;

use domain::directory::Members;
use domain::policy::{Code, Proposal, Verdict, decide, with_person};

use crate::organisation::{Organisation, group_id, now, rule, seconds};

#[test]
fn a_group_that_was_not_read_makes_the_decision_a_refusal() {
    let organisation = Organisation::new();
    // Granted at once, but for a rule about contractors that could require approval.
    let policy = organisation.policy(
        &[
            rule("free", &[("approval", "\"none\""), ("approvers", "")]),
            rule(
                "careful",
                &[
                    ("approval", "\"required\""),
                    ("requesters", "[\"group:Data\"]"),
                ],
            ),
        ]
        .concat(),
    );
    let target = organisation.target("Network", "Billing");
    let needed = policy.groups_for(&target, &organisation.directory);
    let proposal = Proposal::new(
        organisation.user("carla.rossi"),
        target,
        seconds("1h"),
        40,
        now(),
    );
    let read = |groups: &BTreeSet<_>| {
        let mut members = Members::default();
        for group in groups {
            members.insert(
                Clone::clone(group),
                organisation.directory.members.of(group).cloned().collect(),
            );
        }
        decide(&policy, &proposal, &organisation.facts_with(&members)).code
    };
    assert_eq!(read(&needed), Code::Automatic);
    for missing in &needed {
        let mut some = needed.clone();
        some.remove(missing);
        assert_eq!(read(&some), Code::CannotTell, "without {missing}");
    }
}

#[test]
fn a_live_answer_about_a_person_corrects_the_snapshot() {
    let organisation = Organisation::new();
    let policy = organisation.policy(&rule("r", &[]));
    let target = organisation.target("Network", "Billing");
    let asked = policy.groups_for(&target, &organisation.directory);
    let (payments, security) = (
        organisation.group("Payments"),
        organisation.group("Security"),
    );
    assert_eq!(asked, BTreeSet::from([payments.clone(), security]));
    let verdict = |user: &str, found: &BTreeSet<_>| -> Verdict {
        let id = organisation.user(user);
        let members = with_person(&organisation.directory.members, &id, &asked, found);
        let proposal = Proposal::new(id, target.clone(), seconds("1h"), 40, now());
        decide(&policy, &proposal, &organisation.facts_with(&members))
    };
    // Left Payments a moment ago; joined it a moment ago.
    assert_eq!(
        verdict("carla.rossi", &BTreeSet::new()).code,
        Code::RequesterNotAllowed
    );
    assert_eq!(
        verdict("liam.murphy", &BTreeSet::from([payments])).code,
        Code::NeedsApproval
    );

    // An answer about one person does not make an unread group known.
    let unread = group_id(99);
    let members = with_person(
        &organisation.directory.members,
        &organisation.user("liam.murphy"),
        &BTreeSet::from([unread.clone()]),
        &BTreeSet::from([unread.clone()]),
    );
    assert!(!members.knows(&unread));
}
