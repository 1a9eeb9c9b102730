//! The form for one target, with the verdict as it would be now.

mod fields;
mod glass;
mod verdict;

use leptos::{html, prelude::*};
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::{
    browser::title,
    clock,
    components::{
        Interruption, Problems, TextArea, Time, changing, given, problem_at, refuse, sign_in_again,
        skeleton,
    },
    follow::{Followed, follow},
    form_state::Arrived,
    link, read, sentence,
    view::{AskFormView, CurrentView, Field, FormState, PreviewOutcome, SignInAgain, TargetView},
};

/// Durations to choose from where policy names only the limits, in seconds: what people ask for in practice.
const USUAL_DURATIONS: [u32; 9] = [300, 900, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400];

/// Ask for one permission set in one account, or for membership of one group.
#[component]
pub(crate) fn Ask() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    // Another target is another page: everything below is made anew.
    changing(move || {
        let params = params.read();
        let account_id = params.get("account_id").unwrap_or_default();
        let permission_set = params.get("permission_set").unwrap_or_default();
        let query = query.read();
        let like = query.get("like").unwrap_or_default();
        let extend = query.get("extend").unwrap_or_default();
        let mut before = Arrived::form();
        if !extend.is_empty() && before.value("extend").is_empty() {
            before.values.push(("extend".to_owned(), extend));
        }
        // A group's id is no title; its name comes with the form.
        title(if account_id == "group" {
            "Ask for access".to_owned()
        } else {
            format!("Ask for {permission_set}")
        });
        let chosen = RwSignal::new(verdict::before(&before));
        follow(
            move || {
                Box::pin(read::read_ask_form(
                    account_id.clone(),
                    permission_set.clone(),
                    like.clone(),
                    chosen.get_untracked(),
                ))
            },
            |topic| topic == "mine" || topic == verdict::CHOSEN,
            skeleton,
            move |form| page(form, chosen, &before),
            refuse,
        )
    })
}

fn page(form: Followed<AskFormView>, chosen: RwSignal<String>, before: &FormState) -> AnyView {
    let value = form.value;
    let first = value.get_untracked();
    title(sentence::target(&first.target));
    let can_ask = first.can_ask;
    let before = &prefilled(&first, before);
    let preview = changing(move || verdict::verdicts(&value.read()));
    let content = if can_ask {
        fields(value, chosen, preview, before)
    } else {
        view! { <div class="card stack">{preview}</div> }.into_any()
    };
    view! {
        <Interruption problem=form.problem/>
        <p class="crumbs"><a href="/">"Access"</a></p>
        <div class="page-head">
            <h1>{heading(&first.target)}</h1>
            <p class="lead">{lead(&first)}</p>
        </div>
        <div class="split">
            <div class="split-main stack">
                {changing(move || value.read().current.as_ref().map(already).into_any())}
                {content}
            </div>
            <aside class="split-side" aria-label="About this access">{about(&first)}</aside>
        </div>
    }
    .into_any()
}

fn heading(target: &TargetView) -> AnyView {
    match target {
        TargetView::Account {
            account_name,
            permission_set,
            ..
        } => view! {
            {permission_set.clone()} <span class="quiet">" in "</span> {account_name.clone()}
        }
        .into_any(),
        TargetView::Group { name, .. } => {
            view! { <span class="quiet">"Membership of "</span> {name.clone()} }.into_any()
        }
    }
}

fn lead(form: &AskFormView) -> String {
    match &form.target {
        TargetView::Account { .. } => form.description.clone(),
        TargetView::Group { .. } => {
            "You join this group for a while, and have everything that it is assigned.".to_owned()
        }
    }
}

fn already(current: &CurrentView) -> AnyView {
    let said = match current {
        CurrentView::Pending { request_id } => view! {
            "You have asked for this already, and it waits for an answer. "
            <a href=link::request(request_id)>"See that request"</a> "."
        }
        .into_any(),
        CurrentView::Active { request_id, until } => view! {
            "You have this already, until " <Time at=*until/> ". "
            <a href=link::request(request_id)>"See it"</a> "."
        }
        .into_any(),
        CurrentView::Standing => {
            "You have this access permanently already, from outside Belay. Asking for it gives you \
             nothing more."
                .into_any()
        }
    };
    view! { <p class="notice notice-wait">{said}</p> }.into_any()
}

