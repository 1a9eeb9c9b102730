//! Access: what may I ask for?

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    browser::{lower_case, title},
    clock,
    components::{Empty, Icon, Interruption, Time, changing, refuse, skeleton},
    follow::{Followed, follow},
    link, read, sentence,
    view::{
        AccessView, AccountView, ApprovalKind, CurrentView, GroupOfferView, OfferView, OuView,
        PermissionSetView,
    },
};

/// Everything that the reader may ask for, narrowed as they type.
#[component]
pub(crate) fn Access() -> impl IntoView {
    title("Access");
    follow(
        || Box::pin(read::read_access()),
        |topic| topic == "mine",
        skeleton,
        page,
        refuse,
    )
}

fn page(access: Followed<AccessView>) -> AnyView {
    // Without script the search is an ordinary form, and the server narrows the list.
    let typed = RwSignal::new(
        use_query_map()
            .read_untracked()
            .get("q")
            .unwrap_or_default(),
    );
    let words = Signal::derive(move || words(&typed.read()));
    let value = access.value;
    view! {
        <Interruption problem=access.problem/>
        <div class="page-head">
            <h1>"Access"</h1>
            <p class="lead">
                "Ask for what you need, for as long as you need it. It goes away by itself."
            </p>
        </div>
        <form
            class="search"
            method="get"
            action="/"
            role="search"
            on:submit=|event| event.prevent_default()
        >
            {Icon::Search.draw()}
            <label class="sr" for="q">"Search accounts, units, tags, permission sets and groups"</label>
            <input
                class="input"
                id="q"
                name="q"
                type="search"
                autocomplete="off"
                spellcheck="false"
                placeholder="Account, unit, tag, permission set or group"
                value=typed.get_untracked()
                on:input=move |event| typed.set(event_target_value(&event))
            />
        </form>
        {changing(move || catalogue(&value.read(), words))}
    }
    .into_any()
}

fn catalogue(access: &AccessView, words: Signal<Vec<String>>) -> AnyView {
    if access.ous.is_empty() && access.groups.is_empty() {
        return view! {
            <Empty title="There is nothing that you may ask for">
                <p>
                    "No rule of the policy names you or one of your groups. If that is a surprise, \
                    tell an admin which account and permission set you need, and for what."
                </p>
            </Empty>
        }
        .into_any();
    }
    let haystacks: Vec<_> = access
        .ous
        .iter()
        .flat_map(|ou| ou.accounts.iter().map(move |account| (ou, account)))
        .flat_map(|(ou, account)| haystacks(ou, account, &access.permission_sets))
        .chain(access.groups.iter().map(group_haystack))
        .collect();
    let found = Signal::derive(move || {
        let words = words.read();
        haystacks
            .iter()
            .filter(|haystack| is_match(haystack, &words))
            .count()
    });
    let units: Vec<_> = access
        .ous
        .iter()
        .map(|ou| unit(ou, &access.permission_sets, words))
        .collect();
    let stale = access
        .directory_is_stale
        .then_some(". AWS could not be read since, so newer accounts may be missing");
    view! {
        <p class="sr" role="status">
            {changing(move || {
                sentence::count(u32::try_from(found.get()).unwrap_or(u32::MAX), "match").into_any()
            })}
        </p>
        <div class="catalogue">{groups(&access.groups, words)} {units}</div>
        {changing(move || {
            let nothing = (found.get() == 0).then(|| {
                view! {
                    <Empty title="Nothing matches">
                        <p>
                            "Each word has to be found in an account's name, number, unit or tags, in a \
                            permission set, or in a group. What you may not ask for is not listed."
                        </p>
                    </Empty>
                }
                .into_any()
            });
            nothing.into_any()
        })}
        <p class="foot quiet">"As of " <Time at=access.directory_at/> {stale} "."</p>
    }
    .into_any()
}

/// The words of a search.
fn words(typed: &str) -> Vec<String> {
    typed.split_whitespace().map(lower_case).collect()
}

