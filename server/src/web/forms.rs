//! What people do: plain forms, posted to the page that they are on.
//!
//! Success leads on (303); a refusal shows the same page again, with its status, everything that
//! was typed, and what is wrong.

pub(super) mod favourites;
pub(super) mod findings;
pub(super) mod policy;

use app::view::{Field, PageProblem, Problem};
use app::{Stay, Theme, Zone};
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{OriginalUri, Path, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::{AskIndex, GrantId, RequestId};
use domain::request::Granting;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use jiff::civil::DateTime;
use tower_sessions::Session;

use crate::proof::Purpose;
use crate::service::{
    Caller, Ending, Reviewing, Signature, Submission, Submitted, Verb, Wanted, Whose, Word,
};

use super::addresses::PagePath;
use super::refusal::{Refusal, at};
use super::sign_in::again;
use super::{BODY_MAX_BYTES, Portal, kept, pages, problem, zone};

/// No form of ours has more fields than this, ten boxes for asks included.
const FIELDS_MAX: usize = 40;

/// A choice of colours lasts as long as browsers keep a cookie in practice.
const THEME_SECONDS: u32 = 365 * 24 * 60 * 60;

/// A form as it was posted: names and values, in order.
#[derive(Debug)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body up to the limit. What was typed on a page of somebody else's is not whoever's who
    /// sends it.
    pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Self, PageProblem> {
        let is_form = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            return Err(PageProblem::BadForm);
        }
        let bytes = to_bytes(body, BODY_MAX_BYTES)
            .await
            .map_err(|_| PageProblem::TooLarge)?;
        let form = Self::parse(&bytes)?;
        if kept::is_of_another(headers, form.value(Stay::NAME)) {
            return Err(PageProblem::AnotherPerson);
        }
        Ok(form)
    }

    /// Reads what a form encodes, if it has no more fields than any form of ours.
    pub(super) fn parse(encoded: &[u8]) -> Result<Self, PageProblem> {
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(encoded)
            .take(FIELDS_MAX + 1)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if fields.len() > FIELDS_MAX {
            return Err(PageProblem::BadForm);
        }
        Ok(Self(fields))
    }

    /// How much was typed.
    pub(super) fn bytes(&self) -> usize {
        let sizes = self.0.iter().map(|(name, value)| name.len() + value.len());
        sizes.sum()
    }

    /// Everything that was typed, without this field.
    pub(super) fn all_but(self, name: &str) -> Vec<(String, String)> {
        let mut fields = self.0;
        fields.retain(|(have, _)| have != name);
        fields
    }

    /// The first value of this name; empty if there is none.
    pub(super) fn value(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(have, _)| have == name)
            .map_or("", |(_, value)| value)
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// These fields, to be shown again.
    fn typed(&self, names: &[&str]) -> Vec<(String, String)> {
        self.0
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .cloned()
            .collect()
    }
}

/// POST of the ask form: submits a request for the page's own target.
pub(super) async fn ask(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    session: Session,
    Path((first, second)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let form = match Form::read(&head.headers, body).await {
        Ok(form) => form,
        Err(what) => return problem::page(&portal, &head.headers, what),
    };
    match submit(&portal, &caller, (&first, &second), &form).await {
        Ok(Submitted::New(id)) => see(&format!("/requests/{id}?done=submitted")),
        Ok(Submitted::AlreadyPending(id)) => see(&format!("/requests/{id}?done=already-pending")),
        Err(refusal) => {
            let purpose = submission((&first, &second), &form, Reason::Needed)
                .ok()
                .map(|submission| submission.purpose());
            let typed = form.typed(&[
                "duration",
                "reason",
                "ticket",
                "start",
                Zone::NAME,
                "also",
                "granting",
                "extend",
                "break_glass",
                "confirmation",
            ]);
            let refused = Refused {
                refusal,
                purpose,
                typed,
            };
            refused
                .answer(&portal, &session, caller, uri, head.headers)
                .await
        }
    }
}

/// A form that did nothing, and what for the person could sign in again, if that is what is missing.
struct Refused {
    refusal: Refusal,
    purpose: Option<Purpose>,
    typed: Vec<(String, String)>,
}

impl Refused {
    /// The same page again, or the provider, if it is a new sign-in that is missing.
    async fn answer(
        self,
        portal: &Portal,
        session: &Session,
        caller: Caller,
        uri: http::Uri,
        headers: HeaderMap,
    ) -> Response {
        let Self {
            mut refusal,
            purpose,
            typed,
        } = self;
        if let (Some(purpose), true) = (purpose, refusal.wants_sign_in()) {
            let page = PagePath::parse_or_home(Some(uri.path()));
            match again::begin(portal, session, purpose, &page, typed.clone()).await {
                Ok(url) => return see(&url),
                Err(PageProblem::Unavailable(part)) => {
                    refusal = Refusal::of(
                        StatusCode::SERVICE_UNAVAILABLE,
                        Field::Form,
                        Problem::Unavailable { part },
                    );
                }
                Err(what) => return problem::page(portal, &headers, what),
            }
        }
        pages::again(portal, caller, refusal.form(typed), uri, headers).await
    }
}

async fn submit(
    portal: &Portal,
    caller: &Caller,
    page: (&str, &str),
    form: &Form,
) -> Result<Submitted, Refusal> {
    let submission = submission(page, form, Reason::Needed)?;
    portal
        .service
        .submit(caller, &submission)
        .await
        .map_err(Refusal::from_service)
}

/// Whether there has to be one already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// It is submitted.
    Needed,
    /// It is only asked what would become of it.
    NotYet,
}

