//! Access: what may I ask for?

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    browser::title,
    clock,
    components::{Empty, Icon, Interruption, Refusal, Time, skeleton},
    follow::{Followed, follow},
    link, read, sentence,
    view::{
        AccessView, AccountView, ApprovalKind, CurrentView, OfferView, OuView, PermissionSetView,
    },
};

/// Everything that the reader may ask for, narrowed as they type.
#[component]
pub(crate) fn Access() -> impl IntoView {
    title("Access");
    follow(
        read::read_access,
        |topic| topic == "mine",
        skeleton,
        catalogue,
        |error| view! { <Refusal error/> },
    )
}

fn catalogue(access: Followed<AccessView>) -> impl IntoView {
    // Without script the search is an ordinary form, and the server narrows the list.
    let typed = RwSignal::new(
        use_query_map()
            .read_untracked()
            .get("q")
            .unwrap_or_default(),
    );
    let words = Memo::new(move |_| words(&typed.read()));
    let value = access.value;
    let is_empty = move || value.read().ous.is_empty();
    let list = move || {
        let access = value.get();
        access
            .ous
            .iter()
            .map(|ou| unit(ou, &access.permission_sets, words))
            .collect_view()
    };
    let found = Memo::new(move |_| {
        let access = value.read();
        let words = words.read();
        access
            .ous
            .iter()
            .flat_map(|ou| ou.accounts.iter().map(move |account| (ou, account)))
            .map(|(ou, account)| {
                matching_offers(ou, account, &access.permission_sets, &words).count()
            })
            .sum::<usize>()
    });

    view! {
        <Interruption problem=access.problem/>
        <div class="page-head">
            <h1>"Access"</h1>
            <p class="lead">"Ask for what you need, for as long as you need it. It goes away by itself."</p>
        </div>
        <Show when=move || !is_empty() fallback=nothing_offered>
            <form class="search" method="get" action="/" role="search" on:submit=|event| event.prevent_default()>
                {Icon::Search.draw()}
                <label class="sr" for="q">"Search accounts, units, tags and permission sets"</label>
                <input
                    class="input"
                    id="q"
                    name="q"
                    type="search"
                    autocomplete="off"
                    spellcheck="false"
                    placeholder="Account, unit, tag or permission set"
                    value=typed.get_untracked()
                    on:input=move |event| typed.set(event_target_value(&event))
                />
            </form>
            <p class="sr" role="status">{move || sentence::count(u32::try_from(found.get()).unwrap_or(u32::MAX), "match")}</p>
            <div class="catalogue">{list}</div>
            <div hidden=move || found.get() != 0>
                <Empty title="Nothing matches">
                    <p>"Each word has to be found in an account's name, number, unit or tags, or in a permission set. "
                    "What your groups may not ask for is not listed."</p>
                </Empty>
            </div>
        </Show>
        <p class="foot quiet">
            "As of " {move || { let at = value.read().directory_at; view! { <Time at/> } }}
            {move || {
                value
                    .read()
                    .directory_is_stale
                    .then_some(". AWS could not be read since, so newer accounts may be missing")
            }} "."
        </p>
    }
}

fn nothing_offered() -> impl IntoView {
    view! {
        <Empty title="There is nothing that you may ask for">
            <p>"No rule of the policy names you or one of your groups. If that is a surprise, tell an admin which account
            and permission set you need, and for what."</p>
        </Empty>
    }
}

/// The words of a search, in lower case.
fn words(typed: &str) -> Vec<String> {
    typed.split_whitespace().map(str::to_lowercase).collect()
}

/// The offers of an account in which every word is found, be it in what the account is or in the permission set.
fn matching_offers<'a>(
    ou: &OuView,
    account: &'a AccountView,
    permission_sets: &[PermissionSetView],
    words: &[String],
) -> impl Iterator<Item = &'a OfferView> {
    let of_account = account_haystack(ou, account);
    account
        .offers
        .iter()
        .filter(move |offer| is_match(&of_account, &offer_haystack(offer, permission_sets), words))
}

fn is_match(of_account: &str, of_offer: &str, words: &[String]) -> bool {
    words
        .iter()
        .all(|word| of_account.contains(word.as_str()) || of_offer.contains(word.as_str()))
}

fn account_haystack(ou: &OuView, account: &AccountView) -> String {
    format!(
        "{} {} {} {}",
        account.name,
        account.id,
        ou.path,
        account.tags.join(" ")
    )
    .to_lowercase()
}

fn offer_haystack(offer: &OfferView, permission_sets: &[PermissionSetView]) -> String {
    let description = described(offer, permission_sets).map_or("", |set| set.description.as_str());
    format!("{} {description}", offer.permission_set).to_lowercase()
}

