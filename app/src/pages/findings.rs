//! Findings: where grants and assignments differ, and what two admins agreed about it.

mod ends;
mod forms;
mod sweep;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    browser::title,
    components::{Done, Empty, Interruption, Problems, Time, changing, quote, refuse, skeleton},
    follow::{Followed, follow},
    form_state::Arrived,
    link, read, sentence,
    view::{
        AgreementView, Course, FindingKind, FindingView, FindingsFilter, FindingsPage, FormState,
        SweepView, TargetView,
    },
};

/// Every kind, as it stands in an address, and as a heading.
const KINDS: [(&str, FindingKind); 4] = [
    ("missing", FindingKind::Missing),
    ("no-longer-allowed", FindingKind::NoLongerAllowed),
    ("overdue", FindingKind::Overdue),
    ("unmanaged", FindingKind::Unmanaged),
];

/// What is open, by kind, and what is agreed. Which kind, and which page, stands in the address.
#[component]
pub(crate) fn Findings() -> impl IntoView {
    title("Findings");
    let query = use_query_map();
    let found = changing(move || {
        let query = query.read();
        let field = |name: &str| query.get_str(name).unwrap_or_default().trim().to_owned();
        let filter = FindingsFilter {
            kind: field("kind"),
            cursor: field("cursor"),
            agreed_cursor: field("agreed"),
        };
        let shown = filter.clone();
        follow(
            move || Box::pin(read::read_findings(filter.clone())),
            |topic| topic == "findings",
            skeleton,
            move |findings| page(findings, shown),
            refuse,
        )
    });
    view! { {found} <ends::Ends/> }
}

fn page(findings: Followed<FindingsPage>, filter: FindingsFilter) -> AnyView {
    let value = findings.value;
    let before = Arrived::form();
    let kinds = kinds(&filter);
    let (beside, further) = (filter.clone(), filter);
    let nothing = changing(move || {
        let is_empty = value.read().open.is_empty();
        let nothing = is_empty.then(|| {
            view! {
                <Empty title="Nothing is open here">
                    <p>"What people have is what was promised, as far as it was read."</p>
                </Empty>
            }
            .into_any()
        });
        nothing.into_any()
    });
    let next = changing(move || more(value.read().next.as_deref(), &beside, More::Findings));
    let agreed = changing(move || agreements(&value.read(), &further));
    let max_chars = value.read_untracked().note_max_chars;
    let (typed, again) = (before.clone(), value);
    let sweep = changing(move || sweep::section(&again.read().sweep, &typed, max_chars));
    view! {
        <Interruption problem=findings.problem/>
        <div class="page-head">
            <h1>"Findings"</h1>
            <p class="lead">
                "Where what people have is not what was promised, and what is done about it."
            </p>
        </div>
        <Done/>
        <Problems problems=elsewhere(&before, &value.read_untracked())/>
        {sweep}
        {kinds}
        <div class="stack">
            // Keyed by what there is to decide, so that a note half written stays while others come and go,
            // and while what is told of this one changes.
            <For each=move || value.read().open.clone() key=forms::Decision::of let:one>
                {card(&one, value, &before, max_chars)}
            </For>
        </div>
        {nothing}
        {next}
        {agreed}
    }
    .into_any()
}

/// The problems of a refused form whose finding is not on the page (any more), or of an agreement's.
fn elsewhere(before: &FormState, page: &FindingsPage) -> Vec<crate::view::FieldProblem> {
    let is_here = page
        .open
        .iter()
        .any(|one| one.id == before.value("finding"));
    if is_here {
        Vec::new()
    } else {
        before.problems.clone()
    }
}

fn kinds(filter: &FindingsFilter) -> AnyView {
    let places: Vec<_> = std::iter::once(("", "All"))
        .chain(KINDS.map(|(code, kind)| (code, sentence::finding(kind))))
        .map(|(code, name)| {
            let address = if code.is_empty() {
                "/findings".to_owned()
            } else {
                format!("/findings?kind={code}")
            };
            let current = (filter.kind == code).then_some("page");
            view! { <a class="button button-quiet" href=address aria-current=current>{name}</a> }
                .into_any()
        })
        .collect();
    view! { <nav class="actions places" aria-label="Kinds">{places}</nav> }.into_any()
}