fn fields(
    value: RwSignal<AskFormView>,
    chosen: RwSignal<String>,
    preview: AnyView,
    before: &FormState,
) -> AnyView {
    let form = &value.get_untracked();
    let limits = format!(
        "From {} to {} characters. Approvers and auditors read it: what for, and a link if there is one.",
        form.reason_min_chars, form.reason_max_chars
    );
    // Where nothing but break-glass leads there, the usual button would only be refused.
    let only_break_glass = form
        .break_glass
        .as_ref()
        .is_some_and(|glass| glass.is_only_way);
    let usual = (!only_break_glass).then(|| {
        view! {
            {sign_in_again(form.sign_in_again)}
            <div class="actions">
                <button class="button button-main" type="submit">
                    {move || submit(&value.read())}
                </button>
                <a class="button button-quiet" href="/">"Back"</a>
            </div>
        }
        .into_any()
    });
    let (first, second) = form.target.segments();
    let this = NodeRef::<html::Form>::new();
    view! {
        <form
            class="card stack"
            node_ref=this
            on:change=move |_| verdict::choose(this, chosen)
            method="post"
            action=link::ask(first, second)
            novalidate
        >
            <Problems problems=before.problems.clone()/>
            {durations(form, before)}
            {extension(before)}
            {fields::start(before)}
            {fields::ticket(form, before)}
            {fields::others(form, before)}
            <TextArea
                name="reason"
                label="Why do you need it?"
                hint=limits
                rows=4
                max_chars=form.reason_max_chars
                value=before.value("reason").to_owned()
                problem=problem_at(&before.problems, Field::Reason)
            />
            <div aria-live="polite">{preview}</div>
            {usual}
            {glass::break_glass(form, before)}
        </form>
    }
    .into_any()
}

/// What was typed in the form that was refused; else, in the request that is asked for again.
fn prefilled(form: &AskFormView, before: &FormState) -> FormState {
    let mut before = before.clone();
    if let (Some(earlier), 0) = (&form.prefill, before.status) {
        let duration = earlier.duration_seconds.to_string();
        let typed = [
            ("duration", &duration),
            ("reason", &earlier.reason),
            ("ticket", &earlier.ticket),
        ];
        let typed = typed.map(|(name, value)| (name.to_owned(), value.clone()));
        let also = earlier.also.iter().cloned();
        before.values.extend(typed);
        before
            .values
            .extend(also.map(|target| ("also".to_owned(), target)));
    }
    before
}

/// More of what one has: it begins when that ends.
fn extension(before: &FormState) -> AnyView {
    let grant = before.value("extend").to_owned();
    let said = (!grant.is_empty()).then(|| {
        view! {
            <p class="notice notice-wait">
                "This continues the access that you have: it begins when that ends, and is decided \
                 afresh, as one window with it."
            </p>
            <input type="hidden" name="extend" value=grant/>
        }
        .into_any()
    });
    said.into_any()
}

fn durations(form: &AskFormView, before: &FormState) -> AnyView {
    let problem = problem_at(&before.problems, Field::Duration);
    let is_wrong = !problem.is_empty();
    let chosen = match before.value("duration") {
        "" => form.default_duration_seconds.to_string(),
        typed => typed.to_owned(),
    };
    let choices: Vec<_> = offered(form)
        .into_iter()
        .map(|seconds| {
            let value = seconds.to_string();
            let is_chosen = value == chosen;
            view! {
                <label class="choice">
                    <input type="radio" name="duration" value=value checked=is_chosen/>
                    <span>{clock::duration(seconds)}</span>
                </label>
            }
            .into_any()
        })
        .collect();
    let problem = is_wrong
        .then(|| view! { <p class="field-problem" id="duration-problem">{problem}</p> }.into_any());
    view! {
        <fieldset
            class=if is_wrong { "field field-wrong" } else { "field" }
            aria-describedby=is_wrong.then_some("duration-problem".to_owned())
        >
            <legend class="label">"For how long?"</legend>
            {problem}
            <div class="choices">{choices}</div>
        </fieldset>
    }
    .into_any()
}

