//! One request, at its permanent address.

mod ask;
mod end;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::{
    browser::title,
    clock,
    components::{
        Done, Interruption, Pill, Problems, ReviewForm, SignForm, Time, changing, closure, quote,
        refuse, skeleton, timeline,
    },
    follow::{Followed, follow},
    form_state::Arrived,
    link, read, sentence,
    view::{ActionsView, FormState, RequestView, TargetView, WhyNot},
};

/// A request with everything that the reader may see of it.
#[component]
pub(crate) fn Request() -> impl IntoView {
    let params = use_params_map();
    // Another request is another page: everything below is made anew.
    changing(move || {
        let id = params.read().get("id").unwrap_or_default();
        let topic = format!("request:{id}");
        let before = Arrived::form();
        title("Request");
        follow(
            move || Box::pin(read::read_request(id.clone())),
            move |moved| moved == topic,
            skeleton,
            move |request| page(request, before),
            refuse,
        )
    })
}

fn page(request: Followed<RequestView>, before: FormState) -> AnyView {
    let value = request.value;
    let first = value.get_untracked();
    let targets: Vec<TargetView> = first.asks.iter().map(|ask| ask.target.clone()).collect();
    let named = sentence::targets(&targets);
    title(named.clone());
    let requester = match first.requester.email.as_str() {
        _ if first.is_mine => "You".to_owned(),
        "" => first.requester.name.clone(),
        email => format!("{} ({email})", first.requester.name),
    };
    let begins = first
        .start
        .map(|start| view! { ", from " <Time at=start/> }.into_any());
    let ticket = (!first.ticket.is_empty()).then(|| {
        view! { <p class="quiet">"Ticket: " <code>{first.ticket.clone()}</code></p> }.into_any()
    });
    let together = (first.asks.len() > 1).then(|| {
        let said = if first.is_separate {
            "Each of these is granted by itself."
        } else {
            "Nothing of this is granted until all of it is approved."
        };
        view! { <p class="quiet">{said}</p> }.into_any()
    });
    let asks = asks(value, &before);
    view! {
        <Interruption problem=request.problem/>
        <div class="page-head">
            <p class="head-state" role="status">
                {changing(move || view! { <Pill state=value.read().state/> }.into_any())}
            </p>
            <h1>{named}</h1>
            <p class="lead">
                {requester} " asked " <Time at=first.submitted_at/> " for "
                {clock::duration(first.duration_seconds)} {begins}
            </p>
            {together}
        </div>
        <Done/>
        <div class="split">
            <div class="split-main stack">
                {asks}
                <section class="card stack" aria-labelledby="reason">
                    <h2 id="reason">"Reason"</h2>
                    {quote(&first.reason)}
                    {ticket}
                </section>
                {acts(first.id, value, before)}
            </div>
            <aside class="split-side" aria-labelledby="timeline">
                <h2 id="timeline">"What happened"</h2>
                {changing(move || {
                    let request = value.read();
                    timeline(&request.events, request.asks.len())
                })}
            </aside>
        </div>
    }
    .into_any()
}

/// What was asked for, which is as much for as long as the request is there.
fn asks(request: RwSignal<RequestView>, before: &FormState) -> AnyView {
    let cards: Vec<_> = (0..request.read_untracked().asks.len())
        .map(|place| ask::card(place, request, before))
        .collect();
    cards.into_any()
}

/// What the reader may do, or why not. Made anew only when that changes, so that a note half written stays.
fn acts(id: String, request: RwSignal<RequestView>, before: FormState) -> AnyView {
    let actions = Memo::new(move |_| request.read().actions.clone());
    changing(move || {
        let actions = actions.get();
        if actions.can_sign {
            sign(&id, &actions, before.clone())
        } else if actions.can_approve || actions.can_deny {
            answer(&id, actions, before.clone())
        } else {
            nothing_to_answer(&id, &actions, &before)
        }
    })
}

/// Looking at what was granted first.
fn sign(id: &str, actions: &ActionsView, before: FormState) -> AnyView {
    view! {
        <section class="card stack" aria-labelledby="sign">
            <h2 id="sign">"Your signature"</h2>
            <SignForm request_id=id.to_owned() actions=actions.clone() before=before.clone()/>
        </section>
        {closed(id, actions, &before)}
        {small_acts(id, actions)}
    }
    .into_any()
}

fn closed(id: &str, actions: &ActionsView, before: &FormState) -> AnyView {
    let closed = actions.closed.as_ref();
    closed
        .map(|one| closure(id, one, before, actions.note_max_chars))
        .into_any()
}

fn answer(id: &str, actions: ActionsView, before: FormState) -> AnyView {
    view! {
        <section class="card stack" aria-labelledby="answer">
            <h2 id="answer">"Your answer"</h2>
            <ReviewForm request_id=id.to_owned() actions=actions.clone() before/>
        </section>
        {small_acts(id, &actions)}
    }
    .into_any()
}

/// Whatever a refused form was about may be over by now; what was typed is shown all the same.
fn nothing_to_answer(id: &str, actions: &ActionsView, before: &FormState) -> AnyView {
    let note = before.value("note");
    let lost = (!note.is_empty() && before.value("act") != "reopen").then(|| {
        view! {
            <div class="notice notice-wait">
                <p>"This is the note that you wrote:"</p>
                {quote(note)}
            </div>
        }
        .into_any()
    });
    let why_not = actions
        .why_not
        .filter(|why| *why != WhyNot::AlreadyDecided)
        .map(|why| view! { <p class="quiet">{sentence::why_not(why)}</p> }.into_any());
    let withdraw = actions.can_withdraw.then(|| {
        view! {
            <form class="card stack" method="post" action=link::request(id)>
                <p>"Not needed any more? Then nobody has to answer."</p>
                <div class="actions">
                    <button class="button" type="submit" name="act" value="withdraw">
                        "Withdraw"
                    </button>
                </div>
            </form>
        }
        .into_any()
    });
    view! {
        <Problems problems=before.problems.clone()/>
        {lost}
        {why_not}
        {closed(id, actions, before)}
        {small_acts(id, actions)}
        {withdraw}
    }
    .into_any()
}

/// What needs no words: reminding approvers, taking an approval back.
fn small_acts(id: &str, actions: &ActionsView) -> AnyView {
    let acts: Vec<_> = [
        (actions.can_retract, "retract", "Take my approval back"),
        (actions.can_nudge, "nudge", "Remind its approvers"),
    ]
    .into_iter()
    .filter(|(may, ..)| *may)
    .map(|(_, act, name)| {
        view! { <button class="button" type="submit" name="act" value=act>{name}</button> }
            .into_any()
    })
    .collect();
    let form = (!acts.is_empty()).then(|| {
        view! {
            <form class="actions" method="post" action=link::request(id)>{acts}</form>
        }
        .into_any()
    });
    form.into_any()
}