fn card(
    one: &FindingView,
    page: RwSignal<FindingsPage>,
    before: &FormState,
    max_chars: u32,
) -> AnyView {
    let refused = if before.value("finding") == one.id {
        before.clone()
    } else {
        FormState::default()
    };
    let id = one.id.clone();
    let facts = changing(move || {
        let page = page.read();
        let this = page.open.iter().find(|other| other.id == id);
        this.map(|this| facts(this, &page.sweep)).into_any()
    });
    view! {
        <article class="card stack" id=format!("finding-{}", one.id)>
            <header>
                <h2>
                    {one.person.name.clone()} <span class="quiet">" · "</span>
                    {sentence::target(&one.target)}
                </h2>
                <p class="quiet">
                    <span class="pill pill-bad">{sentence::finding(one.kind)}</span> " "
                    {sentence::finding_means(one.kind)}
                </p>
            </header>
            {facts}
            // Also where there is no form: whoever was refused may be somebody who has none.
            <Problems problems=refused.problems.clone()/>
            {forms::deciding(one, &refused, max_chars)}
        </article>
    }
    .into_any()
}

/// What is known of it, as of the last reading.
fn facts(one: &FindingView, sweep: &SweepView) -> AnyView {
    let read = one.read.map(|(at, pages)| {
        let pages = sentence::count(pages, "page");
        view! { <div><dt>"Read"</dt><dd>{pages} ", whole, " <Time at/></dd></div> }.into_any()
    });
    let why = (!one.why.is_empty()).then(|| {
        view! { <div><dt>"The policy says"</dt><dd><code>{one.why.clone()}</code></dd></div> }
            .into_any()
    });
    let failed = one.failed.as_ref().map(|(at, reason)| {
        view! {
            <div>
                <dt>"Not taken away"</dt>
                <dd>"tried " <Time at=*at/> ": " <code>{reason.clone()}</code></dd>
            </div>
        }
        .into_any()
    });
    let account = match &one.target {
        TargetView::Account { account_id, .. } => {
            let id = account_id.clone();
            Some(view! { <div><dt>"Account"</dt><dd><code>{id}</code></dd></div> }.into_any())
        }
        TargetView::Group { .. } => None,
    };
    let grants: Vec<_> = one
        .grants
        .iter()
        .map(|grant| view! { <code class="quiet">{grant.clone()} " "</code> }.into_any())
        .collect();
    let grants = (!grants.is_empty())
        .then(|| view! { <div><dt>"Grants"</dt><dd>{grants}</dd></div> }.into_any());
    view! {
        <dl class="facts">
            <div class="facts-who">
                <dt>"Person"</dt>
                <dd>{one.person.email.clone()} " " <code class="quiet">{one.person.id.clone()}</code></dd>
            </div>
            {account}
            <div><dt>"Found"</dt><dd><Time at=one.found_at/></dd></div>
            {read} {why} {grants} {sweep::fate(one, sweep)} {failed}
        </dl>
    }
    .into_any()
}

fn agreements(page: &FindingsPage, filter: &FindingsFilter) -> AnyView {
    if page.agreed.is_empty() && filter.agreed_cursor.is_empty() {
        return ().into_any();
    }
    let all: Vec<_> = page.agreed.iter().map(agreement).collect();
    let next = more(page.agreed_next.as_deref(), filter, More::Agreed);
    view! {
        <section class="stack" aria-labelledby="agreed">
            <div class="page-head">
                <h2 id="agreed">"Adopted and ignored"</h2>
                <p class="lead">"What two admins agreed to leave for a while. Then it opens again."</p>
            </div>
            {all}
            {next}
        </section>
    }
    .into_any()
}

fn agreement(one: &AgreementView) -> AnyView {
    let did = match one.course {
        Course::Adopt => "Adopted",
        // What is taken away is never agreed to stay.
        Course::Ignore | Course::Revoke => "Ignored",
    };
    view! {
        <article class="card stack" id=format!("agreed-{}", one.id)>
            <h3>
                {one.person.name.clone()} <span class="quiet">" · "</span>
                {sentence::target(&one.target)}
            </h3>
            <p>
                <span class="pill pill-wait">{did}</span> " " {sentence::finding(one.kind)} ", until "
                <Time at=one.until/> ". Proposed by " {one.proposed_by.clone()} ", confirmed by "
                {one.confirmed_by.clone()} " " <Time at=one.confirmed_at/> "."
            </p>
            {quote(&one.reason)}
            {forms::giving_up(one)}
        </article>
    }
    .into_any()
}

/// Which of the two lists goes on.
#[derive(Clone, Copy)]
enum More {
    Findings,
    Agreed,
}

fn more(next: Option<&str>, filter: &FindingsFilter, list: More) -> AnyView {
    let Some(next) = next else {
        return ().into_any();
    };
    let next = link::encode(next);
    let (cursor, agreed) = match list {
        More::Findings => (next, link::encode(&filter.agreed_cursor)),
        More::Agreed => (link::encode(&filter.cursor), next),
    };
    let kind = link::encode(&filter.kind);
    let address = format!("/findings?kind={kind}&cursor={cursor}&agreed={agreed}");
    view! { <p class="actions paging"><a class="button" href=address>"More"</a></p> }.into_any()
}
