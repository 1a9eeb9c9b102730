//! The sandbox, with its control door.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::process::Process;
use super::table::Tables;

/// Fast and without surprises; a test that wants a surprise asks for it.
const QUIET: [&str; 10] = [
    "--operation-ms=50",
    "--operation-jitter-ms=0",
    "--lag-ms-max=0",
    "--index-lag-ms-max=0",
    "--conflict-percent=0",
    "--sso-admin-rate=0",
    "--identity-store-rate=0",
    "--organizations-rate=0",
    "--aws-port=0",
    "--oidc-port=0",
];

#[derive(Debug)]
pub(crate) struct Sandbox {
    process: Process,
    folder: TempDir,
    /// All AWS services.
    pub(crate) aws: String,
    /// The OIDC provider.
    pub(crate) oidc: String,
    /// Where the table is.
    pub(crate) tables: Tables,
    /// The control door.
    pub(crate) control: String,
    http: reqwest::Client,
}

fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("TEST_SANDBOX_BIN") {
        return path.into();
    }
    // Beside ours: `cargo build` leaves both there.
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_belay"));
    let sandbox = ours.with_file_name("sandbox");
    assert!(
        sandbox.exists(),
        "build the sandbox first (cargo build -p sandbox), or set TEST_SANDBOX_BIN"
    );
    sandbox
}

impl Sandbox {
    /// Starts one, quiet.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with further flags; a later flag wins.
    pub(crate) fn start_with(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports = folder.path().join("ports.json");
        let mut command = Command::new(binary());
        command
            .args(QUIET.iter().filter(|quiet| {
                let name = quiet.split('=').next();
                !flags.iter().any(|flag| flag.split('=').next() == name)
            }))
            .args(["--control-port=0", "--data"])
            .arg(folder.path().join("data"))
            .arg("--ports-file")
            .arg(&ports)
            .args(flags);
        let mut process = Process::start(command, folder.path(), "sandbox");
        let ports = process.ports(&ports);
        let address = |name: &str| ports[name].as_str().unwrap().to_owned();
        Self {
            process,
            tables: Tables::beside(&address("aws")),
            aws: address("aws"),
            oidc: address("oidc"),
            control: address("control"),
            folder,
            http: reqwest::Client::new(),
        }
    }

