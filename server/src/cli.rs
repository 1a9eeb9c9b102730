//! What the binary can be asked to do.
//!
//! Results go to stdout, everything else to stderr. Exit codes: 0 yes, 1 no or problems found,
//! 2 usage (also of the configuration), 3 could not find out.

mod conversion;
mod doctor;
mod explain;
mod from_copy;
mod inventory;
mod organisation;
mod policy;
mod reference;
mod serve;
mod sweep;
mod sweep_plan;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Problems, Role};
use crate::policy_text::read_text;

/// How a command ended, for whoever called it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Yes, or done.
    Yes,
    /// No, or problems were found.
    No,
    /// The command or the configuration was not understood.
    Usage,
    /// It could not be found out.
    Unknown,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Yes => 0,
            Outcome::No => 1,
            Outcome::Usage => 2,
            Outcome::Unknown => 3,
        })
    }
}

/// Temporary, approved access to AWS accounts through IAM Identity Center.
#[derive(Debug, Parser)]
#[command(name = "belay", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve people, grant and revoke.
    Serve(Serve),
    /// Look at a policy.
    #[command(subcommand)]
    Policy(Policy),
    /// Check everything that a server needs, and say what to do about what is missing.
    Doctor(Doctor),
    /// End what is late if no server does, or say whether anything is overdue; exit 1 if so. For a
    /// scheduler of its own.
    Sweep(Sweep),
    /// List who holds what in Identity Center, whoever gave it. Reads only, and needs no server.
    Inventory(Inventory),
    /// List every configuration variable.
    Reference(Reference),
}

