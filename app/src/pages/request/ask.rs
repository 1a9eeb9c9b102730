//! One ask of a request: how far it is, who can decide, who did, and what came of it.

use leptos::prelude::*;

use super::end;
use crate::{
    clock,
    components::{
        Countdown, Pill, Time, approval_line, ask_facts, changing, console_link, glass, quote,
        receipt, way,
    },
    link, sentence,
    view::{
        AskState, AskView, EpochMs, FormState, GrantState, GrantView, RequestState, RequestView,
        ReviewKind, ReviewView,
    },
};

/// The card of one ask. Each part is made anew only when what it shows has changed, so that a reason
/// half written stays, and what was opened stays open.
pub(super) fn card(place: usize, request: RwSignal<RequestView>, before: &FormState) -> AnyView {
    let shown = Memo::new(move |_| {
        let request = request.read();
        (request.asks.get(place).cloned(), request.expires_at)
    });
    // Read, not only tracked: a memo that nobody has read follows nothing yet.
    let with_ask = move |draw: fn(&AskView, &RequestView) -> AnyView| {
        changing(move || {
            shown.with(|(ask, _)| {
                let ask = ask.as_ref();
                ask.map(|ask| draw(ask, &request.read_untracked()))
                    .into_any()
            })
        })
    };
    let ending = Memo::new(move |_| {
        let request = request.read();
        let grant = request.asks.get(place).and_then(|ask| ask.grant.as_ref());
        grant.map(|grant| (grant.id.clone(), grant.can_end, grant.beside.clone()))
    });
    let typed = before.clone();
    let end = changing(move || {
        ending.with(|_| ());
        let request = request.read_untracked();
        let grant = request.asks.get(place).and_then(|ask| ask.grant.as_ref());
        grant
            .map(|grant| end::end(&request.id, grant, &typed))
            .into_any()
    });
    let name = request
        .read_untracked()
        .asks
        .get(place)
        .map(|ask| sentence::target(&ask.target));
    view! {
        <section class="card stack" aria-label=name>
            {with_ask(standing_of)} {end} {with_ask(|ask, _| verdict(ask))}
        </section>
    }
    .into_any()
}

fn standing_of(ask: &AskView, request: &RequestView) -> AnyView {
    let heading = (request.asks.len() > 1).then(|| {
        view! { <h2>{sentence::target(&ask.target)} " " <Pill state=state(ask)/></h2> }.into_any()
    });
    view! {
        {heading}
        {ask.glass.as_ref().map(glass)}
        {standing(ask, request)}
        {ask_facts(&ask.target, request.duration_seconds)}
        {reviews(&ask.reviews)}
        {again(ask, request)}
    }
    .into_any()
}

/// The way to more of the same: to what follows it without a gap, or to another request.
fn again(ask: &AskView, request: &RequestView) -> AnyView {
    if !request.is_mine {
        return ().into_any();
    }
    let (first, second) = ask.target.segments();
    let extends = ask.grant.as_ref().filter(|grant| {
        matches!(
            grant.state,
            GrantState::Scheduled | GrantState::Granting | GrantState::Active
        )
    });
    let (href, label) = match (extends, ask.state, &ask.grant) {
        (Some(grant), ..) => (link::extend(first, second, &grant.id), "Extend"),
        (None, AskState::Pending, _) | (None, AskState::Approved, None) => return ().into_any(),
        _ => (link::ask_again(first, second, &request.id), "Ask again"),
    };
    view! {
        <p class="actions">
            <a class="button button-small" href=href>{label}</a>
        </p>
    }
    .into_any()
}

fn state(ask: &AskView) -> RequestState {
    match (ask.state, &ask.grant) {
        (_, Some(grant)) => sentence::grant_state(grant.state, grant.is_overdue),
        (AskState::Pending, None) => RequestState::Pending,
        (AskState::Approved, None) => RequestState::Scheduled,
        (AskState::Denied, None) => RequestState::Denied,
        (AskState::Withdrawn, None) => RequestState::Withdrawn,
        (AskState::Expired, None) => RequestState::Expired,
    }
}

/// A state in its colour, with what matters about it now.
fn block(class: &'static str, title: &'static str, more: AnyView) -> AnyView {
    view! {
        <div class=class>
            <p class="verdict-title">{title}</p>
            {more}
        </div>
    }
    .into_any()
}

