//! History: what was asked, decided and done, for auditors and admins.

pub(super) mod form;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use self::form::{days_in, elsewhere, given, narrower, paging, progress, zone};
use crate::{
    browser::{status, title},
    clock,
    components::{Empty, Interruption, Pill, Time, changing, problem_at, refuse, skeleton},
    follow::{Followed, follow},
    link, read, sentence,
    view::{Field, HistoryFilter, HistoryPage, HistoryRow, RequestState, TargetView},
};

/// The search is an ordinary form whose fields stand in the address, so that a search can be kept and sent.
#[component]
pub(crate) fn History() -> impl IntoView {
    title("History");
    let query = use_query_map();
    // Another search is another page: everything below is made anew.
    changing(move || {
        let query = query.read();
        let field = |name: &str| query.get_str(name).unwrap_or_default().trim().to_owned();
        let filter = HistoryFilter {
            from: field("from"),
            to: field("to"),
            zone: field("zone"),
            person: field("person"),
            account: field("account"),
            permission_set: field("permission_set"),
            state: field("state"),
            text: field("text"),
            cursor: field("cursor"),
        };
        let searched = filter.clone();
        // Older pages do not move.
        let is_first_page = filter.cursor.is_empty();
        follow(
            move || Box::pin(read::read_history(filter.clone())),
            move |topic| is_first_page && topic == "history",
            skeleton,
            move |history| page(history, searched),
            refuse,
        )
    })
}

fn page(history: Followed<HistoryPage>, filter: HistoryFilter) -> AnyView {
    let value = history.value;
    let form = search(&filter, &value.read_untracked());
    let is_refused = !value.read_untracked().problems.is_empty();
    if is_refused {
        status(400);
    }
    let files = (!is_refused).then(|| files(&filter));
    view! {
        <Interruption problem=history.problem/>
        <div class="page-head">
            <h1>"History"</h1>
            <p class="lead">
                "Every request, newest first. Each opens with its whole record. "
                <a href="/history/held">"Who held what, and when?"</a>
            </p>
        </div>
        {form}
        {changing(move || results(&value.read(), &filter))}
        {files}
    }
    .into_any()
}

fn results(page: &HistoryPage, filter: &HistoryFilter) -> AnyView {
    if !page.problems.is_empty() {
        return ().into_any();
    }
    let rows: Vec<_> = page.rows.iter().map(row).collect();
    let table = if !rows.is_empty() {
        table(rows)
    } else if page.next.is_some() {
        view! {
            <Empty title="Nothing was found so far">
                <p>"There is more to look through, further back."</p>
            </Empty>
        }
        .into_any()
    } else {
        view! {
            <Empty title="Nothing was found">
                <p>
                    "Widen the days, or take a filter away. "
                    <a href="/history">"Show everything"</a>
                </p>
            </Empty>
        }
        .into_any()
    };
    let searched = progress(page.looked_through, page.searched_back_to);
    let newest = (!filter.cursor.is_empty()).then(|| paging(address(filter, ""), "Newest"));
    let name = if page.searched_back_to.is_some() {
        "Go on"
    } else {
        "Older"
    };
    let older = page
        .next
        .as_deref()
        .map(|next| paging(address(filter, next), name));
    let narrower = narrower(&page.narrower, |field, id| {
        let mut narrow = filter.clone();
        match field {
            Field::Person => narrow.person = id,
            Field::Account => narrow.account = id,
            _ => narrow.permission_set = id,
        }
        address(&narrow, "")
    });
    view! {
        {table}
        <div class="actions paging">{searched} {newest} {older}</div>
        {narrower}
    }
    .into_any()
}

fn table(rows: Vec<AnyView>) -> AnyView {
    let heads: Vec<_> = ["Asked", "Who", "What", "Reviewed by", "State"]
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
}

/// The same search as a file, whole.
fn files(filter: &HistoryFilter) -> AnyView {
    let whole = fields(filter, "");
    let csv = link::search("/history/export.csv", &whole);
    let lines = link::search("/history/export.jsonl", &whole);
    view! {
        <section class="section" aria-labelledby="files">
            <h2 id="files">"As a file"</h2>
            <p class="quiet">
                "Everything that this search finds, to its end, with whole reasons and the proven times. Times are UTC. "
                "A file that could not be finished says so in its last line, and the download fails. In CSV, a cell that a "
                "spreadsheet would run begins with an apostrophe."
            </p>
            <p class="actions">
                <a class="button" rel="external" href=csv>"CSV"</a>
                <a class="button" rel="external" href=lines>"JSON Lines"</a>
            </p>
        </section>
    }
    .into_any()
}

/// Who decided, where nobody did.
const fn unreviewed(row: &HistoryRow) -> &'static str {
    match row.state {
        RequestState::Pending => "nobody yet",
        RequestState::Denied
        | RequestState::Withdrawn
        | RequestState::Expired
        | RequestState::Mixed => "nobody",
        _ if row.is_break_glass => "nobody yet",
        _ => "the policy",
    }
}