fn described<'a>(
    offer: &OfferView,
    permission_sets: &'a [PermissionSetView],
) -> Option<&'a PermissionSetView> {
    permission_sets
        .iter()
        .find(|set| set.name == offer.permission_set)
}

fn unit(
    ou: &OuView,
    permission_sets: &[PermissionSetView],
    words: Memo<Vec<String>>,
) -> impl IntoView + use<> {
    let haystacks: Vec<_> = ou
        .accounts
        .iter()
        .flat_map(|account| {
            let of_account = account_haystack(ou, account);
            account
                .offers
                .iter()
                .map(move |offer| (of_account.clone(), offer_haystack(offer, permission_sets)))
        })
        .collect();
    let is_hidden = move || {
        let words = words.read();
        !haystacks
            .iter()
            .any(|(of_account, of_offer)| is_match(of_account, of_offer, &words))
    };
    let (parents, last) = split_path(&ou.path);
    view! {
        <section class="unit" hidden=is_hidden>
            <h2 class="unit-name">
                {(!parents.is_empty()).then(|| view! { <span class="quiet">{parents} " / "</span> })} {last}
            </h2>
            {ou.accounts.iter().map(|account| card(ou, account, permission_sets, words)).collect_view()}
        </section>
    }
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
    words: Memo<Vec<String>>,
) -> impl IntoView + use<> {
    let of_account = account_haystack(ou, account);
    let of_offers: Vec<_> = account
        .offers
        .iter()
        .map(|offer| offer_haystack(offer, permission_sets))
        .collect();
    let offers = account
        .offers
        .iter()
        .zip(&of_offers)
        .map(|(offer, of_offer)| {
            let (of_account, of_offer) = (of_account.clone(), of_offer.clone());
            let is_hidden = move || !is_match(&of_account, &of_offer, &words.read());
            row(account, offer, described(offer, permission_sets), is_hidden)
        })
        .collect_view();
    let is_hidden = move || {
        let words = words.read();
        !of_offers
            .iter()
            .any(|of_offer| is_match(&of_account, of_offer, &words))
    };
    let tags = account
        .tags
        .iter()
        .map(|tag| view! { <span class="tag">{tag.clone()}</span> })
        .collect_view();
    view! {
        <article class="card account" hidden=is_hidden>
            <header class="account-head">
                <h3>{account.name.clone()}</h3>
                <code class="quiet">{account.id.clone()}</code>
                <span class="tags">{tags}</span>
            </header>
            <ul class="offers">{offers}</ul>
        </article>
    }
}

fn row<Hidden>(
    account: &AccountView,
    offer: &OfferView,
    described: Option<&PermissionSetView>,
    is_hidden: Hidden,
) -> impl IntoView + use<Hidden>
where
    Hidden: Fn() -> bool + Send + Sync + 'static,
{
    let description = described
        .map(|set| set.description.clone())
        .unwrap_or_default();
    let approval = match offer.approval {
        ApprovalKind::Needed { .. } => "offer-approval",
        _ => "offer-approval offer-at-once",
    };
    view! {
        <li class="offer" hidden=is_hidden>
            <a class="offer-link" href=link::ask(&account.id, &offer.permission_set)>
                <span class="offer-name">{offer.permission_set.clone()}</span>
                <span class="offer-text quiet">{description}</span>
                <span class="offer-current">{current(offer.current.as_ref())}</span>
                <span class="offer-max">"up to " {clock::duration_short(offer.max_duration_seconds)}</span>
                <span class=approval>{sentence::approval_kind(offer.approval)}</span>
                {Icon::Next.draw()}
            </a>
        </li>
    }
}

fn current(current: Option<&CurrentView>) -> impl IntoView + use<> {
    let (tone, said) = match current? {
        CurrentView::Pending { .. } => ("wait", "Pending"),
        CurrentView::Active { .. } => ("good", "Active"),
        CurrentView::Standing => ("calm", "Yours already"),
    };
    Some(view! { <span class=format!("pill pill-{tone}")>{said}</span> })
}

#[cfg(test)]
mod tests {
    use super::{is_match, split_path, words};

    #[test]
    fn every_word_is_found_somewhere() {
        let account = "payments production 111122223333 root / production / payments env=prod";
        let offer = "readonlyaccess look, do not touch";
        assert!(is_match(account, offer, &words("  PROD read ")));
        assert!(is_match(account, offer, &words("")));
        assert!(is_match(account, offer, &words("3333 touch")));
        assert!(!is_match(account, offer, &words("prod admin")));
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
