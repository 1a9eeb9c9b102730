//! Counting agreement, and who may give it.

use std::collections::BTreeSet;

use domain::directory::Status;
use domain::policy::{
    AskFacts, Code, Decision, Policy, Review, ReviewOutcome, RuleName, WhyNot, may_review, review,
};
use domain::target::Target;
use jiff::Timestamp;

use crate::organisation::{Organisation, now, rule, seconds};

/// An ask of carla.rossi's for an hour of Billing in Network, unless the test says otherwise.
struct Ask {
    organisation: Organisation,
    policy: Policy,
    requester: &'static str,
    duration: &'static str,
    submitted: Vec<RuleName>,
    reviews: Vec<Review>,
}

fn ask(rules: &str) -> Ask {
    let organisation = Organisation::new();
    Ask {
        policy: organisation.policy(rules),
        organisation,
        requester: "carla.rossi",
        duration: "1h",
        submitted: Vec::new(),
        reviews: Vec::new(),
    }
}

impl Ask {
    fn by(mut self, requester: &'static str) -> Self {
        self.requester = requester;
        self
    }

    fn lasting(mut self, duration: &'static str) -> Self {
        self.duration = duration;
        self
    }

    fn said(mut self, name: &str, decision: Decision, duration: &str) -> Self {
        let at = Timestamp::from_second(1_800_000_000 + i64::try_from(self.reviews.len()).unwrap());
        self.reviews.push(Review {
            reviewer: self.organisation.user(name),
            decision,
            duration: seconds(duration),
            at: at.unwrap(),
        });
        self
    }

    fn approved(self, name: &str) -> Self {
        let duration = self.duration;
        self.said(name, Decision::Approve, duration)
    }

    fn approved_for(self, name: &str, duration: &str) -> Self {
        self.said(name, Decision::Approve, duration)
    }

    fn denied(self, name: &str) -> Self {
        self.said(name, Decision::Deny, "1h")
    }

