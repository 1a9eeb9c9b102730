//! What waits, each on a card of its own: the request with the form to answer it.

use leptos::prelude::*;

use super::{find, past::past};
use crate::{
    components::{ReviewForm, SignForm, Time, ask_facts, changing, glass, quote, way},
    link, sentence,
    view::ApprovalView,
};

/// The id of a request's card.
pub(super) fn id(request_id: &str) -> String {
    format!("card-{request_id}")
}

/// What was granted as break-glass, with the form to sign it.
pub(super) fn to_sign(one: &ApprovalView, all: RwSignal<Vec<ApprovalView>>) -> AnyView {
    let id = one.request_id.clone();
    let signing = changing(move || {
        let all = all.read();
        let this = find(&all, &id, true);
        let signing: Vec<_> = this
            .into_iter()
            .flat_map(|this| this.signing.iter().map(glass))
            .collect();
        signing.into_any()
    });
    let facts: Vec<_> = one
        .targets
        .iter()
        .map(|target| ask_facts(target, one.duration_seconds))
        .collect();
    let when = view! { <Time at=one.submitted_at/> }.into_any();
    let form = view! {
        <SignForm
            request_id=one.request_id.clone()
            actions=one.actions.clone()
            from="approvals"
        />
    };
    let side = view! { {signing} {facts} {terms(one)} };
    card(
        one,
        " went in to ",
        view! { {one.requester.email.clone()} " · " {when} }.into_any(),
        form.into_any(),
        side.into_any(),
    )
}

/// What is asked for, with the form to answer it.
pub(super) fn to_review(one: &ApprovalView, all: RwSignal<Vec<ApprovalView>>) -> AnyView {
    let id = one.request_id.clone();
    let ways = changing(move || {
        let all = all.read();
        let this = find(&all, &id, false);
        let ways: Vec<_> = this
            .into_iter()
            .flat_map(|this| this.routes.iter().map(way))
            .collect();
        view! { <ul class="plain small">{ways}</ul> }.into_any()
    });
    let who = std::iter::once(&one.requester.email)
        .chain(&one.requester_groups)
        .filter(|word| !word.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let when = view! {
        {who} " · asked " <Time at=one.submitted_at/> " · lapses " <Time at=one.expires_at/>
    };
    let form = view! {
        <ReviewForm
            request_id=one.request_id.clone()
            actions=one.actions.clone()
            from="approvals"
            denies_all=is_bundle(one)
        />
    };
    let side = view! { {targets(one, all)} {terms(one)} {ways} };
    card(
        one,
        " asks for ",
        when.into_any(),
        form.into_any(),
        side.into_any(),
    )
}

/// The reason stands with the name: on a phone, too, it is what is read first.
fn card(
    one: &ApprovalView,
    verb: &'static str,
    when: AnyView,
    form: AnyView,
    side: AnyView,
) -> AnyView {
    view! {
        <article class="card approval" id=id(&one.request_id)>
            <header class="approval-head">
                <h2>
                    {one.requester.name.clone()} <span class="quiet">{verb}</span>
                    <a href=link::request(&one.request_id)>{sentence::targets(&one.targets)}</a>
                </h2>
                <p class="quiet">{when}</p>
                {quote(&one.reason)}
            </header>
            <div class="split">
                <div class="split-main stack">{form}</div>
                <div class="split-side stack">{side}</div>
            </div>
        </article>
    }
    .into_any()
}

/// Each target, and what was before of those that the reader may approve.
fn targets(one: &ApprovalView, all: RwSignal<Vec<ApprovalView>>) -> AnyView {
    let targets: Vec<_> = one
        .targets
        .iter()
        .zip(0_u32..)
        .map(|(target, index)| {
            let id = one.request_id.clone();
            let before = changing(move || {
                let all = all.read();
                let this = find(&all, &id, false);
                let of_it = this.and_then(|this| this.past.iter().find(|one| one.index == index));
                of_it.map(past).into_any()
            });
            view! { <div>{ask_facts(target, one.duration_seconds)} {before}</div> }.into_any()
        })
        .collect();
    targets.into_any()
}

/// What holds for all of it: from when, for which ticket, and whether its parts wait for each other.
fn terms(one: &ApprovalView) -> AnyView {
    let start = one.start.map(|start| {
        let until = start + i64::from(one.duration_seconds) * 1_000;
        let window = view! {
            "from " <Time at=start/> " until " <Time at=until/> ", if approved by then"
        };
        fact("When", window.into_any())
    });
    let ticket = (!one.ticket.is_empty()).then(|| fact("Ticket", ticket(one)));
    let granted = (one.targets.len() > 1).then(|| {
        let said = if one.is_separate {
            "Each of these by itself."
        } else {
            "All of these together, or none."
        };
        fact("Granted", said.into_any())
    });
    let any = start.is_some() || ticket.is_some() || granted.is_some();
    any.then(|| view! { <dl class="facts">{start} {ticket} {granted}</dl> }.into_any())
        .into_any()
}

fn fact(name: &'static str, value: AnyView) -> AnyView {
    view! { <div><dt>{name}</dt><dd>{value}</dd></div> }.into_any()
}

/// In another tab: a note half written stays in this one.
fn ticket(one: &ApprovalView) -> AnyView {
    let ticket = one.ticket.clone();
    match link::external(&one.ticket_url) {
        Some(url) => view! {
            <a href=url.to_owned() target="_blank" rel="external noopener noreferrer">{ticket}</a>
        }
        .into_any(),
        None => ticket.into_any(),
    }
}

fn is_bundle(one: &ApprovalView) -> bool {
    one.targets.len() > 1 && !one.is_separate
}
