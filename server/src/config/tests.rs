#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::Write as _;

use super::*;

fn laptop() -> Vec<(&'static str, &'static str)> {
    vec![
        ("BELAY_PUBLIC_URL", "http://localhost:8000"),
        ("BELAY_POLICY", "policy.toml"),
        ("BELAY_TABLE", "belay"),
        ("BELAY_AUDIT_BUCKET", "belay-audit"),
        (
            "BELAY_INSTANCE_ARN",
            "arn:aws:sso:::instance/ssoins-6987a1b2c3d4e5f6",
        ),
        ("BELAY_IDENTITY_STORE_ID", "d-99670a1b2c"),
        (
            "BELAY_ACCESS_PORTAL_URL",
            "https://d-99670a1b2c.awsapps.com/start",
        ),
        ("BELAY_OIDC_ISSUER", "http://localhost:8002"),
        ("BELAY_OIDC_CLIENT_ID", "belay"),
        ("BELAY_OIDC_CLIENT_SECRET", "belay-sandbox-secret"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:8001"),
        ("AWS_ACCESS_KEY_ID", "sandbox"),
    ]
}

fn read(role: Role, changes: &[(&'static str, &'static str)]) -> Result<Config, Problems> {
    let mut environment: Vec<(String, String)> = Vec::new();
    for (name, value) in laptop().into_iter().chain(changes.iter().copied()) {
        environment.retain(|(known, _)| known != name);
        environment.push((name.to_owned(), value.to_owned()));
    }
    Config::from_sources(role, environment, None)
}

fn problems(role: Role, changes: &[(&'static str, &'static str)]) -> Vec<String> {
    match read(role, changes) {
        Ok(_) => Vec::new(),
        Err(Problems(problems)) => problems.iter().map(|p| p.variable.clone()).collect(),
    }
}

#[test]
fn a_laptop_is_accepted() {
    let config = read(Role::All, &[]).unwrap();
    assert_eq!(config.public_url.origin(), "http://localhost:8000");
    assert_eq!(config.audit.prefix, "audit");
    assert_eq!(
        config.identity_center.access_portal_url,
        "https://d-99670a1b2c.awsapps.com"
    );
    assert_eq!(config.oidc.unwrap().claims.len(), 1);
}

#[test]
fn all_problems_are_reported_at_once_with_their_names() {
    let found = problems(
        Role::All,
        &[
            ("BELAY_TABLE", ""),
            ("BELAY_LISTEN", "eight thousand"),
            ("BELAY_AWS_RATE", "0"),
            ("BELAY_PROTECTED_ACCOUNTS", "111122223333, 12"),
            ("BELAY_LOG", "server=loud=very"),
            ("BELAY_OIDC_CLAIMS", "email=mail"),
        ],
    );
    assert_eq!(
        found,
        [
            "BELAY_LISTEN",
            "BELAY_TABLE",
            "BELAY_PROTECTED_ACCOUNTS",
            "BELAY_OIDC_CLAIMS",
            "BELAY_AWS_RATE",
            "BELAY_LOG"
        ]
    );
}

#[test]
fn an_unknown_name_is_refused_and_the_nearest_one_suggested() {
    let Err(Problems(found)) = read(Role::All, &[("BELAY_TABEL", "belay")]) else {
        panic!("BELAY_TABEL was accepted");
    };
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].fix, "did you mean BELAY_TABLE?");
}

#[test]
fn a_reserved_name_is_not_supported_yet() {
    for name in ["BELAY_SLACK_SIGNING_SECRET", "BELAY_SLACK_BOT_TOKEN"] {
        let Err(Problems(found)) = read(Role::All, &[(name, "x")]) else {
            panic!("{name} was accepted");
        };
        assert!(found[0].why.contains("not supported yet"), "{}", found[0]);
    }
}

#[test]
fn a_worker_needs_no_provider() {
    let without: Vec<_> = ["BELAY_OIDC_ISSUER", "BELAY_OIDC_CLIENT_ID"]
        .map(|name| (name, ""))
        .into();
    assert!(read(Role::Worker, &without).unwrap().oidc.is_none());
    assert_eq!(
        problems(Role::Portal, &without),
        ["BELAY_OIDC_ISSUER", "BELAY_OIDC_CLIENT_ID"]
    );
}

#[test]
fn a_public_portal_refuses_what_only_a_sandbox_may_have() {
    let public = ("BELAY_PUBLIC_URL", "https://belay.example.com");
    assert_eq!(
        problems(Role::All, &[public]),
        [
            "AWS_ENDPOINT_URL",
            "AWS_ACCESS_KEY_ID",
            "BELAY_OIDC_ISSUER",
            "BELAY_OIDC_CLIENT_SECRET"
        ]
    );
    let lifted = ("BELAY_ALLOW", "aws-endpoint, sandbox-keys");
    assert_eq!(
        problems(Role::All, &[public, lifted]),
        ["BELAY_OIDC_ISSUER"]
    );
    let loopback = ("BELAY_OIDC_ISSUER", "https://localhost/realms/x");
    assert_eq!(
        problems(Role::All, &[public, lifted, loopback]),
        ["BELAY_OIDC_ISSUER"]
    );
}

