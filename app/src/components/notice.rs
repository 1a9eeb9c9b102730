//! What a page says about itself: done, refused, empty, interrupted, on its way.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};

use crate::{
    browser::status,
    components::changing,
    link,
    live::{self, Interrupted, Silence},
    sentence,
    view::{Field, FieldProblem, Problem, WireError},
};

/// The one of them that was not done.
const FULL: &str = "favourites-full";

/// Says what was just done, from the closed list of codes that the server appends to an address as `done`.
#[component]
pub(crate) fn Done() -> impl IntoView {
    let query = use_query_map();
    changing(move || {
        let query = query.read();
        let done = query.get_str("done").unwrap_or_default();
        let said = match done {
            "submitted" => "Your request is in. This page follows it.",
            "already-pending" => {
                "You had asked for this already, and it waits for an answer: here it is. Nothing more was sent."
            }
            "approved" => "Approved, with your name on it.",
            "denied" => "Denied. The requester sees that, and your note.",
            "signed" => "Signed, with your name on it.",
            "rejected" => "Rejected: the access ends now, and break-glass is closed for them.",
            "reopened" => "Break-glass is open for this person again.",
            "retracted" => "Your approval is taken back.",
            "ended" => {
                "Its end is now. Belay takes the access away, and says so once it is proven."
            }
            "nudged" => "Its approvers are reminded.",
            "proposed" => "Proposed. Another admin has to confirm it within a week.",
            "confirmed" => "Agreed, with both names on it.",
            "refused" => "Refused. The finding stays open.",
            "taken-back" => "Taken back. The finding stays open.",
            "given-up" => "Given up. If it is still so, the finding opens again within minutes.",
            "baseline-proposed" => {
                "Proposed. Another admin has to agree to this list within a week."
            }
            "baseline-agreed" => "Agreed, with both names on it. What comes later may be swept.",
            "baseline-dropped" => "Dropped. The baseline is what it was.",
            "sweep-confirmed" => {
                "Confirmed. A pass begins now, and takes this list away if it is still that one."
            }
            "withdrawn" => "Withdrawn. Nobody needs to answer any more.",
            FULL => {
                "You have 50 favourites, which is all there is room for. Take a star off first."
            }
            _ => return ().into_any(),
        };
        let class = if done == FULL {
            "notice notice-wait"
        } else {
            "notice notice-good"
        };
        view! { <p class=class role="status">{said}</p> }.into_any()
    })
}

/// The problems of a refused form that belong to no field of it; with a word about the others, if there are any.
#[component]
pub(crate) fn Problems(
    /// All problems of the form.
    problems: Vec<FieldProblem>,
) -> impl IntoView {
    (!problems.is_empty()).then(|| {
        let whole: Vec<_> = problems
            .iter()
            .filter(|found| found.field == Field::Form)
            .map(|found| {
                view! { <p>{sentence::problem(found.field, &found.problem)}</p> }.into_any()
            })
            .collect();
        let intro = whole.is_empty().then(|| {
            view! { <p>"Nothing was recorded yet. Please look at what is marked below."</p> }
                .into_any()
        });
        let class = match problems.as_slice() {
            [only] if only.problem == Problem::SignedOut => "notice notice-wait",
            _ => "notice notice-bad",
        };
        view! { <div class=class role="alert">{intro} {whole}</div> }.into_any()
    })
}

/// What is wrong at one field; empty if nothing is.
pub(crate) fn problem_at(problems: &[FieldProblem], field: Field) -> String {
    problems
        .iter()
        .filter(|found| found.field == field)
        .map(|found| sentence::problem(found.field, &found.problem))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A place where there is nothing yet, and what to do about it.
#[component]
pub(crate) fn Empty(
    /// What is not there.
    title: &'static str,
    /// What to do next.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="empty">
            <p class="empty-title">{title}</p>
            <div class="empty-next">{children()}</div>
        </div>
    }
}

