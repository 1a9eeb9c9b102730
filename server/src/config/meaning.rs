//! What the typed texts mean.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use domain::id::AccountId;
use domain::policy::Seconds;
use domain::sweep::{GRACE_MAX, NotAPattern, Sweep};
use jiff::SignedDuration;
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::exposure::{Protection, is_loopback};
use super::typed::Typed;
use super::variables::{
    Absent, BELAY_ACCESS_PORTAL_URL, BELAY_ALLOW, BELAY_API_AUDIENCE, BELAY_AUDIT_BUCKET,
    BELAY_AUDIT_PREFIX, BELAY_AWS_RATE, BELAY_IDENTITY_STORE_ID, BELAY_INSTANCE_ARN, BELAY_LISTEN,
    BELAY_LOG, BELAY_METRICS_LISTEN, BELAY_OIDC_CLAIMS, BELAY_OIDC_CLIENT_ID,
    BELAY_OIDC_CLIENT_SECRET, BELAY_OIDC_ISSUER, BELAY_POLICY, BELAY_PROTECTED_ACCOUNTS,
    BELAY_PUBLIC_URL, BELAY_SWEEP, BELAY_SWEEP_ALLOW, BELAY_SWEEP_GRACE, BELAY_TABLE, VARIABLES,
};
use super::{AuditLog, Config, IdentityCenter, Oidc, PolicySource, Problem, Role, claims};

/// AWS raises 20 calls a second by support case; nobody is known to have more than a few hundred,
/// and a typing error of three digits should not empty everybody's quota.
const MAX_AWS_RATE: u32 = 500;

/// Where people find the portal: an origin, nothing after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(Url);

impl PublicUrl {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let url = web_url(text)?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err("has something after the host and port".to_owned());
        }
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err("is not https: sign-in cookies would travel in the clear".to_owned());
        }
        Ok(Self(url))
    }

    /// `scheme://host[:port]`, as browsers send it in `Origin`.
    #[must_use]
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The full address of one of our own paths, which starts with `/`.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// Whether browsers reach us by TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether only this machine can reach it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The same with the port that was really taken, where any free one was asked for (`:0`).
    #[must_use]
    pub fn with_chosen_port(mut self, port: u16) -> Self {
        if self.0.port() == Some(0) {
            // Fails only for addresses without a host, and this one has one.
            let _ = self.0.set_port(Some(port));
        }
        self
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

struct Reader<'a> {
    typed: &'a Typed,
    role: Role,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    /// The text, or what stands for its absence; a missing one that must be there is a problem.
    fn text(&mut self, name: &'static str) -> Option<String> {
        if let Some(text) = self.typed.text(name) {
            return Some(text.to_owned());
        }
        let variable = VARIABLES.iter().find(|variable| variable.name == name)?;
        match variable.absent {
            Absent::Default(text) => return Some(text.to_owned()),
            Absent::Off => return None,
            Absent::RefusedForPortal if !self.role.serves_people() => return None,
            Absent::Refused | Absent::RefusedForPortal => {}
        }
        self.problems.push(Problem::new(
            name,
            "is not set",
            format!("set it. {}", variable.meaning.trim()),
        ));
        None
    }

    fn parsed<T>(
        &mut self,
        name: &'static str,
        fix: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(name)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.problems.push(Problem::new(name, why, fix));
                None
            }
        }
    }
}

