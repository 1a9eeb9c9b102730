//! What may be done about a finding: propose, answer, end, give up.

use leptos::prelude::*;

use crate::{
    components::{TextArea, Time, problem_at, quote},
    view::{AgreementView, Course, Field, FindingView, FormState, ProposalView, RevokingView},
};

/// How long something may be kept: seconds, and the words for it.
const KEEP: [(&str, &str); 4] = [
    ("86400", "1 day"),
    ("604800", "7 days"),
    ("2592000", "30 days"),
    ("7776000", "90 days"),
];

/// What there is to decide about an open finding: as long as this is the same, so are its forms.
#[derive(Clone, Hash, PartialEq, Eq)]
pub(super) struct Decision {
    finding: String,
    proposal: Option<u32>,
    is_revoking: bool,
    can_end: bool,
    courses: usize,
}

impl Decision {
    pub(super) fn of(one: &FindingView) -> Self {
        Self {
            finding: one.id.clone(),
            proposal: one.proposal.as_ref().map(|proposal| proposal.number),
            is_revoking: one.revoking.is_some(),
            can_end: one.can_end,
            courses: one.courses.len(),
        }
    }
}

/// The forms of an open finding, or why there are none.
pub(super) fn deciding(one: &FindingView, before: &FormState, max_chars: u32) -> AnyView {
    let proposing = match &one.proposal {
        Some(proposal) => answering(one, proposal, before, max_chars),
        None if one.courses.is_empty() => ().into_any(),
        None if one.is_own => {
            view! { <p class="quiet">"It is about you, so two other admins decide."</p> }.into_any()
        }
        None => {
            let leaving = leaving(one, before, max_chars);
            let revoking = one
                .courses
                .contains(&Course::Revoke)
                .then(|| alone(one, REVOKE, before, max_chars));
            view! { {leaving} {revoking} }.into_any()
        }
    };
    let revoking = one.revoking.as_ref().map(revoking);
    let ending = one.can_end.then(|| alone(one, END, before, max_chars));
    view! { {revoking} {proposing} {ending} }.into_any()
}

/// A form that asks for a reason and nothing else.
#[derive(Clone, Copy)]
struct Alone {
    act: &'static str,
    summary: &'static str,
    label: &'static str,
    hint: &'static str,
    button: &'static str,
}

const REVOKE: Alone = Alone {
    act: "revoke",
    summary: "Take it away",
    label: "Why must it go?",
    hint: "Another admin has to confirm it, who does not have this access either. Then Belay removes the assignment, once, and says here what came of it.",
    button: "Propose to take it away",
};

const END: Alone = Alone {
    act: "end",
    summary: "End it now",
    label: "Why does it end?",
    hint: "Every live grant of this is ended at once. The person sees what you write here.",
    button: "End it",
};

fn alone(one: &FindingView, of: Alone, before: &FormState, max_chars: u32) -> AnyView {
    let is_this = before.value("act") == of.act;
    let typed = if is_this { before.value("note") } else { "" };
    let problem = if is_this {
        problem_at(&before.problems, Field::Note)
    } else {
        String::new()
    };
    let was_refused = is_this && !before.problems.is_empty();
    view! {
        <details class="more" open=was_refused>
            <summary>{of.summary}</summary>
            <form class="stack" method="post" action="/findings" novalidate>
                {hidden(one)}
                <TextArea
                    name="note"
                    id=format!("{}-{}", of.act, one.id)
                    label=of.label
                    hint=of.hint
                    rows=2
                    max_chars=max_chars
                    value=typed.to_owned()
                    problem=problem
                />
                <div class="actions">
                    <button class="button button-bad" type="submit" name="act" value=of.act>
                        {of.button}
                    </button>
                </div>
            </form>
        </details>
    }
    .into_any()
}

fn revoking(one: &RevokingView) -> AnyView {
    view! {
        <div class="stack">
            <p>
                <strong>"Being taken away."</strong> " Proposed by " {one.proposed_by.clone()}
                ", confirmed by " {one.confirmed_by.clone()} " " <Time at=one.confirmed_at/>
                " · lapses " <Time at=one.lapses_at/>
            </p>
            {quote(&one.reason)}
        </div>
    }
    .into_any()
}

fn hidden(one: &FindingView) -> AnyView {
    view! {
        <input type="hidden" name="finding" value=one.id.clone()/>
        <input type="hidden" name="place" value=one.name.clone()/>
    }
    .into_any()
}

