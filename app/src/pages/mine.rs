//! My access: what I have, wait for and had.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    browser::title,
    cli, clock,
    components::{
        Countdown, Empty, Interruption, Pill, Time, changing, console_link, copyable, refuse,
        skeleton,
    },
    follow::{Followed, follow},
    link, read, sentence,
    view::{
        CliView, EpochMs, GrantCard, GrantState, MyAccessView, PastCard, PendingCard, RequestState,
        TargetView,
    },
};

/// The reader's own access.
#[component]
pub(crate) fn Mine() -> impl IntoView {
    title("My access");
    let query = use_query_map();
    changing(move || {
        let query = query.read();
        let before = query.get_str("before").unwrap_or_default().to_owned();
        let is_first = before.is_empty();
        follow(
            move || Box::pin(read::read_mine(before.clone())),
            // What is over does not change.
            move |topic| is_first && topic == "mine",
            skeleton,
            move |mine| page(mine, is_first),
            refuse,
        )
    })
}

fn page(mine: Followed<MyAccessView>, is_first: bool) -> AnyView {
    let value = mine.value;
    view! {
        <Interruption problem=mine.problem/>
        <div class="page-head">
            <h1>"My access"</h1>
        </div>
        {changing(move || {
            if is_first { sections(&value.read()) } else { earlier(&value.read()) }
        })}
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
    let past = (!mine.past.is_empty() || mine.next.is_some()).then(|| before(mine, "Before"));
    view! { {section("active", "Now", vec![active])} {pending} {past} }.into_any()
}

/// A page of what was over before what the first page shows.
fn earlier(mine: &MyAccessView) -> AnyView {
    view! {
        {before(mine, "Earlier")}
        <p class="actions paging"><a class="button" href="/mine">"Newest"</a></p>
    }
    .into_any()
}

fn before(mine: &MyAccessView, name: &'static str) -> AnyView {
    let rows: Vec<_> = mine.past.iter().map(over).collect();
    let rows = if rows.is_empty() {
        view! { <p class="quiet">"Nothing here is over."</p> }.into_any()
    } else {
        view! { <ul class="card rows">{rows}</ul> }.into_any()
    };
    let older = mine.next.as_deref().map(|next| {
        view! {
            <p class="actions paging">
                <a class="button" href=link::mine_before(next)>"Older"</a>
            </p>
        }
        .into_any()
    });
    section("past", name, vec![rows, older.into_any()])
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
                    {broken(grant.is_break_glass)}
                </header>
                <p class="quiet">{place(&grant.target)}</p>
                {trouble}
                <p class="quiet small">
                    "AWS sessions opened until the end may last until "
                    <Time at=grant.sessions_may_last_until/> "."
                </p>
                {grant.cli.as_ref().map(|cli| profile(&grant.target, cli))}
            </div>
            <div class="held-state">
                {progress}
                {console_link(grant.state, grant.console_url.as_deref())}
                {acts(grant)}
            </div>
        </article>
    }
    .into_any()
}

/// More of it, and less: while it goes on.
fn acts(grant: &GrantCard) -> AnyView {
    let goes_on = match grant.state {
        GrantState::Scheduled | GrantState::Granting | GrantState::Active => !grant.is_overdue,
        GrantState::Revoking | GrantState::Ended => false,
    };
    let acts = goes_on.then(|| {
        let (first, second) = grant.target.segments();
        let name = sentence::target(&grant.target);
        view! {
            <p class="actions">
                <a
                    class="button button-small"
                    href=link::extend(first, second, &grant.id)
                    aria-label=format!("Extend: {name}")
                >
                    "Extend"
                </a>
                <a
                    class="button button-small"
                    href=link::end(&grant.request_id, &grant.id)
                    aria-label=format!("End early: {name}")
                >
                    "End early"
                </a>
            </p>
        }
        .into_any()
    });
    acts.into_any()
}

/// That nobody was asked before; it says so for ever.
fn broken(is_break_glass: bool) -> AnyView {
    let mark = is_break_glass
        .then(|| view! { <span class="pill pill-bad">"Break-glass"</span> }.into_any());
    mark.into_any()
}

/// How the AWS CLI gets at it.
fn profile(target: &TargetView, cli: &CliView) -> AnyView {
    let TargetView::Account {
        account_id,
        account_name,
        permission_set,
        ..
    } = target
    else {
        return ().into_any();
    };
    let name = cli::name(account_name, account_id, permission_set);
    let account = (account_id.as_str(), account_name.as_str());
    let text = cli::profile(account, permission_set, &cli.start_url, &cli.region);
    let hint = view! {
        <p class="quiet small">
            "Add this to " <code>"~/.aws/config"</code> " (the session only once), then "
            <code>"aws sso login --profile " {name}</code>
        </p>
    }
    .into_any();
    copyable("Use it with the AWS CLI", hint, text)
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
    let start = card
        .start
        .map(|at| view! { " from " <Time at/> }.into_any());
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
                    "for " {clock::duration(card.duration_seconds)} {start} ", asked "
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
    // The form begins with everything that was asked for then, and with its words.
    let again = card.targets.first().map(|first| {
        let (one, other) = first.segments();
        let form = link::ask_again(one, other, &card.request_id);
        view! { <a class="button button-small" href=form>"Ask again"</a> }.into_any()
    });
    let receipt = card
        .receipt
        .map(|receipt| format!("{} · ", sentence::receipt_short(receipt)));
    view! {
        <li class="row">
            <Pill state=card.state/>
            <span class="row-what">
                <a href=link::request(&card.request_id)>{sentence::targets(&card.targets)}</a>
                <span class="quiet">" for " {clock::duration(card.duration_seconds)}</span>
                " " {broken(card.is_break_glass)}
            </span>
            <span class="row-more quiet">{receipt} <Time at=card.at/></span>
            {again}
        </li>
    }
    .into_any()
}
