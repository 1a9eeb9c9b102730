//! What may be asked for, as it stands on the page: lately, then by unit and account.

use leptos::prelude::*;

use crate::{
    clock,
    components::{Empty, Icon, Time},
    link, sentence,
    view::{
        AccessFilter, AccessView, AccountView, ApprovalKind, CurrentView, FavouriteView, GROUPS,
        GroupOfferView, OfferView, RecentView, TargetView, UnitView,
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
        {stars(filter)}
        {favourites(access)}
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

/// The form that every star on the page belongs to, and the place to come back to.
fn stars(filter: &AccessFilter) -> AnyView {
    let here = link::access(&filter.q, &filter.within, filter.page);
    view! {
        <form id="stars" method="post" action="/favourites">
            <input type="hidden" name="return_to" value=here/>
        </form>
    }
    .into_any()
}

/// A star to press: what it does, to which offer, and what that is called.
fn star(act: &'static str, offer: &str, what: &str) -> AnyView {
    let (glyph, said) = match act {
        "star" => ("☆", format!("Star {what}")),
        _ => ("★", format!("Take the star off {what}")),
    };
    view! {
        <button class="star" type="submit" form="stars" name=act value=offer.to_owned() aria-label=said>
            {glyph}
        </button>
    }
    .into_any()
}

/// An offer's own star, on or off.
fn own_star(access: &AccessView, offer: &str, what: &str) -> AnyView {
    let is_on = access.favourites.iter().any(|it| it.offer == offer);
    star(if is_on { "unstar" } else { "star" }, offer, what)
}

/// What the reader starred, on top of everything where everything is shown.
fn favourites(access: &AccessView) -> AnyView {
    let filter = &access.filter;
    let is_start = filter.q.is_empty() && filter.within.is_empty() && filter.page <= 1;
    if !is_start || access.favourites.is_empty() {
        return ().into_any();
    }
    let rows: Vec<_> = access.favourites.iter().map(favourite_row).collect();
    view! {
        <section class="unit section" aria-labelledby="favourites">
            <h2 class="unit-name" id="favourites">"Favourites"</h2>
            <ul class="card account offers offers-whole">{rows}</ul>
        </section>
    }
    .into_any()
}

fn favourite_row(favourite: &FavouriteView) -> AnyView {
    let what = called(&favourite.name, &favourite.place);
    let star = star("drop", &favourite.offer, &what);
    let place = match favourite.place.as_str() {
        "" => "Group".to_owned(),
        place => place.to_owned(),
    };
    let Some(offered) = &favourite.offered else {
        return view! {
            <li class="offer">
                <p class="offer-link">
                    <span>{favourite.name.clone()}</span>
                    <span class="offer-text quiet">{place} ", not offered to you any more"</span>
                </p>
                {star}
            </li>
        }
        .into_any();
    };
    let (first, second) = favourite.offer.split_once('/').unwrap_or_default();
    offer_row(Row {
        id: None,
        href: link::ask(first, second),
        name: &favourite.name,
        text: place.into_any(),
        most: up_to(offered.max_duration_seconds),
        approval: offered.approval,
        current: offered.current.as_ref(),
        star: Some(star),
    })
}

/// As a star says what it belongs to.
fn called(name: &str, place: &str) -> String {
    if place.is_empty() {
        format!("the group {name}")
    } else {
        format!("{name} in {place}")
    }
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
        id: None,
        href: link::ask_again(one, other, &recent.request_id),
        name,
        text: view! { {place.to_owned()} {more} ", asked " <Time at=recent.submitted_at/> }
            .into_any(),
        most: clock::duration_short(recent.duration_seconds),
        approval: recent.approval,
        current: recent.current.as_ref(),
        star: None,
    })
}

fn section(unit: &UnitView, access: &AccessView) -> AnyView {
    match unit {
        UnitView::Groups { offers, more } => groups(offers, *more, access),
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
fn groups(groups: &[GroupOfferView], more: u32, access: &AccessView) -> AnyView {
    let rows: Vec<_> = groups
        .iter()
        .map(|group| group_row(group, access))
        .collect();
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
                <ul class="offers offers-whole">{rows} {rest(more, GROUPS, &access.filter)}</ul>
            </article>
        </section>
    }
    .into_any()
}

fn group_row(group: &GroupOfferView, access: &AccessView) -> AnyView {
    let offer = format!("group/{}", group.id);
    let star = own_star(access, &offer, &called(&group.name, ""));
    offer_row(Row {
        id: Some(offer),
        href: link::ask("group", &group.id),
        name: &group.name,
        text: sentence::gives(&group.gives).into_any(),
        most: up_to(group.max_duration_seconds),
        approval: group.approval,
        current: group.current.as_ref(),
        star: Some(star),
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
        .map(|offer| row(account, offer, access))
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

fn row(account: &AccountView, offer: &OfferView, access: &AccessView) -> AnyView {
    let sets = &access.permission_sets;
    let described = sets.iter().find(|set| set.name == offer.permission_set);
    let text = described.map_or_else(String::new, |set| set.description.clone());
    let own = format!("{}/{}", account.id, offer.permission_set);
    let star = own_star(access, &own, &called(&offer.permission_set, &account.name));
    offer_row(Row {
        id: Some(own),
        href: link::ask(&account.id, &offer.permission_set),
        name: &offer.permission_set,
        text: text.into_any(),
        most: up_to(offer.max_duration_seconds),
        approval: offer.approval,
        current: offer.current.as_ref(),
        star: Some(star),
    })
}

fn up_to(seconds: u32) -> String {
    format!("up to {}", clock::duration_short(seconds))
}

/// What may be asked for, as a row.
struct Row<'a> {
    /// Where a page may lead to it.
    id: Option<String>,
    href: String,
    name: &'a str,
    text: AnyView,
    most: String,
    approval: ApprovalKind,
    current: Option<&'a CurrentView>,
    star: Option<AnyView>,
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
        <li class="offer" id=row.id>
            <a class="offer-link" href=row.href>
                <span class="offer-name">{row.name.to_owned()}</span>
                <span class="offer-text quiet">{row.text}</span>
                <span class="offer-current">{current}</span>
                <span class="offer-max">{row.most}</span>
                <span class=approval>{sentence::approval_kind(row.approval)}</span>
                {Icon::Next.draw()}
            </a>
            {row.star}
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
