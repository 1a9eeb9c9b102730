//! The facts of an ask, as every page lays them out.

use leptos::prelude::*;

use crate::{
    clock, sentence,
    view::{RouteView, TargetView},
};

/// A target's account and unit, and for how long; what is asked for stands in the heading.
#[component]
pub(crate) fn AskFacts(
    /// What is asked.
    target: TargetView,
    /// For how long, in seconds.
    duration_seconds: u32,
) -> impl IntoView {
    view! {
        <dl class="facts">
            <div>
                <dt>"Account"</dt>
                <dd>{target.account_name} " " <code class="quiet">{target.account_id}</code></dd>
            </div>
            {(!target.ou_path.is_empty()).then(|| view! { <div><dt>"Unit"</dt><dd>{target.ou_path}</dd></div> })}
            <div>
                <dt>"For"</dt>
                <dd>{clock::duration(duration_seconds)}</dd>
            </div>
        </dl>
    }
}

/// A route in one line: `1 of 2 approvals on rule prod-admin, from Emma Lindqvist or Mia Novak`.
pub(crate) fn approval_line(route: &RouteView) -> String {
    let who = sentence::approvers(route);
    let from = if who.is_empty() {
        String::new()
    } else {
        format!(" from {who}")
    };
    if route.approvals_given == 0 {
        format!(
            "{}{from}",
            sentence::count(route.approvals_needed, "approval")
        )
    } else {
        format!(
            "{} of {}{from}",
            route.approvals_given,
            sentence::count(route.approvals_needed, "approval")
        )
    }
}
