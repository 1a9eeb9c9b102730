//! My access: what I have, wait for and had.

use leptos::prelude::*;

use crate::{
    browser::title,
    clock,
    components::{Countdown, Empty, Icon, Interruption, Pill, Refusal, Time, skeleton},
    follow::{Followed, follow},
    link, read, sentence,
    view::{EpochMs, GrantCard, GrantState, MyAccessView, PastCard, PendingCard, RequestState},
};

/// The reader's own access.
#[component]
pub(crate) fn Mine() -> impl IntoView {
    title("My access");
    follow(
        read::read_mine,
        |topic| topic == "mine",
        skeleton,
        page,
        |error| view! { <Refusal error/> },
    )
}

fn page(mine: Followed<MyAccessView>) -> impl IntoView {
    let value = mine.value;
    let active = Memo::new(move |_| value.read().active.clone());
    let pending = Memo::new(move |_| value.read().pending.clone());
    let past = Memo::new(move |_| value.read().past.clone());
    view! {
        <Interruption problem=mine.problem/>
        <div class="page-head">
            <h1>"My access"</h1>
        </div>
        <section class="stack section" aria-labelledby="active">
            <h2 id="active">"Now"</h2>
            {move || {
                let now = value.read_untracked().now;
                let active = active.read();
                if active.is_empty() {
                    nothing_now().into_any()
                } else {
                    active.iter().map(|grant| held(grant, now)).collect_view().into_any()
                }
            }}
        </section>
        {move || {
            let pending = pending.read();
            (!pending.is_empty())
                .then(|| {
                    view! {
                        <section class="stack section" aria-labelledby="pending">
                            <h2 id="pending">"Waiting for an answer"</h2>
                            {pending.iter().map(waiting).collect_view()}
                        </section>
                    }
                })
        }}
        {move || {
            let past = past.read();
            (!past.is_empty())
                .then(|| {
                    view! {
                        <section class="stack section" aria-labelledby="past">
                            <h2 id="past">"Before"</h2>
                            <ul class="card rows">{past.iter().map(over).collect_view()}</ul>
                        </section>
                    }
                })
        }}
    }
}

fn nothing_now() -> impl IntoView {
    view! {
        <Empty title="You hold no temporary access">
            <a class="button button-main" href="/">"Ask for access"</a>
        </Empty>
    }
}

fn held(grant: &GrantCard, now: EpochMs) -> impl IntoView + use<> {
    let state = sentence::grant_state(grant.state, grant.is_overdue);
    let progress = match state {
        RequestState::Active => view! {
            <p class="held-clock">
                <Countdown now from=grant.from until=grant.until/>
                <span class="quiet">"until " <Time at=grant.until/></span>
            </p>
        }
        .into_any(),
        other => view! { <p class="quiet">{in_between(other, grant.until)}</p> }.into_any(),
    };
    let console = grant
        .console_url
        .as_deref()
        .filter(|_| grant.state == GrantState::Active)
        .and_then(link::external)
        .map(|url| {
            view! {
                <a class="button button-main" href=url.to_owned() target="_blank" rel="external noopener noreferrer">
                    "Open console" {Icon::External.draw()}
                </a>
            }
        });
    view! {
        <article class="card held">
            <div class="held-what">
                <h3><a href=link::request(&grant.request_id)>{sentence::target(&grant.target)}</a></h3>
                <p class="quiet">
                    <code>{grant.target.account_id.clone()}</code> " · " {grant.target.ou_path.clone()}
                </p>
                {grant.trouble.map(|trouble| view! { <p class="notice notice-wait">{sentence::trouble(trouble)}</p> })}
                <p class="quiet small">
                    "AWS sessions opened until the end may last until " <Time at=grant.sessions_may_last_until/> "."
                </p>
            </div>
            <div class="held-state">
                <Pill state/>
                {progress}
                {console}
            </div>
        </article>
    }
}

/// What a grant that is not simply active waits for.
fn in_between(state: RequestState, until: EpochMs) -> impl IntoView {
    match state {
        RequestState::Granting => {
            view! { "AWS is creating it. Usually this takes some seconds." }.into_any()
        }
        RequestState::Revoking => view! { "Time is up. Belay is removing it." }.into_any(),
        RequestState::Overdue => {
            view! { "It should have ended " <Time at=until/> ". Belay keeps trying to remove it." }
                .into_any()
        }
        _ => view! { "until " <Time at=until/> }.into_any(),
    }
}

fn waiting(card: &PendingCard) -> impl IntoView + use<> {
    let total = u32::try_from(card.approvers.len()).unwrap_or(u32::MAX);
    let who = sentence::approver_names(&card.approvers, total);
    view! {
        <article class="card held">
            <div class="held-what">
                <h3><a href=link::request(&card.request_id)>{sentence::targets(&card.targets)}</a></h3>
                <p class="quiet">
                    "for " {clock::duration(card.duration_seconds)} ", asked " <Time at=card.submitted_at/>
                </p>
                <p>
                    {format!("{} of {}", card.approvals_given, sentence::count(card.approvals_needed, "approval"))}
                    {(!who.is_empty()).then(|| format!(". {who} can approve"))} "."
                </p>
            </div>
            <div class="held-state">
                <Pill state=RequestState::Pending/>
                <p class="quiet">"lapses " <Time at=card.expires_at/></p>
                <form method="post" action=link::request(&card.request_id)>
                    <button class="button" type="submit" name="act" value="withdraw">"Withdraw"</button>
                </form>
            </div>
        </article>
    }
}

fn over(card: &PastCard) -> impl IntoView + use<> {
    let again = match card.targets.as_slice() {
        [only] => Some(view! {
            <a class="button button-small" href=link::ask(&only.account_id, &only.permission_set)>"Ask again"</a>
        }),
        _ => None,
    };
    view! {
        <li class="row">
            <Pill state=card.state/>
            <span class="row-what">
                <a href=link::request(&card.request_id)>{sentence::targets(&card.targets)}</a>
                <span class="quiet">" for " {clock::duration(card.duration_seconds)}</span>
            </span>
            <span class="row-more quiet">
                {card.receipt.map(|receipt| format!("{} · ", sentence::receipt_short(receipt)))} <Time at=card.at/>
            </span>
            {again}
        </li>
    }
}
