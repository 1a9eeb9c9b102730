//! What is doubtful in a policy that is valid, and what is not.

use domain::policy::{Format, ProblemCode, check, parse, report_text, warnings};

use crate::organisation::{Organisation, guardrail, rule};

/// The warnings of one kind, as they are reported.
fn doubts(code: ProblemCode, parts: &[String]) -> String {
    let organisation = Organisation::new();
    let source = format!("version = 1\n{}", parts.concat());
    let found = check(
        &source,
        Format::Toml,
        "p.toml",
        Some(&organisation.directory),
    );
    let of_kind: Vec<String> = found
        .iter()
        .filter(|problem| problem.code == code)
        .map(ToString::to_string)
        .collect();
    of_kind.join("\n")
}

const READ: [(&str, &str); 2] = [
    ("accounts", "[\"ou:Production\"]"),
    ("permission_sets", "[\"ReadOnlyAccess\"]"),
];

fn read(name: &str, keys: &[(&str, &str)]) -> String {
    rule(name, &[&READ[..], keys].concat())
}

const DATA: (&str, &str) = ("requesters", "[\"group:Data\"]");
const FREE: [(&str, &str); 2] = [("approval", "\"none\""), ("approvers", "")];

#[test]
fn people_outside_a_careful_rule_have_it_easier() {
    let required = read("careful", &[("approval", "\"required\"")]);
    let two = read("two", &[("approvals", "2")]);
    let free = read("easy", &[&FREE[..], &[DATA]].concat());
    let one = read("easy", &[DATA]);
    let doubt = |parts: &[&String]| {
        let parts: Vec<String> = parts.iter().map(|part| (*part).clone()).collect();
        doubts(ProblemCode::EasierOutside, &parts)
    };
    insta::assert_snapshot!(doubt(&[&required, &free]), @r"p.toml:10:8: easier-outside: rule `careful` asks for 1 approval for `ReadOnlyAccess` in `Data Lake Production`, and rule `easy` gives that without approval to people whom the other leaves out; ask for as much in both, or let a guardrail say min_approvals = 1");
    insta::assert_snapshot!(doubt(&[&two, &one]), @r"p.toml:10:8: easier-outside: rule `two` asks for 2 approvals for `ReadOnlyAccess` in `Data Lake Production`, and rule `easy` gives that with 1 approval to people whom the other leaves out; ask for as much in both, or let a guardrail say min_approvals = 2");
    let quiet = read("quiet", &[]);
    let elsewhere = rule(
        "elsewhere",
        &[&FREE[..], &[DATA, ("accounts", "[\"ou:Staging\"]")]].concat(),
    );
    let same = read("same", &FREE);
    let glass = read("glass", &[DATA, ("approval", "\"after\"")]);
    let floor = guardrail(
        "floor",
        &[("accounts", "[\"ou:Production\"]"), ("min_approvals", "2")],
    );
    let deny = guardrail("deny", &[("deny", "true")]);
    for fine in [
        vec![&required, &one],
        // Nobody said that it is to be careful.
        vec![&quiet, &free],
        vec![&required, &elsewhere],
        vec![&two, &elsewhere],
        // The same people: where approval is required, it is of them.
        vec![&required, &same],
        vec![&two, &glass],
        vec![&two, &one, &floor],
        vec![&two, &free, &deny],
    ] {
        assert_eq!(doubt(&fine), "", "{fine:#?}");
    }
}

#[test]
fn a_rule_is_undercut_by_one_that_gives_all_of_it_for_less() {
    let two = read("idle", &[("approvals", "2"), ("max_duration", "\"1h\"")]);
    let wide = rule("wide", &[("requesters", "[\"group:Engineering\"]")]);
    let free = rule("wide", &[&FREE[..], &[("requesters", "[\"*\"]")]].concat());
    let doubt = |parts: &[&String]| {
        let parts: Vec<String> = parts.iter().map(|part| (*part).clone()).collect();
        doubts(ProblemCode::Undercut, &parts)
    };
    insta::assert_snapshot!(doubt(&[&two, &wide]), @r"p.toml:3:8: undercut: rule `idle` asks for 2 approvals, and rule `wide` gives the same people all of it with 1 approval; drop it, or narrow or tighten the other");
    insta::assert_snapshot!(doubt(&[&two, &free]), @r"p.toml:3:8: undercut: rule `idle` asks for 2 approvals, and rule `wide` gives the same people all of it without approval; drop it, or narrow or tighten the other");
    let required = read("idle", &[("approvals", "2"), ("approval", "\"required\"")]);
    let longer = read("idle", &[("approvals", "2"), ("max_duration", "\"9h\"")]);
    let narrow = rule("narrow", &[("accounts", "[\"ou:Payments\"]")]);
    let others = rule("others", &[DATA]);
    let floor = guardrail("floor", &[("min_approvals", "2")]);
    let own = read(
        "idle",
        &[("approvals", "2"), ("self_approval", "\"allow\"")],
    );
    let alone = rule("alone", &[("approvers", "[\"user:carla.rossi\"]")]);
    for fine in [
        vec![&required, &free],
        vec![&longer, &wide],
        vec![&two, &narrow],
        vec![&two, &others],
        vec![&two, &wide, &floor],
        vec![&own, &wide],
        vec![&two, &alone],
    ] {
        assert_eq!(doubt(&fine), "", "{fine:#?}");
    }
}

