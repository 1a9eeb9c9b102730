//! The real binary.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::process::Process;
use super::{Browser, Sandbox, eventually};

/// Everybody may have anything at once: for tests of what follows from a promise.
pub(crate) const ANYTHING_AT_ONCE: &str = r#"
version = 1

[defaults]
max_duration = "5m"
min_duration = "5s"
reason = { min_length = 1 }

[[rule]]
name = "anything"
accounts = ["*"]
permission_sets = ["*"]
requesters = ["*"]
approval = "none"
"#;

/// How to start it: the environment of a sandbox, changed at will.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    environment: Vec<(String, String)>,
    role: &'static str,
    says_into: Option<PathBuf>,
}

pub(crate) fn binary() -> PathBuf {
    std::env::var_os("TEST_BELAY_BIN")
        .map_or_else(|| env!("CARGO_BIN_EXE_belay").into(), PathBuf::from)
}

impl Setup {
    /// What `make run` would use, on ports of its own.
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/sandbox/policy.toml");
        let set = [
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", sandbox.tables.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", "sandbox".to_owned()),
            ("AWS_ENDPOINT_URL", sandbox.aws.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("BELAY_PUBLIC_URL", "http://localhost:0".to_owned()),
            ("BELAY_LISTEN", "127.0.0.1:0".to_owned()),
            ("BELAY_METRICS_LISTEN", "127.0.0.1:0".to_owned()),
            ("BELAY_POLICY", policy.to_owned()),
            ("BELAY_TABLE", "belay".to_owned()),
            ("BELAY_AUDIT_BUCKET", "belay-audit".to_owned()),
            (
                "BELAY_INSTANCE_ARN",
                "arn:aws:sso:::instance/ssoins-6987a1b2c3d4e5f6".to_owned(),
            ),
            ("BELAY_IDENTITY_STORE_ID", "d-99670a1b2c".to_owned()),
            (
                "BELAY_ACCESS_PORTAL_URL",
                "https://d-99670a1b2c.awsapps.com/start".to_owned(),
            ),
            (
                "BELAY_PROTECTED_ACCOUNTS",
                "100000000001,666677778888".to_owned(),
            ),
            ("BELAY_OIDC_ISSUER", sandbox.oidc.clone()),
            ("BELAY_OIDC_CLIENT_ID", "belay".to_owned()),
            (
                "BELAY_OIDC_CLIENT_SECRET",
                "belay-sandbox-secret".to_owned(),
            ),
            // The quiet sandbox has no quota, so reading the organisation need not take seconds.
            ("BELAY_AWS_RATE", "500".to_owned()),
            ("BELAY_LOG", "info,server=debug".to_owned()),
        ];
        // Only where it is another than the sandbox's: an override is something that Belay judges.
        let elsewhere = (sandbox.tables.url != sandbox.aws).then(|| {
            let url = sandbox.tables.url.clone();
            ("AWS_ENDPOINT_URL_DYNAMODB", url)
        });
        let environment = set
            .into_iter()
            .chain(elsewhere)
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Self {
            environment,
            role: "all",
            says_into: None,
        }
    }

    /// Sets a variable.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self = self.without(name);
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Serves another policy than the sandbox's.
    #[must_use]
    pub(crate) fn policy(self, sandbox: &Sandbox, text: &str) -> Self {
        let file = sandbox.folder().join("policy.toml");
        std::fs::write(&file, text).unwrap();
        self.with("BELAY_POLICY", file.to_str().unwrap())
    }

    /// Leaves a variable out.
    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(have, _)| have != name);
        self
    }

    /// Serves in one role only.
    #[must_use]
    pub(crate) const fn role(mut self, role: &'static str) -> Self {
        self.role = role;
        self
    }

    /// What it says goes there, and is not kept.
    #[must_use]
    pub(crate) fn says_into(mut self, device: &str) -> Self {
        self.says_into = Some(device.into());
        self
    }

    /// Uses an address that a Belay before had, so that its browsers find this one.
    #[must_use]
    pub(crate) fn at(self, portal: &str) -> Self {
        let port = portal.rsplit(':').next().unwrap_or_default().to_owned();
        self.with("BELAY_PUBLIC_URL", portal)
            .with("BELAY_LISTEN", format!("127.0.0.1:{port}"))
    }

    /// The binary with this environment and nothing else of ours.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command.env_clear().envs(self.environment.iter().cloned());
        command
    }

    /// Runs a command of the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }
}

