//! The sweep: how it stands, what the next pass would take away, and what an admin may do about that.

use leptos::prelude::*;

use crate::{
    clock::duration,
    components::{TextArea, Time, problem_at, quote},
    sentence,
    view::{
        BaselineView, Field, FindingView, FormState, ProposedBaselineView, RipeView, SweepMode,
        SweepOutcome, SweepView,
    },
};

/// All of it.
pub(super) fn section(sweep: &SweepView, before: &FormState, max_chars: u32) -> AnyView {
    let mode = match sweep.mode {
        SweepMode::Off => {
            "Off: nobody looks for what nobody promised. What was found before stays here as it was."
                .to_owned()
        }
        SweepMode::Warn => {
            "Warn: what nobody promised is found, and left alone unless two admins say otherwise."
                .to_owned()
        }
        SweepMode::Enforce => format!(
            "Enforce: what nobody promised is taken away once {}, except what this page leaves.",
            if sweep.grace_seconds == 0 {
                "two complete looks have shown it".to_owned()
            } else {
                format!("it has been known for {}", duration(sweep.grace_seconds))
            }
        ),
    };
    let rest = (sweep.mode != SweepMode::Off).then(|| {
        view! {
            {looked(sweep)}
            {baseline(sweep.baseline.as_ref())}
            {sweep.proposed.as_ref().map(answering)}
            {proposing(sweep, before, max_chars)}
            {next_pass(sweep)}
        }
        .into_any()
    });
    view! {
        <section class="card stack result" aria-labelledby="sweep">
            <h2 id="sweep">"Sweep"</h2>
            <p>{mode}</p>
            {rest}
        </section>
    }
    .into_any()
}

fn looked(sweep: &SweepView) -> AnyView {
    match sweep.looked {
        Some((at, seen)) => {
            let seen = sentence::count(seen, "assignment");
            view! {
                <p class="quiet">
                    "Last complete look: " <Time at/> ", " {seen}
                    " of people. The next begins about an hour later."
                </p>
            }
            .into_any()
        }
        None => view! { <p class="quiet">"Nobody has looked at everything yet."</p> }.into_any(),
    }
}

fn baseline(one: Option<&BaselineView>) -> AnyView {
    let Some(one) = one else {
        return view! {
            <p>"There is no baseline. Until two admins agree on one, nothing is taken away."</p>
        }
        .into_any();
    };
    let count = sentence::count(one.count, "assignment");
    view! {
        <p>
            "Baseline: " {count} " left alone for as long as they are there. Proposed by "
            {one.proposed_by.clone()} ", agreed by " {one.agreed_by.clone()} " · "
            <Time at=one.agreed_at/>
        </p>
    }
    .into_any()
}

fn answering(one: &ProposedBaselineView) -> AnyView {
    let lines: Vec<_> = one
        .lines
        .iter()
        .map(|line| view! { <li>{line.clone()}</li> }.into_any())
        .collect();
    let agree = one.can_agree.then(|| {
        view! {
            <button class="button button-main" type="submit" name="act" value="agree-baseline">
                "Agree to this baseline"
            </button>
        }
        .into_any()
    });
    let form = one.can_drop.then(|| {
        view! {
            <form class="actions" method="post" action="/findings">
                <input type="hidden" name="digest" value=one.digest.clone()/>
                {agree}
                <button class="button" type="submit" name="act" value="drop-baseline">"Drop it"</button>
            </form>
        }
        .into_any()
    });
    view! {
        <div class="stack">
            <p>
                <strong>{one.by.clone()}</strong> " proposes to leave "
                {sentence::count(one.count, "assignment")}
                " alone, and to have what comes later swept · "
                <Time at=one.at/> " · lapses " <Time at=one.lapses_at/>
            </p>
            {quote(&one.reason)}
            <details class="more">
                <summary>"The whole list"</summary>
                <ul>{lines}</ul>
                {rest(one.count, one.lines.len())}
            </details>
            {form}
        </div>
    }
    .into_any()
}