/// Gives the texts their meaning; `None` whenever a problem was added that leaves a hole.
pub(super) fn read(
    typed: &Typed,
    role: Role,
    site_root: PathBuf,
    problems: &mut Vec<Problem>,
) -> Option<Config> {
    let mut from = Reader {
        typed,
        role,
        problems,
    };
    // Everything is read before any `?`, so that all problems are found in one go.
    let public_url = from.parsed(
        BELAY_PUBLIC_URL,
        "give scheme, host and port: https://belay.example.com",
        PublicUrl::parse,
    );
    let listen = from.parsed(
        BELAY_LISTEN,
        "give an address and a port: 0.0.0.0:8000",
        address,
    );
    let metrics_listen = from.parsed(
        BELAY_METRICS_LISTEN,
        "give an address and a port: 127.0.0.1:9464",
        address,
    );
    let policy = from.parsed(
        BELAY_POLICY,
        "give a path or s3://bucket/key",
        policy_source,
    );
    let table = from.parsed(
        BELAY_TABLE,
        "give the table's name: 3 to 255 letters, digits, `_`, `.` or `-`",
        table_name,
    );
    let audit = audit_log(&mut from);
    let identity_center = identity_center(&mut from);
    let protected_accounts = from.parsed(
        BELAY_PROTECTED_ACCOUNTS,
        "give account ids of 12 digits with commas between",
        account_ids,
    );
    let oidc = oidc(&mut from);
    let aws_rate = from.parsed(BELAY_AWS_RATE, "give calls a second, 1 to 500", rate);
    let sweep = from.parsed(BELAY_SWEEP, "give off, warn or enforce", sweep);
    let sweep_grace = from.parsed(BELAY_SWEEP_GRACE, "give 0s to 90d, such as 24h", grace);
    let sweep_allow = from.parsed(
        BELAY_SWEEP_ALLOW,
        "give account/permission-set/person by id, with * for any: 111122223333/ps-0123456789abcdef/*",
        |text| text.parse().map_err(|error: NotAPattern| error.to_string()),
    );
    let lifted = lifted(&mut from);
    let log = from.parsed(
        BELAY_LOG,
        "give tracing directives: info,server=debug",
        directives,
    );

    Some(Config {
        public_url: public_url?,
        listen: listen?,
        metrics_listen: metrics_listen?,
        policy: policy?,
        table: table?,
        audit: audit?,
        identity_center: identity_center?,
        protected_accounts: protected_accounts?,
        oidc: oidc.ok()?,
        aws_rate: aws_rate?,
        sweep: sweep?,
        sweep_grace: sweep_grace?,
        sweep_allow: sweep_allow?,
        log: log?,
        lifted: lifted?,
        site_root,
    })
}

/// The protections that were lifted by name: none, if none is.
fn lifted(from: &mut Reader<'_>) -> Option<Vec<Protection>> {
    if from.typed.text(BELAY_ALLOW).is_none() {
        return Some(Vec::new());
    }
    from.parsed(
        BELAY_ALLOW,
        "known are aws-endpoint, oidc-issuer and sandbox-keys",
        |text| {
            text.split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(|name| {
                    Protection::ALL
                        .into_iter()
                        .find(|one| one.name() == name)
                        .ok_or_else(|| format!("names `{name}`, which is no protection"))
                })
                .collect()
        },
    )
}

fn audit_log(from: &mut Reader<'_>) -> Option<AuditLog> {
    let bucket = from.parsed(BELAY_AUDIT_BUCKET, "give the bucket's name", bucket_name);
    let prefix = from.parsed(BELAY_AUDIT_PREFIX, "give a folder such as audit", |text| {
        let prefix = text.trim_matches('/');
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/_-.".contains(&b);
        if (1..=200).contains(&prefix.len()) && prefix.bytes().all(plain) {
            Ok(prefix.to_owned())
        } else {
            Err("is not 1 to 200 letters, digits, `/`, `_`, `.` or `-`".to_owned())
        }
    });
    Some(AuditLog {
        bucket: bucket?,
        prefix: prefix?,
    })
}

fn identity_center(from: &mut Reader<'_>) -> Option<IdentityCenter> {
    let instance_arn = from.parsed(
        BELAY_INSTANCE_ARN,
        "copy it from the Identity Center settings: arn:aws:sso:::instance/ssoins-...",
        |text| {
            let id = text
                .strip_prefix("arn:")
                .and_then(|rest| rest.split_once(":sso:::instance/"))
                .map(|(_, id)| id);
            match id {
                Some(id) if id.starts_with("ssoins-") => Ok(text.to_owned()),
                _ => Err(format!("is `{text}`, which is not an instance's ARN")),
            }
        },
    );
    let identity_store_id = from.parsed(
        BELAY_IDENTITY_STORE_ID,
        "copy it from the Identity Center settings: d-1234567890",
        |text| {
            // The two shapes that the Identity Store API accepts.
            let plain = |id: &str| id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
            let id = text.strip_prefix("d-").unwrap_or(text);
            if (10..=36).contains(&id.len()) && plain(id) {
                Ok(text.to_owned())
            } else {
                Err(format!("is `{text}`, which is not an Identity Store id"))
            }
        },
    );
    let access_portal_url = from.parsed(
        BELAY_ACCESS_PORTAL_URL,
        "copy it from the Identity Center settings: https://d-....awsapps.com/start",
        |text| {
            let url = web_url(text)?;
            let base = url.as_str().trim_end_matches('/');
            // People copy it with `/start`; links are built from what is before it.
            Ok(base.trim_end_matches("/start").to_owned())
        },
    );
    Some(IdentityCenter {
        instance_arn: instance_arn?,
        identity_store_id: identity_store_id?,
        access_portal_url: access_portal_url?,
    })
}

