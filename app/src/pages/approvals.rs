//! Approvals: what waits for me.

mod card;
mod gone;
mod past;

use leptos::prelude::*;

use crate::{
    browser::title,
    components::{Done, Empty, Interruption, changing, refuse, skeleton},
    follow::{Followed, follow},
    read,
    view::{APPROVALS_MAX, ApprovalView, EpochMs},
};

/// Requests that the reader may review, oldest first.
#[component]
pub(crate) fn Approvals() -> impl IntoView {
    title("Approvals");
    follow(
        || Box::pin(read::read_approvals()),
        |topic| topic == "approvals",
        skeleton,
        page,
        refuse,
    )
}

fn page(waiting: Followed<Vec<ApprovalView>>) -> AnyView {
    let value = waiting.value;
    let nothing = changing(move || {
        let nothing = value.read().is_empty().then(|| {
            view! {
                <Empty title="Nothing waits for you">
                    <p>"What comes in appears here by itself, and in the title of this page."</p>
                </Empty>
            }
            .into_any()
        });
        nothing.into_any()
    });
    let heading = changing(move || {
        let any = value.read().iter().any(is_to_sign);
        let heading = any.then(|| {
            view! {
                <div class="page-head" id="to-sign">
                    <h2>"To sign"</h2>
                    <p class="lead">
                        "Somebody went in by break-glass before anyone was asked. Was it right?"
                    </p>
                </div>
            }
            .into_any()
        });
        heading.into_any()
    });
    view! {
        <Interruption problem=waiting.problem/>
        <div class="page-head">
            <h1>"Approvals"</h1>
            <p class="lead">"What waits for you, oldest first."</p>
        </div>
        <Done/>
        {entries(value, false)}
        {heading}
        {entries(value, true)}
        {nothing}
    }
    .into_any()
}

fn is_to_sign(one: &ApprovalView) -> bool {
    !one.signing.is_empty()
}

fn find<'a>(all: &'a [ApprovalView], id: &str, to_sign: bool) -> Option<&'a ApprovalView> {
    let mut all = all.iter();
    all.find(|one| one.request_id == id && is_to_sign(one) == to_sign)
}

/// What is to be reviewed, or what is to be signed.
fn entries(all: RwSignal<Vec<ApprovalView>>, to_sign: bool) -> AnyView {
    let dismissed = RwSignal::new(Vec::<String>::new());
    let shown = Memo::new(move |before: Option<&Vec<ApprovalView>>| {
        let now = all.read();
        let mut kept = kept(before.map_or(&[][..], Vec::as_slice), &now, to_sign);
        let dismissed = dismissed.read();
        let newest = newest_of_many(&now, to_sign);
        kept.retain(|one| {
            let is_passed_over = newest.is_some_and(|newest| one.submitted_at > newest);
            find(&now, &one.request_id, to_sign).is_some()
                || !(is_passed_over || dismissed.contains(&one.request_id))
        });
        kept
    });
    let many = changing(move || {
        let many = newest_of_many(&all.read(), to_sign).map(|_| {
            let said = format!(
                "The oldest {APPROVALS_MAX} are shown. What is newer comes up as these are answered."
            );
            view! { <p class="quiet">{said}</p> }.into_any()
        });
        many.into_any()
    });
    view! {
        <div class="stack">
            // Keyed, so that a note half written stays while others come and go.
            <For each=move || shown.get() key=|one| one.request_id.clone() let:one>
                {entry(one, all, dismissed)}
            </For>
        </div>
        {many}
    }
    .into_any()
}

/// When the last of those shown was asked for, if there may be more than are shown.
fn newest_of_many(all: &[ApprovalView], to_sign: bool) -> Option<EpochMs> {
    let of_kind = all.iter().filter(|one| is_to_sign(one) == to_sign);
    let times: Vec<EpochMs> = of_kind.map(|one| one.submitted_at).collect();
    let newest = times.iter().max().copied();
    newest.filter(|_| times.len() >= APPROVALS_MAX)
}

/// Oldest first: what waits now, and in their places the last of what has waited here since the page was opened.
fn kept(before: &[ApprovalView], now: &[ApprovalView], to_sign: bool) -> Vec<ApprovalView> {
    let mut kept = before.to_vec();
    for one in now.iter().filter(|one| is_to_sign(one) == to_sign) {
        let place = kept
            .iter()
            .position(|other| other.request_id == one.request_id);
        if let Some(here) = place.and_then(|place| kept.get_mut(place)) {
            here.clone_from(one);
            continue;
        }
        let later = kept
            .iter()
            .position(|other| other.submitted_at > one.submitted_at);
        kept.insert(later.unwrap_or(kept.len()), one.clone());
    }
    kept
}

/// A card while it waits, a line afterwards.
fn entry(
    one: ApprovalView,
    all: RwSignal<Vec<ApprovalView>>,
    dismissed: RwSignal<Vec<String>>,
) -> AnyView {
    let to_sign = is_to_sign(&one);
    let id = one.request_id.clone();
    let waits = Memo::new(move |_| find(&all.read(), &id, to_sign).is_some());
    let left = RwSignal::new(None);
    let line = {
        let one = one.clone();
        changing(move || {
            let left = left.get();
            left.map(|left| gone::gone(&one, &left, dismissed))
                .into_any()
        })
    };
    let card = changing(move || {
        if waits.get() {
            if left.with_untracked(Option::is_some) {
                left.set(None);
            }
            if to_sign {
                card::to_sign(&one, all)
            } else {
                card::to_review(&one, all)
            }
        } else {
            left.set(gone::left_behind(&one.request_id));
            ().into_any()
        }
    });
    // The region is there before the line: what comes into it is read aloud, and once.
    view! {
        <div>
            <div role="status" aria-atomic="false">{line}</div>
            {card}
        </div>
    }
    .into_any()
}