const GLASS: (&str, &str) = ("approval", "\"after\"");

#[test]
fn going_in_first_is_compared_with_itself_and_with_what_asks_nobody() {
    let doubt = |code, parts: &[&String]| {
        let parts: Vec<String> = parts.iter().map(|part| (*part).clone()).collect();
        doubts(code, &parts)
    };
    let glass = read("glass", &[GLASS]);
    let two = read("two", &[GLASS, ("approvals", "2")]);
    let others = read("easy", &[GLASS, DATA]);
    let free = read("easy", &[&FREE[..], &[DATA]].concat());
    let all = read("all", &[&FREE[..], &[("requesters", "[\"*\"]")]].concat());
    let easier = |parts: &[&String]| doubt(ProblemCode::EasierOutside, parts);
    insta::assert_snapshot!(easier(&[&glass, &free]), @r"p.toml:10:8: easier-outside: rule `glass` gives `ReadOnlyAccess` in `Data Lake Production` as break-glass with 1 signature afterwards, and rule `easy` gives that without approval to people whom the other leaves out; ask for as much in both, or let a guardrail say min_approvals = 1");
    insta::assert_snapshot!(easier(&[&two, &others]), @r"p.toml:11:8: easier-outside: rule `two` gives `ReadOnlyAccess` in `Data Lake Production` as break-glass with 2 signatures afterwards, and rule `easy` gives that with 1 signature to people whom the other leaves out; ask for as much in both, or let a guardrail say min_approvals = 2");
    let undercut = |parts: &[&String]| doubt(ProblemCode::Undercut, parts);
    insta::assert_snapshot!(undercut(&[&glass, &all]), @r"p.toml:3:8: undercut: rule `glass` asks for 1 signature, and rule `all` gives the same people all of it without approval; drop it, or narrow or tighten the other");
    let one = read("one", &[GLASS]);
    insta::assert_snapshot!(undercut(&[&two, &one]), @r"p.toml:3:8: undercut: rule `two` asks for 2 signatures, and rule `one` gives the same people all of it with 1 signature; drop it, or narrow or tighten the other");
    let asks = read("asks", &[("approvals", "2"), DATA]);
    let here = ("accounts", "[\"ou:Production\"]");
    let shut = guardrail("shut", &[here, ("break_glass", "\"deny\"")]);
    let floor = guardrail("floor", &[here, ("min_approvals", "2")]);
    for fine in [
        // It is for other hours than asking first.
        vec![&two, &asks],
        vec![&glass, &asks],
        // Nobody goes in first there.
        vec![&two, &others, &shut],
        vec![&glass, &free, &shut],
        vec![&two, &others, &floor],
        vec![&two, &one, &floor],
    ] {
        let found = easier(&fine) + &undercut(&fine);
        assert_eq!(found, "", "{fine:#?}");
    }
}

