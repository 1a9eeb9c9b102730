//! What the policy answers anybody, and why.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{head, lines, places, version};
use crate::{
    browser::title,
    components::{Interruption, changing, refuse, skeleton},
    follow::{Followed, follow},
    read,
    view::{Answer, ExplainField, ExplainFilter, ExplainPage, ExplainProblem, ExplainView},
};

/// The question is an ordinary form whose fields stand in the address, so that an answer can be kept and sent.
#[component]
pub(crate) fn Explain() -> impl IntoView {
    title("Explain");
    let query = use_query_map();
    changing(move || {
        let query = query.read();
        let field = |name: &str| query.get_str(name).unwrap_or_default().trim().to_owned();
        let filter = ExplainFilter {
            person: field("person"),
            account: field("account"),
            permission_set: field("permission_set"),
            group: field("group"),
            duration: field("duration"),
            ticket: field("ticket"),
            break_glass: field("break_glass"),
        };
        let asked = filter.clone();
        follow(
            move || Box::pin(read::read_explain(filter.clone())),
            |topic| topic == "policy",
            skeleton,
            move |found| page(found, asked),
            refuse,
        )
    })
}

fn page(found: Followed<ExplainPage>, filter: ExplainFilter) -> AnyView {
    let value = found.value;
    view! {
        <Interruption problem=found.problem/>
        {head("Explain", "What the policy would answer somebody now. Asking here asks nobody, and nothing is recorded.")}
        {places("/policy/explain")}
        {changing(move || {
            let value = value.read();
            let answer = match &*value {
                ExplainPage::Answer(answer) => Some(self::answer(answer)),
                ExplainPage::Empty | ExplainPage::Problems(_) => None,
            };
            let problems: &[_] = match &*value {
                ExplainPage::Problems(problems) => problems,
                ExplainPage::Empty | ExplainPage::Answer(_) => &[],
            };
            view! { <div class="stack">{answer} {form(&filter, problems)}</div> }.into_any()
        })}
    }
    .into_any()
}

fn answer(answer: &ExplainView) -> AnyView {
    let (pill, word) = match answer.answer {
        Answer::Granted => ("pill pill-good", "Granted"),
        Answer::Pending => ("pill pill-wait", "Pending"),
        Answer::Refused => ("pill pill-bad", "Refused"),
    };
    let reasons: Vec<_> = answer
        .reasons
        .iter()
        .map(|reason| view! { <li>{reason.clone()}</li> }.into_any())
        .collect();
    let routes: Vec<_> = answer
        .routes
        .iter()
        .map(|route| {
            view! { <section class="stack"><h3>"By rule " {route.name.clone()}</h3> {lines(&route.lines)}</section> }
                .into_any()
        })
        .collect();
    view! {
        <section class="card stack" aria-labelledby="answer" role="status">
            <h2 id="answer">{answer.asked.clone()}</h2>
            <p>
                <span class=pill>{word}</span> " " {answer.sentence.clone()} " "
                <code class="quiet">{answer.code.clone()}</code>
            </p>
            <ul class="plain">{reasons}</ul>
            {routes}
            <p class="quiet">"By version " {version(&answer.version)} "."</p>
        </section>
    }
    .into_any()
}

fn form(filter: &ExplainFilter, problems: &[(ExplainField, ExplainProblem)]) -> AnyView {
    let at = |field: ExplainField| {
        problems
            .iter()
            .find(|(at, _)| *at == field)
            .map(|(_, problem)| sentence(field, problem))
            .unwrap_or_default()
    };
    let ticked = !filter.break_glass.is_empty();
    view! {
        <form class="card filter" method="get" action="/policy/explain" novalidate>
            {field("person", "Person", "E-mail, user name or id", &filter.person, at(ExplainField::Person))}
            {field("account", "Account", "Id or name", &filter.account, at(ExplainField::Account))}
            {field("permission_set", "Permission set", "Name or ARN", &filter.permission_set, at(ExplainField::PermissionSet))}
            {field("group", "Or a group to join", "Name or id", &filter.group, at(ExplainField::Group))}
            {field("duration", "How long", "Such as 4h; empty: the shortest", &filter.duration, at(ExplainField::Duration))}
            {field("ticket", "Ticket", "If one is to be given", &filter.ticket, String::new())}
            <label class="choice">
                <input type="checkbox" name="break_glass" value="yes" checked=ticked/> " By break-glass"
            </label>
            <div class="actions filter-actions">
                <button class="button button-main" type="submit">"Explain"</button>
                <a class="button button-quiet" href="/policy/explain">"Clear"</a>
            </div>
        </form>
    }
    .into_any()
}

fn sentence(field: ExplainField, problem: &ExplainProblem) -> String {
    let thing = match field {
        ExplainField::Person => "person",
        ExplainField::Account => "account",
        ExplainField::PermissionSet => "permission set",
        ExplainField::Group => "group",
        ExplainField::Duration => "length of time",
    };
    match problem {
        ExplainProblem::Missing => format!("Name the {thing}."),
        ExplainProblem::Unknown(Some(near)) => {
            format!("There is no such {thing}. Did you mean {near}?")
        }
        ExplainProblem::Unknown(None) => format!("There is no such {thing}."),
        ExplainProblem::Several(count) => {
            format!("{count} are called that. Give the id of one.")
        }
        ExplainProblem::Digits(count) => {
            format!("That has {count} digits, and the id of an AWS account has 12.")
        }
        ExplainProblem::Duration => {
            "A length of time is numbers with units, such as 20s, 15m or 1h30m.".to_owned()
        }
    }
}

fn field(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    value: &str,
    problem: String,
) -> AnyView {
    let is_wrong = !problem.is_empty();
    let hint_id = format!("{name}-hint");
    let problem_id = format!("{name}-problem");
    let described_by = if is_wrong {
        format!("{hint_id} {problem_id}")
    } else {
        hint_id.clone()
    };
    let problem =
        is_wrong.then(|| view! { <p class="field-problem" id=problem_id>{problem}</p> }.into_any());
    view! {
        <div class=if is_wrong { "field field-wrong" } else { "field" }>
            <label class="label" for=name>{label}</label>
            <p class="hint" id=hint_id>{hint}</p>
            <input
                class="input"
                id=name
                name=name
                type="text"
                value=value.to_owned()
                autocomplete="off"
                aria-invalid=is_wrong.then_some("true")
                aria-describedby=described_by
            />
            {problem}
        </div>
    }
    .into_any()
}
