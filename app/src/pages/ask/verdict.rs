//! What would become of the form as it is filled in now: told before it is submitted, and again with each choice.

use leptos::{html, prelude::*};

use crate::{
    clock,
    components::{Time, way},
    link, sentence,
    view::{AskFormView, FormState, NearestView, PreviewOutcome, PreviewView, Reason, RouteView},
};

/// Something of the form was chosen anew.
pub(super) const CHOSEN: &str = "chosen";

/// What of a form makes a difference to its verdict. The reason does not: it is asked for when the form is submitted.
const FIELDS: [&str; 6] = ["duration", "start", "zone", "ticket", "extend", "also"];

/// What was chosen before this page was made, as a form encodes it.
pub(super) fn before(form: &FormState) -> String {
    let values = form.values.iter();
    let values = values.map(|(name, value)| (name.as_str(), value.as_str()));
    link::query(values.filter(|(name, value)| FIELDS.contains(name) && !value.is_empty()))
}

/// Asks about what is chosen now, if that is something else than before.
#[cfg(feature = "hydrate")]
pub(super) fn choose(form: NodeRef<html::Form>, chosen: RwSignal<String>) {
    if let Some(now) = now(form)
        && chosen.get_untracked() != now
    {
        chosen.set(now);
        crate::live::moved_here(CHOSEN);
    }
}

/// Nothing is chosen where there is no browser.
#[cfg(not(feature = "hydrate"))]
pub(super) const fn choose(_form: NodeRef<html::Form>, _chosen: RwSignal<String>) {}

/// What is chosen now, as a form encodes it.
#[cfg(feature = "hydrate")]
fn now(form: NodeRef<html::Form>) -> Option<String> {
    let form = web_sys::FormData::new_with_form(&form.get_untracked()?).ok()?;
    for long in ["reason", "confirmation"] {
        form.delete(long);
    }
    let chosen = web_sys::UrlSearchParams::new_with_str_sequence_sequence(&form).ok()?;
    Some(String::from(chosen.to_string()))
}

/// The verdict on each target that is chosen.
pub(super) fn verdicts(form: &AskFormView) -> AnyView {
    if form.also.is_empty() {
        return verdict(&form.preview, None);
    }
    let own = verdict(&form.preview, Some(sentence::target(&form.target)));
    let also = form.also.iter().map(|one| {
        let target = sentence::target(&one.target);
        verdict(&one.preview, Some(target))
    });
    std::iter::once(own).chain(also).collect_view().into_any()
}

fn verdict(preview: &PreviewView, of: Option<String>) -> AnyView {
    let (class, title) = match preview.outcome {
        PreviewOutcome::Automatic => (
            "verdict verdict-good",
            "You get this at once, without approval.",
        ),
        PreviewOutcome::SelfApproved => (
            "verdict verdict-good",
            "You may approve this yourself, so you get it at once.",
        ),
        PreviewOutcome::NeedsApproval => ("verdict verdict-wait", "Somebody has to approve this."),
        PreviewOutcome::BreakGlass => (
            "verdict verdict-wait",
            "This is only possible as break-glass: you go in first, and it is signed afterwards.",
        ),
        PreviewOutcome::Waiting => (
            "verdict verdict-wait",
            "You have asked for this already, and it waits for an answer.",
        ),
        PreviewOutcome::Refused => (
            "verdict verdict-bad",
            "This cannot be granted as things are.",
        ),
    };
    let mut details: Vec<AnyView> = preview
        .problems
        .iter()
        .map(|found| {
            let said = sentence::problem(found.field, &found.problem);
            view! { <li>{said}</li> }.into_any()
        })
        .collect();
    match preview.outcome {
        PreviewOutcome::Automatic | PreviewOutcome::SelfApproved | PreviewOutcome::Waiting => {}
        PreviewOutcome::NeedsApproval => {
            details.extend(preview.routes.iter().map(way));
            details.extend(usually(&preview.routes));
        }
        PreviewOutcome::BreakGlass | PreviewOutcome::Refused => {
            // What stands in the way first: whoever reads this wants to get past it.
            let (ways, obstacles): (Vec<_>, Vec<_>) =
                preview.reasons.iter().partition(|reason| is_way(reason));
            let reasons = obstacles.into_iter().chain(ways);
            details.extend(
                reasons.map(|reason| view! { <li>{sentence::reason(reason)}</li> }.into_any()),
            );
            details.extend(preview.nearest.as_ref().map(instead));
        }
    }
    view! {
        <div class=class>
            {of.map(|target| view! { <p class="quiet small">{target}</p> }.into_any())}
            <p class="verdict-title">{title}</p>
            <ul class="plain">{details}</ul>
        </div>
    }
    .into_any()
}

/// What would be allowed.
fn instead(nearest: &NearestView) -> AnyView {
    let mut parts: Vec<String> = nearest
        .duration_seconds
        .map(clock::duration)
        .into_iter()
        .collect();
    let chars = nearest.reason_chars.map(|chars| {
        let chars = sentence::count(chars, "character");
        format!("with a reason of {chars}")
    });
    parts.extend(chars);
    for (is_so, said) in [
        (nearest.needs_ticket, "with a ticket"),
        (nearest.as_break_glass, "as break-glass"),
        (nearest.without_break_glass, "without break-glass"),
    ] {
        if is_so {
            parts.push(said.to_owned());
        }
    }
    let comma = if parts.is_empty() { "" } else { ", " };
    let start = nearest
        .start
        .map(|at| view! { {comma} "from " <Time at/> }.into_any());
    view! { <li>{format!("Possible instead: {}", parts.join(", "))} {start} "."</li> }.into_any()
}

/// Whether it says how a rule would let somebody in.
const fn is_way(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::Automatic { .. } | Reason::SelfApproved { .. } | Reason::NeedsApproval { .. }
    )
}

/// How long one waits: on the way that is usually answered first.
fn usually(routes: &[RouteView]) -> Option<AnyView> {
    let first = routes
        .iter()
        .filter_map(|route| route.usually_seconds)
        .min()?;
    let said = format!("Usually answered in {}.", clock::duration(rounded(first)));
    Some(view! { <li class="quiet">{said}</li> }.into_any())
}

/// Nobody waits to the second: to the minute, and from an hour on to a quarter of it. Never less than it was.
const fn rounded(seconds: u32) -> u32 {
    let step = if seconds <= 3_600 { 60 } else { 900 };
    seconds.div_ceil(step).saturating_mul(step)
}

#[cfg(test)]
mod tests {
    use super::{before, rounded};
    use crate::view::FormState;

    #[test]
    fn a_wait_is_told_to_the_minute_and_never_shorter_than_it_was() {
        assert_eq!([1, 60, 61, 3_600].map(rounded), [60, 60, 120, 3_600]);
        assert_eq!([3_601, 8_000].map(rounded), [4_500, 8_100]);
    }

    #[test]
    fn what_was_chosen_is_asked_about_and_what_was_written_stays_here() {
        let typed = [
            ("reason", "because"),
            ("duration", "900"),
            ("ticket", ""),
            ("also", "111122223333/A&B"),
            ("also", "group/x"),
        ];
        let form = FormState {
            values: typed
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            ..FormState::default()
        };
        assert_eq!(
            before(&form),
            "duration=900&also=111122223333%2FA%26B&also=group%2Fx"
        );
    }
}