#[test]
fn rules_for_groups_are_compared_by_the_groups_that_they_offer() {
    let joins = |name: &str, group: &str, keys: &[(&str, &str)]| {
        let group = format!("[\"group:{group}\"]");
        let targets = [
            ("accounts", ""),
            ("permission_sets", ""),
            ("groups", group.as_str()),
        ];
        rule(name, &[&targets[..], keys].concat())
    };
    let doubt = |code, parts: &[&String]| {
        let parts: Vec<String> = parts.iter().map(|part| (*part).clone()).collect();
        doubts(code, &parts)
    };
    let two = joins("two", "Oncall", &[("approvals", "2")]);
    let others = joins("easy", "Oncall", &[&FREE[..], &[DATA]].concat());
    let wide = joins(
        "wide",
        "Oncall",
        &[("requesters", "[\"group:Engineering\"]")],
    );
    insta::assert_snapshot!(doubt(ProblemCode::EasierOutside, &[&two, &others]), @r"p.toml:9:8: easier-outside: rule `two` asks for 2 approvals for membership of `Oncall`, and rule `easy` gives that without approval to people whom the other leaves out; ask for as much in both, or let a guardrail say min_approvals = 2");
    insta::assert_snapshot!(doubt(ProblemCode::Undercut, &[&two, &wide]), @r"p.toml:3:8: undercut: rule `two` asks for 2 approvals, and rule `wide` gives the same people all of it with 1 approval; drop it, or narrow or tighten the other");
    let elsewhere = joins("easy", "Audit", &[&FREE[..], &[DATA]].concat());
    let pairs = read("easy", &[&FREE[..], &[DATA]].concat());
    let floor = guardrail(
        "floor",
        &[("groups", "[\"group:Oncall\"]"), ("min_approvals", "2")],
    );
    let deny = guardrail(
        "deny",
        &[("groups", "[\"group:Oncall\"]"), ("deny", "true")],
    );
    for fine in [
        vec![&two, &elsewhere],
        vec![&two, &pairs],
        vec![&two, &others, &floor],
        vec![&two, &wide, &floor],
        vec![&two, &others, &deny],
    ] {
        let found = doubt(ProblemCode::EasierOutside, &fine) + &doubt(ProblemCode::Undercut, &fine);
        assert_eq!(found, "", "{fine:#?}");
    }
}

#[test]
fn an_approver_who_asks_may_leave_nobody_to_approve() {
    let doubt = |keys: &[(&str, &str)], more: &[String]| {
        doubts(
            ProblemCode::NobodyCanApprove,
            &[&[read("r", keys)], more].concat(),
        )
    };
    let one = ("approvers", "[\"user:carla.rossi\"]");
    insta::assert_snapshot!(doubt(&[one], &[]), @r"p.toml:3:8: nobody-can-approve: rule `r` has 1 active approver, who may ask by it too and cannot approve for themselves; name more approvers, so that enough are left whoever asks or is away");
    let three = ("requesters", "[\"group:Security\"]");
    insta::assert_snapshot!(doubt(&[three, ("approvals", "3")], &[]), @r"p.toml:3:8: nobody-can-approve: rule `r` has 3 active approvers, who may ask by it too and cannot approve for themselves; name more approvers, so that enough are left whoever asks or is away");
    let four = [guardrail("four", &[("min_approvals", "4")])];
    insta::assert_snapshot!(doubt(&[], &four), @r"p.toml:3:8: nobody-can-approve: rule `r` has 3 active approvers, and guardrails ask for 4 approvals; name more approvers, so that enough are left whoever asks or is away");
    insta::assert_snapshot!(doubt(&FREE, &four), @r"p.toml:3:8: nobody-can-approve: rule `r` has 0 active approvers, and guardrails ask for 4 approvals; name more approvers, so that enough are left whoever asks or is away");
    for fine in [
        vec![("approvers", "[\"user:emma.lindqvist\"]")],
        vec![three, ("approvals", "2")],
        vec![one, ("self_approval", "\"allow\"")],
        FREE.to_vec(),
    ] {
        assert_eq!(doubt(&fine, &[]), "", "{fine:?}");
    }
}

