//! What would become of a form as it is filled in: the service's preview becomes a view.

use std::collections::{BTreeMap, BTreeSet};

use app::view::{
    AskFormView, Field, FieldProblem, ForeseenView, NearestView, PreviewOutcome, PreviewView,
    Problem,
};
use domain::policy::Seconds;

use crate::service::{Caller, Foreseen, ServiceError, Submission};
use crate::web::Portal;
use crate::web::forms::{Form, Reason, submission};
use crate::web::refusal::{Refusal, at};

use super::access;

/// Rules whose habits are looked up for one form: more ways than these nobody compares.
const RULES_MAX: usize = 5;

/// Tells the form what would become of what is chosen; of what it begins with, if nothing is.
pub(super) async fn foresee(
    portal: &Portal,
    caller: &Caller,
    page: (&str, &str),
    form: &mut AskFormView,
    chosen: &str,
) -> Result<(), ServiceError> {
    if chosen.contains("duration=") {
        return foresee_chosen(portal, caller, page, form, chosen).await;
    }
    let beginning = begins_with(form, chosen);
    foresee_chosen(portal, caller, page, form, &beginning).await?;
    // More of what somebody has is only possible for as long as the whole of it may be: the form
    // begins with that.
    let shorter = form.preview.nearest.as_ref().and_then(only_shorter);
    if let (Some(seconds), None, true) = (shorter, &form.prefill, chosen.contains("extend=")) {
        form.default_duration_seconds = seconds;
        let beginning = begins_with(form, chosen);
        foresee_chosen(portal, caller, page, form, &beginning).await?;
    }
    Ok(())
}

/// The length that would be allowed, if nothing else has to be otherwise. A ticket is asked for anyway.
const fn only_shorter(nearest: &NearestView) -> Option<u32> {
    if nearest.start.is_some()
        || nearest.reason_chars.is_some()
        || nearest.as_break_glass
        || nearest.without_break_glass
    {
        return None;
    }
    nearest.duration_seconds
}

async fn foresee_chosen(
    portal: &Portal,
    caller: &Caller,
    page: (&str, &str),
    form: &mut AskFormView,
    chosen: &str,
) -> Result<(), ServiceError> {
    let Ok(fields) = Form::parse(chosen.as_bytes()) else {
        form.preview = not_possible(vec![at(Field::Form, Problem::NotUnderstood)]);
        return Ok(());
    };
    let wanted = match submission(page, &fields, Reason::NotYet) {
        Ok(wanted) => wanted,
        Err(refusal) => {
            form.preview = not_possible(refusal.problems);
            return Ok(());
        }
    };
    match foreseen(portal, caller, &wanted).await {
        Ok(previews) => {
            let mut previews = previews.into_iter();
            if let Some(own) = previews.next() {
                form.preview = own.preview;
            }
            form.also = previews.collect();
            Ok(())
        }
        Err(error @ ServiceError::Unavailable { .. }) => Err(error),
        Err(error) => {
            form.preview = not_possible(Refusal::from_service(error).problems);
            Ok(())
        }
    }
}

/// What would become of each target, in the order in which they were asked for.
pub(in crate::web) async fn foreseen(
    portal: &Portal,
    caller: &Caller,
    wanted: &Submission,
) -> Result<Vec<ForeseenView>, ServiceError> {
    let foreseen = portal.service.preview(caller, wanted).await?;
    let world = portal.service.world()?;
    let duration = Seconds::new(wanted.duration_seconds);
    let mut views = Vec::with_capacity(foreseen.len());
    for (target, foreseen) in foreseen {
        let preview = match foreseen {
            Foreseen::Pending(_) => PreviewView {
                outcome: PreviewOutcome::Waiting,
                ..not_possible(Vec::new())
            },
            Foreseen::Verdict(verdict) => {
                let user = &caller.who.id;
                let offered = world.catalogue.offer(user, &target, &world.facts());
                access::preview(&world, offered.as_ref(), duration, &verdict)
            }
        };
        // It was there a moment ago, when policy was asked.
        let target = access::target_view(&world, &target).ok_or(ServiceError::Changed)?;
        views.push(ForeseenView { target, preview });
    }
    tell_habits(portal, &mut views).await?;
    Ok(views)
}

/// The form before anybody has touched it, with what came in the address.
fn begins_with(form: &AskFormView, chosen: &str) -> String {
    let mut fields = url::form_urlencoded::Serializer::new(chosen.to_owned());
    match &form.prefill {
        Some(earlier) => {
            fields.append_pair("duration", &earlier.duration_seconds.to_string());
            fields.append_pair("ticket", &earlier.ticket);
            for also in &earlier.also {
                fields.append_pair("also", also);
            }
        }
        None => {
            fields.append_pair("duration", &form.default_duration_seconds.to_string());
        }
    }
    fields.finish()
}

const fn not_possible(problems: Vec<FieldProblem>) -> PreviewView {
    PreviewView {
        outcome: PreviewOutcome::Refused,
        reasons: Vec::new(),
        routes: Vec::new(),
        problems,
        nearest: None,
    }
}

/// Says of each way how long its approvers usually take.
async fn tell_habits(portal: &Portal, views: &mut [ForeseenView]) -> Result<(), ServiceError> {
    let previews = views.iter_mut().map(|one| &mut one.preview);
    let mut routes: Vec<_> = previews.flat_map(|preview| &mut preview.routes).collect();
    let rules: BTreeSet<String> = routes.iter().map(|route| route.rule.clone()).collect();
    let asked = rules.into_iter().take(RULES_MAX).map(async |rule| {
        let usual = portal.service.usual_answer(&rule).await?;
        Ok::<_, ServiceError>((rule, usual))
    });
    let habits: BTreeMap<_, _> = futures::future::try_join_all(asked)
        .await?
        .into_iter()
        .collect();
    for route in &mut routes {
        route.usually_seconds = habits.get(&route.rule).copied().flatten();
    }
    Ok(())
}