/// What the words of a search are looked for in, for each offer of an account.
fn haystacks(
    ou: &OuView,
    account: &AccountView,
    permission_sets: &[PermissionSetView],
) -> Vec<String> {
    let of_account = format!(
        "{} {} {} {}",
        account.name,
        account.id,
        ou.path,
        account.tags.join(" ")
    );
    account
        .offers
        .iter()
        .map(|offer| {
            let description = described(offer, permission_sets);
            lower_case(&format!(
                "{of_account} {} {description}",
                offer.permission_set
            ))
        })
        .collect()
}

/// Every word is found.
fn is_match(haystack: &str, words: &[String]) -> bool {
    words.iter().all(|word| haystack.contains(word.as_str()))
}

fn described<'a>(offer: &OfferView, permission_sets: &'a [PermissionSetView]) -> &'a str {
    permission_sets
        .iter()
        .find(|set| set.name == offer.permission_set)
        .map_or("", |set| set.description.as_str())
}

/// Hides what holds none of these.
fn hidden_without(haystacks: Vec<String>, words: Signal<Vec<String>>) -> Signal<bool> {
    Signal::derive(move || {
        let words = words.read();
        !haystacks.iter().any(|haystack| is_match(haystack, &words))
    })
}

fn unit(ou: &OuView, permission_sets: &[PermissionSetView], words: Signal<Vec<String>>) -> AnyView {
    let haystacks = ou
        .accounts
        .iter()
        .flat_map(|account| haystacks(ou, account, permission_sets))
        .collect();
    let (parents, last) = split_path(&ou.path);
    let parents = (!parents.is_empty())
        .then(|| view! { <span class="quiet">{parents} " / "</span> }.into_any());
    let cards: Vec<_> = ou
        .accounts
        .iter()
        .map(|account| card(ou, account, permission_sets, words))
        .collect();
    view! {
        <section class="unit" hidden=hidden_without(haystacks, words)>
            <h2 class="unit-name">{parents} {last}</h2>
            {cards}
        </section>
    }
    .into_any()
}

/// What the words of a search are looked for in, for a group: its name, and what it gives.
fn group_haystack(group: &GroupOfferView) -> String {
    let held = group.gives.held.iter().map(|held| {
        format!(
            "{} {} {}",
            held.permission_set, held.account_name, held.account_id
        )
    });
    let held = held.collect::<Vec<_>>().join(" ");
    lower_case(&format!("group {} {held}", group.name))
}

/// The groups that may be asked for, before the accounts: there are few, and each gives much.
fn groups(groups: &[GroupOfferView], words: Signal<Vec<String>>) -> AnyView {
    if groups.is_empty() {
        return ().into_any();
    }
    let all = groups.iter().map(group_haystack).collect();
    let rows: Vec<_> = groups.iter().map(|group| group_row(group, words)).collect();
    let read_at = groups.iter().filter_map(|group| group.gives.read_at).min();
    let as_of = read_at.map(|at| {
        view! { <p class="quiet small">"What they give, as of " <Time at/> "."</p> }.into_any()
    });
    view! {
        <section class="unit" hidden=hidden_without(all, words)>
            <h2 class="unit-name">"Groups"</h2>
            <article class="card account">
                <header class="account-head">
                    <p class="quiet">
                        "Who joins a group for a while has everything that it is assigned."
                    </p>
                    {as_of}
                </header>
                <ul class="offers">{rows}</ul>
            </article>
        </section>
    }
    .into_any()
}

fn group_row(group: &GroupOfferView, words: Signal<Vec<String>>) -> AnyView {
    offer_row(Row {
        href: link::ask("group", &group.id),
        name: &group.name,
        text: sentence::gives(&group.gives),
        max_duration_seconds: group.max_duration_seconds,
        approval: group.approval,
        current: group.current.as_ref(),
        is_hidden: hidden_without(vec![group_haystack(group)], words),
    })
}

