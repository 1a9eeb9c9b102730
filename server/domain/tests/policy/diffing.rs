//! What a change of policy changes, in sentences.

use std::sync::Arc;

use domain::policy::{diff, diff_at_once, diff_text};

use crate::organisation::{Organisation, PEOPLE, rule};

fn text(old: &str, new: &str) -> String {
    let organisation = Organisation::new();
    let (old, new) = (organisation.policy(old), organisation.policy(new));
    diff_text(&diff(
        &Arc::new(old),
        &Arc::new(new),
        &organisation.directory,
    ))
}

#[test]
fn the_same_in_other_words_is_no_change() {
    let one = [
        rule("a", &[("accounts", "[\"ou:Staging\"]")]),
        rule("b", &[("accounts", "[\"ou:Development\"]")]),
    ]
    .concat();
    let other = rule(
        "both",
        &[(
            "accounts",
            "[\"333344445556\", \"111122223334\", \"222233334445\"]",
        )],
    );
    assert_eq!(text(&one, &other), "nobody gains or loses anything\n");
}

#[test]
fn who_gains_and_who_loses_what() {
    let base = rule("r", &[("permission_sets", "[\"AdministratorAccess\"]")]);
    let with = |keys: &[(&str, &str)]| {
        let all: Vec<(&str, &str)> = [("permission_sets", "[\"AdministratorAccess\"]")]
            .into_iter()
            .chain(keys.iter().copied())
            .collect();
        rule("r", &all)
    };
    let mut report = String::new();
    for (what, old, new) in [
        (
            "for one more group",
            base.clone(),
            with(&[("requesters", "[\"group:Payments\", \"group:Data\"]")]),
        ),
        (
            "in fewer accounts",
            base.clone(),
            with(&[("accounts", "[\"ou:Staging\"]")]),
        ),
        (
            "without approval",
            base.clone(),
            with(&[("approval", "\"none\"")]),
        ),
        (
            "with two approvals",
            base.clone(),
            with(&[("approvals", "2")]),
        ),
        (
            "their own",
            with(&[("approvers", "[\"group:Payments\"]")]),
            with(&[
                ("approvers", "[\"group:Payments\"]"),
                ("self_approval", "\"allow\""),
            ]),
        ),
        (
            "for longer",
            base.clone(),
            with(&[("max_duration", "\"12h\"")]),
        ),
        (
            "as break-glass only",
            base.clone(),
            with(&[("approval", "\"after\"")]),
        ),
        (
            "break-glass besides",
            base.clone(),
            format!(
                "{base}{}",
                rule(
                    "glass",
                    &[
                        ("approval", "\"after\""),
                        ("permission_sets", "[\"AdministratorAccess\"]")
                    ]
                )
            ),
        ),
        (
            "with a ticket",
            base.clone(),
            format!(
                "{base}\n[[guardrail]]\nname = \"g\"\naccounts = [\"ou:Production\"]\nticket = {{ required = true }}\n"
            ),
        ),
        (
            "denied",
            base.clone(),
            format!(
                "{base}\n[[guardrail]]\nname = \"g\"\naccounts = [\"ou:Production\"]\ndeny = true\n"
            ),
        ),
        (
            "by others",
            base.clone(),
            with(&[("approvers", "[\"group:Platform\"]")]),
        ),
        (
            "overseers",
            format!("admins = [\"group:Platform\"]\n{base}"),
            format!("auditors = [\"group:Platform\", \"group:Audit\"]\n{base}"),
        ),
    ] {
        report.push_str(what);
        report.push('\n');
        for line in text(&old, &new).lines() {
            report.push_str("  ");
            report.push_str(line);
            report.push('\n');
        }
    }
    insta::assert_snapshot!(report);
}

