//! Who held what: who had access to an account at a moment, and what somebody held between two.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::history::form::{days_in, elsewhere, given, narrower, paging, progress, zone};
use crate::{
    browser::{status, title},
    components::{Empty, Interruption, Time, changing, refuse, skeleton},
    follow::{Followed, follow},
    link, read, sentence,
    view::{
        Certainty, EpochMs, Field, HeldFilter, HeldPage, HeldRow, NarrowerView, ReceiptKind,
        TargetView,
    },
};

/// The question stands in the address, so that its answer can be kept and sent.
#[component]
pub(crate) fn WhoHeld() -> impl IntoView {
    title("Who held what");
    let query = use_query_map();
    changing(move || {
        let query = query.read();
        let field = |name: &str| query.get_str(name).unwrap_or_default().trim().to_owned();
        let filter = HeldFilter {
            person: field("person"),
            account: field("account"),
            permission_set: field("permission_set"),
            from: field("from"),
            to: field("to"),
            zone: field("zone"),
            cursor: field("cursor"),
        };
        let asked = filter.clone();
        follow(
            move || Box::pin(read::read_held(filter.clone())),
            // An answer about a moment does not move.
            |_| false,
            skeleton,
            move |held| page(held, asked),
            refuse,
        )
    })
}

fn page(held: Followed<HeldPage>, filter: HeldFilter) -> AnyView {
    let value = held.value;
    let form = question(&filter, &value.read_untracked());
    if !value.read_untracked().problems.is_empty() {
        status(400);
    }
    view! {
        <Interruption problem=held.problem/>
        <div class="page-head">
            <p class="crumbs"><a href="/history">"History"</a></p>
            <h1>"Who held what"</h1>
            <p class="lead">
                "What Belay gave, from when it was there until it was proven gone. Access that somebody had otherwise "
                "is not covered."
            </p>
        </div>
        {form}
        {changing(move || answer(&value.read(), &filter))}
    }
    .into_any()
}

fn question(filter: &HeldFilter, page: &HeldPage) -> AnyView {
    let zone_name = zone(&filter.zone);
    let given = given(&page.problems, &page.called);
    let elsewhere = elsewhere(&page.problems);
    view! {
        {elsewhere}
        <form class="card filter" method="get" action="/history/held" role="search" novalidate>
            {given(Field::Person, "person", "Person", &filter.person)}
            {given(Field::Account, "account", "Account", &filter.account)}
            {given(Field::PermissionSet, "permission_set", "Permission set or group", &filter.permission_set)}
            {given(Field::Moment, "from", "At, or from", &filter.from)}
            {given(Field::Until, "to", "Until", &filter.to)}
            {days_in(zone_name, "Nothing at the first time is now; nothing at the second is that moment alone. Times are in ")}
            <div class="actions filter-actions">
                <button class="button button-main" type="submit">"Look up"</button>
                <a class="button button-quiet" href="/history/held">"Clear"</a>
            </div>
        </form>
    }
    .into_any()
}

