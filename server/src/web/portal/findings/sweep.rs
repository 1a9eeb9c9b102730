//! The sweep as the page shows it.

use app::view::{
    BaselineView, LeftView, ProposedBaselineView, RipeView, SweepMode, SweepOutcome, SweepView,
};
use domain::finding::{Difference, Finding};
use domain::sweep::Sweep;
use domain::sweep::baseline::ProposedBaseline;
use domain::sweep::plan::{Left, Outcome};

use crate::service::{Caller, SweepFound, baseline_keys};
use crate::store::now;
use crate::sweep::Draft;
use crate::world::World;

use super::super::names::{self, ms};

/// All of it.
pub(in crate::web::portal) fn view(
    world: &World,
    caller: &Caller,
    is_admin: bool,
    found: &SweepFound,
) -> SweepView {
    let rules = &found.rules;
    let mut view = SweepView {
        mode: match rules.mode {
            Sweep::Off => SweepMode::Off,
            Sweep::Warn => SweepMode::Warn,
            Sweep::Enforce => SweepMode::Enforce,
        },
        grace_seconds: u32::try_from(rules.grace.as_secs()).unwrap_or(u32::MAX),
        ..SweepView::default()
    };
    let Some(draft) = &found.draft else {
        return view;
    };
    let (known, plan) = (&draft.known, &draft.plan);
    view.looked = known
        .looks
        .last()
        .map(|look| (ms(look.finished_at), look.seen));
    view.baseline = known.baseline.as_ref().map(|baseline| BaselineView {
        count: count(baseline.keys.len()),
        proposed_by: baseline.proposed_by.name.clone(),
        agreed_by: baseline.agreed_by.name.clone(),
        agreed_at: ms(baseline.agreed_at),
    });
    let proposed = known.proposed.as_ref();
    let proposed = proposed.filter(|proposed| proposed.lapses_at() > now());
    view.proposed = proposed.map(|one| self::proposed(caller, is_admin, draft, one));
    if is_admin && proposed.is_none() && draft.is_whole() {
        let keys = baseline_keys(&draft.findings);
        let list = ProposedBaseline::new(&keys, (caller.who.clone(), ""), now());
        view.may_propose = Some((list.digest, count(keys.len())));
    }
    view.outcome = match plan.outcome {
        Outcome::Halted(halt) => SweepOutcome::Halted(halt.word().to_owned()),
        Outcome::Within => SweepOutcome::Within,
        Outcome::Waits => SweepOutcome::Waits,
        Outcome::Confirmed => SweepOutcome::Confirmed,
    };
    view.ripe = plan
        .ripe
        .iter()
        .map(|one| RipeView {
            finding: one.finding.id.to_string(),
            person: names::person(&one.finding.who),
            target: names::target(world, &one.finding.key.target, &one.finding.names),
            known_since: ms(one.known_since),
        })
        .collect();
    view.ripe_count = count(plan.ripe.len());
    view.cap = count(plan.cap);
    view.digest.clone_from(&plan.digest);
    view.can_confirm = is_admin && plan.outcome == Outcome::Waits;
    view
}

/// Of long lists the first, as far as a page of 200 kB can have them; the API has them whole.
pub(in crate::web::portal) fn shorten(view: &mut SweepView) {
    /// Somebody reads them one by one.
    const RIPE_MAX: usize = 60;
    const LINES_MAX: usize = 150;
    view.ripe.truncate(RIPE_MAX);
    if let Some(proposed) = &mut view.proposed {
        proposed.lines.truncate(LINES_MAX);
    }
}

/// Whether the next pass takes it away, if nothing halts it.
pub(super) fn is_ripe(found: &SweepFound, finding: &Finding) -> bool {
    let plan = found.draft.as_ref().map(|draft| &draft.plan);
    plan.is_some_and(|plan| plan.ripe.iter().any(|one| one.finding.id == finding.id))
}

/// Why it leaves a finding alone.
pub(super) fn why_left(found: &SweepFound, finding: &Finding) -> Option<Left> {
    let draft = found.draft.as_ref()?;
    if finding.difference != Difference::Unmanaged {
        return None;
    }
    draft.plan.left.get(&finding.id).copied()
}

/// The same on the page.
pub(super) fn left(found: &SweepFound, finding: &Finding) -> Option<LeftView> {
    let left = why_left(found, finding)?;
    let until = match left {
        Left::Young { until } => Some(ms(until)),
        _ => None,
    };
    Some(LeftView {
        why: left.word().to_owned(),
        until,
    })
}

fn proposed(
    caller: &Caller,
    is_admin: bool,
    draft: &Draft,
    one: &ProposedBaseline,
) -> ProposedBaselineView {
    let line = |key: &String| {
        let known = draft
            .findings
            .iter()
            .find(|open| open.difference == Difference::Unmanaged && open.key.to_string() == *key);
        known.map_or_else(
            || key.clone(),
            |open| {
                let names = &open.names;
                format!(
                    "{} · {} · {} ({key})",
                    open.who.name, names.account, names.permission_set
                )
            },
        )
    };
    ProposedBaselineView {
        by: one.by.name.clone(),
        reason: one.reason.clone(),
        at: ms(one.at),
        lapses_at: ms(one.lapses_at()),
        digest: one.digest.clone(),
        lines: one.keys.iter().map(line).collect(),
        count: count(one.keys.len()),
        can_agree: is_admin && !one.is_of(&caller.who.id),
        can_drop: is_admin,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
