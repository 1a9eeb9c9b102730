//! Problems: all at once, each with its place and a way out.

use domain::policy::{Format, Problem, ProblemCode, Severity, check, parse, report_text};

use crate::organisation::Organisation;

fn problems(source: &str, format: Format) -> Vec<Problem> {
    let name = match format {
        Format::Toml => "policy.toml",
        Format::Json => "policy.json",
    };
    parse(source, format, name).err().unwrap_or_default()
}

const MANY_ERRORS: &str = r#"version = 2
admins = ["grup:Platform", "*", 7]
auditors = "group:Audit"
owner = "me"

[defaults]
max_duration = "8"
min_duraton = "20s"
request_expires_after = "1 day"
reason = { min_length = 5000, minimum = 1 }

[[rule]]
name = "payments production"
accounts = ["11112222333", "ou:", "tag:env", "payments", 111122223333, "nam:web-*", " *"]
permission_set = ["ReadOnlyAccess"]
permission_sets = ["Read Only", "arn:aws:sso:::permissionSet/nope", "ReadOnly*"]
requesters = ["ana@example.com", "Payments", "user:"]
aprovers = ["group:Security"]
approvals = 0
approval = "yes"
self_approval = true
max_duration = "31d"
durations = ["15m", "30m1h", "0s", 60]

[[rule]]
name = "payments production"
accounts = []
permission_sets = ["*"]
requesters = ["*"]
approvers = ["group:Security"]
approval = "after"
max_duration = "1h"
durations = ["15m", "2h"]
notify = ["slack:#prod"]

[[rule]]
groups = ["group:Oncall"]
requesters = ["group:SRE"]
approval = "none"
approvals = "two"

[[rule]]
name = "-bad-"
accounts = ["*"]
permission_sets = ["*"]
requesters = ["group:SRE"]

[[guardrail]]
name = "prod-is-careful"
deny = true

[[guardrail]]
name = "second"

[[include]]
file = "payments.toml"
"#;

#[test]
fn every_problem_is_reported_at_once_with_its_place_and_a_way_out() {
    let found = problems(MANY_ERRORS, Format::Toml);
    insta::assert_snapshot!("many_errors", report_text("policy.toml", &found));
}

#[test]
fn json_is_the_same_language_with_the_same_problems_in_their_own_places() {
    let source = r#"{
  "version": 1,
  "version": 1,
  "admins": ["grup:Platform"],
  "defaults": {"reason": {"min_length": 1.5}},
  "rule": [
    {"name": "prod", "accounts": ["ou:Prodüction", 12], "permission_sets": ["ReadOnlyAccess"],
     "requesters": ["*"], "approvers": [], "approval": null, "durations": ["1h"], "max_durations": "1h"}
  ]
}"#;
    let found = problems(source, Format::Json);
    insta::assert_snapshot!("json_errors", report_text("policy.json", &found));
}

#[test]
fn what_is_not_toml_or_json_is_shown_where_it_stops_being_it() {
    for (source, format, place) in [
        ("version = 1\nadmins = [\n", Format::Toml, (2, 11)),
        ("version = = 1", Format::Toml, (1, 11)),
        ("a = 1\na = 2\n", Format::Toml, (2, 1)),
        ("{\"version\": 1,\n  \"rule\" [] }", Format::Json, (2, 10)),
        ("{\"version\": 1", Format::Json, (1, 13)),
        ("", Format::Json, (1, 1)),
        ("{} {}", Format::Json, (1, 4)),
    ] {
        let found = problems(source, format);
        let first = found.first().unwrap_or_else(|| panic!("{source}"));
        assert_eq!(first.code, ProblemCode::Syntax, "{source}");
        assert_eq!(
            (first.place.line, first.place.column),
            place,
            "{source}: {first}"
        );
    }
}

#[test]
fn a_file_of_the_other_notation_or_half_a_file_is_said_to_be() {
    let json = "it is read as TOML; if it is JSON, its name has to end in .json";
    let toml = "JSON begins with {; a policy in TOML needs a name that does not end in .json";
    let rest =
        |notation: &str| format!("the rest of the file is checked once it reads as {notation}");
    for (source, format, message, help) in [
        (
            " {\"version\": 1}",
            Format::Toml,
            "expected",
            json.to_owned(),
        ),
        ("version = = 1", Format::Toml, "expected", rest("TOML")),
        (
            "version = 1",
            Format::Json,
            "expected value",
            toml.to_owned(),
        ),
        (
            "",
            Format::Json,
            "it ends where a value should be",
            rest("JSON"),
        ),
        (
            "{\"rule\": [",
            Format::Json,
            "it ends within a list",
            rest("JSON"),
        ),
        (
            "{\"rule\"",
            Format::Json,
            "it ends within an object",
            rest("JSON"),
        ),
    ] {
        let found = problems(source, format);
        assert!(found[0].message.contains(message), "{source}: {}", found[0]);
        assert_eq!(found[0].help, help, "{source}");
    }
}

