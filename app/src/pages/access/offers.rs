//! What may be asked for, as it stands on the page: lately, then by unit and account.

use leptos::prelude::*;

use crate::{
    clock,
    components::{Empty, Icon, Time},
    link, sentence,
    view::{
        AccessFilter, AccessView, AccountView, ApprovalKind, CurrentView, GROUPS, GroupOfferView,
        OfferView, PermissionSetView, RecentView, TargetView, UnitView,
    },
};

/// A page of offers, or why there is none.
pub(super) fn list(access: &AccessView) -> AnyView {
    let filter = &access.filter;
    let stale = access
        .directory_is_stale
        .then_some(". AWS could not be read since, so newer accounts may be missing");
    let units: Vec<_> = access
        .units
        .iter()
        .map(|unit| section(unit, access))
        .collect();
    let nothing = access.units.is_empty().then(|| nothing(filter));
    view! {
        {within(access)}
        {recent(&access.recent)}
        <div class="catalogue">{units}</div>
        {nothing}
        {paging(access)}
        <p class="foot quiet">"As of " <Time at=access.directory_at/> {stale} "."</p>
    }
    .into_any()
}

fn nothing(filter: &AccessFilter) -> AnyView {
    if filter.q.is_empty() && filter.within.is_empty() && filter.page <= 1 {
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
    view! {
        <Empty title="Nothing matches">
            <p>
                "Each word has to be found in an account's name, number, unit or tags, in a \
                permission set, or in a group. What you may not ask for is not listed. "
                <a href="/">"Show everything"</a>
            </p>
        </Empty>
    }
    .into_any()
}

/// That only a part is looked at, and the way out of it.
fn within(access: &AccessView) -> AnyView {
    if access.filter.within.is_empty() {
        return ().into_any();
    }
    let everywhere = link::access(&access.filter.q, "", 1);
    view! {
        <p class="crumbs">
            <a href=everywhere>"Everywhere"</a> " / " {sentence::count(access.total, "offer")}
            " in one list"
        </p>
    }
    .into_any()
}

fn paging(access: &AccessView) -> AnyView {
    if access.pages <= 1 {
        return ().into_any();
    }
    let filter = &access.filter;
    let page = |page: u32, name: &'static str| {
        let address = link::access(&filter.q, &filter.within, page);
        view! { <a class="button" href=address>{name}</a> }.into_any()
    };
    let before = (filter.page > 1).then(|| page(filter.page - 1, "Previous"));
    let after = (filter.page < access.pages).then(|| page(filter.page + 1, "Next"));
    view! {
        <nav class="actions paging" aria-label="More results">
            <span class="quiet">
                {sentence::count(access.total, "offer")} ", page " {filter.page} " of " {access.pages}
            </span>
            {before} {after}
        </nav>
    }
    .into_any()
}

/// What the reader asked for before, each a click away from its form.
fn recent(recent: &[RecentView]) -> AnyView {
    if recent.is_empty() {
        return ().into_any();
    }
    let rows: Vec<_> = recent.iter().map(recent_row).collect();
    view! {
        <section class="unit section" aria-labelledby="lately">
            <h2 class="unit-name" id="lately">"Asked for lately"</h2>
            <ul class="card account offers offers-whole">{rows}</ul>
        </section>
    }
    .into_any()
}

fn recent_row(recent: &RecentView) -> AnyView {
    let Some(first) = recent.targets.first() else {
        return ().into_any();
    };
    let (one, other) = first.segments();
    let (name, place) = match first {
        TargetView::Account {
            account_name,
            permission_set,
            ..
        } => (permission_set, account_name.as_str()),
        TargetView::Group { name, .. } => (name, "Group"),
    };
    let more = recent.targets.len() - 1;
    let more = (more > 0).then(|| format!(" and {more} more"));
    offer_row(Row {
        href: link::ask_again(one, other, &recent.request_id),
        name,
        text: view! { {place.to_owned()} {more} ", asked " <Time at=recent.submitted_at/> }
            .into_any(),
        most: clock::duration_short(recent.duration_seconds),
        approval: recent.approval,
        current: recent.current.as_ref(),
    })
}