#[derive(Debug)]
pub(crate) struct Belay {
    process: Process,
    /// Its site, ports and log, for as long as it lives.
    _folder: TempDir,
    /// Where people find it.
    pub(crate) portal: String,
    /// Where `/metrics` is.
    pub(crate) metrics: String,
    http: reqwest::Client,
}

impl Belay {
    /// Starts one on a sandbox, ready.
    pub(crate) async fn start(sandbox: &Sandbox) -> Self {
        Self::launch(&Setup::of(sandbox)).ready().await
    }

    /// Starts one; it listens, and may not be ready.
    pub(crate) fn launch(setup: &Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = site(folder.path());
        let ports = folder.path().join("ports.json");
        let mut command = setup.clone().with("LEPTOS_SITE_ROOT", site).command();
        command
            .args(["serve", "--role", setup.role, "--ports-file"])
            .arg(&ports);
        let mut process = match &setup.says_into {
            Some(device) => Process::start_into(command, device, folder.path(), "belay"),
            None => Process::start(command, folder.path(), "belay"),
        };
        let ports = process.ports(&ports);
        let address = |name: &str| ports[name].as_str().unwrap().to_owned();
        Self {
            process,
            _folder: folder,
            portal: address("portal"),
            metrics: address("metrics"),
            http: reqwest::Client::new(),
        }
    }

    /// Waits until people may be sent to it.
    pub(crate) async fn ready(self) -> Self {
        eventually("belay is ready", || async {
            self.readiness().await["ready"]
                .as_bool()
                .filter(|ready| *ready)
        })
        .await;
        self
    }

    /// What `/readyz` says.
    pub(crate) async fn readiness(&self) -> Value {
        let url = format!("{}/readyz", self.portal);
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// What a metric stands at, all its labels together; 0 if it was never counted.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let url = format!("{}/metrics", self.metrics);
        let answer = self.http.get(url).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let of_it = text.lines().filter(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with([' ', '{']))
        });
        of_it
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// A browser that nobody has used yet.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.portal)
    }

    /// A browser in which this person is signed in.
    pub(crate) async fn signed_in(&self, user_name: &str) -> Browser {
        let browser = self.browser();
        let page = browser.sign_in(user_name).await;
        assert_eq!(
            page.status,
            200,
            "{user_name} cannot sign in: {}",
            page.text()
        );
        browser
    }

    /// Power cut.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// It freezes, as a machine that is suspended.
    pub(crate) fn freeze(&self) {
        self.process.freeze();
    }

    /// It goes on as if nothing had been.
    pub(crate) fn thaw(&self) {
        self.process.thaw();
    }

    /// Whether it has said that it leads, more often than that it does not any more.
    pub(crate) fn leads(&self) -> bool {
        let said = self.said();
        let count = |what| said.matches(what).count();
        count("this server leads") > count("this server does not lead any more")
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.process.terminate();
        self.process.wait()
    }

    /// Everything that it said.
    pub(crate) fn said(&self) -> String {
        self.process.said()
    }
}

/// The built site if there is one, else the least that serves pages without script: these tests
/// are not about the browser's half.
fn site(folder: &Path) -> String {
    if let Some(site) = std::env::var_os("TEST_SITE_DIR") {
        return site.into_string().unwrap();
    }
    let pkg = folder.join("site/pkg");
    std::fs::create_dir_all(&pkg).unwrap();
    for (name, text) in [
        ("belay.0.js", "export function hydrate() {}"),
        ("belay.0.wasm", ""),
        ("belay.0.css", ":root {}"),
        ("belay.0.css.br", "not really brotli"),
    ] {
        std::fs::write(pkg.join(name), text).unwrap();
    }
    std::fs::write(
        folder.join("site/manifest.json"),
        r#"{"js":"/pkg/belay.0.js","wasm":"/pkg/belay.0.wasm","css":"/pkg/belay.0.css"}"#,
    )
    .unwrap();
    folder.join("site").to_str().unwrap().to_owned()
}
