//! The facts of an ask, as every page lays them out.

use leptos::prelude::*;

use crate::{
    clock, sentence,
    view::{RouteView, TargetView},
};

/// A target's account and unit, and for how long; what is asked for stands in the heading.
pub(crate) fn ask_facts(target: &TargetView, duration_seconds: u32) -> AnyView {
    let unit = (!target.ou_path.is_empty())
        .then(|| view! { <div><dt>"Unit"</dt><dd>{target.ou_path.clone()}</dd></div> }.into_any());
    view! {
        <dl class="facts">
            <div>
                <dt>"Account"</dt>
                <dd>
                    {target.account_name.clone()} " "
                    <code class="quiet">{target.account_id.clone()}</code>
                </dd>
            </div>
            {unit}
            <div>
                <dt>"For"</dt>
                <dd>{clock::duration(duration_seconds)}</dd>
            </div>
        </dl>
    }
    .into_any()
}

/// What somebody typed, as they typed it; nothing if they typed nothing.
pub(crate) fn quote(text: &str) -> AnyView {
    let quoted = (!text.is_empty())
        .then(|| view! { <blockquote class="quote">{text.to_owned()}</blockquote> }.into_any());
    quoted.into_any()
}

/// A route as an item of a list.
pub(crate) fn way(route: &RouteView) -> AnyView {
    view! {
        <li>
            {approval_line(route)}
            <span class="quiet rule">" · rule " {route.rule.clone()}</span>
        </li>
    }
    .into_any()
}

/// A route in one line: `1 of 2 approvals from Emma Lindqvist or Mia Novak`.
pub(crate) fn approval_line(route: &RouteView) -> String {
    let who = sentence::approvers(route);
    let from = if who.is_empty() {
        String::new()
    } else {
        format!(" from {who}")
    };
    let wanted = sentence::count(route.approvals_needed, "approval");
    match route.approvals_given {
        0 => format!("{wanted}{from}"),
        given => format!("{given} of {wanted}{from}"),
    }
}
