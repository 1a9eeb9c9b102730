#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;

/// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn good() -> Vec<(&'static str, &'static str)> {
    vec![
        ("response_type", "code"),
        ("client_id", "belay"),
        ("redirect_uri", "http://localhost:8000/auth/callback"),
        ("scope", "openid email profile offline_access"),
        ("state", "s1"),
        ("nonce", "n1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

fn read(pairs: &[(&str, &str)]) -> Result<Authorization, Refused> {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    Authorization::read(&Parameters::parse(&query))
}

fn changed(name: &str, value: Option<&'static str>) -> Result<Authorization, Refused> {
    let mut pairs = good();
    pairs.retain(|(found, _)| *found != name);
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    pairs.extend(value.map(|value| (name, value)));
    read(&pairs)
}

#[track_caller]
fn refused_to_client(name: &str, value: Option<&'static str>, expected: ErrorCode) {
    match changed(name, value) {
        Err(Refused::ToClient { address, code, .. }) => {
            assert_eq!(code, expected, "{name}={value:?}");
            assert_eq!(address.redirect_uri, "http://localhost:8000/auth/callback");
            assert_eq!(address.state.as_deref(), Some("s1"));
        }
        other => panic!("{name}={value:?} gave {other:?}"),
    }
}

#[test]
fn a_good_request_is_read_as_it_was_sent() {
    let request = read(&good()).unwrap();
    assert_eq!(request.state.as_deref(), Some("s1"));
    assert_eq!(request.nonce.as_deref(), Some("n1"));
    assert_eq!(
        request.scopes,
        ["openid", "email", "profile"],
        "what we do not know is ignored"
    );
    assert_eq!(request.prompt, Prompt::WhenNeeded);
    assert_eq!(request.max_age_s, None);
}

#[test]
fn nobody_is_sent_to_an_address_that_is_not_the_clients() {
    for (name, value) in [
        ("client_id", None),
        ("client_id", Some("someone")),
        ("redirect_uri", None),
        ("redirect_uri", Some("https://evil.example/auth/callback")),
        (
            "redirect_uri",
            Some("http://localhost:8000/auth/callback?x=1"),
        ),
    ] {
        assert!(
            matches!(changed(name, value), Err(Refused::OnPage { .. })),
            "{name}={value:?}"
        );
    }
    let mut twice = good();
    twice.push(("redirect_uri", "http://localhost:9999/auth/callback"));
    assert!(matches!(read(&twice), Err(Refused::OnPage { .. })));
}

#[test]
fn each_other_fault_goes_back_to_the_client_by_name() {
    refused_to_client("response_type", None, ErrorCode::InvalidRequest);
    refused_to_client(
        "response_type",
        Some("token"),
        ErrorCode::UnsupportedResponseType,
    );
    refused_to_client("response_mode", Some("fragment"), ErrorCode::InvalidRequest);
    refused_to_client("scope", None, ErrorCode::InvalidScope);
    refused_to_client("scope", Some("email profile"), ErrorCode::InvalidScope);
    refused_to_client("request", Some("eyJ"), ErrorCode::RequestNotSupported);
    refused_to_client(
        "request_uri",
        Some("https://x.example"),
        ErrorCode::RequestUriNotSupported,
    );
    refused_to_client(
        "registration",
        Some("{}"),
        ErrorCode::RegistrationNotSupported,
    );
    refused_to_client("max_age", Some("soon"), ErrorCode::InvalidRequest);
    refused_to_client("max_age", Some("-1"), ErrorCode::InvalidRequest);
    refused_to_client("prompt", Some("none login"), ErrorCode::InvalidRequest);
    refused_to_client("prompt", Some("sometimes"), ErrorCode::InvalidRequest);
    let mut twice = good();
    twice.push(("nonce", "n2"));
    assert!(matches!(
        read(&twice),
        Err(Refused::ToClient {
            code: ErrorCode::InvalidRequest,
            ..
        })
    ));
}

#[test]
fn a_proof_key_is_required_and_must_be_a_hash() {
    refused_to_client("code_challenge", None, ErrorCode::InvalidRequest);
    refused_to_client("code_challenge", Some("short"), ErrorCode::InvalidRequest);
    refused_to_client("code_challenge_method", None, ErrorCode::InvalidRequest);
    refused_to_client(
        "code_challenge_method",
        Some("plain"),
        ErrorCode::InvalidRequest,
    );
}

#[test]
fn a_challenge_admits_its_verifier_and_no_other() {
    let challenge = Challenge::parse(CHALLENGE).unwrap();
    assert!(challenge.admits(VERIFIER));
    assert!(!challenge.admits(CHALLENGE));
    assert!(!challenge.admits(""));
    // The right hash of something that RFC 7636 does not allow as a verifier.
    let short = Challenge(Sha256::digest("too-short").into());
    assert!(!short.admits("too-short"));
}

#[test]
fn prompts_are_told_apart() {
    assert_eq!(
        changed("prompt", Some("login")).unwrap().prompt,
        Prompt::Login
    );
    assert_eq!(
        changed("prompt", Some("none")).unwrap().prompt,
        Prompt::None
    );
    assert_eq!(
        changed("prompt", Some("login select_account"))
            .unwrap()
            .prompt,
        Prompt::SelectAccount
    );
    assert_eq!(
        changed("prompt", Some("select_account login"))
            .unwrap()
            .prompt,
        Prompt::SelectAccount
    );
    assert_eq!(
        changed("prompt", Some("consent")).unwrap().prompt,
        Prompt::Login
    );
}

#[test]
fn an_answer_carries_state_and_issuer() {
    let address = ReturnAddress {
        redirect_uri: "http://localhost:8000/auth/callback".into(),
        state: Some("a&b".into()),
    };
    assert_eq!(
        address.with("http://localhost:8002", &[("code", "c 1")]),
        "http://localhost:8000/auth/callback?code=c+1&state=a%26b&iss=http%3A%2F%2Flocalhost%3A8002"
    );
}
