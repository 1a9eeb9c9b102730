//! Which part may know which: the arrows of the layout, checked on what cargo resolves.
//!
//! A manifest that breaks one still compiles, and by the time anyone notices, code leans on it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

/// What crates that reach a network, a disk or a runtime cannot do without.
const INPUT_AND_OUTPUT: [&str; 9] = [
    "axum", "hyper", "mio", "reqwest", "rusqlite", "rustls", "socket2", "tokio", "ureq",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kinds {
    /// What ends up in a program.
    Shipped,
    /// And what its tests use.
    WithTests,
}

static GRAPH: LazyLock<Graph> = LazyLock::new(Graph::read);

/// Every crate of the workspace and below, with every feature on.
struct Graph {
    names: BTreeMap<String, String>,
    edges: BTreeMap<String, Vec<(String, Vec<Value>)>>,
}

impl Graph {
    fn read() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
        // For one system only: cargo then needs no crate that this build did not.
        let output = Command::new(cargo)
            .current_dir(root())
            .args([
                "metadata",
                "--format-version",
                "1",
                "--all-features",
                "--locked",
            ])
            .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
            .output()
            .expect("cargo starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let list = |value: &Value| value.as_array().unwrap().clone();
        let names = list(&metadata["packages"])
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let edges = list(&metadata["resolve"]["nodes"])
            .iter()
            .map(|node| {
                let edge = |dep: &Value| {
                    let kinds = list(&dep["dep_kinds"]);
                    (
                        text(&dep["pkg"]),
                        kinds.iter().map(|kind| kind["kind"].clone()).collect(),
                    )
                };
                (
                    text(&node["id"]),
                    list(&node["deps"]).iter().map(edge).collect(),
                )
            })
            .collect();
        Self { names, edges }
    }

    fn id(&self, name: &str) -> &str {
        let mut ids = self
            .names
            .iter()
            .filter(|(id, it)| *it == name && id.starts_with("path+"));
        ids.next()
            .unwrap_or_else(|| panic!("no package {name} in the workspace"))
            .0
    }

    /// Names of what `package` needs itself. Tests of what it needs are not ours to look at.
    fn direct(&self, package: &str, kinds: Kinds) -> BTreeSet<&str> {
        self.needed(self.id(package), kinds)
            .map(|id| self.names[id].as_str())
            .collect()
    }

    /// Names of everything below `package`.
    fn below(&self, package: &str, kinds: Kinds) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = self.needed(self.id(package), kinds).collect();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.needed(id, Kinds::Shipped));
            }
        }
        seen.into_iter().map(|id| self.names[id].as_str()).collect()
    }

    fn needed<'a>(&'a self, id: &str, kinds: Kinds) -> impl Iterator<Item = &'a str> {
        self.edges[id]
            .iter()
            .filter(move |(_, found)| {
                kinds == Kinds::WithTests || found.iter().any(|kind| kind.as_str() != Some("dev"))
            })
            .map(|(id, _)| id.as_str())
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

#[track_caller]
fn assert_none<'a>(found: &BTreeSet<&'a str>, forbidden: impl Fn(&str) -> bool) {
    let broken: Vec<&'a str> = found
        .iter()
        .copied()
        .filter(|name| forbidden(name))
        .collect();
    assert!(broken.is_empty(), "an arrow is broken by: {broken:?}");
}

fn is_aws(name: &str) -> bool {
    name.starts_with("aws-") && name != "aws-lc-rs" && name != "aws-lc-sys"
}

#[test]
fn the_interface_knows_neither_aws_nor_the_domain_nor_the_server() {
    let below = GRAPH.below("app", Kinds::WithTests);
    assert_none(&below, |name| {
        is_aws(name) || ["domain", "server", "sandbox", "bundle", "sqlx", "reqwest"].contains(&name)
    });
}

#[test]
fn the_interface_does_no_input_or_output_of_its_own() {
    // Rendering brings axum and tokio below leptos_axum; the interface itself may not name them.
    let direct = GRAPH.direct("app", Kinds::Shipped);
    assert_none(&direct, |name| INPUT_AND_OUTPUT.contains(&name));
}

#[test]
fn the_domain_reaches_nothing_outside_itself() {
    let below = GRAPH.below("domain", Kinds::Shipped);
    assert_none(&below, |name| {
        is_aws(name)
            || INPUT_AND_OUTPUT.contains(&name)
            || ["app", "bundle", "leptos", "sandbox", "server", "tracing"].contains(&name)
    });
}

#[test]
fn the_domains_tests_know_only_the_domain() {
    let below = GRAPH.below("domain", Kinds::WithTests);
    assert_none(&below, |name| {
        is_aws(name) || ["app", "sandbox", "server", "tokio"].contains(&name)
    });
}

#[test]
fn the_sandbox_shares_no_code_with_what_it_judges() {
    let below = GRAPH.below("sandbox", Kinds::WithTests);
    assert_none(&below, |name| {
        ["app", "bundle", "domain", "leptos", "server"].contains(&name)
    });
}

#[test]
fn nothing_that_ships_contains_the_sandbox() {
    for package in ["app", "bundle", "domain", "server"] {
        let below = GRAPH.below(package, Kinds::Shipped);
        assert_none(&below, |name| {
            name == "sandbox" || name == "dynoxide-rs" || name == "s3s"
        });
    }
}

#[test]
fn the_server_is_what_knows_both() {
    let direct = GRAPH.direct("server", Kinds::Shipped);
    assert!(direct.contains("app") && direct.contains("domain"));
}

#[test]
fn the_root_has_the_five_folders_of_the_layout_and_no_other() {
    let mut folders = BTreeSet::new();
    for entry in std::fs::read_dir(root()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() && !name.starts_with('.') && name != "target" {
            folders.insert(name);
        }
    }
    let expected = ["app", "end2end", "server", "style", "terraform"].map(str::to_owned);
    assert_eq!(folders, BTreeSet::from(expected));
}
