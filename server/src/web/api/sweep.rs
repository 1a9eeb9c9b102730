//! The sweep, for auditors and admins: what it would take away and what it leaves, and what admins do
//! about it. To everybody else there is no such thing.

use std::collections::BTreeMap;

use app::view as from;
use axum::Json;
use axum::extract::State;
use domain::sweep::plan::{self, Plan};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::service::Steering;
use crate::web::Portal;
use crate::web::portal::PortalBackend;

use super::asker::{Acts, Reads};
use super::body::Body;
use super::problem::{Places, Problem, acted};
use super::shown::{Person, Target, time};
use super::word::{SweepMode, SweepOutcome, WhyLeft};

/// The sweep: how it stands, and what its next pass would do if it goes well.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sweep {
    /// What is done about what nobody promised.
    mode: SweepMode,
    /// How long it is known before it is taken away, in seconds.
    grace_seconds: u32,
    /// The last complete look at everything.
    looked: Option<Look>,
    /// What two admins agreed to leave alone.
    baseline: Option<Baseline>,
    /// What is proposed for that.
    proposed: Option<ProposedBaseline>,
    /// What the caller may propose for that.
    may_propose: Option<BaselineList>,
    /// What the next pass does about what is ripe.
    outcome: SweepOutcome,
    /// What is ripe to be taken away. Of what is found, 2000 at most are kept.
    #[schema(max_items = 2000)]
    ripe: Vec<Ripe>,
    /// The most that a pass takes away by itself.
    cap: u32,
    /// Of what is ripe: whoever confirms it gives this back.
    digest: Option<String>,
    /// Whether the caller may confirm it, by what is known now.
    can_confirm: bool,
    /// Why everything else of what nobody promised is left, and how much of it; `GET /findings` has it
    /// one by one.
    left: Vec<LeftCount>,
}

/// A complete look at everything.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompleteLook)]
struct Look {
    /// When it ended.
    at: Timestamp,
    /// How many assignments of people it showed.
    assignments: u32,
}

/// What two admins agreed to leave alone.
#[derive(Debug, Serialize, ToSchema)]
struct Baseline {
    /// How many are (still) in it.
    count: u32,
    /// Who proposed it: a display name.
    proposed_by: String,
    /// Who agreed: a display name.
    agreed_by: String,
    /// When.
    agreed_at: Timestamp,
}

/// What an admin proposes to leave alone.
#[derive(Debug, Serialize, ToSchema)]
struct ProposedBaseline {
    /// Who: a display name.
    by: String,
    /// Why, in their words.
    reason: String,
    /// When.
    at: Timestamp,
    /// When it lapses, unless somebody answers.
    lapses_at: Timestamp,
    /// Of the list: whoever agrees to it, or drops it, gives this back.
    digest: String,
    /// The list, one line each.
    #[schema(max_items = 2000)]
    lines: Vec<String>,
    /// Whether the caller may agree to it, by what is known now.
    can_agree: bool,
    /// Whether the caller may take it back, or say no to it.
    can_drop: bool,
}

/// What could be proposed as a baseline: what is found of unmanaged access to accounts.
#[derive(Debug, Serialize, ToSchema)]
struct BaselineList {
    /// Of the list: whoever proposes it gives this back.
    digest: String,
    /// How many it has.
    count: u32,
}

/// Something that is ripe to be taken away.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RipeAssignment)]
struct Ripe {
    /// The finding's id, as the list of findings has it.
    finding: String,
    /// Whose.
    person: Person,
    /// What.
    target: Target,
    /// Since when it is known.
    known_since: Timestamp,
}

/// How much is left alone for one reason.
#[derive(Debug, Serialize, ToSchema)]
struct LeftCount {
    /// Why.
    why: WhyLeft,
    /// How much.
    count: u32,
}

impl Sweep {
    fn of(view: from::SweepView, plan: Option<&Plan>) -> Self {
        let look = |(at, assignments)| Look {
            at: time(at),
            assignments,
        };
        let list = |(digest, count)| BaselineList { digest, count };
        Self {
            mode: view.mode.into(),
            grace_seconds: view.grace_seconds,
            looked: view.looked.map(look),
            baseline: view.baseline.map(Baseline::from),
            proposed: view.proposed.map(ProposedBaseline::from),
            may_propose: view.may_propose.map(list),
            outcome: plan.map_or(SweepOutcome::Off, |plan| plan.outcome.into()),
            ripe: view.ripe.into_iter().map(Ripe::from).collect(),
            cap: view.cap,
            digest: plan.map(|plan| plan.digest.clone()),
            can_confirm: view.can_confirm,
            left: plan.map(counted).unwrap_or_default(),
        }
    }
}