#[test]
fn toml_and_json_that_say_the_same_are_the_same_policy_version() {
    let toml = r#"
# A comment, and another order.
version = 1
auditors = ["group:Audit"]
[[rule]]
name = "b"
accounts = ["*"]
permission_sets = ["*"]
requesters = ["*"]
approval = "none"
[[rule]]
name = "a"
max_duration = "60m"
permission_sets = ["ReadOnlyAccess", "Billing"]
accounts = ["ou:Production"]
requesters = ["user:ana.silva"]
approvers = ["group:Security"]
"#;
    let json = r#"{"version": 1, "auditors": ["group:Audit"], "rule": [
        {"name": "a", "accounts": ["ou:Production"], "permission_sets": ["Billing", "ReadOnlyAccess"],
         "requesters": ["user:ana.silva"], "approvers": ["group:Security"], "max_duration": "1h"},
        {"name": "b", "accounts": ["*"], "permission_sets": ["*"], "requesters": ["*"], "approval": "none"}
    ]}"#;
    let organisation = Organisation::new();
    let version = |source: &str, format| {
        let file = parse(source, format, "p").unwrap();
        let resolved = domain::policy::resolve(
            &file,
            &organisation.directory,
            &domain::policy::Setting::default(),
        );
        resolved.policy.version().clone()
    };
    assert_eq!(version(toml, Format::Toml), version(json, Format::Json));
    let longer = json.replace("1h", "2h");
    assert_ne!(version(toml, Format::Toml), version(&longer, Format::Json));
}

#[test]
fn a_problem_quotes_what_was_written_without_obeying_it() {
    let source = "version = 1\n\"\\u001b[2Jboo\\u202e\" = 1\n[[rule]]\n";
    let text = report_text("p.toml", &problems(source, Format::Toml));
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{202e}'),
        "{text}"
    );
    assert!(text.contains("\\u{1b}[2Jboo\\u{202e}"), "{text}");
}

#[test]
fn a_policy_has_limits() {
    let long = format!("version = 1\n# {}", "x".repeat(1 << 20));
    assert_eq!(problems(&long, Format::Toml)[0].code, ProblemCode::TooLarge);

    let deep = format!("{}{}", "[".repeat(60), "]".repeat(60));
    let json = format!("{{\"version\": 1, \"rule\": [], \"x\": {deep}}}");
    assert!(
        problems(&json, Format::Json)
            .iter()
            .any(|p| p.code == ProblemCode::TooLarge)
    );
    // Far beyond every stack: still an answer.
    let abyss = format!("{{\"x\": {}{}}}", "[".repeat(400_000), "]".repeat(400_000));
    assert!(!problems(&abyss, Format::Json).is_empty());
    assert!(!problems(&format!("x = {}", "[".repeat(400_000)), Format::Toml).is_empty());

    let many: Vec<String> = (0..1_001).map(|n| format!("\"user:u{n}\"")).collect();
    let wide = format!("version = 1\nadmins = [{}]\n[[rule]]\n", many.join(","));
    assert!(
        problems(&wide, Format::Toml)
            .iter()
            .any(|p| p.code == ProblemCode::TooLarge)
    );
}

#[test]
fn check_gives_errors_or_else_warnings_and_sums_up() {
    let organisation = Organisation::new();
    let head =
        "version = 1\n[[rule]]\nname = \"r\"\naccounts = [\"*\"]\npermission_sets = [\"*\"]\n";
    let good = format!("{head}requesters = [\"*\"]\napprovers = [\"group:Security\"]\n");
    let doubtful = format!("{head}requesters = [\"*\"]\napprovers = [\"group:Securty\"]\n");
    let bad = format!("{head}requesters = [\"*\"]\napprovers = [\"Security\"]\n");
    let directory = Some(&organisation.directory);

    let found = check(&good, Format::Toml, "p.toml", directory);
    assert_eq!(report_text("p.toml", &found), "p.toml: no problems\n");
    assert_eq!(check(&doubtful, Format::Toml, "p.toml", None), []);
    let found = check(&doubtful, Format::Toml, "p.toml", directory);
    assert!(
        found
            .iter()
            .all(|problem| problem.severity == Severity::Warning)
    );
    insta::assert_snapshot!(report_text("p.toml", &found), @r"
    p.toml:3:8: nobody-can-approve: rule `r` needs 1 approval and has 0 active approvers; name more approvers, or ask for fewer approvals
    p.toml:7:14: unknown-name: there is no group `group:Securty`; it matches nobody; did you mean `group:Security`?
    p.toml: 2 warnings; the policy can be used
    ");
    let found = check(&bad, Format::Toml, "p.toml", directory);
    assert!(report_text("p.toml", &found).ends_with("p.toml: 1 error; the policy is refused\n"));
}

#[test]
fn the_notation_follows_from_the_file_name() {
    for (name, format) in [
        ("policy.toml", Format::Toml),
        ("policy.json", Format::Json),
        ("s3://bucket/POLICY.JSON", Format::Json),
        ("policy", Format::Toml),
    ] {
        assert_eq!(Format::of_file_name(name), format, "{name}");
    }
}