/// What the ask form of that page means.
pub(super) fn submission(
    (first, second): (&str, &str),
    form: &Form,
    reason: Reason,
) -> Result<Submission, Refusal> {
    // What is not even an id gets the answer of one that nobody may ask for.
    let Some(own) = Wanted::parse(first, second) else {
        return Err(Refusal::of(
            StatusCode::FORBIDDEN,
            Field::Form,
            Problem::NotAvailable,
        ));
    };
    let mut problems = Vec::new();
    let duration = form.value("duration").trim();
    let duration_seconds = duration.parse::<u32>().ok();
    if duration.is_empty() {
        problems.push(at(Field::Duration, Problem::Missing));
    } else if duration_seconds.is_none() {
        problems.push(at(Field::Duration, Problem::NotUnderstood));
    }
    if reason == Reason::Needed && form.value("reason").trim().is_empty() {
        problems.push(at(Field::Reason, Problem::Missing));
    }
    let start = start(form.value("start"), form.value(Zone::NAME));
    if let Err(field) = start {
        problems.push(at(field, Problem::NotUnderstood));
    }
    let targets = targets(own, form);
    let extends = match form.value("extend") {
        "" => Some(None),
        grant => GrantId::parse(grant).ok().map(Some),
    };
    let (Some(targets), Some(extends)) = (targets, extends) else {
        return Err(Refusal::of(
            StatusCode::UNPROCESSABLE_ENTITY,
            Field::Form,
            Problem::NotUnderstood,
        ));
    };
    let (Some(duration_seconds), Ok(start), true) = (duration_seconds, start, problems.is_empty())
    else {
        return Err(Refusal {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            problems,
        });
    };
    Ok(Submission {
        ticket: form.value("ticket").to_owned(),
        start,
        granting: match form.value("granting") {
            "separately" => Granting::Separately,
            _ => Granting::Together,
        },
        extends,
        break_glass: (form.value("break_glass") == "yes")
            .then(|| form.value("confirmation").to_owned()),
        ..Submission::new(targets, duration_seconds, form.value("reason"))
    })
}

/// The page's own target, and what is ticked besides, each as it would stand in an address.
fn targets(own: Wanted, form: &Form) -> Option<Vec<Wanted>> {
    let also = form.values("also").map(|text| {
        let (first, second) = text.split_once('/')?;
        Wanted::parse(first, second)
    });
    std::iter::once(Some(own)).chain(also).collect()
}

/// What a field for date and time holds, with seconds or without, in that zone; or the field that is
/// wrong. Where clocks go back it is the first of two, where they go forward as much later.
fn start(typed: &str, zone: &str) -> Result<Option<Timestamp>, Field> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    // Where an offset is named, it is that.
    if let Ok(start) = typed.parse::<Timestamp>() {
        return Ok(Some(start));
    }
    let start: DateTime = typed.parse().map_err(|_| Field::Start)?;
    let zone = zone::named(zone).ok_or(Field::Zone)?;
    let start = start.to_zoned(zone).map_err(|_| Field::Start)?;
    Ok(Some(start.timestamp()))
}