    fn with<T>(&self, judge: impl Fn(&AskFacts<'_>) -> T) -> T {
        let requester = self.organisation.user(self.requester);
        let target: Target = self.organisation.target("Network", "Billing");
        judge(&AskFacts::new(
            &requester,
            &target,
            seconds(self.duration),
            &self.submitted,
            now(),
        ))
    }

    fn outcome(&self) -> ReviewOutcome {
        self.with(|ask| review(&self.policy, ask, &self.reviews, &self.organisation.facts()))
    }

    /// The outcome on one line.
    fn line(&self) -> String {
        let names = |users: &BTreeSet<_>| {
            let names: Vec<String> = users
                .iter()
                .map(|user| {
                    let name = self.organisation.name(user);
                    name.split('.').next().unwrap().to_owned()
                })
                .collect();
            names.join(" ")
        };
        match self.outcome() {
            ReviewOutcome::Open { routes } => {
                let routes: Vec<String> = routes
                    .iter()
                    .map(|route| {
                        format!(
                            "{} has [{}], misses {} of [{}]",
                            route.rule,
                            names(&route.counted),
                            route.missing,
                            names(&route.approvers)
                        )
                    })
                    .collect();
                format!("open: {}", routes.join("; "))
            }
            ReviewOutcome::Completed {
                rule,
                duration,
                counted,
            } => {
                format!("completed by {rule} for {duration}: {}", names(&counted))
            }
            ReviewOutcome::DeniedBy { reviewer, .. } => {
                format!("denied by {}", self.organisation.name(&reviewer))
            }
            ReviewOutcome::NotPossible { code } => format!("not possible: {code}"),
        }
    }

    fn may(&self, name: &str) -> Result<Vec<String>, WhyNot> {
        let reviewer = self.organisation.user(name);
        self.with(|ask| may_review(&self.policy, ask, &reviewer, &self.organisation.facts()))
            .map(|rules| rules.iter().map(ToString::to_string).collect())
    }
}

#[test]
fn one_approver_is_enough_for_a_rule_of_one() {
    let rules = rule("r", &[]);
    assert_eq!(
        ask(&rules).line(),
        "open: r has [], misses 1 of [emma farid mia]"
    );
    assert_eq!(
        ask(&rules).approved("emma.lindqvist").line(),
        "completed by r for 1h: emma"
    );
}

#[test]
fn the_duration_is_the_nth_longest_that_distinct_people_agreed_to() {
    let one = rule("r", &[]);
    let two = rule("r", &[("approvals", "2")]);
    let three = rule("r", &[("approvals", "3")]);
    let given = |rules: &str, durations: &[(&str, &str)]| {
        durations
            .iter()
            .fold(ask(rules).lasting("4h"), |ask, (name, duration)| {
                ask.approved_for(name, duration)
            })
            .line()
    };
    let (emma, farid, mia) = ("emma.lindqvist", "farid.haddad", "mia.novak");
    assert_eq!(given(&one, &[(emma, "1h")]), "completed by r for 1h: emma");
    assert_eq!(given(&one, &[(emma, "9h")]), "completed by r for 4h: emma");
    assert_eq!(
        given(&two, &[(emma, "4h")]),
        "open: r has [emma], misses 1 of [farid mia]"
    );
    assert_eq!(
        given(&two, &[(emma, "4h"), (farid, "1h")]),
        "completed by r for 1h: emma farid"
    );
    assert_eq!(
        given(&two, &[(emma, "4h"), (farid, "1h"), (mia, "2h")]),
        "completed by r for 2h: emma farid mia"
    );
    assert_eq!(
        given(&three, &[(emma, "4h"), (farid, "1h"), (mia, "2h")]),
        "completed by r for 1h: emma farid mia"
    );
    // The same person twice is one person; their later word counts.
    assert_eq!(
        given(&two, &[(emma, "4h"), (emma, "4h")]),
        "open: r has [emma], misses 1 of [farid mia]"
    );
    assert_eq!(
        given(&one, &[(emma, "4h"), (emma, "1h")]),
        "completed by r for 1h: emma"
    );
    // Agreeing to nothing is not agreeing.
    assert_eq!(
        given(&one, &[(emma, "0s")]),
        "open: r has [], misses 1 of [emma farid mia]"
    );
}

#[test]
fn approvals_of_different_routes_do_not_add_up() {
    let rules = [
        rule(
            "a",
            &[
                ("approvals", "2"),
                ("approvers", "[\"group:Security\", \"group:Platform\"]"),
            ],
        ),
        rule(
            "b",
            &[
                ("approvals", "2"),
                ("approvers", "[\"group:Data\", \"group:Platform\"]"),
            ],
        ),
    ]
    .concat();
    let split = ask(&rules)
        .approved("emma.lindqvist")
        .approved("ines.costa");
    assert!(
        split.line().starts_with("open: a has [emma], misses 1"),
        "{}",
        split.line()
    );
    // Somebody who is an approver of both counts in both.
    let joint = split.approved("grace.chen");
    assert_eq!(joint.line(), "completed by a for 1h: emma grace");
}

#[test]
fn of_two_completed_routes_the_longer_wins_each_within_its_own_limit() {
    let rules = [
        rule("long", &[("max_duration", "\"8h\"")]),
        rule(
            "short",
            &[
                ("max_duration", "\"1h\""),
                ("approvers", "[\"group:Platform\"]"),
            ],
        ),
    ]
    .concat();
    // Four hours were never open to those who approve the short rule.
    let four = ask(&rules).lasting("4h").approved("grace.chen");
    assert_eq!(
        four.line(),
        "open: long has [], misses 1 of [emma farid mia]"
    );
    assert_eq!(four.may("grace.chen"), Err(WhyNot::NotAnApprover));
    // Nor do they end it.
    assert!(
        ask(&rules)
            .lasting("4h")
            .denied("grace.chen")
            .line()
            .starts_with("open")
    );
    let both = ask(&rules)
        .approved_for("emma.lindqvist", "30m")
        .approved("grace.chen");
    assert_eq!(both.line(), "completed by short for 1h: grace");
}

#[test]
fn a_rule_that_allows_less_by_now_gives_less() {
    let mut asked = ask(&rule("r", &[("max_duration", "\"30m\"")])).approved("emma.lindqvist");
    assert_eq!(asked.line(), "not possible: too-long");
    assert_eq!(asked.may("farid.haddad"), Err(WhyNot::NoRoute));
    asked.submitted = vec![RuleName::parse("r").unwrap()];
    assert_eq!(asked.line(), "completed by r for 30m: emma");
}

#[test]
fn one_denial_by_someone_who_could_approve_ends_it() {
    let rules = rule("r", &[("approvals", "2")]);
    let denied = ask(&rules)
        .approved("emma.lindqvist")
        .denied("farid.haddad");
    assert_eq!(denied.line(), "denied by farid.haddad");
    // Even if enough others agree in the same breath.
    assert_eq!(
        denied.approved("mia.novak").line(),
        "denied by farid.haddad"
    );
    // Not by someone who could not, and not by the requester, who may withdraw.
    for name in ["grace.chen", "carla.rossi", "noah.berg"] {
        assert!(
            ask(&rules).denied(name).line().starts_with("open"),
            "{name}"
        );
    }
    // Someone's later word is their word.
    let changed = ask(&rules)
        .denied("emma.lindqvist")
        .approved("emma.lindqvist");
    assert_eq!(
        changed.line(),
        "open: r has [emma], misses 1 of [farid mia]"
    );
}

#[test]
fn reviews_are_judged_by_what_people_are_now() {
    let rules = rule("r", &[("approvals", "2")]);
    let mut asked = ask(&rules)
        .approved("emma.lindqvist")
        .approved("farid.haddad");
    assert_eq!(asked.line(), "completed by r for 1h: emma farid");
    // Farid left Security before the second approval was counted.
    let (security, farid) = (
        asked.organisation.group("Security"),
        asked.organisation.user("farid.haddad"),
    );
    asked.organisation.change_members(&security, |members| {
        members.remove(&farid);
    });
    assert_eq!(asked.line(), "open: r has [emma], misses 1 of [mia]");
    assert_eq!(asked.may("farid.haddad"), Err(WhyNot::NotAnApprover));
    // Emma was disabled.
    asked.organisation.person("emma.lindqvist").status = Status::Disabled;
    assert_eq!(asked.line(), "open: r has [], misses 2 of [mia]");
    assert_eq!(asked.may("emma.lindqvist"), Err(WhyNot::Inactive));
    // And Carla left Payments.
    let (payments, carla) = (
        asked.organisation.group("Payments"),
        asked.organisation.user("carla.rossi"),
    );
    asked.organisation.change_members(&payments, |members| {
        members.remove(&carla);
    });
    assert_eq!(
        asked.outcome(),
        ReviewOutcome::NotPossible {
            code: Code::RequesterNotAllowed
        }
    );
    assert_eq!(asked.may("mia.novak"), Err(WhyNot::NoRoute));
}

#[test]
fn nobody_reviews_their_own_request_unless_a_rule_counts_it() {
    let own = ("requesters", "[\"group:Payments\", \"group:Security\"]");
    let silent = rule("r", &[own]);
    let two = rule(
        "r",
        &[own, ("approvals", "2"), ("self_approval", "\"allow\"")],
    );
    let denying = rule("d", &[own, ("self_approval", "\"deny\"")]);

    let asked = ask(&silent).by("mia.novak").approved("mia.novak");
    assert_eq!(asked.line(), "open: r has [], misses 1 of [emma farid]");
    assert_eq!(asked.may("mia.novak"), Err(WhyNot::OwnRequest));

    let asked = ask(&two).by("mia.novak");
    assert_eq!(asked.line(), "open: r has [mia], misses 1 of [emma farid]");
    assert_eq!(asked.may("mia.novak"), Ok(vec!["r".to_owned()]));
    assert_eq!(
        asked.approved("emma.lindqvist").line(),
        "completed by r for 1h: emma mia"
    );

    // Who could say yes could say no, and that is never counted as the yes that asking implies.
    let one = rule("r", &[own, ("self_approval", "\"allow\"")]);
    assert_eq!(
        ask(&one).by("mia.novak").denied("mia.novak").line(),
        "denied by mia.novak"
    );

    let asked = ask(&[two, denying].concat())
        .by("mia.novak")
        .approved("emma.lindqvist");
    assert_eq!(asked.line(), "completed by d for 1h: emma");
    assert_eq!(asked.may("mia.novak"), Err(WhyNot::OwnRequest));
}

#[test]
fn the_same_email_on_another_person_is_another_person() {
    let mut asked = ask(&rule(
        "r",
        &[("requesters", "[\"*\"]"), ("approvers", "[\"*\"]")],
    ));
    asked
        .organisation
        .add_person("carla.other", &["CARLA.ROSSI@example.com"], &[]);
    asked.policy = asked.organisation.policy(&rule(
        "r",
        &[("requesters", "[\"*\"]"), ("approvers", "[\"*\"]")],
    ));
    assert_eq!(asked.may("carla.rossi"), Err(WhyNot::OwnRequest));
    assert_eq!(asked.may("carla.other"), Ok(vec!["r".to_owned()]));
}

#[test]
fn who_may_review_is_told_by_which_rules_and_others_why_not() {
    let rules = [
        rule(
            "a",
            &[("approvers", "[\"group:Security\", \"group:Platform\"]")],
        ),
        rule("b", &[("approvers", "[\"group:Platform\"]")]),
    ]
    .concat();
    let mut asked = ask(&rules);
    assert_eq!(
        asked.may("grace.chen"),
        Ok(vec!["a".to_owned(), "b".to_owned()])
    );
    assert_eq!(asked.may("emma.lindqvist"), Ok(vec!["a".to_owned()]));
    assert_eq!(asked.may("dmitri.volkov"), Err(WhyNot::NotAnApprover));
    assert_eq!(asked.may("carla.rossi"), Err(WhyNot::OwnRequest));
    assert_eq!(asked.may("noah.berg"), Err(WhyNot::Inactive));
    // A failed look-up refuses.
    asked.organisation.directory.members = domain::directory::Members::default();
    assert_eq!(asked.may("grace.chen"), Err(WhyNot::CannotTell));
    assert_eq!(asked.line(), "not possible: cannot-tell");
}

#[test]
fn reviews_grant_nothing_in_an_account_that_was_protected_or_closed_meanwhile() {
    let mut asked = ask(&rule("r", &[])).approved("emma.lindqvist");
    asked.organisation.account("Network").active = false;
    assert_eq!(asked.line(), "not possible: unknown-target");
    asked.organisation.account("Network").active = true;
    let setting = domain::policy::Setting {
        protected: BTreeSet::from(["555566667777".parse().unwrap()]),
        earlier: None,
    };
    asked.policy = asked
        .organisation
        .resolved(&rule("r", &[]), &setting)
        .policy;
    assert_eq!(asked.line(), "not possible: protected");
    // The management account of a delegated administrator, as it turned out.
    asked.policy = asked.organisation.policy(&rule("r", &[]));
    asked.organisation.directory.beyond.account = Some("555566667777".parse().unwrap());
    assert_eq!(asked.line(), "not possible: beyond-reach");
}