/// `Ok(None)` for a role that serves nobody; `Err` when problems were added.
fn oidc(from: &mut Reader<'_>) -> Result<Option<Oidc>, ()> {
    let issuer = from.parsed(
        BELAY_OIDC_ISSUER,
        "give the `issuer` of the provider's discovery document",
        |text| {
            let url = web_url(text)?;
            if url.query().is_some() || url.fragment().is_some() {
                return Err("has a query or a fragment, which no issuer has".to_owned());
            }
            Ok((text.to_owned(), url))
        },
    );
    let client_id = from.text(BELAY_OIDC_CLIENT_ID);
    let client_secret = from.text(BELAY_OIDC_CLIENT_SECRET).map(SecretString::from);
    let claims = from.parsed(
        BELAY_OIDC_CLAIMS,
        "give rules such as email=emails.value, preferred_username=userName",
        claims::parse,
    );
    let api_audience = api_audience(from, client_id.as_deref());
    if !from.role.serves_people() {
        return Ok(None);
    }
    match (issuer, client_id, claims) {
        (Some((issuer, issuer_url)), Some(client_id), Some(claims)) => Ok(Some(Oidc {
            issuer,
            issuer_url,
            client_id,
            client_secret,
            claims,
            api_audience,
        })),
        _ => Err(()),
    }
}

/// An ID token says that somebody signed in, to whoever relays it: it must never do for a token that
/// was given out for this API.
fn api_audience(from: &mut Reader<'_>, client_id: Option<&str>) -> Option<String> {
    from.parsed(
        BELAY_API_AUDIENCE,
        "give the audience by which the provider knows this API",
        |text| {
            if Some(text) == client_id {
                return Err(format!(
                    "is what {BELAY_OIDC_CLIENT_ID} is: ID tokens would pass as access tokens"
                ));
            }
            Ok(text.to_owned())
        },
    )
}

fn sweep(text: &str) -> Result<Sweep, String> {
    match text {
        "off" => Ok(Sweep::Off),
        "warn" => Ok(Sweep::Warn),
        "enforce" => Ok(Sweep::Enforce),
        _ => Err(format!(
            "is `{text}`, which is none of off, warn and enforce"
        )),
    }
}

fn grace(text: &str) -> Result<SignedDuration, String> {
    let grace = Seconds::parse(text).map_err(|error| format!("is `{text}`: {error}"))?;
    if grace.duration() > GRACE_MAX {
        return Err(format!("is `{text}`, which is longer than 90 days"));
    }
    Ok(grace.duration())
}

fn web_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is not an address ({error})"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("is not an http or https address".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user name or a password in it".to_owned());
    }
    Ok(url)
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("is `{text}`, which is not an IP address and a port"))
}

fn policy_source(text: &str) -> Result<PolicySource, String> {
    let Some(rest) = text.strip_prefix("s3://") else {
        return Ok(PolicySource::File(text.into()));
    };
    match rest.split_once('/') {
        Some((bucket, key)) if !key.is_empty() => Ok(PolicySource::S3 {
            bucket: bucket_name(bucket)?,
            key: key.to_owned(),
        }),
        _ => Err(format!("is `{text}`, which has no key after the bucket")),
    }
}

fn table_name(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    if (3..=255).contains(&text.len()) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(format!("is `{text}`, which is not a table's name"))
    }
}

fn bucket_name(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b);
    if (3..=63).contains(&text.len()) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(format!("is `{text}`, which is not a bucket's name"))
    }
}

fn account_ids(text: &str) -> Result<Vec<AccountId>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .map(|id| AccountId::parse(id).map_err(|error| format!("is wrong: {error}")))
        .collect()
}

fn rate(text: &str) -> Result<NonZeroU32, String> {
    text.parse::<NonZeroU32>()
        .ok()
        .filter(|rate| rate.get() <= MAX_AWS_RATE)
        .ok_or_else(|| format!("is `{text}`"))
}

fn directives(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| format!("is `{text}`, which cannot be read ({error})"))
}
