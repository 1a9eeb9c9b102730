//! What the policy was: what an old verdict was judged by.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{address_of, ask, changes, head, places, version};
use crate::{
    browser::title,
    components::{Empty, Interruption, Time, changing, refuse, skeleton},
    follow::{Followed, follow},
    view::{VersionRow, VersionView, VersionsPage},
};

/// Each time that a version came into force, newest first.
#[component]
pub(crate) fn Versions() -> impl IntoView {
    title("Versions of the policy");
    let query = use_query_map();
    changing(move || {
        let before = query.read().get("before").unwrap_or_default();
        let is_first = before.is_empty();
        follow(
            move || ask("versions", vec![before.clone()]),
            move |topic| is_first && topic == "policy",
            skeleton,
            list,
            refuse,
        )
    })
}

fn list(versions: Followed<VersionsPage>) -> AnyView {
    let value = versions.value;
    view! {
        <Interruption problem=versions.problem/>
        {head("Versions", "Each policy that was in force, whole, as it was read. Verdicts name theirs.")}
        {places("/policy/versions")}
        {changing(move || rows(&value.read()))}
    }
    .into_any()
}

fn rows(page: &VersionsPage) -> AnyView {
    if page.rows.is_empty() {
        return view! {
            <Empty title="None came into force then"><p><a href="/policy/versions">"Show the newest"</a></p></Empty>
        }
        .into_any();
    }
    let rows: Vec<_> = page.rows.iter().map(row).collect();
    let next = page.next.map(|next| {
        let address = format!("/policy/versions?before={next}");
        view! { <p class="actions paging"><a class="button" href=address>"Older"</a></p> }
            .into_any()
    });
    view! { <ul class="card rows">{rows}</ul> {next} }.into_any()
}

fn row(row: &VersionRow) -> AnyView {
    let in_force = row
        .is_in_force
        .then(|| view! { <span class="pill pill-good">"In force"</span> }.into_any());
    view! {
        <li class="row">
            <span class="row-what">{version(&row.version)} " " {in_force}</span>
            <span class="row-more quiet">"Came into force " <Time at=row.at/> ", read by " <code>{row.server.clone()}</code></span>
        </li>
    }
    .into_any()
}

/// One version.
#[component]
pub(crate) fn Version() -> impl IntoView {
    title("A version of the policy");
    let params = use_params_map();
    changing(move || {
        let id = params.read().get("id").unwrap_or_default();
        follow(
            move || ask("version", vec![id.clone()]),
            |topic| topic == "policy",
            skeleton,
            one,
            refuse,
        )
    })
}

fn one(found: Followed<VersionView>) -> AnyView {
    let value = found.value;
    view! {
        <Interruption problem=found.problem/>
        {head("A version", "As it was read, with the files that it included.")}
        {places("")}
        {changing(move || whole(&value.read()))}
    }
    .into_any()
}

fn whole(found: &VersionView) -> AnyView {
    let files: Vec<_> = found
        .files
        .iter()
        .map(|(name, text)| {
            view! {
                <section class="card stack">
                    <h2><code>{name.clone()}</code></h2>
                    <pre class="listing" tabindex="0">{text.clone()}</pre>
                </section>
            }
            .into_any()
        })
        .collect();
    let lost = files.is_empty().then(|| {
        view! {
            <p class="notice notice-bad">
                "The table has this version no more, or not as it was written. The audit log says when it was in force."
            </p>
        }
        .into_any()
    });
    let cut = found.is_cut.then(|| {
        let address = format!("{}/text", address_of(&found.version));
        view! {
            <p class="notice">
                "It is longer than a page. " <a rel="external" href=address>"Download all of it"</a>
            </p>
        }
        .into_any()
    });
    let since = if found.is_in_force {
        view! { <p class="notice notice-good">"This is what is in force."</p> }.into_any()
    } else if found.files.is_empty() {
        ().into_any()
    } else {
        view! {
            <section class="stack" aria-labelledby="since">
                <h2 id="since">"What has changed since"</h2>
                {changes(found.changes.as_deref(), found.more, "Nobody gained or lost anything.")}
            </section>
        }
        .into_any()
    };
    view! {
        <p class="version"><code>{found.version.clone()}</code></p>
        <div class="stack">{since} {lost} {cut} {files}</div>
    }
    .into_any()
}