#[test]
fn hours_and_tickets_come_and_go() {
    let base = rule(
        "r",
        &[
            ("accounts", "[\"ou:Staging\"]"),
            ("permission_sets", "[\"Billing\"]"),
        ],
    );
    let with = |limit: &str| {
        format!("{base}\n[[guardrail]]\nname = \"g\"\naccounts = [\"ou:Staging\"]\n{limit}\n")
    };
    let hours = with("hours = { zone = \"UTC\", from = \"08:00\", to = \"18:00\" }");
    let ticket = with("ticket = { required = true }");
    let who = "4 people";
    let what = "Billing in Orders Staging and Payments Staging";
    for (old, new, expected) in [
        (
            &base,
            &hours,
            format!("- {who} are now held to certain hours for {what}.\n"),
        ),
        (
            &hours,
            &base,
            format!("+ {who} are no longer held to certain hours for {what}.\n"),
        ),
        (
            &base,
            &ticket,
            format!("- {who} now need a ticket for {what}.\n"),
        ),
        (
            &ticket,
            &base,
            format!("+ {who} no longer need a ticket for {what}.\n"),
        ),
    ] {
        assert_eq!(text(old, new), expected);
    }
}

/// A server must not stand still over it; people can wait.
#[test]
fn what_would_take_long_is_not_compared_by_a_server() {
    let mut organisation = Organisation::new();
    let rules: String = PEOPLE
        .iter()
        .map(|(name, _)| {
            let who = format!("[\"user:{name}\"]");
            rule(name, &[("requesters", &*who)])
        })
        .collect();
    let (old, new) = (rule("r", &[]), rules);
    let (old, new) = (
        Arc::new(organisation.policy(&old)),
        Arc::new(organisation.policy(&new)),
    );
    assert_eq!(
        diff_at_once(&old, &new, &organisation.directory),
        Some(diff(&old, &new, &organisation.directory))
    );
    let account = organisation.account("Network").clone();
    let directory = &mut organisation.directory;
    let set = directory.permission_set_named("Billing").unwrap().clone();
    for n in 0..5_000_u64 {
        let mut account = account.clone();
        account.id = format!("{}", 300_000_000_000 + n).parse().unwrap();
        directory.accounts.insert(account.id.clone(), account);
    }
    for n in 0..700 {
        let mut set = set.clone();
        set.arn = format!("arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-{n:016x}")
            .parse()
            .unwrap();
        directory.permission_sets.insert(set.arn.clone(), set);
    }
    assert_eq!(diff_at_once(&old, &new, directory), None);
}

#[test]
fn who_may_join_what_and_on_what_terms() {
    let joins = |keys: &[(&str, &str)]| {
        let targets = [
            ("accounts", ""),
            ("permission_sets", ""),
            ("groups", "[\"group:Oncall\"]"),
        ];
        rule("joins", &[&targets[..], keys].concat())
    };
    let mut organisation = Organisation::new();
    organisation.hold("Oncall", &[("Web Production", "ReadOnlyAccess")]);
    let text = |old: &str, new: &str| {
        let (old, new) = (organisation.policy(old), organisation.policy(new));
        diff_text(&diff(
            &Arc::new(old),
            &Arc::new(new),
            &organisation.directory,
        ))
    };
    let none = rule("other", &[("accounts", "[\"ou:Staging\"]")]);
    let base = format!("{none}{}", joins(&[]));
    assert_eq!(text(&base, &base), "nobody gains or loses anything\n");
    insta::assert_snapshot!(text(&none, &base), @r"
    + 4 people can now have membership of Oncall with 1 approval, up to 8h.
    + emma.lindqvist, farid.haddad and mia.novak can now approve membership of Oncall.
    ");
    insta::assert_snapshot!(text(&base, &none), @r"
    - 4 people can no longer ask for membership of Oncall.
    - emma.lindqvist, farid.haddad and mia.novak can no longer approve membership of Oncall.
    ");
    let free = joins(&[("approval", "\"none\""), ("max_duration", "\"1h\"")]);
    let free = format!("{none}{free}");
    insta::assert_snapshot!(text(&base, &free), @r"
    + 4 people can now have membership of Oncall without approval; until now with 1 approval.
    - 4 people can now have membership of Oncall for up to 1h instead of 8h.
    ");
    let deny = "[[guardrail]]\nname = \"g\"\naccounts = [\"ou:Production\"]\ndeny = true\n";
    insta::assert_snapshot!(text(&base, &format!("{base}{deny}")), @r"- 4 people can no longer ask for membership of Oncall.");
}
