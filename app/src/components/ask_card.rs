//! The facts of an ask, as every page lays them out.

use leptos::prelude::*;

use crate::{
    clock,
    components::Time,
    sentence,
    view::{GivesView, RouteView, TargetView},
};

/// Where a target is, or what a group gives, and for how long; what is asked for stands in the heading.
pub(crate) fn ask_facts(target: &TargetView, duration_seconds: u32) -> AnyView {
    let place = match target {
        TargetView::Account {
            account_id,
            account_name,
            ou_path,
            ..
        } => {
            let unit = (!ou_path.is_empty())
                .then(|| view! { <div><dt>"Unit"</dt><dd>{ou_path.clone()}</dd></div> }.into_any());
            view! {
                <div>
                    <dt>"Account"</dt>
                    <dd>{account_name.clone()} " " <code class="quiet">{account_id.clone()}</code></dd>
                </div>
                {unit}
            }
            .into_any()
        }
        TargetView::Group { name, gives, .. } => view! {
            <div>
                <dt>"Group"</dt>
                <dd>{name.clone()}</dd>
            </div>
            <div>
                <dt>"It gives"</dt>
                <dd>{given(gives)}</dd>
            </div>
        }
        .into_any(),
    };
    view! {
        <dl class="facts">
            {place}
            <div>
                <dt>"For"</dt>
                <dd>{clock::duration(duration_seconds)}</dd>
            </div>
        </dl>
    }
    .into_any()
}

/// What a group gives, line by line, and how old that knowledge is.
pub(crate) fn given(gives: &GivesView) -> AnyView {
    let Some(read_at) = gives.read_at else {
        return "This is not known just now.".into_any();
    };
    let lines: Vec<_> = gives
        .held
        .iter()
        .map(|held| {
            view! {
                <li>
                    {held.permission_set.clone()} " in " {held.account_name.clone()} " "
                    <code class="quiet">{held.account_id.clone()}</code>
                </li>
            }
            .into_any()
        })
        .collect();
    let hidden = (gives.total as usize).saturating_sub(gives.held.len());
    let more =
        (hidden > 0).then(|| view! { <li class="quiet">"and " {hidden} " more"</li> }.into_any());
    let nothing = gives.held.is_empty().then_some("Nothing as yet.");
    view! {
        {nothing}
        <ul class="plain">{lines} {more}</ul>
        <p class="quiet small">"as of " <Time at=read_at/></p>
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
            " " <span class="quiet rule">"· rule " {route.rule.clone()}</span>
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
