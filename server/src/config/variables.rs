//! Every variable that Belay knows, said once.
//!
//! What is here is what `--config` accepts, what an unknown name is compared with, and what the
//! reference page is generated from. Names of AWS's own (`AWS_REGION`, `AWS_ENDPOINT_URL` ...) are
//! read by AWS's SDK and are deliberately absent.

/// One variable: its name, what it means and what happens without it.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// The name in the environment and in the file.
    pub name: &'static str,
    /// What it means, one sentence or two, with an example where a format is not obvious.
    pub meaning: &'static str,
    /// What is used when it is absent.
    pub absent: Absent,
}

/// What the absence of a variable means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// Start-up is refused.
    Refused,
    /// Start-up is refused, unless this process serves no people (`--role worker`).
    RefusedForPortal,
    /// This is used.
    Default(&'static str),
    /// The feature is off.
    Off,
}

macro_rules! variables {
    ($($(#[doc = $meaning:literal])+ $name:ident: $absent:expr,)+) => {
        $(pub(super) const $name: &str = stringify!($name);)+

        /// All variables, in the order in which someone sets them.
        pub const VARIABLES: &[Variable] = &[
            $(Variable { name: $name, meaning: concat!($($meaning),+), absent: $absent },)+
        ];
    };
}

variables! {
    /// Where people find the portal: scheme, host and port, no path (`https://belay.example.com`).
    BELAY_PUBLIC_URL: Absent::Refused,
    /// The address on which the portal listens, behind a TLS-terminating load balancer.
    /// Port 0 takes any free one and writes it to `--ports-file`.
    BELAY_LISTEN: Absent::Default("127.0.0.1:8000"),
    /// The address on which `/metrics` listens; keep it away from people.
    BELAY_METRICS_LISTEN: Absent::Default("127.0.0.1:9464"),
    /// The policy: a TOML or JSON file, or an `s3://bucket/key`.
    BELAY_POLICY: Absent::Refused,
    /// The DynamoDB table, created from `terraform/table.json`. Belay never creates it.
    BELAY_TABLE: Absent::Refused,
    /// The S3 bucket of the audit log, with versioning and Object Lock.
    BELAY_AUDIT_BUCKET: Absent::Refused,
    /// The folder in that bucket. Digests go beside it, to `<prefix>-digests`.
    BELAY_AUDIT_PREFIX: Absent::Default("audit"),
    /// The Identity Center instance (`arn:aws:sso:::instance/ssoins-...`).
    BELAY_INSTANCE_ARN: Absent::Refused,
    /// The Identity Store behind that instance (`d-...`).
    BELAY_IDENTITY_STORE_ID: Absent::Refused,
    /// The AWS access portal, to link to a console as a role (`https://d-....awsapps.com`).
    BELAY_ACCESS_PORTAL_URL: Absent::Refused,
    /// Accounts that no policy can open, comma-separated: Belay's own, management, log archive.
    BELAY_PROTECTED_ACCOUNTS: Absent::Default(""),
    /// The OIDC provider, exactly as it names itself in its tokens.
    BELAY_OIDC_ISSUER: Absent::RefusedForPortal,
    /// Belay's client id at that provider.
    BELAY_OIDC_CLIENT_ID: Absent::RefusedForPortal,
    /// The client's secret. A public client has none; PKCE is used either way.
    BELAY_OIDC_CLIENT_SECRET: Absent::Off,
    /// How a login finds its person: rules `claim=attribute`, tried in order, comma-separated.
    /// Attributes: `emails.value` (needs `email_verified`, unless ` trust-unverified` follows),
    /// `userName`, `externalId`.
    BELAY_OIDC_CLAIMS: Absent::Default("email=emails.value"),
    /// The audience (`aud`) that access tokens for the HTTP API carry, as the provider names this API
    /// (`https://belay.example.com/api/v1`). Never the client id, which is the audience of ID tokens.
    /// Without it the API is for signed-in browsers alone.
    BELAY_API_AUDIENCE: Absent::Off,
    /// The most calls a second to each of sso-admin and Identity Store; both allow 20 to everyone
    /// in the organisation together.
    BELAY_AWS_RATE: Absent::Default("15"),
    /// What is done about people's own assignments that no grant wants: `off` (they are not looked
    /// for), `warn` (they are found, and left alone) or `enforce` (what comes after the baseline that
    /// two admins agreed on is taken away, once it has been known for `BELAY_SWEEP_GRACE`: 20 or 2 %
    /// a pass, rounded up, whichever is fewer, and more once an admin has confirmed the list).
    BELAY_SWEEP: Absent::Default("warn"),
    /// How long something is known, by two complete looks, before `enforce` takes it away: `0s` to
    /// `90d` (`1h30m`). It is the time in which people see it on the page, and adopt it.
    BELAY_SWEEP_GRACE: Absent::Default("24h"),
    /// Assignments that are known and never found unmanaged, comma-separated, each
    /// `account/permission-set/person` by id, or `*` for any
    /// (`111122223333/ps-0123456789abcdef/*`). Ids, since a name may be given to something else.
    BELAY_SWEEP_ALLOW: Absent::Default(""),
    /// What is logged: `tracing` directives (`info,server::worker=debug`).
    BELAY_LOG: Absent::Default("info"),
    /// Protections that are lifted although the portal is public, comma-separated:
    /// `aws-endpoint`, `oidc-issuer`, `sandbox-keys`.
    BELAY_ALLOW: Absent::Off,
}

/// Names that the design has given away and that nothing reads yet. To accept one silently would
/// promise what does not happen.
pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with("BELAY_SLACK_")
}

/// The known name nearest to a mistyped one, if it is near enough to be worth saying.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    // 0.8 takes one or two wrong letters in names of this length, and not a different word.
    const NEAR_ENOUGH: f64 = 0.8;
    // Everything shares the prefix; comparing what follows keeps it from hiding the difference.
    let tail = |name: &str| name.trim_start_matches("BELAY_").to_owned();
    VARIABLES
        .iter()
        .map(|known| {
            let score = strsim::normalized_damerau_levenshtein(&tail(known.name), &tail(name))
                .max(strsim::jaro_winkler(&tail(known.name), &tail(name)) - 0.1);
            (score, known.name)
        })
        .filter(|(score, _)| *score >= NEAR_ENOUGH)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
