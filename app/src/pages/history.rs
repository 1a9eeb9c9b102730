//! History: what was asked, decided and done, for auditors and admins.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    browser::title,
    clock,
    components::{Empty, Interruption, Pill, Refusal, Time, problem_at, skeleton},
    follow::{Followed, follow},
    link, read, sentence,
    view::{Field, FieldProblem, HistoryFilter, HistoryPage, HistoryRow},
};

/// The search is an ordinary form whose fields stand in the address, so that a search can be kept and sent.
#[component]
pub(crate) fn History() -> impl IntoView {
    title("History");
    let query = use_query_map();
    let filter = Memo::new(move |_| {
        let query = query.read();
        let field = |name: &str| query.get(name).unwrap_or_default().trim().to_owned();
        HistoryFilter {
            from: field("from"),
            to: field("to"),
            person: field("person"),
            account: field("account"),
            permission_set: field("permission_set"),
            state: field("state"),
            text: field("text"),
            cursor: field("cursor"),
        }
    });
    // Another search is another page: everything below is made anew.
    move || {
        let filter = filter.get();
        let searched = filter.clone();
        // Older pages do not move.
        let is_first_page = filter.cursor.is_empty();
        follow(
            move || read::read_history(filter.clone()),
            move |topic| is_first_page && topic == "history",
            skeleton,
            move |history| page(history, &searched),
            |error| view! { <Refusal error/> },
        )
    }
}

fn page(history: Followed<HistoryPage>, filter: &HistoryFilter) -> impl IntoView + use<> {
    let value = history.value;
    let first = value.get_untracked();
    let is_empty = Memo::new(move |_| value.read().rows.is_empty());
    let older = {
        let filter = filter.clone();
        move || {
            let page = value.read();
            let next = page.next.as_deref()?;
            let searched_back_to = page.searched_back_to;
            let href = address(&filter, next);
            Some(view! {
                {searched_back_to.map(|at| view! { <span class="quiet">"Searched back to " <Time at/> ". "</span> })}
                <a class="button" href=href>"Older"</a>
            })
        }
    };
    let newest = (!filter.cursor.is_empty())
        .then(|| view! { <a class="button" href=address(filter, "")>"Newest"</a> });
    view! {
        <Interruption problem=history.problem/>
        <div class="page-head">
            <h1>"History"</h1>
            <p class="lead">"Every request, newest first. Each opens with its whole record."</p>
        </div>
        {search(filter, &first.problems)}
        <Show
            when=move || !is_empty.get()
            fallback=|| {
                view! {
                    <Empty title="Nothing was found">
                        <p>"Widen the days, or take a filter away. " <a href="/history">"Show everything"</a></p>
                    </Empty>
                }
            }
        >
            <div class="card table-card">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"Asked"</th>
                            <th scope="col">"Who"</th>
                            <th scope="col">"What"</th>
                            <th scope="col">"Reviewed by"</th>
                            <th scope="col">"State"</th>
                        </tr>
                    </thead>
                    <tbody>{move || value.read().rows.iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        </Show>
        <p class="actions paging">{newest} {older}</p>
    }
}

fn row(row: &HistoryRow) -> impl IntoView + use<> {
    let numbers = row
        .targets
        .iter()
        .map(|target| target.account_id.clone())
        .collect::<Vec<_>>()
        .join(", ");
    let reviewers = if row.reviewers.is_empty() {
        "nobody".to_owned()
    } else {
        row.reviewers.join(", ")
    };
    view! {
        <tr>
            <td data-label="Asked" class="cell-when"><Time at=row.submitted_at/></td>
            <td data-label="Who">
                {row.requester.name.clone()} <span class="quiet cell-more">{row.requester.email.clone()}</span>
            </td>
            <td data-label="What">
                <a href=link::request(&row.request_id)>{sentence::targets(&row.targets)}</a>
                <span class="quiet cell-more">{numbers} ", for " {clock::duration(row.duration_seconds)}</span>
                <span class="cell-more cell-reason">{row.reason.clone()}</span>
            </td>
            <td data-label="Reviewed by">{reviewers}</td>
            <td data-label="State">
                <Pill state=row.state/>
                <span class="quiet cell-more">
                    {row.receipt.map(sentence::receipt_short)} {row.ended_at.map(|at| view! { " " <Time at/> })}
                </span>
            </td>
        </tr>
    }
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

fn search(filter: &HistoryFilter, problems: &[FieldProblem]) -> impl IntoView + use<> {
    let chosen = filter.state.clone();
    let states = sentence::REQUEST_STATES
        .into_iter()
        .map(|(code, state)| {
            let is_chosen = chosen == code;
            view! { <option value=code selected=is_chosen>{sentence::request_state(state)}</option> }
        })
        .collect_view();
    view! {
        <form class="card filter" method="get" action="/history" role="search" novalidate>
            {field("from", "From", "date", &filter.from, problem_at(problems, Field::From))}
            {field("to", "To", "date", &filter.to, problem_at(problems, Field::To))}
            {field("person", "Person", "text", &filter.person, String::new())}
            {field("account", "Account", "text", &filter.account, String::new())}
            {field("permission_set", "Permission set", "text", &filter.permission_set, String::new())}
            <div class="field">
                <label class="label" for="state">"State"</label>
                <select class="input" id="state" name="state">
                    <option value="">"Any"</option>
                    {states}
                </select>
            </div>
            {field("text", "Reason", "text", &filter.text, String::new())}
            <div class="actions filter-actions">
                <button class="button button-main" type="submit">"Search"</button>
                <a class="button button-quiet" href="/history">"Clear"</a>
            </div>
        </form>
    }
}

fn field(
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: &str,
    problem: String,
) -> impl IntoView + use<> {
    let is_wrong = !problem.is_empty();
    let problem_id = format!("{name}-problem");
    view! {
        <div class="field" class:field-wrong=is_wrong>
            <label class="label" for=name>{label}</label>
            <input
                class="input"
                id=name
                name=name
                type=kind
                value=value.to_owned()
                autocomplete="off"
                aria-invalid=is_wrong.then_some("true")
                aria-describedby=is_wrong.then(|| problem_id.clone())
            />
            {is_wrong.then(|| view! { <p class="field-problem" id=problem_id.clone()>{problem}</p> })}
        </div>
    }
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