/// Where it stands, in the words that matter now.
fn standing(ask: &AskView, request: &RequestView) -> AnyView {
    if let Some(grant) = &ask.grant {
        return granted(grant, request.now);
    }
    let expires_at = request.expires_at;
    match ask.state {
        AskState::Pending => {
            let ways: Vec<_> = ask.routes.iter().map(way).collect();
            let more = view! {
                <ul class="plain">{ways}</ul>
                <p class="quiet">"Without an answer it lapses " <Time at=expires_at/> "."</p>
            };
            block(
                "verdict verdict-wait",
                "Waiting for approval",
                more.into_any(),
            )
        }
        AskState::Approved => block(
            "verdict verdict-good",
            "Approved. It is granted once everything else in this request is.",
            ().into_any(),
        ),
        AskState::Denied => block("verdict verdict-bad", "Denied", ().into_any()),
        AskState::Withdrawn => block("verdict", "Withdrawn before it was decided", ().into_any()),
        AskState::Expired => block(
            "verdict",
            "Nobody answered in time. You may ask again.",
            ().into_any(),
        ),
    }
}

fn granted(grant: &GrantView, now: EpochMs) -> AnyView {
    let until = grant.until;
    let body = match sentence::grant_state(grant.state, grant.is_overdue) {
        RequestState::Active => active(grant, now),
        RequestState::Granting => {
            let more = view! {
                <p class="quiet">
                    "Usually this takes some seconds. It ends " <Time at=until/> " in any case."
                </p>
            };
            block(
                "verdict verdict-busy",
                "Being created in AWS",
                more.into_any(),
            )
        }
        RequestState::Revoking => {
            let more = view! {
                <p class="quiet">
                    "Its time ended " <Time at=until/> ". It counts as gone once a read proves it."
                </p>
            };
            block(
                "verdict verdict-busy",
                "Being removed from AWS",
                more.into_any(),
            )
        }
        RequestState::Overdue => {
            let more = view! {
                <p>
                    "Its time ended " <Time at=until/> ". Belay keeps trying; an admin should look."
                </p>
            };
            let title = "Overdue: it should be gone and is not proven to be";
            block("verdict verdict-bad", title, more.into_any())
        }
        RequestState::Ended => match &grant.receipt {
            Some(proof) => receipt(proof, grant.sessions_may_last_until),
            None => block("verdict", "Ended", ().into_any()),
        },
        _ => {
            let more = view! {
                <p class="quiet">
                    "It begins " <Time at=grant.from/> " and ends " <Time at=until/> "."
                </p>
            };
            block("verdict verdict-good", "Approved", more.into_any())
        }
    };
    let trouble = grant.trouble.map(|trouble| {
        view! { <p class="notice notice-wait">{sentence::trouble(trouble)}</p> }.into_any()
    });
    view! { {body} {trouble} }.into_any()
}

fn active(grant: &GrantView, now: EpochMs) -> AnyView {
    view! {
        <div class="verdict verdict-good verdict-active">
            <div>
                <p class="verdict-title">"Active"</p>
                <p><Countdown now from=grant.from until=grant.until/></p>
                <p class="quiet">
                    "until " <Time at=grant.until/>
                    ". AWS sessions opened until then may last until "
                    <Time at=grant.sessions_may_last_until/> "."
                </p>
            </div>
            {console_link(grant.state, grant.console_url.as_deref())}
        </div>
    }
    .into_any()
}

fn reviews(reviews: &[ReviewView]) -> AnyView {
    let lines: Vec<_> = reviews.iter().map(review).collect();
    let list = (!lines.is_empty()).then(|| view! { <ul class="plain">{lines}</ul> }.into_any());
    list.into_any()
}

fn review(review: &ReviewView) -> AnyView {
    let did = match review.kind {
        ReviewKind::Approve => " approved ",
        ReviewKind::Deny => " denied ",
    };
    let shorter = review
        .seconds
        .map(|seconds| format!(" for at most {}", clock::duration(seconds)));
    let counts = (!review.counts).then(|| {
        view! { <span class="quiet">" · does not count: no longer an approver"</span> }.into_any()
    });
    view! {
        <li class="review-line">
            <p><strong>{review.by.name.clone()}</strong> {did} <Time at=review.at/> {shorter} {counts}</p>
            {quote(&review.note)}
        </li>
    }
    .into_any()
}

/// Why the policy said what it said, for those who want to know.
fn verdict(ask: &AskView) -> AnyView {
    let reasons = ask.reasons.iter().map(sentence::reason);
    let ways = ask.routes.iter().map(|route| {
        format!(
            "Rule {}: {}, at most {}.",
            route.rule,
            approval_line(route),
            clock::duration(route.max_duration_seconds)
        )
    });
    let lines: Vec<_> = reasons
        .chain(ways)
        .map(|line| view! { <li>{line}</li> }.into_any())
        .collect();
    let details = (!lines.is_empty()).then(|| {
        view! {
            <details class="more">
                <summary>"Why the policy says so"</summary>
                <ul>{lines}</ul>
            </details>
        }
        .into_any()
    });
    details.into_any()
}
