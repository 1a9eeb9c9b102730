//! The policy, for auditors and admins: what it says, what it answers, what a draft would change, what it was.

mod draft;
mod explain;
mod versions;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

pub(crate) use draft::Draft;
pub(crate) use explain::Explain;
pub(crate) use versions::{Version, Versions};

use crate::{
    browser::title,
    components::{Empty, Interruption, changing, line, refuse, skeleton},
    follow::{Followed, Reading, follow},
    link, read,
    view::{PolicyChange, PolicyFilter, PolicyLine, PolicyPage, PolicyPart},
};

/// The places within, in the order of a question that somebody has.
const PLACES: [(&str, &str); 4] = [
    ("/policy", "Rules"),
    ("/policy/explain", "Explain"),
    ("/policy/draft", "Compare a draft"),
    ("/policy/versions", "Versions"),
];

/// Every rule and guardrail, as people read them.
#[component]
pub(crate) fn Policy() -> impl IntoView {
    title("Policy");
    let query = use_query_map();
    changing(move || {
        let query = query.read();
        let field = |name: &str| query.get_str(name).unwrap_or_default().trim().to_owned();
        let filter = PolicyFilter {
            text: field("text"),
            after: field("after"),
        };
        let shown = filter.clone();
        follow(
            move || ask("rules", vec![filter.text.clone(), filter.after.clone()]),
            |topic| topic == "policy",
            skeleton,
            move |policy| page(policy, shown),
            refuse,
        )
    })
}

/// One read of the policy.
fn ask(page: &str, fields: Vec<String>) -> Reading {
    Box::pin(read::read_policy(page.to_owned(), fields))
}

fn page(policy: Followed<PolicyPage>, filter: PolicyFilter) -> AnyView {
    let value = policy.value;
    let text = filter.text.clone();
    view! {
        <Interruption problem=policy.problem/>
        {head("Policy", "Rules open ways to access; guardrails narrow every way that they cover.")}
        {places("/policy")}
        <form class="card filter" method="get" action="/policy" role="search">
            {line("text", "Find", "search", &text, "A name, an account, a permission set, a person or group, a word.", String::new())}
            <div class="actions filter-actions">
                <button class="button button-main" type="submit">"Search"</button>
                <a class="button button-quiet" href="/policy">"Clear"</a>
            </div>
        </form>
        {changing(move || results(&value.read(), &filter))}
    }
    .into_any()
}

fn results(page: &PolicyPage, filter: &PolicyFilter) -> AnyView {
    let is_first = filter.after.is_empty();
    let overall = (is_first && filter.text.is_empty()).then(|| {
        view! {
            <section class="card stack" aria-labelledby="overall">
                <h2 id="overall">"Over all"</h2>
                {lines(&page.overall)}
                <p class="quiet">"In force: version " {version(&page.version)}</p>
            </section>
        }
        .into_any()
    });
    let found = (!filter.text.is_empty()).then(|| {
        view! { <p role="status">{page.found} " of " {page.of} " mention it."</p> }.into_any()
    });
    let nothing = page.parts.is_empty().then(|| {
        view! {
            <Empty title="No rule or guardrail mentions that">
                <p>"Try one word of it. " <a href="/policy">"Show everything"</a></p>
            </Empty>
        }
        .into_any()
    });
    let parts: Vec<_> = page.parts.iter().map(part).collect();
    let next = page.next.map(|next| {
        let address = format!("/policy?text={}&after={next}", link::encode(&filter.text));
        view! { <p class="actions paging"><a class="button" href=address>"More"</a></p> }.into_any()
    });
    view! { <div class="stack">{overall} {found} {nothing} {parts}</div> {next} }.into_any()
}

fn head(name: &'static str, lead: &'static str) -> AnyView {
    view! {
        <div class="page-head">
            <h1>{name}</h1>
            <p class="lead">{lead}</p>
        </div>
    }
    .into_any()
}

fn places(here: &'static str) -> AnyView {
    let places: Vec<_> = PLACES
        .into_iter()
        .map(|(address, name)| {
            let current = (address == here).then_some("page");
            view! { <a class="button button-quiet" href=address aria-current=current>{name}</a> }
                .into_any()
        })
        .collect();
    view! { <nav class="actions places" aria-label="Policy">{places}</nav> }.into_any()
}

fn part(part: &PolicyPart) -> AnyView {
    let kind = if part.is_guardrail {
        view! { <span class="pill pill-wait">"Guardrail"</span> }.into_any()
    } else {
        view! { <span class="pill pill-good">"Rule"</span> }.into_any()
    };
    view! {
        <article class="card stack">
            <h2 class="part-head">{kind} " " {part.name.clone()}</h2>
            {lines(&part.lines)}
        </article>
    }
    .into_any()
}

fn lines(lines: &[PolicyLine]) -> AnyView {
    let lines: Vec<_> = lines
        .iter()
        .map(|line| {
            view! { <div><dt>{line.about.clone()}</dt><dd>{line.text.clone()}</dd></div> }
                .into_any()
        })
        .collect();
    view! { <dl class="facts facts-lines">{lines}</dl> }.into_any()
}

/// A version as people can compare it at a glance, with a way to all of it.
fn version(version: &str) -> AnyView {
    let short: String = version.chars().take(12).collect();
    view! { <a href=address_of(version)><code>{short}</code></a> }.into_any()
}

fn address_of(version: &str) -> String {
    format!("/policy/versions/{}", link::encode(version))
}

/// Who gains and who loses what.
fn changes(changes: Option<&[PolicyChange]>, more: u32, nothing: &'static str) -> AnyView {
    let Some(changes) = changes else {
        return view! {
            <p class="notice notice-wait">
                "It is too much to compare while somebody waits. " <code>"belay policy diff"</code>
                " takes the time that it takes."
            </p>
        }
        .into_any();
    };
    if changes.is_empty() {
        return view! { <p class="notice">{nothing}</p> }.into_any();
    }
    let rows: Vec<_> = changes
        .iter()
        .map(|change| {
            let (pill, word) = if change.gains {
                ("pill pill-wait", "Gains")
            } else {
                ("pill", "Loses")
            };
            view! {
                <li class="row">
                    <span class=pill>{word}</span>
                    <span class="row-what">{change.sentence.clone()}</span>
                </li>
            }
            .into_any()
        })
        .collect();
    let more = (more > 0).then(|| {
        view! {
            <p class="quiet">"And " {more} " more: " <code>"belay policy diff"</code> " tells them all."</p>
        }
        .into_any()
    });
    view! { <ul class="card rows">{rows}</ul> {more} }.into_any()
}
