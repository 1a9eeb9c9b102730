//! History: what was asked, decided and done, for auditors and admins.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    browser::title,
    clock,
    components::{Empty, Interruption, Pill, Time, changing, problem_at, refuse, skeleton},
    follow::{Followed, follow},
    link, read, sentence,
    view::{Field, FieldProblem, HistoryFilter, HistoryPage, HistoryRow, TargetView},
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
    let form = search(&filter, &value.read_untracked().problems);
    view! {
        <Interruption problem=history.problem/>
        <div class="page-head">
            <h1>"History"</h1>
            <p class="lead">"Every request, newest first. Each opens with its whole record."</p>
        </div>
        {form}
        {changing(move || results(&value.read(), &filter))}
    }
    .into_any()
}

fn results(page: &HistoryPage, filter: &HistoryFilter) -> AnyView {
    let rows: Vec<_> = page.rows.iter().map(row).collect();
    let table = if rows.is_empty() {
        view! {
            <Empty title="Nothing was found">
                <p>
                    "Widen the days, or take a filter away. "
                    <a href="/history">"Show everything"</a>
                </p>
            </Empty>
        }
        .into_any()
    } else {
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
    };
    let searched = page.searched_back_to.map(|at| {
        view! { <span class="quiet">"Searched back to " <Time at/> "."</span> }.into_any()
    });
    let newest = (!filter.cursor.is_empty()).then(|| paging(address(filter, ""), "Newest"));
    let older = page
        .next
        .as_deref()
        .map(|next| paging(address(filter, next), "Older"));
    view! {
        {table}
        <p class="actions paging">{searched} {newest} {older}</p>
    }
    .into_any()
}

fn paging(address: String, name: &'static str) -> AnyView {
    view! { <a class="button" href=address>{name}</a> }.into_any()
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
        [] => "nobody".to_owned(),
        names => names.join(", "),
    };
    let ended = row.ended_at.map(|at| view! { " " <Time at/> }.into_any());
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
                <span class="cell-more cell-reason">{row.reason.clone()}</span>
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
    let fields = [
        ("from", filter.from.as_str()),
        ("to", &filter.to),
        ("person", &filter.person),
        ("account", &filter.account),
        ("permission_set", &filter.permission_set),
        ("state", &filter.state),
        ("text", &filter.text),
        ("cursor", cursor),
    ];
    let query = fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", link::encode(value)))
        .collect::<Vec<_>>()
        .join("&");
    if query.is_empty() {
        "/history".to_owned()
    } else {
        format!("/history?{query}")
    }
}

fn search(filter: &HistoryFilter, problems: &[FieldProblem]) -> AnyView {
    let states: Vec<_> = std::iter::once(("", "Any"))
        .chain(
            sentence::REQUEST_STATES
                .into_iter()
                .map(|(code, state)| (code, sentence::request_state(state))),
        )
        .map(|(code, name)| {
            let is_chosen = filter.state == code;
            view! { <option value=code selected=is_chosen>{name}</option> }.into_any()
        })
        .collect();
    let from = problem_at(problems, Field::From);
    let to = problem_at(problems, Field::To);
    view! {
        <form class="card filter" method="get" action="/history" role="search" novalidate>
            {field("from", "From", "date", &filter.from, from)}
            {field("to", "To", "date", &filter.to, to)}
            {field("person", "Person", "text", &filter.person, String::new())}
            {field("account", "Account", "text", &filter.account, String::new())}
            {field("permission_set", "Permission set or group", "text", &filter.permission_set, String::new())}
            <div class="field">
                <label class="label" for="state">"State"</label>
                <select class="input" id="state" name="state">{states}</select>
            </div>
            {field("text", "Reason", "text", &filter.text, String::new())}
            <div class="actions filter-actions">
                <button class="button button-main" type="submit">"Search"</button>
                <a class="button button-quiet" href="/history">"Clear"</a>
            </div>
        </form>
    }
    .into_any()
}

fn field(
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: &str,
    problem: String,
) -> AnyView {
    let is_wrong = !problem.is_empty();
    let problem_id = format!("{name}-problem");
    let described_by = is_wrong.then(|| problem_id.clone());
    let problem =
        is_wrong.then(|| view! { <p class="field-problem" id=problem_id>{problem}</p> }.into_any());
    view! {
        <div class=if is_wrong { "field field-wrong" } else { "field" }>
            <label class="label" for=name>{label}</label>
            <input
                class="input"
                id=name
                name=name
                type=kind
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
