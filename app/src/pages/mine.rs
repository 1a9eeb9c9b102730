//! My access: what I have, wait for and had.

use leptos::prelude::*;

use crate::{
    browser::title,
    clock,
    components::{
        Countdown, Empty, Interruption, Pill, Time, changing, console_link, refuse, skeleton,
    },
    follow::{Followed, follow},
    link, read, sentence,
    view::{EpochMs, GrantCard, MyAccessView, PastCard, PendingCard, RequestState, TargetView},
};

/// The reader's own access.
#[component]
pub(crate) fn Mine() -> impl IntoView {
    title("My access");
    follow(
        || Box::pin(read::read_mine()),
        |topic| topic == "mine",
        skeleton,
        page,
        refuse,
    )
}

fn page(mine: Followed<MyAccessView>) -> AnyView {
    let value = mine.value;
    view! {
        <Interruption problem=mine.problem/>
        <div class="page-head">
            <h1>"My access"</h1>
        </div>
        {changing(move || sections(&value.read()))}
    }
    .into_any()
}

fn sections(mine: &MyAccessView) -> AnyView {
    let active: Vec<_> = mine
        .active
        .iter()
        .map(|grant| held(grant, mine.now))
        .collect();
    let active = if active.is_empty() {
        view! {
            <Empty title="You hold no temporary access">
                <a class="button button-main" href="/">"Ask for access"</a>
            </Empty>
        }
        .into_any()
    } else {
        active.into_any()
    };
    let pending: Vec<_> = mine.pending.iter().map(waiting).collect();
    let pending =
        (!pending.is_empty()).then(|| section("pending", "Waiting for an answer", pending));
    let past: Vec<_> = mine.past.iter().map(over).collect();
    let past = (!past.is_empty()).then(|| {
        let rows = view! { <ul class="card rows">{past}</ul> }.into_any();
        section("past", "Before", vec![rows])
    });
    view! { {section("active", "Now", vec![active])} {pending} {past} }.into_any()
}

fn section(id: &'static str, name: &'static str, content: Vec<AnyView>) -> AnyView {
    view! {
        <section class="stack section" aria-labelledby=id>
            <h2 id=id>{name}</h2>
            {content}
        </section>
    }
    .into_any()
}

fn held(grant: &GrantCard, now: EpochMs) -> AnyView {
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
    let trouble = grant.trouble.map(|trouble| {
        view! { <p class="notice notice-wait">{sentence::trouble(trouble)}</p> }.into_any()
    });
    view! {
        <article class="card held">
            <div class="held-what">
                <header class="held-head">
                    <h3>
                        <a href=link::request(&grant.request_id)>
                            {sentence::target(&grant.target)}
                        </a>
                    </h3>
                    <Pill state/>
                </header>
                <p class="quiet">{place(&grant.target)}</p>
                {trouble}
                <p class="quiet small">
                    "AWS sessions opened until the end may last until "
                    <Time at=grant.sessions_may_last_until/> "."
                </p>
            </div>
            <div class="held-state">
                {progress}
                {console_link(grant.state, grant.console_url.as_deref())}
            </div>
        </article>
    }
    .into_any()
}

/// Where it is, or what it gives.
fn place(target: &TargetView) -> AnyView {
    match target {
        TargetView::Account {
            account_id,
            ou_path,
            ..
        } => view! { <code>{account_id.clone()}</code> " · " {ou_path.clone()} }.into_any(),
        TargetView::Group { gives, .. } => sentence::gives(gives).into_any(),
    }
}

/// What a grant that is not simply active waits for.
fn in_between(state: RequestState, until: EpochMs) -> AnyView {
    match state {
        RequestState::Granting => "AWS is creating it. Usually this takes some seconds.".into_any(),
        RequestState::Revoking => "Time is up. Belay is removing it.".into_any(),
        RequestState::Overdue => view! {
            "It should have ended " <Time at=until/> ". Belay keeps trying to remove it."
        }
        .into_any(),
        _ => view! { "until " <Time at=until/> }.into_any(),
    }
}

fn waiting(card: &PendingCard) -> AnyView {
    let total = u32::try_from(card.approvers.len()).unwrap_or(u32::MAX);
    let who = sentence::approver_names(&card.approvers, total);
    let wanted = sentence::count(card.approvals_needed, "approval");
    let progress = match who.as_str() {
        "" => format!("{} of {wanted}.", card.approvals_given),
        who => format!("{} of {wanted}. {who} can approve.", card.approvals_given),
    };
    view! {
        <article class="card held">
            <div class="held-what">
                <header class="held-head">
                    <h3>
                        <a href=link::request(&card.request_id)>
                            {sentence::targets(&card.targets)}
                        </a>
                    </h3>
                    <Pill state=RequestState::Pending/>
                </header>
                <p class="quiet">
                    "for " {clock::duration(card.duration_seconds)} ", asked "
                    <Time at=card.submitted_at/>
                </p>
                <p>{progress}</p>
            </div>
            <div class="held-state">
                <p class="quiet">"lapses " <Time at=card.expires_at/></p>
                <form method="post" action=link::request(&card.request_id)>
                    <button class="button" type="submit" name="act" value="withdraw">
                        "Withdraw"
                    </button>
                </form>
            </div>
        </article>
    }
    .into_any()
}

fn over(card: &PastCard) -> AnyView {
    let again = match card.targets.as_slice() {
        [only] => {
            let (first, second) = only.segments();
            let form = link::ask(first, second);
            Some(view! { <a class="button button-small" href=form>"Ask again"</a> }.into_any())
        }
        _ => None,
    };
    let receipt = card
        .receipt
        .map(|receipt| format!("{} · ", sentence::receipt_short(receipt)));
    view! {
        <li class="row">
            <Pill state=card.state/>
            <span class="row-what">
                <a href=link::request(&card.request_id)>{sentence::targets(&card.targets)}</a>
                <span class="quiet">" for " {clock::duration(card.duration_seconds)}</span>
            </span>
            <span class="row-more quiet">{receipt} <Time at=card.at/></span>
            {again}
        </li>
    }
    .into_any()
}