fn section(unit: &UnitView, access: &AccessView) -> AnyView {
    match unit {
        UnitView::Groups { offers, more } => groups(offers, *more, &access.filter),
        UnitView::Accounts { path, accounts } => {
            let (parents, last) = split_path(path);
            let parents = (!parents.is_empty())
                .then(|| view! { <span class="quiet">{parents} " / "</span> }.into_any());
            let cards: Vec<_> = accounts
                .iter()
                .map(|account| card(account, access))
                .collect();
            view! {
                <section class="unit">
                    <h2 class="unit-name">{parents} {last}</h2>
                    {cards}
                </section>
            }
            .into_any()
        }
    }
}

/// The groups that may be asked for: there are few, and each gives much.
fn groups(groups: &[GroupOfferView], more: u32, filter: &AccessFilter) -> AnyView {
    let rows: Vec<_> = groups.iter().map(group_row).collect();
    let read_at = groups.iter().filter_map(|group| group.gives.read_at).min();
    let as_of = read_at.map(|at| {
        view! { <p class="quiet small">"What they give, as of " <Time at/> "."</p> }.into_any()
    });
    view! {
        <section class="unit">
            <h2 class="unit-name">"Groups"</h2>
            <article class="card account">
                <header class="account-head">
                    <p class="quiet">
                        "Who joins a group for a while has everything that it is assigned."
                    </p>
                    {as_of}
                </header>
                <ul class="offers offers-whole">{rows} {rest(more, GROUPS, filter)}</ul>
            </article>
        </section>
    }
    .into_any()
}

fn group_row(group: &GroupOfferView) -> AnyView {
    offer_row(Row {
        href: link::ask("group", &group.id),
        name: &group.name,
        text: sentence::gives(&group.gives).into_any(),
        most: up_to(group.max_duration_seconds),
        approval: group.approval,
        current: group.current.as_ref(),
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

fn card(account: &AccountView, access: &AccessView) -> AnyView {
    let rows: Vec<_> = account
        .offers
        .iter()
        .map(|offer| row(account, offer, &access.permission_sets))
        .collect();
    let tags: Vec<_> = account
        .tags
        .iter()
        .map(|tag| view! { <span class="tag">{tag.clone()}</span> }.into_any())
        .collect();
    view! {
        <article class="card account">
            <header class="account-head">
                <h3>{account.name.clone()}</h3>
                <code class="quiet">{account.id.clone()}</code>
                <span class="tags">{tags}</span>
            </header>
            <ul class="offers">{rows} {rest(account.more, &account.id, &access.filter)}</ul>
        </article>
    }
    .into_any()
}

/// The way to what a card has no room for.
fn rest(more: u32, within: &str, filter: &AccessFilter) -> AnyView {
    let all = (more > 0).then(|| {
        let address = link::access(&filter.q, within, 1);
        view! {
            <li class="offer">
                <a class="offer-link" href=address>
                    <span class="offer-name">"and " {more} " more here"</span>
                </a>
            </li>
        }
        .into_any()
    });
    all.into_any()
}

fn row(account: &AccountView, offer: &OfferView, sets: &[PermissionSetView]) -> AnyView {
    let described = sets.iter().find(|set| set.name == offer.permission_set);
    let text = described.map_or_else(String::new, |set| set.description.clone());
    offer_row(Row {
        href: link::ask(&account.id, &offer.permission_set),
        name: &offer.permission_set,
        text: text.into_any(),
        most: up_to(offer.max_duration_seconds),
        approval: offer.approval,
        current: offer.current.as_ref(),
    })
}

fn up_to(seconds: u32) -> String {
    format!("up to {}", clock::duration_short(seconds))
}

/// What may be asked for, as a row.
struct Row<'a> {
    href: String,
    name: &'a str,
    text: AnyView,
    most: String,
    approval: ApprovalKind,
    current: Option<&'a CurrentView>,
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
    view! {
        <li class="offer">
            <a class="offer-link" href=row.href>
                <span class="offer-name">{row.name.to_owned()}</span>
                <span class="offer-text quiet">{row.text}</span>
                <span class="offer-current">{current}</span>
                <span class="offer-max">{row.most}</span>
                <span class=approval>{sentence::approval_kind(row.approval)}</span>
                {Icon::Next.draw()}
            </a>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::split_path;

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