/// Where the configuration is, for commands that need it.
#[derive(Debug, Args)]
struct ConfigFile {
    /// A TOML file of `BELAY_... = "..."` lines; the environment wins over it.
    #[arg(long = "config", value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    config: ConfigFile,
    /// What this process does. In production portal and worker run apart, with different AWS roles.
    #[arg(long, value_enum, default_value = "all")]
    role: Role,
    /// Write the addresses that were really taken here, as JSON, once they listen.
    #[arg(long, value_name = "FILE")]
    ports_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Policy {
    /// Report every problem of a policy file; exit 1 if there is one.
    Check {
        /// A TOML or JSON file.
        file: PathBuf,
        /// What `belay policy directory` wrote: names are looked up in it, too.
        #[arg(long, value_name = "FILE")]
        directory: Option<PathBuf>,
        /// Look names up in AWS.
        #[arg(long, conflicts_with = "directory")]
        live: bool,
        #[command(flatten)]
        connection: Connection,
        /// Problems as a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Say who gains and loses what by a change of policy; exit 1 if somebody does.
    Diff {
        /// The policy as it is.
        old: PathBuf,
        /// The policy as it would be.
        new: PathBuf,
        #[command(flatten)]
        organisation: Organisation,
        /// The differences as a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Run the policy tests of a JSON file; exit 1 if one fails.
    Test {
        /// A JSON list of cases.
        cases: PathBuf,
        /// The policy for cases that have none of their own.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// What came of each case, one JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Say what the policy answers somebody, with every reason; exit 1 if it refuses.
    Explain(Explain),
    /// Write the organisation as JSON, for `--directory`. Reads only, and needs no server.
    Directory(Connection),
    /// Turn another tool's configuration into a policy that decides the same.
    #[command(subcommand)]
    Import(Import),
    /// Draft a policy from standing access: who holds something today may ask for it.
    Suggest {
        /// What `belay inventory --format json` printed.
        file: PathBuf,
        /// The policy and the problems as a JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// How to reach Identity Center from a command that needs nothing else.
#[derive(Debug, Args)]
struct Connection {
    /// The Identity Center instance; found by itself where there is only one.
    #[arg(long, value_name = "ARN", env = "BELAY_INSTANCE_ARN")]
    instance_arn: Option<String>,
    /// Calls a second to each of Identity Center and the Identity Store. Both allow 20 to everyone in
    /// the organisation together.
    #[arg(long, value_name = "N", env = "BELAY_AWS_RATE", default_value = "15", value_parser = inventory::rate)]
    rate: NonZeroU32,
}

/// Who and what there is: from a file, or read from AWS.
#[derive(Debug, Args)]
struct Organisation {
    /// What `belay policy directory` wrote; without it, AWS is read.
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
struct Explain {
    /// A TOML or JSON file.
    file: PathBuf,
    /// Who asks: an e-mail, a user name or an id.
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    /// The account: its id or its name.
    #[arg(long, required_unless_present = "group", requires = "permission_set")]
    account: Option<String>,
    /// The permission set: its name or its ARN.
    #[arg(long, value_name = "NAME", requires = "account")]
    permission_set: Option<String>,
    /// A group, instead: its name or its id.
    #[arg(long, conflicts_with = "account")]
    group: Option<String>,
    /// For how long, such as 1h30m; without it, the shortest that the policy allows.
    #[arg(long)]
    duration: Option<String>,
    /// The ticket that would be named.
    #[arg(long)]
    ticket: Option<String>,
    /// A later start, such as 2026-11-23T08:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    start: Option<jiff::Timestamp>,
    /// Whether they would go in first, and explain afterwards.
    #[arg(long)]
    break_glass: bool,
    #[command(flatten)]
    organisation: Organisation,
    /// The whole verdict as a JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Import {
    /// SSO Elevator's `config` and `group_config`, as one JSON object.
    SsoElevator {
        /// A JSON file.
        file: PathBuf,
        /// The policy and the problems as a JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct Doctor {
    #[command(flatten)]
    config: ConfigFile,
    /// The role whose needs are checked.
    #[arg(long, value_enum, default_value = "all")]
    role: Role,
    /// Findings as a JSON array.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Sweep {
    #[command(flatten)]
    config: ConfigFile,
    /// Print what `BELAY_SWEEP` would take away by the last complete look, and why it leaves the rest;
    /// exit 1 if there is something. Reads the table only, and changes nothing.
    #[arg(long, conflicts_with = "from_copy")]
    dry_run: bool,
    /// The table is lost: works from the copy of the live grants in the audit bucket. Without
    /// `--confirm` it only says what it would do.
    #[arg(long)]
    from_copy: bool,
    /// The word that `--from-copy` printed for the copy: ends what is past its end by it.
    #[arg(long, value_name = "WORD", requires = "from_copy")]
    confirm: Option<String>,
    /// What was found as a JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Inventory {
    /// How to write it. CSV is safe to open in a spreadsheet.
    #[arg(long, value_enum, default_value = "table")]
    format: InventoryFormat,
    /// The same as `--format json`.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// The Identity Center instance; found by itself where there is only one.
    #[arg(long, value_name = "ARN", env = "BELAY_INSTANCE_ARN")]
    instance_arn: Option<String>,
    /// Calls a second to each of Identity Center and the Identity Store. Both allow 20 to everyone in
    /// the organisation together.
    #[arg(long, value_name = "N", env = "BELAY_AWS_RATE", default_value = "15", value_parser = inventory::rate)]
    rate: NonZeroU32,
}

/// How an inventory is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum InventoryFormat {
    /// Columns for a terminal.
    Table,
    /// Comma-separated, with a heading.
    Csv,
    /// Everything, for `belay policy suggest` and other programs.
    Json,
}

#[derive(Debug, Args)]
struct Reference {
    /// Variables as a JSON array.
    #[arg(long)]
    json: bool,
}

/// Runs the command that this process was started with.
#[must_use]
pub fn run() -> ExitCode {
    // Clap prints help on stdout and ends with 0, errors on stderr with 2, as promised above.
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Serve(command) => serve::run(&command),
        Command::Policy(Policy::Check {
            file,
            directory,
            live,
            connection,
            json,
        }) => {
            let organisation = (live || directory.is_some()).then_some(Organisation {
                directory,
                connection,
            });
            policy::check(&file, organisation.as_ref(), json)
        }
        Command::Policy(Policy::Diff {
            old,
            new,
            organisation,
            json,
        }) => policy::diff(&old, &new, &organisation, json),
        Command::Policy(Policy::Test {
            cases,
            policy: shared,
            json,
        }) => policy::test(&cases, shared.as_deref(), json),
        Command::Policy(Policy::Explain(command)) => explain::run(&command),
        Command::Policy(Policy::Directory(connection)) => organisation::write(&connection),
        Command::Policy(Policy::Import(Import::SsoElevator { file, json })) => {
            conversion::run(&file, json, domain::policy::import)
        }
        Command::Policy(Policy::Suggest { file, json }) => {
            conversion::run(&file, json, domain::policy::suggest)
        }
        Command::Doctor(command) => doctor::run(&command),
        Command::Sweep(command) => sweep::run(&command),
        Command::Inventory(command) => inventory::run(&command),
        Command::Reference(command) => reference::run(command.json),
    };
    outcome.into()
}

impl ConfigFile {
    /// The configuration, or a report of everything that is wrong with it.
    fn load(&self, role: Role) -> Result<Config, Outcome> {
        Config::load(role, self.file.as_deref()).map_err(|Problems(problems)| {
            say("The configuration is not usable:");
            for problem in problems {
                say(&format!("  {problem}"));
            }
            Outcome::Usage
        })
    }
}

/// Starts the runtime. Its threads are said here because Leptos renders on them, and the default of
/// a one-core machine is one thread, on which a page that waits for itself would never be done.
fn runtime() -> Result<tokio::runtime::Runtime, Outcome> {
    // More than 16 only helps past what one process is asked to serve.
    const THREADS: std::ops::RangeInclusive<usize> = 2..=16;
    let cores = std::thread::available_parallelism().map_or(*THREADS.start(), usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.clamp(*THREADS.start(), *THREADS.end()))
        .enable_all()
        .build()
        .map_err(|error| {
            say(&format!("the runtime could not be started: {error}"));
            Outcome::Unknown
        })
}

/// All of a file, or `Err` once it was said what is wrong with it.
fn read(file: &std::path::Path) -> Result<String, Outcome> {
    /// An inventory of 3,000 accounts and 50,000 people is some 100 MB. What has no end, such as a
    /// device, must not fill the memory.
    const BYTES_MAX: usize = 256 * 1024 * 1024;
    read_text(file, BYTES_MAX).map_err(|why| {
        say(&format!("{} cannot be read: {why}", file.display()));
        Outcome::Unknown
    })
}

/// A line for whoever runs the command.
fn say(line: &str) {
    use std::io::Write as _;
    // Nobody listens on a closed stderr, and there is no one else to tell.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A line of the result. A reader that has gone (`| head`) has what it wanted.
fn print(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A result as JSON.
fn print_json(value: &impl serde::Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print(&text),
        Err(error) => say(&format!("the result could not be written as JSON: {error}")),
    }
}

/// The same on one line.
fn print_line(value: &impl serde::Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => print(&text),
        Err(error) => say(&format!("the result could not be written as JSON: {error}")),
    }
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