    /// A folder that lives as long as the sandbox.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Everything that AWS has now.
    pub(crate) async fn state(&self) -> Value {
        let url = format!("{}/state", self.control);
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// The calls of one operation (`sso-admin:CreateAccountAssignment`) so far.
    pub(crate) async fn calls(&self, operation: &str) -> Vec<Value> {
        let url = format!("{}/calls?since=0", self.control);
        let answer: Value = self
            .http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let calls = answer.get("calls").unwrap_or(&answer);
        calls
            .as_array()
            .unwrap_or_else(|| panic!("no list of calls in {answer}"))
            .iter()
            .filter(|call| call["operation"] == operation)
            .cloned()
            .collect()
    }

    /// The number of the last call so far.
    pub(crate) async fn last_call(&self) -> u64 {
        let answer = self.told(&format!("/calls?since={}", u64::MAX >> 1)).await;
        answer["last"].as_u64().unwrap()
    }

    /// Which operations were called since that one.
    pub(crate) async fn called_since(&self, n: u64) -> BTreeSet<String> {
        let answer = self.told(&format!("/calls?since={n}")).await;
        let calls = answer["calls"].as_array().unwrap();
        calls
            .iter()
            .map(|call| call["operation"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn told(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.control);
        let answer = self.http.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Makes an operation go wrong; gives the fault's id.
    pub(crate) async fn fault(&self, fault: Value) -> String {
        let url = format!("{}/faults", self.control);
        let answer = self.http.post(url).json(&fault).send().await.unwrap();
        assert!(answer.status().is_success(), "{fault}: {answer:?}");
        let answer: Value = answer.json().await.unwrap();
        answer["id"]
            .as_str()
            .map_or_else(|| answer["id"].to_string(), str::to_owned)
    }

    /// An operation that is refused with an error until the fault is lifted.
    pub(crate) async fn refuse(&self, operation: &str, error: &str) -> String {
        self.fault(json!({
            "operation": operation,
            "kind": "error",
            "error": error,
            "times": 1_000_000,
        }))
        .await
    }

    /// How many calls each fault has befallen, by its id.
    pub(crate) async fn faults_fired(&self) -> BTreeMap<String, u64> {
        let faults = self.told("/faults").await;
        let faults = faults.as_array().unwrap();
        faults
            .iter()
            .map(|fault| (fault["id"].to_string(), fault["fired"].as_u64().unwrap()))
            .collect()
    }

    /// Lifts one fault.
    pub(crate) async fn lift(&self, id: &str) {
        let url = format!("{}/faults/{id}", self.control);
        let answer = self.http.delete(url).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// Lifts all faults.
    pub(crate) async fn heal(&self) {
        let url = format!("{}/faults", self.control);
        let answer = self.http.delete(url).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// The Identity Store's user of that user name.
    pub(crate) async fn user_id(&self, user_name: &str) -> String {
        let state = self.state().await;
        let people = state["people"].as_array().expect("people");
        let person = people
            .iter()
            .find(|person| person["user_name"] == user_name || person["userName"] == user_name)
            .unwrap_or_else(|| panic!("nobody is {user_name} in {}", state["people"]));
        person["user_id"]
            .as_str()
            .or_else(|| person["userId"].as_str())
            .or_else(|| person["id"].as_str())
            .expect("a user id")
            .to_owned()
    }

    /// Takes somebody out of a group, as an administrator would.
    pub(crate) async fn leave(&self, user_name: &str, group: &str) {
        let state = self.state().await;
        let group = state["groups"]
            .as_array()
            .expect("groups")
            .iter()
            .find(|have| have["display_name"] == group)
            .unwrap_or_else(|| panic!("no group is {group} in {}", state["groups"]));
        let membership = json!({
            "group_id": group["group_id"],
            "user_id": self.user_id(user_name).await,
        });
        let url = format!("{}/memberships", self.control);
        let answer = self
            .http
            .delete(url)
            .json(&membership)
            .send()
            .await
            .unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["changed"], true, "{answer}");
    }

    /// Assigns a permission set by hand.
    pub(crate) async fn assign(&self, assignment: &Value) {
        let url = format!("{}/assignments", self.control);
        let answer = self.http.put(url).json(assignment).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["changed"], true, "{answer}");
    }

    /// Takes an assignment away by hand.
    pub(crate) async fn unassign(&self, assignment: &Value) {
        let url = format!("{}/assignments", self.control);
        let answer = self.http.delete(url).json(assignment).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["changed"], true, "{answer}");
    }

    /// Whether this assignment is there.
    pub(crate) async fn has(&self, assignment: &Value) -> bool {
        let state = self.state().await;
        let rows = state["assignments"].as_array().unwrap();
        rows.iter().any(|have| {
            ["account_id", "permission_set_arn", "principal_id"]
                .iter()
                .all(|name| have[*name] == assignment[*name])
        })
    }

    /// A person's own assignment, as the control door takes it.
    pub(crate) async fn assignment(&self, user_name: &str, account: &str, set: &str) -> Value {
        let state = self.state().await;
        let sets = state["permission_sets"].as_array().expect("sets");
        let set = sets
            .iter()
            .find(|have| have["name"] == set)
            .unwrap_or_else(|| panic!("no set is {set} in {}", state["permission_sets"]));
        let arn = set.get("permission_set_arn").unwrap_or(&set["arn"]);
        json!({
            "account_id": account,
            "permission_set_arn": arn,
            "principal_type": "USER",
            "principal_id": self.user_id(user_name).await,
        })
    }

    /// Disables or enables somebody, as an administrator or a directory's synchronisation would.
    pub(crate) async fn set_status(&self, user_id: &str, status: &str) {
        let url = format!("{}/people", self.control);
        let person = json!({ "user_id": user_id, "status": status });
        let answer = self.http.put(url).json(&person).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["changed"], true, "{answer}");
    }

    /// Deletes somebody. What they were assigned stays behind, as in AWS.
    pub(crate) async fn delete_person(&self, user_id: &str) {
        let url = format!("{}/people", self.control);
        let person = json!({ "user_id": user_id });
        let answer = self.http.delete(url).json(&person).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["changed"], true, "{answer}");
    }

    /// Puts somebody into a group by hand; gives the membership's id.
    pub(crate) async fn join(&self, user_id: &str, group_id: &str) -> String {
        let url = format!("{}/memberships", self.control);
        let membership = json!({ "group_id": group_id, "user_id": user_id });
        let answer = self.http.put(url).json(&membership).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["membership_id"].as_str().expect("an id").to_owned()
    }

    /// The id of the group of that name.
    pub(crate) async fn group_id(&self, group: &str) -> String {
        let state = self.state().await;
        let groups = state["groups"].as_array().expect("groups");
        let group = groups
            .iter()
            .find(|have| have["display_name"] == group)
            .unwrap_or_else(|| panic!("no group is {group} in {}", state["groups"]));
        group["group_id"].as_str().expect("an id").to_owned()
    }

    /// Whether AWS has this membership, and with which id.
    pub(crate) async fn membership(&self, user_id: &str, group_id: &str) -> Option<String> {
        let state = self.state().await;
        let all = state["memberships"].as_array().expect("memberships");
        all.iter()
            .find(|have| have["group_id"] == group_id && have["user_id"] == user_id)
            .map(|have| have["membership_id"].as_str().expect("an id").to_owned())
    }

    /// A DynamoDB client, to look at the table as nobody else does.
    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.tables.client()
    }

    /// An S3 client, to look at the bucket as nobody else does.
    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
        let config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("sandbox", "sandbox", None, None, "test"))
            .endpoint_url(&self.aws)
            .force_path_style(true)
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// Everything that the sandbox said.
    #[expect(dead_code, reason = "for whoever looks into a failure")]
    pub(crate) fn said(&self) -> String {
        self.process.said()
    }
}
