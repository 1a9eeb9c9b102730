//! Approvals: what waits for me.

use leptos::prelude::*;

use crate::{
    browser::title,
    components::{
        AskFacts, Done, Empty, Interruption, Refusal, ReviewForm, Time, approval_line, skeleton,
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
        read::read_approvals,
        |topic| topic == "approvals",
        skeleton,
        page,
        |error| view! { <Refusal error/> },
    )
}

fn page(waiting: Followed<Vec<ApprovalView>>) -> impl IntoView {
    let value = waiting.value;
    let is_empty = Memo::new(move |_| value.read().is_empty());
    view! {
        <Interruption problem=waiting.problem/>
        <div class="page-head">
            <h1>"Approvals"</h1>
            <p class="lead">"What waits for you, oldest first."</p>
        </div>
        <Done/>
        <div class="stack">
            // Keyed, so that a note half written stays while others come and go.
            <For each=move || value.get() key=|one| one.request_id.clone() let:one>
                {card(&one, value)}
            </For>
        </div>
        <Show when=move || is_empty.get()>
            <Empty title="Nothing waits for you">
                <p>"What comes in appears here by itself, and in the title of this page."</p>
            </Empty>
        </Show>
    }
}

fn card(one: &ApprovalView, all: Signal<Vec<ApprovalView>>) -> impl IntoView + use<> {
    let id = one.request_id.clone();
    let routes = Memo::new(move |_| {
        all.read()
            .iter()
            .find(|other| other.request_id == id)
            .map(|other| other.routes.clone())
            .unwrap_or_default()
    });
    let facts = one
        .targets
        .iter()
        .map(|target| view! { <AskFacts target=target.clone() duration_seconds=one.duration_seconds/> })
        .collect_view();
    let groups = one.requester_groups.join(", ");
    view! {
        <article class="card approval">
            <header class="approval-head">
                <h2>
                    {one.requester.name.clone()} <span class="quiet">" asks for "</span>
                    <a href=link::request(&one.request_id)>{sentence::targets(&one.targets)}</a>
                </h2>
                <p class="quiet">
                    {one.requester.email.clone()} {(!groups.is_empty()).then(|| format!(" · {groups}"))} " · asked "
                    <Time at=one.submitted_at/> " · lapses " <Time at=one.expires_at/>
                </p>
            </header>
            <div class="split">
                <div class="split-main stack">
                    <blockquote class="quote">{one.reason.clone()}</blockquote>
                    <ReviewForm request_id=one.request_id.clone() actions=one.actions.clone() from="approvals"/>
                </div>
                <div class="split-side">
                    {facts}
                    <ul class="plain small">
                        {move || {
                            routes
                                .read()
                                .iter()
                                .map(|route| {
                                    view! {
                                        <li>
                                            "Needs " {approval_line(route)} <span class="quiet rule">" · rule " {route.rule.clone()}</span>
                                        </li>
                                    }
                                })
                                .collect_view()
                        }}
                    </ul>
                </div>
            </div>
        </article>
    }
}