#[test]
fn with_no_more_approvers_than_approvals_none_of_them_can_be_away() {
    let doubt = |keys: &[(&str, &str)], more: &[String]| {
        doubts(
            ProblemCode::FewApprovers,
            &[&[read("r", keys)], more].concat(),
        )
    };
    let one = ("approvers", "[\"user:emma.lindqvist\"]");
    insta::assert_snapshot!(doubt(&[one], &[]), @r"p.toml:3:8: few-approvers: rule `r` needs 1 approval and has 1 active approver, so none can be away; name more approvers, so that enough are left whoever asks or is away");
    insta::assert_snapshot!(doubt(&[one, GLASS], &[]), @r"p.toml:3:8: few-approvers: rule `r` needs 1 signature and has 1 active approver, so none can be away; name more approvers, so that enough are left whoever asks or is away");
    insta::assert_snapshot!(doubt(&[("approvals", "3"), DATA], &[]), @r"p.toml:3:8: few-approvers: rule `r` needs 3 approvals and has 3 active approvers, so none can be away; name more approvers, so that enough are left whoever asks or is away");
    let three = [guardrail("three", &[("min_approvals", "3")])];
    insta::assert_snapshot!(doubt(&[DATA], &three), @r"p.toml:3:8: few-approvers: rule `r` needs 3 approvals and has 3 active approvers, so none can be away; name more approvers, so that enough are left whoever asks or is away");
    let two = [guardrail("two", &[("min_approvals", "2")])];
    for (fine, more) in [
        (vec![], &two[..]),
        (vec![("approvals", "2")], &[]),
        (FREE.to_vec(), &[]),
        // Fewer still is another warning.
        (vec![("approvals", "4")], &[]),
        (vec![("approvers", "[\"user:carla.rossi\"]")], &[]),
    ] {
        assert_eq!(doubt(&fine, more), "", "{fine:?}");
    }
}

#[test]
fn sessions_may_go_on_after_access_has_ended() {
    let read_only = read("r", &[("max_duration", "\"4h\"")]);
    insta::assert_snapshot!(doubts(ProblemCode::SessionOutlives, &[read_only]), @r"p.toml:3:8: session-outlives: rule `r` gives at most 4h, and sessions with `ReadOnlyAccess` go on for up to 8h after that; shorten the sessions of the permission set in Identity Center");
    let all_day = read("r", &[("max_duration", "\"8h\"")]);
    assert_eq!(doubts(ProblemCode::SessionOutlives, &[all_day]), "");
}

#[test]
fn everyone_as_approver_is_no_control() {
    let all = ("approvers", "[\"*\"]");
    insta::assert_snapshot!(doubts(ProblemCode::EveryoneApproves, &[read("r", &[all])]), @r"p.toml:5:14: everyone-approves: rule `r` lets everyone approve; name the users or groups whose approval means something");
    let free = read("r", &[all, FREE[0]]);
    assert_eq!(doubts(ProblemCode::EveryoneApproves, &[free]), "");
}

#[test]
fn names_that_others_can_change_carry_no_guardrail_unseen() {
    let named = [
        guardrail(
            "g",
            &[("accounts", "[\"name:Payments *\"]"), ("deny", "true")],
        ),
        rule(
            "r",
            &[
                &FREE[..],
                &[("accounts", "[\"tag:env=dev\", \"ou:Staging\"]")],
            ]
            .concat(),
        ),
    ];
    insta::assert_snapshot!(doubts(ProblemCode::ChangeableName, &named), @r"
    p.toml:4:13: changeable-name: guardrail `g` holds back by `name:Payments *`, which others can change; use account ids or an OU
    p.toml:8:13: changeable-name: rule `r` grants without approval by `tag:env=dev`, which others can change; use account ids or an OU
    ");
}

#[test]
fn a_thousand_rules_over_five_thousand_accounts_are_checked_with_bounded_output() {
    let mut organisation = Organisation::new();
    let sample = organisation.account("Network").clone();
    for n in 0..5_000_u64 {
        let mut account = sample.clone();
        account.id = format!("{}", 300_000_000_000 + n).parse().unwrap();
        account.name = format!("account-{n}");
        account
            .tags
            .insert("team".to_owned(), (n % 700).to_string());
        organisation
            .directory
            .accounts
            .insert(account.id.clone(), account);
    }
    for n in 0..2_000 {
        organisation.add_person(&format!("person-{n}"), &[], &["Engineering"]);
    }
    let rules: Vec<String> = (0..1_000)
        .map(|n| {
            let approvals = (n % 3 + 1).to_string();
            let tag = format!("[\"tag:team={}\", \"name:account-{}*\"]", n % 700, n % 100);
            let group = ["[\"group:Engineering\"]", "[\"group:SRE\"]", "[\"*\"]"][n % 3];
            let keys = [
                ("accounts", &*tag),
                ("approvals", &*approvals),
                ("requesters", group),
            ];
            rule(&format!("r{n}"), &keys)
        })
        .collect();
    let file = parse(
        &format!("version = 1\n{}", rules.concat()),
        Format::Toml,
        "p",
    )
    .unwrap();
    let found = warnings(&file, Some(&organisation.directory));
    assert!(!found.is_empty() && found.len() <= 4_000, "{}", found.len());
    let _ = report_text("p", &found);
}
