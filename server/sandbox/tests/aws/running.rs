//! A sandbox of a test's own, and a caller with the plainest of clients.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A debug build on a busy machine starts in a second or two.
const START: Duration = Duration::from_mins(1);

/// How long anything that is to happen may take, the lag and the durations aside.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) const INSTANCE: &str = "arn:aws:sso:::instance/ssoins-6987a1b2c3d4e5f6";
pub(crate) const STORE: &str = "d-99670a1b2c";
pub(crate) const PAYMENTS: &str = "111122223333";

/// No limits and no waiting: for tests of something else.
pub(crate) const QUICK: &[&str] = &[
    "--operation-ms=0",
    "--operation-jitter-ms=0",
    "--lag-ms-max=0",
    "--index-lag-ms-max=0",
    "--conflict-percent=0",
    "--sso-admin-rate=0",
    "--identity-store-rate=0",
    "--organizations-rate=0",
];

/// A sandbox that dies with this value.
#[derive(Debug)]
pub(crate) struct Sandbox {
    folder: TempDir,
    flags: Vec<String>,
    process: Child,
    addresses: Value,
    client: Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    /// The answer, which has to be one.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body
    }

    /// The error's name, without its namespace; empty if it is none.
    pub(crate) fn code(&self) -> &str {
        let kind = self.body["__type"].as_str().unwrap_or_default();
        kind.rsplit('#').next().unwrap_or_default()
    }
}