/// A whole page that cannot be shown, with the status that says the same and what to do next.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape of what `follow` calls"
)]
pub(crate) fn refuse(error: WireError) -> AnyView {
    status(match error {
        WireError::SignedOut => 401,
        WireError::NotFound => 404,
        WireError::NotAllowed | WireError::BeyondReach => 403,
        WireError::Unavailable { .. } | WireError::Stale => 503,
    });
    let (title, advice) = sentence::wire_error(&error);
    crate::browser::title(title);
    view! {
        <section class="refusal">
            <h1>{title}</h1>
            <p class="lead">{advice}</p>
            <p class="actions">{way_on(&error, None)}</p>
        </section>
    }
    .into_any()
}

fn way_on(error: &WireError, target: Option<&'static str>) -> AnyView {
    let here = here();
    match error {
        WireError::SignedOut => {
            view! { <a class="button button-main" rel="external" target=target href=link::sign_in(&here)>"Sign in"</a> }.into_any()
        }
        WireError::NotFound | WireError::NotAllowed | WireError::BeyondReach => view! {
            <a class="button button-main" href="/">"See what you may ask for"</a>
            <a class="button" href="/mine">"See what you have"</a>
        }
        .into_any(),
        WireError::Unavailable { .. } | WireError::Stale => {
            view! { <a class="button button-main" rel="external" target=target href=here>"Try again"</a> }.into_any()
        }
    }
}

/// The address of the page, path and query: one of ours, since it led here.
fn here() -> String {
    let location = use_location();
    let path = location.pathname.get_untracked();
    let search = location.search.get_untracked();
    if search.is_empty() {
        path
    } else {
        format!("{path}?{search}")
    }
}

/// Says that what is shown could not be brought up to date, and keeps it.
#[component]
pub(crate) fn Interruption(
    /// Why the newest read gave nothing.
    problem: RwSignal<Option<WireError>>,
) -> impl IntoView {
    changing(move || problem.get().map(|error| interruption(&error)).into_any())
}

fn interruption(error: &WireError) -> AnyView {
    let (title, way) = if matches!(error, WireError::Unavailable { .. }) {
        ("This cannot be brought up to date just now", try_again())
    } else {
        let (title, _) = sentence::wire_error(error);
        // In another tab: this one keeps what is typed in it, and can send it afterwards.
        (title, way_on(error, Some("_blank")))
    };
    view! {
        <div class="notice notice-wait" role="status">
            <p>
                <strong>{title}"."</strong>
                " What you see may be out of date, and nothing that you typed is lost."
            </p>
            <p class="actions">{way}</p>
        </div>
    }
    .into_any()
}

/// Reads again in place; it is also tried without being asked for.
fn try_again() -> AnyView {
    view! {
        <a
            class="button button-main"
            rel="external"
            href=here()
            on:click=|event| {
                event.prevent_default();
                live::try_again();
            }
        >
            "Try again"
        </a>
    }
    .into_any()
}

/// Says that changes made elsewhere do not arrive at the moment.
#[component]
pub(crate) fn LiveNotice() -> impl IntoView {
    let interrupted = use_context::<Interrupted>();
    changing(move || {
        let said = match interrupted.map_or(Silence::None, |interrupted| interrupted.0.get()) {
            Silence::None => return ().into_any(),
            Silence::Unreachable => {
                "Belay cannot be reached, so what you see may be out of date. Trying again…"
            }
            Silence::Untold => {
                "Changes reach this page late at the moment, so what you see may be out of date. \
                 If you have many tabs of Belay open, close some."
            }
        };
        view! { <p class="notice notice-wait" role="status">{said}</p> }.into_any()
    })
}

/// Grey lines in the shape of what is about to be there.
pub(crate) fn skeleton() -> AnyView {
    view! {
        <div class="skeleton" aria-busy="true">
            <p class="sr" role="status">"Loading"</p>
            <div></div>
            <div></div>
            <div></div>
        </div>
    }
    .into_any()
}