/// POST of a request's page: what people do with it.
pub(super) async fn act(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    session: Session,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let form = match Form::read(&head.headers, body).await {
        Ok(form) => form,
        Err(what) => return problem::page(&portal, &head.headers, what),
    };
    let Ok(id) = RequestId::parse(&id) else {
        return problem::page(&portal, &head.headers, PageProblem::NotFound);
    };
    let Some(act) = Act::parse(form.value("act")) else {
        return problem::page(&portal, &head.headers, PageProblem::BadForm);
    };
    match act.carry_out(&portal, &caller, id, &form).await {
        Ok(()) if form.value("from") == "approvals" && act.stands_in_a_list() => {
            see(&format!("/approvals?done={}", act.done()))
        }
        Ok(()) => see(&format!("/requests/{id}?done={}", act.done())),
        Err(refusal) => {
            let refused = Refused {
                refusal,
                purpose: act.purpose(id),
                typed: form.typed(&["act", "note", "asks", "seconds", "grant", "also"]),
            };
            refused
                .answer(&portal, &session, caller, uri, head.headers)
                .await
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Approve,
    Deny,
    Retract,
    Withdraw,
    Nudge,
    End,
    Sign,
    Reject,
    Reopen,
}

impl Act {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "approve" => Some(Self::Approve),
            "deny" => Some(Self::Deny),
            "retract" => Some(Self::Retract),
            "withdraw" => Some(Self::Withdraw),
            "nudge" => Some(Self::Nudge),
            "end" => Some(Self::End),
            "sign" => Some(Self::Sign),
            "reject" => Some(Self::Reject),
            "reopen" => Some(Self::Reopen),
            _ => None,
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Deny => "denied",
            Self::Retract => "retracted",
            Self::Withdraw => "withdrawn",
            Self::Nudge => "nudged",
            Self::End => "ended",
            Self::Sign => "signed",
            Self::Reject => "rejected",
            Self::Reopen => "reopened",
        }
    }

    /// Whether the form for it stands on Approvals as well.
    const fn stands_in_a_list(self) -> bool {
        matches!(self, Self::Approve | Self::Deny | Self::Sign | Self::Reject)
    }

    /// For what the person could sign in again, where that may be asked for.
    fn purpose(self, request: RequestId) -> Option<Purpose> {
        match self {
            Self::Approve => Some(Purpose::approve(request)),
            Self::Sign => Some(Purpose::sign(request)),
            _ => None,
        }
    }

    async fn carry_out(
        self,
        portal: &Portal,
        caller: &Caller,
        request: RequestId,
        form: &Form,
    ) -> Result<(), Refusal> {
        let service = &portal.service;
        let done = match self {
            Self::Approve => {
                let reviewing = reviewing(request, Verb::Approve, form)?;
                service.review(caller, &reviewing).await
            }
            Self::Deny => {
                let reviewing = reviewing(request, Verb::Deny, form)?;
                service.review(caller, &reviewing).await
            }
            Self::Retract => service.retract(caller, request, &asks(form)?).await,
            Self::Withdraw => service.withdraw(caller, request).await,
            Self::Nudge => service.nudge(caller, request).await,
            Self::End => service.end(caller, &ending(form)?).await,
            Self::Sign => {
                let signature = signature(request, Word::Sign, form)?;
                service.sign(caller, &signature).await
            }
            Self::Reject => {
                let signature = signature(request, Word::Reject, form)?;
                service.sign(caller, &signature).await
            }
            Self::Reopen => service.reopen(caller, request, form.value("note")).await,
        };
        done.map_err(Refusal::from_service)
    }
}

fn reviewing(request: RequestId, verb: Verb, form: &Form) -> Result<Reviewing, Refusal> {
    let seconds = match form.value("seconds").trim() {
        "" => None,
        typed => Some(typed.parse().map_err(|_| {
            Refusal::of(
                StatusCode::UNPROCESSABLE_ENTITY,
                Field::Duration,
                Problem::NotUnderstood,
            )
        })?),
    };
    Ok(Reviewing {
        request,
        asks: asks(form)?,
        verb,
        note: form.value("note").to_owned(),
        seconds,
    })
}