/// `Root / Production / Payments` as what leads there, without the root that all share, and the unit itself.
fn split_path(path: &str) -> (String, String) {
    let below_root = path.strip_prefix("Root / ").unwrap_or(path);
    match below_root.rsplit_once(" / ") {
        Some((parents, last)) => (parents.to_owned(), last.to_owned()),
        None => (String::new(), below_root.to_owned()),
    }
}

fn card(
    ou: &OuView,
    account: &AccountView,
    permission_sets: &[PermissionSetView],
    words: Signal<Vec<String>>,
) -> AnyView {
    let haystacks = haystacks(ou, account, permission_sets);
    let rows: Vec<_> = account
        .offers
        .iter()
        .zip(&haystacks)
        .map(|(offer, haystack)| {
            let is_hidden = hidden_without(vec![haystack.clone()], words);
            row(account, offer, described(offer, permission_sets), is_hidden)
        })
        .collect();
    let tags: Vec<_> = account
        .tags
        .iter()
        .map(|tag| view! { <span class="tag">{tag.clone()}</span> }.into_any())
        .collect();
    view! {
        <article class="card account" hidden=hidden_without(haystacks, words)>
            <header class="account-head">
                <h3>{account.name.clone()}</h3>
                <code class="quiet">{account.id.clone()}</code>
                <span class="tags">{tags}</span>
            </header>
            <ul class="offers">{rows}</ul>
        </article>
    }
    .into_any()
}

fn row(
    account: &AccountView,
    offer: &OfferView,
    description: &str,
    is_hidden: Signal<bool>,
) -> AnyView {
    offer_row(Row {
        href: link::ask(&account.id, &offer.permission_set),
        name: &offer.permission_set,
        text: description.to_owned(),
        max_duration_seconds: offer.max_duration_seconds,
        approval: offer.approval,
        current: offer.current.as_ref(),
        is_hidden,
    })
}

/// What may be asked for, as a row.
struct Row<'a> {
    href: String,
    name: &'a str,
    text: String,
    max_duration_seconds: u32,
    approval: ApprovalKind,
    current: Option<&'a CurrentView>,
    is_hidden: Signal<bool>,
}

fn offer_row(row: Row<'_>) -> AnyView {
    let approval = match row.approval {
        ApprovalKind::Needed { .. } => "offer-approval",
        _ => "offer-approval offer-at-once",
    };
    let current = row.current.map(|current| {
        let (class, said) = match current {
            CurrentView::Pending { .. } => ("pill pill-wait", "Pending"),
            CurrentView::Active { .. } => ("pill pill-good", "Active"),
            CurrentView::Standing => ("pill pill-calm", "Yours already"),
        };
        view! { <span class=class>{said}</span> }.into_any()
    });
    let most = format!("up to {}", clock::duration_short(row.max_duration_seconds));
    view! {
        <li class="offer" hidden=row.is_hidden>
            <a class="offer-link" href=row.href>
                <span class="offer-name">{row.name.to_owned()}</span>
                <span class="offer-text quiet">{row.text}</span>
                <span class="offer-current">{current}</span>
                <span class="offer-max">{most}</span>
                <span class=approval>{sentence::approval_kind(row.approval)}</span>
                {Icon::Next.draw()}
            </a>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::{is_match, split_path, words};

    #[test]
    fn every_word_is_found_somewhere() {
        let haystack = "payments production 111122223333 root / production env=prod readonlyaccess";
        assert!(is_match(haystack, &words("  PROD read ")));
        assert!(is_match(haystack, &words("")));
        assert!(is_match(haystack, &words("3333 env=prod")));
        assert!(!is_match(haystack, &words("prod admin")));
    }

    #[test]
    fn the_root_that_all_share_is_not_named() {
        assert_eq!(split_path("Root"), (String::new(), "Root".to_owned()));
        assert_eq!(
            split_path("Root / Production"),
            (String::new(), "Production".to_owned())
        );
        assert_eq!(
            split_path("Root / Production / Payments"),
            ("Production".to_owned(), "Payments".to_owned())
        );
    }
}