#[test]
fn a_public_portal_is_https() {
    let plain = ("BELAY_PUBLIC_URL", "http://belay.example.com");
    assert_eq!(problems(Role::All, &[plain]), ["BELAY_PUBLIC_URL"]);
    for not_an_origin in [
        "https://belay.example.com/x",
        "https://a:b@belay.example.com",
        "belay",
    ] {
        assert!(PublicUrl::parse(not_an_origin).is_err(), "{not_an_origin}");
    }
}

#[test]
fn the_environment_wins_over_the_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(
        file,
        "BELAY_TABLE = \"from-file\"\nBELAY_AWS_RATE = 7\n\
         BELAY_PROTECTED_ACCOUNTS = [\"111122223333\", \"444455556666\"]"
    )
    .unwrap();
    let environment = laptop()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let config = Config::from_sources(Role::All, environment, Some(file.path())).unwrap();
    assert_eq!(config.table, "belay");
    assert_eq!(config.aws_rate.get(), 7);
    assert_eq!(config.protected_accounts.len(), 2);
}

#[test]
fn a_file_is_as_strict_as_the_environment() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(
        file,
        "BELAY_TABEL = \"x\"\nAWS_REGION = \"eu-central-1\"\nBELAY_LOG = true"
    )
    .unwrap();
    let environment = laptop()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let Err(Problems(found)) = Config::from_sources(Role::All, environment, Some(file.path()))
    else {
        panic!("accepted");
    };
    let mut names: Vec<&str> = found.iter().map(|p| p.variable.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["AWS_REGION", "BELAY_LOG", "BELAY_TABEL"]);
}

#[test]
fn secrets_do_not_print() {
    let config = read(Role::All, &[]).unwrap();
    assert!(!format!("{config:?}").contains("belay-sandbox-secret"));
}

#[test]
fn the_port_that_was_taken_replaces_the_one_that_was_left_open() {
    let open = PublicUrl::parse("http://localhost:0").unwrap();
    assert_eq!(
        open.with_chosen_port(4711).origin(),
        "http://localhost:4711"
    );
    let fixed = PublicUrl::parse("http://localhost:8000").unwrap();
    assert_eq!(
        fixed.with_chosen_port(4711).origin(),
        "http://localhost:8000"
    );
}

#[test]
fn a_sweep_warns_and_nothing_is_allowed_unless_it_is_said() {
    use domain::sweep::{AllowList, Sweep};
    use jiff::SignedDuration;

    let config = read(Role::All, &[]).unwrap();
    assert_eq!(config.sweep, Sweep::Warn);
    assert_eq!(config.sweep_allow, AllowList::default());
    let config = read(Role::All, &[("BELAY_SWEEP", "off")]).unwrap();
    assert_eq!(config.sweep, Sweep::Off);
    assert_eq!(config.sweep_grace, SignedDuration::from_hours(24));
    let config = read(
        Role::All,
        &[("BELAY_SWEEP", "enforce"), ("BELAY_SWEEP_GRACE", "90d")],
    );
    let config = config.unwrap();
    assert_eq!(config.sweep, Sweep::Enforce);
    assert_eq!(config.sweep_grace, SignedDuration::from_hours(90 * 24));
    let config = read(Role::All, &[("BELAY_SWEEP_GRACE", "0s")]).unwrap();
    assert_eq!(config.sweep_grace, SignedDuration::ZERO);
    for wrong in ["24", "91d", "90d1s", "-1h", "a day"] {
        let found = problems(Role::Worker, &[("BELAY_SWEEP_GRACE", wrong)]);
        assert_eq!(found, ["BELAY_SWEEP_GRACE"], "{wrong}");
    }
    for wrong in ["enforced", "Warn", "on"] {
        let found = problems(Role::Worker, &[("BELAY_SWEEP", wrong)]);
        assert_eq!(found, ["BELAY_SWEEP"], "{wrong}");
    }
    let known = "111122223333/ps-0123456789abcdef/*";
    let config = read(Role::All, &[("BELAY_SWEEP_ALLOW", known)]).unwrap();
    assert_eq!(config.sweep_allow, known.parse().unwrap());
    for wrong in ["*/*/*", "payments/*/*"] {
        let found = problems(Role::All, &[("BELAY_SWEEP_ALLOW", wrong)]);
        assert_eq!(found, ["BELAY_SWEEP_ALLOW"], "{wrong}");
    }
}

#[test]
fn an_id_token_never_passes_as_an_access_token() {
    let config = read(Role::All, &[]).unwrap();
    assert_eq!(config.oidc.unwrap().api_audience, None);
    let api = "https://belay.example.com/api/v1";
    let config = read(Role::All, &[("BELAY_API_AUDIENCE", api)]).unwrap();
    assert_eq!(config.oidc.unwrap().api_audience.as_deref(), Some(api));
    let found = problems(Role::All, &[("BELAY_API_AUDIENCE", "belay")]);
    assert_eq!(found, ["BELAY_API_AUDIENCE"]);
}