/// What is of other kinds is not the sweep's, and not counted.
fn counted(plan: &Plan) -> Vec<LeftCount> {
    let mut counts: BTreeMap<WhyLeft, u32> = BTreeMap::new();
    for left in plan.left.values() {
        if *left != plan::Left::OtherKind {
            *counts.entry((*left).into()).or_default() += 1;
        }
    }
    let counts = counts.into_iter();
    counts
        .map(|(why, count)| LeftCount { why, count })
        .collect()
}

impl From<from::BaselineView> for Baseline {
    fn from(view: from::BaselineView) -> Self {
        Self {
            count: view.count,
            proposed_by: view.proposed_by,
            agreed_by: view.agreed_by,
            agreed_at: time(view.agreed_at),
        }
    }
}

impl From<from::ProposedBaselineView> for ProposedBaseline {
    fn from(view: from::ProposedBaselineView) -> Self {
        Self {
            by: view.by,
            reason: view.reason,
            at: time(view.at),
            lapses_at: time(view.lapses_at),
            digest: view.digest,
            lines: view.lines,
            can_agree: view.can_agree,
            can_drop: view.can_drop,
        }
    }
}

impl From<from::RipeView> for Ripe {
    fn from(view: from::RipeView) -> Self {
        Self {
            finding: view.finding,
            person: view.person.into(),
            target: view.target.into(),
            known_since: time(view.known_since),
        }
    }
}

/// The sweep
///
/// For auditors and admins.
#[utoipa::path(get, path = "/sweep", tag = "sweep", operation_id = "read_sweep", responses(
    (status = 200, description = "How it stands, and what it would do.", body = Sweep),
))]
pub(super) async fn read(
    State(portal): State<Portal>,
    Reads(asker): Reads,
) -> Result<Json<Sweep>, Problem> {
    let backend = PortalBackend::new(portal, asker.caller);
    let found = backend.sweep().await;
    let (view, plan) = found.map_err(|error| Problem::of_read(&error))?;
    Ok(Json(Sweep::of(view, plan.as_ref())))
}

/// A list, as an admin has read it, and why it is proposed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBaseline {
    /// The list's `digest`.
    digest: String,
    /// Why, for whoever agrees to it and for the audit log: 1 to 2000 characters.
    #[schema(min_length = 1)]
    reason: String,
}

/// A list, as an admin has read it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListRead {
    /// The list's `digest`.
    digest: String,
}

async fn steered(
    portal: &Portal,
    Acts(caller): Acts,
    digest: &str,
    steering: Steering,
) -> Result<StatusCode, Problem> {
    let done = portal.service.steer(&caller, digest, &steering).await;
    acted(done, Places::Word("/reason"))
}

/// Propose a baseline
///
/// What is found now, as that very list. Another admin has to agree within a week.
#[utoipa::path(post, path = "/sweep/baseline/propose", tag = "sweep", operation_id = "propose_baseline", request_body = NewBaseline,
    responses((status = 204, description = "It is proposed.")))]
pub(super) async fn propose(
    State(portal): State<Portal>,
    acts: Acts,
    Body(new): Body<NewBaseline>,
) -> Result<StatusCode, Problem> {
    let steering = Steering::Propose { reason: new.reason };
    steered(&portal, acts, &new.digest, steering).await
}

/// Agree to the baseline that another admin proposed
#[utoipa::path(post, path = "/sweep/baseline/agree", tag = "sweep", operation_id = "agree_to_baseline", request_body = ListRead,
    responses((status = 204, description = "It is agreed.")))]
pub(super) async fn agree(
    State(portal): State<Portal>,
    acts: Acts,
    Body(read): Body<ListRead>,
) -> Result<StatusCode, Problem> {
    steered(&portal, acts, &read.digest, Steering::Agree).await
}

/// Drop the baseline that is proposed
///
/// Whoever proposed it takes it back; any other admin says no to it.
#[utoipa::path(post, path = "/sweep/baseline/drop", tag = "sweep", operation_id = "drop_baseline", request_body = ListRead,
    responses((status = 204, description = "It is not proposed any more.")))]
pub(super) async fn drop(
    State(portal): State<Portal>,
    acts: Acts,
    Body(read): Body<ListRead>,
) -> Result<StatusCode, Problem> {
    steered(&portal, acts, &read.digest, Steering::Drop).await
}

/// Let a list go that waits
///
/// For one pass, and that very list: what is ripe is taken away, although it is more than a pass takes
/// away by itself.
#[utoipa::path(post, path = "/sweep/confirm", tag = "sweep", operation_id = "confirm_sweep", request_body = ListRead,
    responses((status = 204, description = "It is confirmed.")))]
pub(super) async fn confirm(
    State(portal): State<Portal>,
    acts: Acts,
    Body(read): Body<ListRead>,
) -> Result<StatusCode, Problem> {
    steered(&portal, acts, &read.digest, Steering::Confirm).await
}