fn proposing(sweep: &SweepView, before: &FormState, max_chars: u32) -> AnyView {
    let Some((digest, count)) = &sweep.may_propose else {
        return ().into_any();
    };
    let is_refused = before.value("act") == "propose-baseline";
    let (note, problems) = if is_refused {
        (before.value("note").to_owned(), before.problems.clone())
    } else {
        (String::new(), Vec::new())
    };
    let count = sentence::count(*count, "assignment");
    view! {
        <details class="more" open=is_refused>
            <summary>"Propose a baseline"</summary>
            <form class="stack" method="post" action="/findings" novalidate>
                <input type="hidden" name="digest" value=digest.clone()/>
                <p>
                    "It has everything that is open as unmanaged now: " {count}
                    ". What comes later may be swept once another admin agrees to this very list."
                </p>
                <TextArea
                    name="note"
                    id="baseline-why".to_owned()
                    label="Why may it stay?"
                    hint="It is kept with the record."
                    rows=2
                    max_chars=max_chars
                    value=note
                    problem=problem_at(&problems, Field::Note)
                />
                <div class="actions">
                    <button class="button" type="submit" name="act" value="propose-baseline">
                        "Propose this baseline"
                    </button>
                </div>
            </form>
        </details>
    }
    .into_any()
}

fn next_pass(sweep: &SweepView) -> AnyView {
    let count = sweep.ripe_count;
    let ripe = sentence::count(count, "assignment");
    let waits = sweep.outcome == SweepOutcome::Waits;
    let said = match &sweep.outcome {
        SweepOutcome::Halted(why) if count == 0 => {
            format!(
                "The next pass takes nothing away: {}",
                sentence::halted(why)
            )
        }
        SweepOutcome::Halted(why) => format!(
            "The next pass takes nothing away: {} By the rest of the rules it would be {ripe}.",
            sentence::halted(why)
        ),
        SweepOutcome::Within if count == 0 => "The next pass takes nothing away.".to_owned(),
        SweepOutcome::Within => format!("The next pass takes {ripe} away."),
        SweepOutcome::Waits => format!(
            "{ripe} would go, and a pass takes {} away by itself: nothing goes before an admin has confirmed this list.",
            sweep.cap
        ),
        SweepOutcome::Confirmed => {
            format!("An admin confirmed this list: the pass that begins now takes {ripe} away.")
        }
    };
    let rows: Vec<_> = sweep.ripe.iter().map(row).collect();
    let list = (!rows.is_empty()).then(|| view! { <ul class="listed">{rows}</ul> }.into_any());
    let confirm = sweep.can_confirm.then(|| {
        view! {
            <form class="actions" method="post" action="/findings">
                <input type="hidden" name="digest" value=sweep.digest.clone()/>
                <button class="button button-bad" type="submit" name="act" value="confirm-sweep">
                    {format!("Take all {count} away")}
                </button>
            </form>
        }
        .into_any()
    });
    let class = if waits {
        "stack notice notice-wait"
    } else {
        "stack"
    };
    let rest = rest(count, sweep.ripe.len());
    view! { <div class=class id="sweep-next"><p>{said}</p> {list} {rest} {confirm}</div> }
        .into_any()
}

/// Where the rest of a list is that is too long for a page.
fn rest(count: u32, shown: usize) -> AnyView {
    let more = count.saturating_sub(u32::try_from(shown).unwrap_or(u32::MAX));
    let said = (more > 0).then(|| {
        view! {
            <p>
                {format!("And {more} more: ")}
                <a rel="external" href="/api/v1/sweep">"the whole list, as JSON"</a>
            </p>
        }
        .into_any()
    });
    said.into_any()
}

/// What the sweep does about a finding, where it has something to say.
pub(super) fn fate(one: &FindingView, sweep: &SweepView) -> Option<AnyView> {
    let (said, until) = if let Some(left) = &one.left {
        (sentence::left(&left.why).to_owned(), left.until)
    } else if one.is_ripe {
        let said = match &sweep.outcome {
            SweepOutcome::Halted(why) => format!("it would go, but {}", sentence::halted(why)),
            SweepOutcome::Within | SweepOutcome::Confirmed => "goes with the next pass".to_owned(),
            SweepOutcome::Waits => "waits for an admin to confirm the list".to_owned(),
        };
        (said, None)
    } else {
        return None;
    };
    let until = until.map(|at| view! { " " <Time at/> }.into_any());
    Some(view! { <div><dt>"Sweep"</dt><dd>{said} {until}</dd></div> }.into_any())
}

fn row(one: &RipeView) -> AnyView {
    view! {
        <li>
            {one.person.name.clone()} " " <code class="quiet">{one.person.id.clone()}</code> " · "
            {sentence::target(&one.target)} " · known since " <Time at=one.known_since/>
        </li>
    }
    .into_any()
}