fn answer(page: &HeldPage, filter: &HeldFilter) -> AnyView {
    let Some(from) = page.from else {
        return ().into_any();
    };
    let rows: Vec<_> = page.rows.iter().map(row).collect();
    let table = if rows.is_empty() {
        nobody(page)
    } else {
        let heads: Vec<_> = ["Who", "What", "Held", "From", "Until"]
            .into_iter()
            .map(|head| view! { <th scope="col">{head}</th> }.into_any())
            .collect();
        view! {
            <div class="card table-card">
                <table class="table">
                    <thead><tr>{heads}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    let newest = (!filter.cursor.is_empty()).then(|| paging(address(filter, ""), "Newest"));
    let next = page
        .next
        .as_deref()
        .map(|next| paging(address(filter, next), "Go on"));
    let narrower = narrower(&page.narrower, |field, id| {
        address(&with(filter, field, id), "")
    });
    view! {
        <h2 class="held-when">{when(from, page.to)}</h2>
        {table}
        <div class="actions paging">
            {progress(page.looked_through, page.searched_back_to)} {newest} {next}
        </div>
        {narrower}
        {groups(&page.groups, filter)}
    }
    .into_any()
}

fn when(from: EpochMs, to: Option<EpochMs>) -> AnyView {
    match to {
        None => view! { "At " <Time at=from/> }.into_any(),
        Some(to) => view! { "From " <Time at=from/> " until " <Time at=to/> }.into_any(),
    }
}

fn nobody(page: &HeldPage) -> AnyView {
    if page.next.is_some() {
        view! {
            <Empty title="Nobody so far">
                <p>"There is more to look through, further back."</p>
            </Empty>
        }
        .into_any()
    } else {
        view! {
            <Empty title="Nobody held it through Belay">
                <p>"No grant on record gave this access then."</p>
            </Empty>
        }
        .into_any()
    }
}

fn row(row: &HeldRow) -> AnyView {
    let account = match &row.target {
        TargetView::Account { account_id, .. } => account_id.clone(),
        TargetView::Group { .. } => String::new(),
    };
    let certainty = match row.certainty {
        Certainty::Held => view! { <span class="pill pill-good">"Held"</span> },
        Certainty::MayHaveHeld => view! { <span class="pill pill-wait">"May have held"</span> },
    };
    let break_glass = row
        .is_break_glass
        .then(|| view! { <span class="pill pill-bad">"Break-glass"</span> }.into_any());
    view! {
        <tr>
            <td data-label="Who">
                {row.person.name.clone()}
                <span class="quiet cell-more">{row.person.email.clone()}</span>
            </td>
            <td data-label="What" class="cell-target">
                <a href=link::request(&row.request_id)>{sentence::target(&row.target)}</a>
                <span class="quiet cell-more">{account}</span>
            </td>
            <td data-label="Held">{certainty} {break_glass}</td>
            <td data-label="From">{from(row)}</td>
            <td data-label="Until">{until(row)}</td>
        </tr>
    }
    .into_any()
}

fn from(row: &HeldRow) -> AnyView {
    match (row.active, row.begun) {
        (Some(at), _) => view! { <Time at/> }.into_any(),
        (None, Some(at)) => view! {
            <Time at/>
            <span class="quiet cell-more">"at the earliest; never seen active"</span>
        }
        .into_any(),
        (None, None) => ().into_any(),
    }
}

/// Its end on record. Only a proof may say that it was gone.
fn until(row: &HeldRow) -> AnyView {
    let short = row.receipt.map(sentence::receipt_short);
    match (row.receipt, row.ended_at) {
        (Some(ReceiptKind::TargetGone), Some(at)) => view! {
            <Time at/>
            <span class="quiet cell-more">{short} "; never proven gone"</span>
        }
        .into_any(),
        (_, Some(at)) => {
            view! { <Time at/> <span class="quiet cell-more">{short}</span> }.into_any()
        }
        (_, None) => view! {
            <Time at=row.until/>
            <span class="quiet cell-more">"its promised end; not over yet"</span>
        }
        .into_any(),
    }
}

/// What a group gave then is not on record: its members are another question.
fn groups(groups: &[NarrowerView], filter: &HeldFilter) -> Option<AnyView> {
    if groups.is_empty() {
        return None;
    }
    let links: Vec<_> = groups
        .iter()
        .map(|group| {
            let asked = HeldFilter {
                account: String::new(),
                permission_set: group.id.clone(),
                ..filter.clone()
            };
            view! { <li><a href=address(&asked, "")>{group.name.clone()}</a></li> }.into_any()
        })
        .collect();
    Some(
        view! {
            <section class="section" aria-labelledby="groups">
                <h2 id="groups">"Through groups"</h2>
                <p class="quiet">
                    "Today these groups are assigned something in this account. What they were assigned then is not on "
                    "record; who was their member through Belay is:"
                </p>
                <ul class="narrower">{links}</ul>
            </section>
        }
        .into_any(),
    )
}

fn with(filter: &HeldFilter, field: Field, id: String) -> HeldFilter {
    let mut filter = filter.clone();
    match field {
        Field::Person => filter.person = id,
        Field::Account => filter.account = id,
        _ => filter.permission_set = id,
    }
    filter
}

fn address(filter: &HeldFilter, cursor: &str) -> String {
    let fields = [
        ("person", filter.person.as_str()),
        ("account", &filter.account),
        ("permission_set", &filter.permission_set),
        ("from", &filter.from),
        ("to", &filter.to),
        ("zone", &filter.zone),
        ("cursor", cursor),
    ];
    link::search("/history/held", &fields)
}