fn signature(request: RequestId, word: Word, form: &Form) -> Result<Signature, Refusal> {
    Ok(Signature {
        request,
        asks: asks(form)?,
        word,
        note: form.value("note").to_owned(),
    })
}

/// The grant that the form stands at, and those beside it that are ticked.
fn ending(form: &Form) -> Result<Ending, Refusal> {
    let grants: Result<Vec<GrantId>, _> = form
        .values("grant")
        .chain(form.values("also"))
        .map(GrantId::parse)
        .collect();
    let not_understood = || {
        Refusal::of(
            StatusCode::UNPROCESSABLE_ENTITY,
            Field::Form,
            Problem::NotUnderstood,
        )
    };
    let grants = grants.map_err(|_| not_understood())?;
    if grants.is_empty() {
        return Err(not_understood());
    }
    Ok(Ending {
        grants,
        reason: form.value("note").to_owned(),
        whose: Whose::Anyones,
    })
}

/// Indexes of asks: repeated fields, or commas; none means all.
fn asks(form: &Form) -> Result<Vec<AskIndex>, Refusal> {
    form.values("asks")
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .filter(|index| !index.is_empty())
        .map(|index| {
            index.parse().map(AskIndex).map_err(|_| {
                Refusal::of(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    Field::Form,
                    Problem::NotUnderstood,
                )
            })
        })
        .collect()
}

/// POST of the colours: works signed out, too.
pub(super) async fn theme(State(portal): State<Portal>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let form = match Form::read(&head.headers, body).await {
        Ok(form) => form,
        Err(what) => return problem::page(&portal, &head.headers, what),
    };
    let theme = Theme::parse(form.value(Theme::NAME));
    let back = PagePath::parse_or_home(Some(form.value("return_to")));
    // The script writes it, too, so it is not HttpOnly; nothing depends on it but colours.
    let cookie = format!(
        "{}={}; Path=/; Max-Age={THEME_SECONDS}; SameSite=Lax",
        Theme::NAME,
        theme.as_str()
    );
    let mut response = see(back.as_str());
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn see(path: &str) -> Response {
    Redirect::to(path).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_read_as_utc_with_seconds_or_without() {
        let of = |typed| {
            let start = start(typed, "").ok().flatten();
            start.map(|start| start.to_string())
        };
        let expected = Some("2026-11-22T14:30:00Z".to_owned());
        assert_eq!(of("2026-11-22T14:30"), expected);
        assert_eq!(of(" 2026-11-22T14:30:00Z "), expected);
        assert_eq!(start("", "Middle/Earth"), Ok(None));
        let east = Some("2026-11-22T12:30:00Z".to_owned());
        assert_eq!(of("2026-11-22T14:30+02:00"), east);
        for wrong in ["tomorrow", "2026-13-22T14:30", "14:30"] {
            assert_eq!(start(wrong, "Europe/Berlin"), Err(Field::Start), "{wrong}");
        }
    }

    #[test]
    fn a_start_is_read_in_the_zone_that_it_was_typed_in() {
        for (typed, zone, meant) in [
            ("2026-11-22T10:00", "Europe/Berlin", "2026-11-22T09:00:00Z"),
            ("2026-07-22T10:00", "Europe/Berlin", "2026-07-22T08:00:00Z"),
            ("2026-11-22T10:00", "Asia/Kolkata", "2026-11-22T04:30:00Z"),
            // The clocks skip this hour: as long after it began as it says.
            ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30:00Z"),
            // They show this hour twice: the first of both.
            ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z"),
            // Who names an offset means that.
            ("2026-11-22T10:00Z", "Europe/Berlin", "2026-11-22T10:00:00Z"),
            ("2026-11-22T10:00", "UTC", "2026-11-22T10:00:00Z"),
        ] {
            let start = start(typed, zone).ok().flatten();
            let start = start.map(|start| start.to_string());
            assert_eq!(start.as_deref(), Some(meant), "{typed} {zone}");
        }
        for unknown in ["Middle/Earth", "../UTC", "+01:00"] {
            assert_eq!(start("2026-11-22T10:00", unknown), Err(Field::Zone));
        }
    }
}