/// What pressing the button comes to: where one of several has to be approved, it is a question.
fn submit(form: &AskFormView) -> &'static str {
    let at_once = |outcome| {
        matches!(
            outcome,
            PreviewOutcome::Automatic | PreviewOutcome::SelfApproved
        )
    };
    let all_at_once =
        at_once(form.preview.outcome) && form.also.iter().all(|one| at_once(one.preview.outcome));
    match form.sign_in_again {
        SignInAgain::Needed => "Sign in again to get access",
        _ if all_at_once => "Get access",
        _ => "Ask for access",
    }
}

/// What policy offers, or what is usual between its limits.
fn offered(form: &AskFormView) -> Vec<u32> {
    let mut offered = form.durations_seconds.clone();
    let mut always = vec![form.default_duration_seconds];
    if offered.is_empty() {
        let (min, max) = (form.min_duration_seconds, form.max_duration_seconds);
        let usual = USUAL_DURATIONS.into_iter();
        offered.extend(usual.filter(|seconds| (min..=max).contains(seconds)));
        always.push(max);
    }
    for seconds in always {
        if let Err(place) = offered.binary_search(&seconds) {
            offered.insert(place, seconds);
        }
    }
    offered
}

fn about(form: &AskFormView) -> AnyView {
    let session = clock::duration(form.session_seconds);
    let after = format!(
        "Belay removes the access at its end. A session that you opened before then stays open in \
         AWS for up to {session}."
    );
    let place = match &form.target {
        TargetView::Account {
            account_id,
            account_name,
            ou_path,
            ..
        } => view! {
            <div>
                <dt>"Account"</dt>
                <dd>{account_name.clone()} " " <code class="quiet">{account_id.clone()}</code></dd>
            </div>
            <div>
                <dt>"Unit"</dt>
                <dd>{ou_path.clone()}</dd>
            </div>
        }
        .into_any(),
        TargetView::Group { gives, .. } => view! {
            <div>
                <dt>"It gives"</dt>
                <dd>{given(gives)}</dd>
            </div>
        }
        .into_any(),
    };
    // A group that gives nothing opens no session.
    let sessions = (form.session_seconds > 0).then(|| {
        view! {
            <div>
                <dt>"AWS session"</dt>
                <dd>"up to " {session} <p class="quiet small">{after}</p></dd>
            </div>
        }
        .into_any()
    });
    view! {
        <dl class="facts facts-tall">
            {place}
            <div>
                <dt>"Longest"</dt>
                <dd>{clock::duration(form.max_duration_seconds)}</dd>
            </div>
            {sessions}
        </dl>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::offered;
    use crate::view::{
        AskFormView, GivesView, PreviewOutcome, PreviewView, SignInAgain, TargetView,
    };

    fn form(durations_seconds: Vec<u32>, min: u32, max: u32) -> AskFormView {
        AskFormView {
            target: TargetView::Group {
                id: String::new(),
                name: String::new(),
                gives: GivesView::default(),
            },
            description: String::new(),
            session_seconds: 3600,
            durations_seconds,
            default_duration_seconds: max,
            min_duration_seconds: min,
            max_duration_seconds: max,
            reason_min_chars: 10,
            reason_max_chars: 1000,
            preview: PreviewView {
                outcome: PreviewOutcome::Automatic,
                reasons: Vec::new(),
                routes: Vec::new(),
                problems: Vec::new(),
                nearest: None,
            },
            also: Vec::new(),
            can_ask: true,
            ticket: None,
            others: Vec::new(),
            prefill: None,
            current: None,
            sign_in_again: SignInAgain::NotNeeded,
            break_glass: None,
        }
    }

    #[test]
    fn what_policy_offers_is_offered_as_it_is() {
        assert_eq!(offered(&form(vec![20, 60], 20, 60)), [20, 60]);
    }

    #[test]
    fn without_an_offer_the_limits_decide() {
        assert_eq!(
            offered(&form(Vec::new(), 300, 5400)),
            [300, 900, 1800, 3600, 5400]
        );
        assert_eq!(offered(&form(Vec::new(), 20, 60)), [60]);
    }
}
