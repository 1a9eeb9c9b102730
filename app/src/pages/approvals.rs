//! Approvals: what waits for me.

use leptos::prelude::*;

use crate::{
    browser::title,
    components::{
        Done, Empty, Interruption, ReviewForm, SignForm, Time, ask_facts, changing, glass, quote,
        refuse, skeleton, way,
    },
    follow::{Followed, follow},
    link, read, sentence,
    view::ApprovalView,
};

/// Requests that the reader may review, oldest first.
#[component]
pub(crate) fn Approvals() -> impl IntoView {
    title("Approvals");
    follow(
        || Box::pin(read::read_approvals()),
        |topic| topic == "approvals",
        skeleton,
        page,
        refuse,
    )
}

fn page(waiting: Followed<Vec<ApprovalView>>) -> AnyView {
    let value = waiting.value;
    let nothing = changing(move || {
        let nothing = value.read().is_empty().then(|| {
            view! {
                <Empty title="Nothing waits for you">
                    <p>"What comes in appears here by itself, and in the title of this page."</p>
                </Empty>
            }
            .into_any()
        });
        nothing.into_any()
    });
    let heading = changing(move || {
        let any = value.read().iter().any(is_to_sign);
        let heading = any.then(|| {
            view! {
                <div class="page-head" id="to-sign">
                    <h2>"To sign"</h2>
                    <p class="lead">
                        "Somebody went in by break-glass before anyone was asked. Was it right?"
                    </p>
                </div>
            }
            .into_any()
        });
        heading.into_any()
    });
    view! {
        <Interruption problem=waiting.problem/>
        <div class="page-head">
            <h1>"Approvals"</h1>
            <p class="lead">"What waits for you, oldest first."</p>
        </div>
        <Done/>
        <div class="stack">
            // Keyed, so that a note half written stays while others come and go.
            <For each=move || of_kind(value, false) key=|one| one.request_id.clone() let:one>
                {card(&one, value)}
            </For>
        </div>
        {heading}
        <div class="stack">
            <For each=move || of_kind(value, true) key=|one| one.request_id.clone() let:one>
                {to_sign(&one, value)}
            </For>
        </div>
        {nothing}
    }
    .into_any()
}

fn is_to_sign(one: &ApprovalView) -> bool {
    !one.signing.is_empty()
}

fn of_kind(all: RwSignal<Vec<ApprovalView>>, to_sign: bool) -> Vec<ApprovalView> {
    let all = all.read();
    let of_kind = all.iter().filter(|one| is_to_sign(one) == to_sign);
    of_kind.cloned().collect()
}

/// What was granted as break-glass, with the form to sign it.
fn to_sign(one: &ApprovalView, all: RwSignal<Vec<ApprovalView>>) -> AnyView {
    let id = one.request_id.clone();
    let signing = changing(move || {
        let all = all.read();
        let this = all.iter().find(|other| other.request_id == id);
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
    view! {
        <article class="card approval">
            <header class="approval-head">
                <h2>
                    {one.requester.name.clone()} <span class="quiet">" went in to "</span>
                    <a href=link::request(&one.request_id)>{sentence::targets(&one.targets)}</a>
                </h2>
                <p class="quiet">{one.requester.email.clone()} " · " <Time at=one.submitted_at/></p>
            </header>
            <div class="split">
                <div class="split-main stack">
                    {quote(&one.reason)}
                    <SignForm
                        request_id=one.request_id.clone()
                        actions=one.actions.clone()
                        from="approvals"
                    />
                </div>
                <div class="split-side stack">{signing} {facts}</div>
            </div>
        </article>
    }
    .into_any()
}

fn card(one: &ApprovalView, all: RwSignal<Vec<ApprovalView>>) -> AnyView {
    let id = one.request_id.clone();
    let ways = changing(move || {
        let all = all.read();
        let this = all.iter().find(|other| other.request_id == id);
        let ways: Vec<_> = this
            .into_iter()
            .flat_map(|this| this.routes.iter().map(way))
            .collect();
        view! { <ul class="plain small">{ways}</ul> }.into_any()
    });
    let facts: Vec<_> = one
        .targets
        .iter()
        .map(|target| ask_facts(target, one.duration_seconds))
        .collect();
    let who = std::iter::once(&one.requester.email)
        .chain(&one.requester_groups)
        .filter(|word| !word.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    view! {
        <article class="card approval">
            <header class="approval-head">
                <h2>
                    {one.requester.name.clone()} <span class="quiet">" asks for "</span>
                    <a href=link::request(&one.request_id)>{sentence::targets(&one.targets)}</a>
                </h2>
                <p class="quiet">
                    {who} " · asked " <Time at=one.submitted_at/> " · lapses "
                    <Time at=one.expires_at/>
                </p>
            </header>
            <div class="split">
                <div class="split-main stack">
                    {quote(&one.reason)}
                    <ReviewForm
                        request_id=one.request_id.clone()
                        actions=one.actions.clone()
                        from="approvals"
                    />
                </div>
                <div class="split-side">{facts} {ways}</div>
            </div>
        </article>
    }
    .into_any()
}