impl Sandbox {
    /// One with an empty folder and these flags.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let (process, addresses) = spawn(&folder, &flags);
        Self {
            folder,
            flags,
            process,
            addresses,
            client: Client::new(),
        }
    }

    /// One that limits nothing and waits for nothing, but for these flags.
    pub(crate) fn quick(flags: &[&str]) -> Self {
        let kept = QUICK.iter().filter(|quick| {
            let name = quick.split('=').next().unwrap();
            !flags.iter().any(|flag| flag.starts_with(name))
        });
        let all: Vec<&str> = kept.chain(flags).copied().collect();
        Self::start(&all)
    }

    /// Kills it as `kill -9` does, and starts it again on the same folder.
    pub(crate) fn kill_and_start_again(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let (process, addresses) = spawn(&self.folder, &self.flags);
        self.process = process;
        self.addresses = addresses;
    }

    /// Its folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn address(&self, door: &str) -> &str {
        self.addresses[door].as_str().unwrap()
    }

    /// Calls `service:Operation`, signed as of now. An error is a connection that was dropped.
    pub(crate) async fn try_call(
        &self,
        operation: &str,
        input: Value,
    ) -> Result<Answer, reqwest::Error> {
        let stamp = stamp(SystemTime::now());
        let headers = [("x-amz-date", stamp), ("authorization", scope(operation))];
        self.send(operation, input, &headers).await
    }

    /// The same where an answer is expected.
    pub(crate) async fn call(&self, operation: &str, input: Value) -> Answer {
        self.try_call(operation, input).await.expect("an answer")
    }

    /// Sends a call with these headers and no others.
    pub(crate) async fn send(
        &self,
        operation: &str,
        input: Value,
        headers: &[(&str, String)],
    ) -> Result<Answer, reqwest::Error> {
        let (target, content_type) = target(operation);
        let mut request = self
            .client
            .post(self.address("aws"))
            .header("x-amz-target", target)
            .header("content-type", content_type)
            .body(input.to_string());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = request.send().await?;
        let status = response.status();
        let body = response.json().await?;
        Ok(Answer { status, body })
    }

    /// Opens the control door.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Answer {
        let address = format!("{}{path}", self.address("control"));
        let mut request = self.client.request(method, address);
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        let response = request.send().await.expect("the control door answers");
        let status = response.status();
        let body = response.json().await.expect("JSON");
        Answer { status, body }
    }

    /// Sets a fault and gives its id.
    pub(crate) async fn fault(&self, fault: Value) -> u64 {
        let answer = self.control(Method::POST, "/faults", fault).await;
        answer.ok()["id"].as_u64().unwrap()
    }

    /// Changes switches.
    pub(crate) async fn switch(&self, switches: Value) {
        self.control(Method::POST, "/switches", switches).await.ok();
    }

    pub(crate) async fn state(&self) -> Value {
        self.control(Method::GET, "/state", Value::Null).await.ok()
    }

    /// Everything that a list gives, page after page.
    pub(crate) async fn all(&self, operation: &str, input: &Value, member: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut input = input.clone();
        loop {
            let page = self.call(operation, input.clone()).await.ok();
            rows.extend(page[member].as_array().unwrap().iter().cloned());
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => return rows,
            }
        }
    }

    /// The ARN of the permission set of this name.
    pub(crate) async fn set(&self, name: &str) -> String {
        let state = self.state().await;
        found(&state["permission_sets"], "name", name, "arn")
    }

    /// The id of the person of this user name.
    pub(crate) async fn person(&self, name: &str) -> String {
        let state = self.state().await;
        found(&state["people"], "user_name", name, "user_id")
    }

    /// The id of the group of this name.
    pub(crate) async fn group(&self, name: &str) -> String {
        let state = self.state().await;
        found(&state["groups"], "display_name", name, "group_id")
    }

    /// The input of an assignment of `ReadOnlyAccess` in Payments Production to this person.
    pub(crate) async fn ask_for(&self, person: &str) -> Value {
        json!({
            "InstanceArn": INSTANCE,
            "TargetId": PAYMENTS,
            "TargetType": "AWS_ACCOUNT",
            "PermissionSetArn": self.set("ReadOnlyAccess").await,
            "PrincipalType": "USER",
            "PrincipalId": self.person(person).await,
        })
    }

    /// The user ids that `ListAccountAssignments` shows on an assignment's account and set.
    pub(crate) async fn holders(&self, ask: &Value) -> Vec<String> {
        let input = json!({
            "InstanceArn": INSTANCE,
            "AccountId": ask["TargetId"],
            "PermissionSetArn": ask["PermissionSetArn"],
        });
        let rows = self
            .all(
                "sso-admin:ListAccountAssignments",
                &input,
                "AccountAssignments",
            )
            .await;
        let text = |row: &Value| row["PrincipalId"].as_str().unwrap().to_owned();
        rows.iter().map(text).collect()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits until something holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let deadline = Instant::now() + SOON;
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}: not in {SOON:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// `20261122T080000Z`.
pub(crate) fn stamp(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at)
        .unwrap()
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

/// A signature's header. Its arithmetic is nobody's concern here.
pub(crate) fn scope(operation: &str) -> String {
    let service = match operation.split(':').next().unwrap() {
        "sso-admin" => "sso",
        other => other,
    };
    format!(
        "AWS4-HMAC-SHA256 Credential=sandbox/20261122/eu-central-1/{service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
    )
}

fn target(operation: &str) -> (String, &'static str) {
    let (service, name) = operation.split_once(':').unwrap();
    let json11 = "application/x-amz-json-1.1";
    match service {
        "sso-admin" => (format!("SWBExternalService.{name}"), json11),
        "identitystore" => (format!("AWSIdentityStore.{name}"), json11),
        "organizations" => (format!("AWSOrganizationsV20161128.{name}"), json11),
        "dynamodb" => (
            format!("DynamoDB_20120810.{name}"),
            "application/x-amz-json-1.0",
        ),
        other => panic!("{other}"),
    }
}

fn found(rows: &Value, by: &str, value: &str, wanted: &str) -> String {
    let mut rows = rows.as_array().unwrap().iter();
    let row = rows.find(|row| row[by] == value).expect(value);
    row[wanted].as_str().unwrap().to_owned()
}

fn spawn(folder: &TempDir, flags: &[String]) -> (Child, Value) {
    let ports_file = folder.path().join("ports.json");
    let _ = fs::remove_file(&ports_file);
    let mut process = command(folder)
        .arg("--ports-file")
        .arg(&ports_file)
        .args(flags)
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + START;
    loop {
        // Written by renaming, so what is there is whole.
        if let Ok(text) = fs::read(&ports_file) {
            return (process, serde_json::from_slice(&text).unwrap());
        }
        let log = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        if let Some(status) = process.try_wait().unwrap() {
            panic!("the sandbox ended with {status}:\n{}", log());
        }
        assert!(Instant::now() < deadline, "it did not start:\n{}", log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The binary, on free ports and the data folder in `folder`.
pub(crate) fn command(folder: &TempDir) -> Command {
    let binary = std::env::var_os("TEST_SANDBOX_BIN")
        .map_or_else(|| env!("CARGO_BIN_EXE_sandbox").into(), PathBuf::from);
    let mut command = Command::new(binary);
    command.arg("--data").arg(folder.path().join("data"));
    command.args(["--aws-port=0", "--oidc-port=0", "--control-port=0"]);
    command
}
