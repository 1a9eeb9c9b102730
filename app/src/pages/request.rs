//! One request, at its permanent address.

mod ask;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::{
    browser::title,
    clock,
    components::{
        Done, Interruption, Pill, Problems, Refusal, ReviewForm, Time, Timeline, skeleton,
    },
    follow::{Followed, follow},
    form_state::Arrived,
    link, read, sentence,
    view::{ActionsView, FormState, RequestState, RequestView, TargetView, WhyNot},
};

/// A request with everything that the reader may see of it.
#[component]
pub(crate) fn Request() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    // Another request is another page: everything below is made anew.
    move || {
        let id = id.get();
        let topic = format!("request:{id}");
        let before = Arrived::form();
        title("Request");
        follow(
            move || read::read_request(id.clone()),
            move |moved| moved == topic,
            skeleton,
            move |request| page(request, before),
            |error| view! { <Refusal error/> },
        )
    }
}

fn page(request: Followed<RequestView>, before: FormState) -> impl IntoView {
    let value = request.value;
    let first = value.get_untracked();
    let targets: Vec<TargetView> = first.asks.iter().map(|ask| ask.target.clone()).collect();
    let named = sentence::targets(&targets);
    title(named.clone());
    let state = Memo::new(move |_| value.read().state);
    let actions = Memo::new(move |_| value.read().actions.clone());
    let events = Memo::new(move |_| value.read().events.clone());
    let several = first.asks.len() > 1;
    let asks = (0..first.asks.len())
        .map(|index| ask::ask(index, several, value))
        .collect_view();
    let id = first.id.clone();
    let requester = match first.requester.email.as_str() {
        _ if first.is_mine => "You".to_owned(),
        "" => first.requester.name.clone(),
        email => format!("{} ({email})", first.requester.name),
    };
    view! {
        <Interruption problem=request.problem/>
        <div class="page-head">
            <p class="head-state" role="status">{move || view! { <Pill state=state.get()/> }}</p>
            <h1>{named}</h1>
            <p class="lead">
                {requester} " asked "
                <Time at=first.submitted_at/> " for " {clock::duration(first.duration_seconds)}
            </p>
        </div>
        <Done/>
        <div class="split">
            <div class="split-main stack">
                {asks}
                <section class="card stack" aria-labelledby="reason">
                    <h2 id="reason">"Reason"</h2>
                    <blockquote class="quote">{first.reason.clone()}</blockquote>
                </section>
                {acts(id, state, actions, before)}
            </div>
            <aside class="split-side" aria-labelledby="timeline">
                <h2 id="timeline">"What happened"</h2>
                <Timeline events=events.into() several_asks=several/>
            </aside>
        </div>
    }
}

/// What the reader may do, or why not. Made anew only when that changes, so that a note half written stays.
fn acts(
    id: String,
    state: Memo<RequestState>,
    actions: Memo<ActionsView>,
    before: FormState,
) -> impl IntoView {
    move || {
        let actions = actions.get();
        let review = (actions.can_approve || actions.can_deny).then(|| {
            view! {
                <section class="card stack" aria-labelledby="answer">
                    <h2 id="answer">"Your answer"</h2>
                    <ReviewForm request_id=id.clone() actions=actions.clone() before=before.clone()/>
                </section>
            }
        });
        // Whatever the form was about may be over by now; what was typed is shown all the same.
        let refused = review
            .is_none()
            .then(|| view! { <Problems problems=before.problems.clone()/> });
        let lost = (review.is_none() && !before.value("note").is_empty()).then(|| {
            view! {
                <div class="notice notice-wait">
                    <p>"This is the note that you wrote:"</p>
                    <blockquote class="quote">{before.value("note").to_owned()}</blockquote>
                </div>
            }
        });
        let withdraw = actions.can_withdraw.then(|| {
            view! {
                <form class="card stack" method="post" action=link::request(&id)>
                    <p>"Not needed any more? Nobody has to answer then."</p>
                    <div class="actions">
                        <button class="button" type="submit" name="act" value="withdraw">"Withdraw"</button>
                    </div>
                </form>
            }
        });
        let why_not = actions
            .why_not
            .filter(|why| {
                review.is_none()
                    && *why != WhyNot::AlreadyDecided
                    && state.get_untracked() == RequestState::Pending
            })
            .map(|why| view! { <p class="quiet">{sentence::why_not(why)}</p> });
        view! { {refused} {lost} {review} {why_not} {withdraw} }
    }
}
