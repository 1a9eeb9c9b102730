//! What may be typed, and what each word means.
//!
//! Every address is loopback by construction: a port can be chosen, a host cannot.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

/// An AWS organisation and an OIDC provider on your laptop, spoken to over the wire.
#[derive(Debug, Parser)]
#[command(name = "sandbox", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

impl Arguments {
    /// `sandbox` alone means `sandbox serve`.
    pub(crate) fn into_serve(self) -> Serve {
        match self.command {
            Some(Command::Serve(serve)) => serve,
            None => self.serve,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start it (the default).
    Serve(Serve),
}

/// How to start.
#[derive(Debug, Clone, Args)]
pub(crate) struct Serve {
    /// Folder that keeps everything: a restart with the same folder loses nothing.
    #[arg(long, default_value = ".sandbox")]
    pub(crate) data: PathBuf,

    /// Port of all AWS services together; 0 picks a free one.
    #[arg(long, default_value_t = 8001)]
    pub(crate) aws_port: u16,

    /// Port of the OIDC provider; 0 picks a free one.
    #[arg(long, default_value_t = 8002)]
    pub(crate) oidc_port: u16,

    /// Port of the control door; 0 picks a free one.
    #[arg(long, default_value_t = 8009)]
    pub(crate) control_port: u16,

    /// Write the chosen addresses to this file as JSON, once everything listens.
    #[arg(long)]
    pub(crate) ports_file: Option<PathBuf>,

    /// Seed of everything drawn at random: durations, lags, refused transactions.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    #[command(flatten)]
    pub(crate) size: Size,

    #[command(flatten)]
    pub(crate) switches: Switches,
}

/// A bigger organisation than the believable one. Extras are named deterministically, so two
/// sandboxes of one size are the same.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Size {
    /// Accounts in all; fewer than the built-in ones means the built-in ones.
    #[arg(long, default_value_t = 0)]
    pub(crate) accounts: usize,

    /// People in all.
    #[arg(long, default_value_t = 0)]
    pub(crate) people: usize,

    /// Groups in all.
    #[arg(long, default_value_t = 0)]
    pub(crate) groups: usize,

    /// Permission sets in all.
    #[arg(long, default_value_t = 0)]
    pub(crate) permission_sets: usize,
}

/// Everything about the behaviour that can be changed, at start by flag and later through
/// `POST /switches` of the control door. What AWS does not document is here rather than in code.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switches {
    /// Mean time an assignment operation takes, in milliseconds.
    #[arg(long, default_value_t = 1500)]
    pub(crate) operation_ms: u64,

    /// Most by which one operation's time differs from the mean, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    pub(crate) operation_jitter_ms: u64,

    /// Longest time that Identity Center's reads lag its writes, in milliseconds; 0 for none.
    #[arg(long, default_value_t = 2000)]
    pub(crate) lag_ms_max: u64,

    /// Longest time that DynamoDB's indexes lag the table, in milliseconds; 0 for none.
    #[arg(long, default_value_t = 300)]
    pub(crate) index_lag_ms_max: u64,

    /// Whether DynamoDB's reads that do not ask for consistency lag as its indexes do.
    #[arg(long, value_enum, default_value_t = EventualReads::Stale)]
    pub(crate) eventual_reads: EventualReads,

    /// Share of DynamoDB transactions refused with `TransactionConflict`, in percent.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) conflict_percent: f64,

    /// Time added to every AWS reply, in milliseconds.
    #[arg(long, default_value_t = 0)]
    pub(crate) latency_ms: u64,

    /// Identity Center's limit in requests a second, all operations together; 0 for none.
    #[arg(long, default_value_t = 20)]
    pub(crate) sso_admin_rate: u32,

    /// The Identity Store's limit in requests a second, all operations together; 0 for none.
    #[arg(long, default_value_t = 20)]
    pub(crate) identity_store_rate: u32,

    /// Organizations' limit in requests a second, for each operation; 0 for none.
    #[arg(long, default_value_t = 10)]
    pub(crate) organizations_rate: u32,

    /// Assignment operations that may be outstanding at once.
    #[arg(long, default_value_t = 15)]
    pub(crate) outstanding_max: usize,

    /// The error that one operation too many gets.
    #[arg(long, value_enum, default_value_t = OutstandingError::Conflict)]
    pub(crate) outstanding_error: OutstandingError,

    /// What creating an assignment that exists does.
    #[arg(long, value_enum, default_value_t = CreateExisting::Succeeds)]
    pub(crate) create_existing: CreateExisting,

    /// What deleting an assignment that does not exist does.
    #[arg(long, value_enum, default_value_t = DeleteMissing::Failed)]
    pub(crate) delete_missing: DeleteMissing,

    /// What a second operation on the same permission set in the same account does.
    #[arg(long, value_enum, default_value_t = SameRole::Queues)]
    pub(crate) same_role: SameRole,

    /// Whether `ListAccountAssignmentsForPrincipal` shows what a person has through groups.
    #[arg(long, value_enum, default_value_t = GroupRows::Shown)]
    pub(crate) group_rows: GroupRows,

    /// Which account the caller's credentials belong to.
    #[arg(long, value_enum, default_value_t = Caller::Management)]
    pub(crate) caller: Caller,

    /// In which order the statuses of operations are listed.
    #[arg(long, value_enum, default_value_t = StatusOrder::Newest)]
    pub(crate) status_order: StatusOrder,

    /// Whether looking for a user name or an e-mail minds its case.
    #[arg(long, value_enum, default_value_t = NameCase::Ignored)]
    pub(crate) name_case: NameCase,

    /// Rows at most in one page of any list, below AWS's own limit; 0 for AWS's own.
    #[arg(long, default_value_t = 0)]
    pub(crate) page_size_max: usize,
}

/// See [`Switches::eventual_reads`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EventualReads {
    /// They may miss recent writes, as DynamoDB's do.
    Stale,
    /// They see every write.
    Fresh,
}

/// See [`Switches::outstanding_error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OutstandingError {
    /// `ConflictException`.
    Conflict,
    /// `ServiceQuotaExceededException`.
    Quota,
    /// `ThrottlingException`.
    Throttling,
}

/// See [`Switches::create_existing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CreateExisting {
    /// The operation ends `SUCCEEDED` and changes nothing.
    Succeeds,
    /// The call is refused with `ConflictException`.
    Conflict,
}

/// See [`Switches::delete_missing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DeleteMissing {
    /// The operation ends `FAILED`.
    Failed,
    /// The call is refused with `ResourceNotFoundException`.
    NotFound,
}

/// See [`Switches::same_role`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SameRole {
    /// It begins when the one before it ends.
    Queues,
    /// The call is refused with `ConflictException`.
    Conflict,
}

/// See [`Switches::group_rows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GroupRows {
    /// Rows with the group's principal id are among the person's.
    Shown,
    /// Only what is assigned to the person directly.
    Hidden,
}

/// See [`Switches::status_order`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StatusOrder {
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
}

/// See [`Switches::name_case`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NameCase {
    /// `ANA.SILVA` finds `ana.silva`.
    Ignored,
    /// It finds nobody.
    Exact,
}

/// See [`Switches::caller`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Caller {
    /// The management account, which may do everything.
    Management,
    /// A delegated administrator, which may not touch the management account.
    Delegated,
}
