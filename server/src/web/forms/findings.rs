//! What admins do about findings, and about the sweep.

use app::view::{Field, PageProblem, Problem};
use axum::Extension;
use axum::extract::{OriginalUri, Request, State};
use axum::response::Response;
use domain::adoption::Course;
use domain::id::FindingId;
use http::StatusCode;

use crate::service::{Answer, Caller, Proposing, Steering, Which};

use super::super::refusal::Refusal;
use super::super::{Portal, pages, problem};
use super::{Form, see};

/// POST of the page: propose, answer, give up.
pub(in crate::web) async fn post(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let form = match Form::read(&head.headers, body).await {
        Ok(form) => form,
        Err(what) => return problem::page(&portal, &head.headers, what),
    };
    let act = form.value("act");
    let done = match (Act::parse(act), SweepAct::parse(act)) {
        (Some(act), _) => act
            .carry_out(&portal, &caller, &form)
            .await
            .map(|()| act.done()),
        (None, Some(act)) => act
            .carry_out(&portal, &caller, &form)
            .await
            .map(|()| act.done()),
        (None, None) => return problem::page(&portal, &head.headers, PageProblem::BadForm),
    };
    match done {
        Ok(done) => see(&format!("/findings?done={done}")),
        // The page is not there for them, and says so.
        Err(refusal) if refusal.status == StatusCode::NOT_FOUND => {
            problem::page(&portal, &head.headers, PageProblem::NotFound)
        }
        Err(refusal) => {
            let typed = form.typed(&["act", "finding", "note", "duration"]);
            pages::again(&portal, caller, refusal.form(typed), uri, head.headers).await
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Adopt,
    Ignore,
    Revoke,
    End,
    Confirm,
    Refuse,
    TakeBack,
    GiveUp,
}

impl Act {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "adopt" => Some(Self::Adopt),
            "ignore" => Some(Self::Ignore),
            "revoke" => Some(Self::Revoke),
            "end" => Some(Self::End),
            "confirm" => Some(Self::Confirm),
            "refuse" => Some(Self::Refuse),
            "take-back" => Some(Self::TakeBack),
            "give-up" => Some(Self::GiveUp),
            _ => None,
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Adopt | Self::Ignore | Self::Revoke => "proposed",
            Self::End => "ended",
            Self::Confirm => "confirmed",
            Self::Refuse => "refused",
            Self::TakeBack => "taken-back",
            Self::GiveUp => "given-up",
        }
    }

    async fn carry_out(self, portal: &Portal, caller: &Caller, form: &Form) -> Result<(), Refusal> {
        let service = &portal.service;
        let which = which(form)?;
        let note = form.value("note").to_owned();
        let done = match self {
            Self::Adopt => {
                let proposing = proposing(which, Course::Adopt, note, form)?;
                service.propose(caller, &proposing).await
            }
            Self::Ignore => {
                let proposing = proposing(which, Course::Ignore, note, form)?;
                service.propose(caller, &proposing).await
            }
            Self::Revoke => {
                let proposing = Proposing {
                    which,
                    course: Course::Revoke,
                    reason: note,
                    seconds: 0,
                };
                service.propose(caller, &proposing).await
            }
            Self::End => service.end_finding(caller, &which, &note).await,
            Self::Confirm => {
                let number = number(form)?;
                service
                    .answer(caller, &which, number, &Answer::Confirm)
                    .await
            }
            Self::Refuse => {
                let answer = Answer::Refuse { note };
                let number = number(form)?;
                service.answer(caller, &which, number, &answer).await
            }
            Self::TakeBack => {
                let number = number(form)?;
                service
                    .answer(caller, &which, number, &Answer::TakeBack)
                    .await
            }
            Self::GiveUp => service.give_up(caller, &which).await,
        };
        done.map_err(Refusal::from_service)
    }
}

/// What admins do about the sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SweepAct {
    Propose,
    Agree,
    Drop,
    Confirm,
}

impl SweepAct {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "propose-baseline" => Some(Self::Propose),
            "agree-baseline" => Some(Self::Agree),
            "drop-baseline" => Some(Self::Drop),
            "confirm-sweep" => Some(Self::Confirm),
            _ => None,
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Propose => "baseline-proposed",
            Self::Agree => "baseline-agreed",
            Self::Drop => "baseline-dropped",
            Self::Confirm => "sweep-confirmed",
        }
    }

    async fn carry_out(self, portal: &Portal, caller: &Caller, form: &Form) -> Result<(), Refusal> {
        let steering = match self {
            Self::Propose => Steering::Propose {
                reason: form.value("note").to_owned(),
            },
            Self::Agree => Steering::Agree,
            Self::Drop => Steering::Drop,
            Self::Confirm => Steering::Confirm,
        };
        let digest = form.value("digest");
        let done = portal.service.steer(caller, digest, &steering).await;
        done.map_err(Refusal::from_service)
    }
}

fn not_understood(field: Field) -> Refusal {
    Refusal::of(
        StatusCode::UNPROCESSABLE_ENTITY,
        field,
        Problem::NotUnderstood,
    )
}

/// The finding, by its place and its id.
fn which(form: &Form) -> Result<Which, Refusal> {
    let id = FindingId::parse(form.value("finding")).map_err(|_| not_understood(Field::Form))?;
    let name = form.value("place");
    // DynamoDB takes no key without a text, nor one of more than a kilobyte.
    if name.is_empty() || name.len() > 1_000 {
        return Err(not_understood(Field::Form));
    }
    Ok(Which {
        name: name.to_owned(),
        id,
    })
}

fn number(form: &Form) -> Result<u32, Refusal> {
    let number = form.value("proposal").parse();
    number.map_err(|_| not_understood(Field::Form))
}

fn proposing(
    which: Which,
    course: Course,
    reason: String,
    form: &Form,
) -> Result<Proposing, Refusal> {
    let typed = form.value("duration").trim().parse();
    Ok(Proposing {
        which,
        course,
        reason,
        seconds: typed.map_err(|_| not_understood(Field::Duration))?,
    })
}