fn row(row: &HistoryRow) -> AnyView {
    let numbers = row
        .targets
        .iter()
        .map(|target| match target {
            TargetView::Account { account_id, .. } => account_id.clone(),
            TargetView::Group { .. } => "a group".to_owned(),
        })
        .collect::<Vec<_>>()
        .join(", ");
    let reviewers = match row.reviewers.as_slice() {
        [] => unreviewed(row).to_owned(),
        names => names.join(", "),
    };
    let ended = row.ended_at.map(|at| view! { " " <Time at/> }.into_any());
    let ticket = (!row.ticket.is_empty())
        .then(|| view! { <span class="cell-more">{row.ticket.clone()}</span> }.into_any());
    let break_glass = row
        .is_break_glass
        .then(|| view! { <span class="pill pill-bad">"Break-glass"</span> }.into_any());
    view! {
        <tr>
            <td data-label="Asked" class="cell-when"><Time at=row.submitted_at/></td>
            <td data-label="Who">
                {row.requester.name.clone()}
                <span class="quiet cell-more">{row.requester.email.clone()}</span>
            </td>
            <td data-label="What" class="cell-what">
                <a href=link::request(&row.request_id)>{sentence::targets(&row.targets)}</a>
                <span class="quiet cell-more">
                    {numbers} ", for " {clock::duration(row.duration_seconds)}
                </span>
                {ticket} <span class="cell-more cell-reason">{row.reason.clone()}</span>
            </td>
            <td data-label="Reviewed by">{reviewers}</td>
            <td data-label="State">
                <Pill state=row.state/> {break_glass}
                <span class="quiet cell-more">
                    {row.receipt.map(sentence::receipt_short)} {ended}
                </span>
            </td>
        </tr>
    }
    .into_any()
}

/// The address of this search from `cursor` on.
fn address(filter: &HistoryFilter, cursor: &str) -> String {
    link::search("/history", &fields(filter, cursor))
}

fn fields<'f>(filter: &'f HistoryFilter, cursor: &'f str) -> [(&'static str, &'f str); 9] {
    [
        ("from", &filter.from),
        ("to", &filter.to),
        ("zone", &filter.zone),
        ("person", &filter.person),
        ("account", &filter.account),
        ("permission_set", &filter.permission_set),
        ("state", &filter.state),
        ("text", &filter.text),
        ("cursor", cursor),
    ]
}

fn search(filter: &HistoryFilter, page: &HistoryPage) -> AnyView {
    let states: Vec<_> = std::iter::once(("", "Any"))
        .chain(
            sentence::REQUEST_STATES
                .into_iter()
                // Each row is of one thing, so that none differs within.
                .filter(|(_, state)| *state != RequestState::Mixed)
                .map(|(code, state)| (code, sentence::request_state(state))),
        )
        .map(|(code, name)| {
            let is_chosen = filter.state == code;
            view! { <option value=code selected=is_chosen>{name}</option> }.into_any()
        })
        .collect();
    let state_problem = problem_at(&page.problems, Field::State);
    let is_wrong = !state_problem.is_empty();
    let zone_name = zone(&filter.zone);
    let given = given(&page.problems, &page.called);
    let elsewhere = elsewhere(&page.problems);
    view! {
        {elsewhere}
        <form class="card filter" method="get" action="/history" role="search" novalidate>
            {given(Field::From, "from", "From", &filter.from)}
            {given(Field::To, "to", "To", &filter.to)}
            {given(Field::Person, "person", "Person", &filter.person)}
            {given(Field::Account, "account", "Account", &filter.account)}
            {given(Field::PermissionSet, "permission_set", "Permission set or group", &filter.permission_set)}
            <div class=if is_wrong { "field field-wrong" } else { "field" }>
                <label class="label" for="state">"State"</label>
                <select
                    class="input"
                    id="state"
                    name="state"
                    aria-invalid=is_wrong.then_some("true")
                    aria-describedby=is_wrong.then_some("state-problem")
                >
                    {states}
                </select>
                {is_wrong.then(|| view! { <p class="field-problem" id="state-problem">{state_problem}</p> }.into_any())}
            </div>
            {given(Field::Text, "text", "Reason or ticket", &filter.text)}
            {days_in(zone_name, "Days are whole days in ")}
            <div class="actions filter-actions">
                <button class="button button-main" type="submit">"Search"</button>
                <a class="button button-quiet" href="/history">"Clear"</a>
            </div>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::address;
    use crate::view::HistoryFilter;

    #[test]
    fn a_search_is_its_address() {
        let filter = HistoryFilter {
            person: "Ana & Ben".to_owned(),
            state: "ended".to_owned(),
            ..HistoryFilter::default()
        };
        assert_eq!(
            address(&filter, "x/1"),
            "/history?person=Ana%20%26%20Ben&state=ended&cursor=x%2F1"
        );
        assert_eq!(address(&HistoryFilter::default(), ""), "/history");
    }
}