fn leaving(one: &FindingView, before: &FormState, max_chars: u32) -> AnyView {
    let other = [REVOKE.act, END.act].contains(&before.value("act"));
    let before = &if other {
        FormState::default()
    } else {
        before.clone()
    };
    let typed = before.value("duration").to_owned();
    let options: Vec<_> = KEEP
        .into_iter()
        .map(|(seconds, words)| {
            let is_chosen = typed == seconds;
            view! { <option value=seconds selected=is_chosen>{words}</option> }.into_any()
        })
        .collect();
    let buttons: Vec<_> = one
        .courses
        .iter()
        .filter_map(|course| {
            let (act, words) = match course {
                Course::Adopt => ("adopt", "Propose to adopt it"),
                Course::Ignore => ("ignore", "Propose to ignore it"),
                Course::Revoke => return None,
            };
            let button = view! { <button class="button" type="submit" name="act" value=act>{words}</button> };
            Some(button.into_any())
        })
        .collect();
    let was_refused = !before.problems.is_empty();
    let keep_id = format!("keep-{}", one.id);
    let wrong = problem_at(&before.problems, Field::Duration);
    let wrong_id = format!("keep-{}-problem", one.id);
    let is_wrong = !wrong.is_empty();
    let problem = is_wrong
        .then(|| view! { <p class="field-problem" id=wrong_id.clone()>{wrong}</p> }.into_any());
    view! {
        <details class="more" open=was_refused>
            <summary>"Leave it for a while"</summary>
            <form class="stack" method="post" action="/findings" novalidate>
                {hidden(one)}
                <TextArea
                    name="note"
                    id=format!("why-{}", one.id)
                    label="Why may it stay?"
                    hint="Another admin has to confirm it, who does not have this access either. It is kept with the record."
                    rows=2
                    max_chars=max_chars
                    value=before.value("note").to_owned()
                    problem=problem_at(&before.problems, Field::Note)
                />
                <div class="field">
                    <label class="label" for=keep_id.clone()>"For how long?"</label>
                    {problem}
                    <select
                        class="input"
                        id=keep_id
                        name="duration"
                        aria-invalid=is_wrong.then_some("true")
                        aria-describedby=is_wrong.then_some(wrong_id)
                    >
                        {options}
                    </select>
                </div>
                <div class="actions">{buttons}</div>
            </form>
        </details>
    }
    .into_any()
}

fn answering(
    one: &FindingView,
    proposal: &ProposalView,
    before: &FormState,
    max_chars: u32,
) -> AnyView {
    let keeps = match proposal.course {
        Course::Adopt => Some("adopt"),
        Course::Ignore => Some("ignore"),
        Course::Revoke => None,
    };
    let does = match keeps {
        Some(does) => {
            view! { " proposes to " {does} " it until " <Time at=proposal.until/> }.into_any()
        }
        None => view! { " proposes to take it away" }.into_any(),
    };
    let (confirm_class, confirm_words) = match keeps {
        Some(_) => ("button button-main", "Confirm"),
        None => ("button button-bad", "Confirm, and take it away"),
    };
    let refuse_class = if keeps.is_some() {
        "button button-bad"
    } else {
        "button"
    };
    let number = proposal.number.to_string();
    let confirm = proposal.can_answer.then(|| {
        view! {
            <TextArea
                name="note"
                id=format!("answer-{}", one.id)
                label="Note"
                hint="If you refuse it, say why."
                rows=2
                max_chars=max_chars
                value=before.value("note").to_owned()
                problem=problem_at(&before.problems, Field::Note)
            />
            <div class="actions">
                <button class=confirm_class type="submit" name="act" value="confirm">
                    {confirm_words}
                </button>
                <button class=refuse_class type="submit" name="act" value="refuse">
                    "Refuse"
                </button>
            </div>
        }
        .into_any()
    });
    let take_back = proposal.can_take_back.then(|| {
        view! {
            <div class="actions">
                <button class="button" type="submit" name="act" value="take-back">"Take it back"</button>
            </div>
        }
        .into_any()
    });
    let any = proposal.can_answer || proposal.can_take_back;
    let form = any.then(|| {
        view! {
            <form class="stack" method="post" action="/findings" novalidate>
                {hidden(one)}
                <input type="hidden" name="proposal" value=number/>
                {confirm} {take_back}
            </form>
        }
        .into_any()
    });
    view! {
        <div class="stack">
            <p>
                <strong>{proposal.by.clone()}</strong> {does} " · " <Time at=proposal.at/> " · lapses "
                <Time at=proposal.lapses_at/>
            </p>
            {quote(&proposal.reason)}
            {form}
        </div>
    }
    .into_any()
}

/// The form that gives up what was agreed.
pub(super) fn giving_up(one: &AgreementView) -> AnyView {
    let form = one.can_give_up.then(|| {
        view! {
            <form class="actions" method="post" action="/findings">
                <input type="hidden" name="finding" value=one.id.clone()/>
                <input type="hidden" name="place" value=one.name.clone()/>
                <button class="button" type="submit" name="act" value="give-up">"Give it up"</button>
            </form>
        }
        .into_any()
    });
    form.into_any()
}
