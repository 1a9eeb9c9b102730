//! One ask of a request: how far it is, who can decide, who did, and what came of it.

use leptos::prelude::*;

use crate::{
    clock,
    components::{AskFacts, Countdown, Icon, Pill, Receipt, Time, approval_line},
    link, sentence,
    view::{
        AskState, AskView, EpochMs, GrantState, GrantView, RequestState, RequestView, ReviewKind,
        ReviewView,
    },
};

/// The ask at this index, kept up to date.
pub(super) fn ask(index: usize, several: bool, request: Signal<RequestView>) -> impl IntoView {
    let ask = Memo::new(move |_| request.read().asks.get(index).cloned());
    let expires_at = request.read_untracked().expires_at;
    let duration_seconds = request.read_untracked().duration_seconds;
    move || {
        let ask = ask.get()?;
        let now = request.read_untracked().now;
        let heading = several.then(|| {
            view! {
                <h2 class="ask-head">
                    {sentence::target(&ask.target)} " " <Pill state=state(&ask)/>
                </h2>
            }
        });
        Some(view! {
            <section class="card stack" aria-label=sentence::target(&ask.target)>
                {heading}
                {standing(&ask, now, expires_at)}
                <AskFacts target=ask.target.clone() duration_seconds/>
                {reviews(&ask.reviews)}
                {verdict(&ask)}
            </section>
        })
    }
}

fn state(ask: &AskView) -> RequestState {
    match (&ask.state, &ask.grant) {
        (_, Some(grant)) => sentence::grant_state(grant.state, grant.is_overdue),
        (AskState::Pending, None) => RequestState::Pending,
        (AskState::Approved, None) => RequestState::Scheduled,
        (AskState::Denied, None) => RequestState::Denied,
        (AskState::Withdrawn, None) => RequestState::Withdrawn,
        (AskState::Expired, None) => RequestState::Expired,
    }
}

/// Where it stands, in the words that matter now.
fn standing(ask: &AskView, now: EpochMs, expires_at: EpochMs) -> impl IntoView + use<> {
    match (&ask.state, &ask.grant) {
        (_, Some(grant)) => granted(grant, now).into_any(),
        (AskState::Pending, None) => {
            let ways = ask
                .routes
                .iter()
                .map(|route| {
                    view! { <li>{approval_line(route)} <span class="quiet rule">" · rule " {route.rule.clone()}</span></li> }
                })
                .collect_view();
            view! {
                <div class="verdict verdict-wait">
                    <p class="verdict-title">"Waiting for approval"</p>
                    <ul class="plain">{ways}</ul>
                    <p class="quiet">"Without an answer it lapses " <Time at=expires_at/> "."</p>
                </div>
            }
            .into_any()
        }
        (AskState::Approved, None) => {
            view! { <p class="verdict verdict-good">"Approved. Belay is about to grant it."</p> }
                .into_any()
        }
        (AskState::Denied, None) => {
            view! { <p class="verdict verdict-bad">"Denied."</p> }.into_any()
        }
        (AskState::Withdrawn, None) => {
            view! { <p class="verdict">"Withdrawn before it was decided."</p> }.into_any()
        }
        (AskState::Expired, None) => {
            view! { <p class="verdict">"Nobody answered in time. You may ask again."</p> }
                .into_any()
        }
    }
}

fn granted(grant: &GrantView, now: EpochMs) -> impl IntoView + use<> {
    let trouble = grant
        .trouble
        .map(|trouble| view! { <p class="notice notice-wait">{sentence::trouble(trouble)}</p> });
    let body = match sentence::grant_state(grant.state, grant.is_overdue) {
        RequestState::Active => active(grant, now).into_any(),
        RequestState::Granting => view! {
            <div class="verdict verdict-busy">
                <p class="verdict-title">"Being created in AWS"</p>
                <p class="quiet">"Usually this takes some seconds. It ends " <Time at=grant.until/> " in any case."</p>
            </div>
        }
        .into_any(),
        RequestState::Revoking => view! {
            <div class="verdict verdict-busy">
                <p class="verdict-title">"Being removed from AWS"</p>
                <p class="quiet">"Its time ended " <Time at=grant.until/> ". It counts as gone once a read proves it."</p>
            </div>
        }
        .into_any(),
        RequestState::Overdue => view! {
            <div class="verdict verdict-bad">
                <p class="verdict-title">"Overdue: it should be gone and is not proven to be"</p>
                <p>"Its time ended " <Time at=grant.until/> ". Belay keeps trying; an admin should look."</p>
            </div>
        }
        .into_any(),
        RequestState::Ended => match &grant.receipt {
            Some(receipt) => {
                let until = grant.sessions_may_last_until;
                view! { <Receipt receipt=receipt.clone() sessions_may_last_until=until/> }.into_any()
            }
            None => view! { <p class="verdict">"Ended."</p> }.into_any(),
        },
        _ => view! {
            <p class="verdict verdict-wait">
                "Approved. It begins " <Time at=grant.from/> " and ends " <Time at=grant.until/> "."
            </p>
        }
        .into_any(),
    };
    view! { {body} {trouble} }
}

fn active(grant: &GrantView, now: EpochMs) -> impl IntoView + use<> {
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
        <div class="verdict verdict-good verdict-active">
            <div>
                <p class="verdict-title">"Active"</p>
                <p><Countdown now from=grant.from until=grant.until/></p>
                <p class="quiet">
                    "until " <Time at=grant.until/> ". AWS sessions opened until then may last until "
                    <Time at=grant.sessions_may_last_until/> "."
                </p>
            </div>
            {console}
        </div>
    }
}

fn reviews(reviews: &[ReviewView]) -> impl IntoView + use<> {
    let lines = reviews
        .iter()
        .map(|review| {
            let (tone, said) = match review.kind {
                ReviewKind::Approve => ("good", "approved"),
                ReviewKind::Deny => ("bad", "denied"),
            };
            let note = review.note.clone();
            view! {
                <li class=format!("review-line review-{tone}")>
                    <p>
                        <strong>{review.by.name.clone()}</strong> " " {said} " " <Time at=review.at/>
                        {(!review.counts)
                            .then_some(view! { <span class="quiet">" · does not count: no longer an approver"</span> })}
                    </p>
                    {(!note.is_empty()).then(|| view! { <blockquote class="quote">{note}</blockquote> })}
                </li>
            }
        })
        .collect_view();
    (!reviews.is_empty()).then(|| view! { <ul class="plain reviews">{lines}</ul> })
}

/// Why the policy said what it said, for those who want to know.
fn verdict(ask: &AskView) -> impl IntoView + use<> {
    let reasons = ask
        .reasons
        .iter()
        .map(|reason| view! { <li>{sentence::reason(reason)}</li> })
        .collect_view();
    let ways = ask
        .routes
        .iter()
        .map(|route| {
            let longest = clock::duration(route.max_duration_seconds);
            view! {
                <li>
                    "Rule " {route.rule.clone()} ": " {approval_line(route)} ", at most " {longest} "."
                </li>
            }
        })
        .collect_view();
    (!ask.reasons.is_empty() || !ask.routes.is_empty()).then(|| {
        view! {
            <details class="more">
                <summary>"Why the policy says so"</summary>
                <ul>{reasons} {ways}</ul>
            </details>
        }
    })
}
