//! `GET /history/export.csv` and `.jsonl`: everything that a search of history finds, as a file.
//!
//! Columns, the same in both; in JSON what there is nothing of is `null`, in CSV empty. Times are
//! UTC, as RFC 3339 has them.
//!
//! | column | what |
//! | --- | --- |
//! | `request_id`, `ask` | which request, and which of the things that it asks for, from 0 |
//! | `submitted_at` | when it was submitted |
//! | `requester_id`, `requester_name`, `requester_email` | who asked, as they were called then |
//! | `kind` | `account` or `group` |
//! | `account_id`, `account_name`, `permission_set_arn`, `permission_set_name` | of an account |
//! | `group_id`, `group_name` | of a group |
//! | `ticket`, `reason` | why, whole |
//! | `duration_seconds` | for how long it was asked |
//! | `state` | what it is now |
//! | `reviewers` | names of those who reviewed it; in CSV with `; ` between them |
//! | `break_glass` | whether it was granted as break-glass |
//! | `window_from`, `window_until` | what was promised |
//! | `begun_at`, `active_at` | from when access may have been there, and from when it was |
//! | `ended_at`, `receipt` | when it was over, and how: `removed` and `absent-already` are proofs |
//!
//! A file is written as it is read, a query at a time, so that memory does not grow with it. What
//! stops in the middle never looks whole: its last line says so, and the connection is broken off
//! instead of ended.

mod line;

use std::time::Duration;

use app::view::{HistoryFilter, PageProblem};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use futures::stream::unfold;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode, Uri};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;

use crate::service::{Caller, Export, ServiceError};
use crate::store::now;

use super::portal::history_search;
use super::{Portal, pages, problem};
use line::Line;

/// Exports at a time: each reads 10 MB of history a second, and others use the table, too.
pub(super) const AT_ONCE: usize = 3;

/// As many lines as a spreadsheet opens, with the one that names the columns. Days narrow a search.
const ROWS_MAX: usize = 1_048_575;

/// At a tenth of the speed that is expected the longest is through by then; who reads more slowly
/// keeps others out.
const TIME_MAX: Duration = Duration::from_mins(20);

/// A reader who takes nothing for this long does not get the last line, either.
const LAST_LINE_WITHIN: Duration = Duration::from_secs(5);

/// Parts that wait for a slow reader: one is sent while the next is made.
const PARTS_AHEAD: usize = 2;

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
}

/// Why a file is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// More was found than a file takes.
    TooMany,
    /// The reader, or the table, was too slow.
    TooSlow,
    /// A part that is needed did not answer.
    Unavailable,
    /// Whoever reads it is neither auditor nor admin any more.
    NotAllowed,
    /// The server stops.
    Stopping,
    /// Nobody reads it any more.
    Gone,
}

impl Cut {
    const fn word(self) -> &'static str {
        match self {
            Self::TooMany => "too-many-rows",
            Self::TooSlow => "too-slow",
            Self::Unavailable => "unavailable",
            Self::NotAllowed => "not-allowed-any-more",
            Self::Stopping => "server-stops",
            Self::Gone => "reader-gone",
        }
    }
}

/// A search as an address has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    from: String,
    to: String,
    zone: String,
    person: String,
    account: String,
    permission_set: String,
    state: String,
    text: String,
}

impl Typed {
    fn filter(self) -> HistoryFilter {
        HistoryFilter {
            from: self.from,
            to: self.to,
            zone: self.zone,
            person: self.person,
            account: self.account,
            permission_set: self.permission_set,
            state: self.state,
            text: self.text,
            cursor: String::new(),
        }
    }
}

/// As a spreadsheet opens it.
pub(super) async fn csv(
    portal: State<Portal>,
    caller: Extension<Caller>,
    typed: Query<Typed>,
    request: Request,
) -> Response {
    export(Format::Csv, portal.0, caller.0, typed.0, request).await
}

/// As a program reads it.
pub(super) async fn json_lines(
    portal: State<Portal>,
    caller: Extension<Caller>,
    typed: Query<Typed>,
    request: Request,
) -> Response {
    export(Format::JsonLines, portal.0, caller.0, typed.0, request).await
}

async fn export(
    format: Format,
    portal: Portal,
    caller: Caller,
    typed: Typed,
    request: Request,
) -> Response {
    let Ok(search) = history_search(&typed.filter()) else {
        return page(&portal, caller, request).await;
    };
    let Ok(export) = portal.service.export(&caller, search).await else {
        // The page says it, with the same status: it is refused what this is refused.
        return page(&portal, caller, request).await;
    };
    // After that: whoever gets no file takes nobody's place.
    let Ok(place) = portal.exports.clone().try_acquire_owned() else {
        return problem::page(&portal, request.headers(), PageProblem::TooMany);
    };
    file(format, export, place, portal.shutdown.clone())
}

/// The page of the same search: it says what is wrong.
async fn page(portal: &Portal, caller: Caller, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let uri = Uri::try_from(format!("/history?{query}")).unwrap_or_default();
    let mut response = pages::instead(portal, caller, uri, request.headers().clone()).await;
    // A file was asked for, and this is none, whatever became of the reason meanwhile.
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

fn file(
    format: Format,
    export: Export,
    place: OwnedSemaphorePermit,
    shutdown: CancellationToken,
) -> Response {
    let (parts, written) = channel(PARTS_AHEAD);
    tokio::spawn(write(format, export, parts, place, shutdown));
    let mut response = Body::from_stream(unfold(Some(written), next_part)).into_response();
    let (content_type, ending) = match format {
        Format::Csv => ("text/csv; charset=utf-8; header=present", "csv"),
        Format::JsonLines => ("application/jsonl; charset=utf-8", "jsonl"),
    };
    let name = now().strftime("belay-history-%Y%m%dT%H%M%SZ");
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let disposition = format!("attachment; filename=\"{name}.{ending}\"");
    if let Ok(disposition) = HeaderValue::try_from(disposition) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}

/// A part of a file; `None` is its end. Whatever else ends the channel, even a panic, is none.
type Part = Option<Bytes>;

/// The next part; an error breaks the connection off.
async fn next_part(
    parts: Option<Receiver<Part>>,
) -> Option<(Result<Bytes, std::io::Error>, Option<Receiver<Part>>)> {
    let mut parts = parts?;
    match parts.recv().await {
        Some(Some(part)) => Some((Ok(part), Some(parts))),
        Some(None) => None,
        None => {
            // What is broken off is not flushed before; what waits for more is.
            tokio::task::yield_now().await;
            Some((Err(std::io::Error::other("the file is not whole")), None))
        }
    }
}

/// Writes all of it, or says that it is not all.
async fn write(
    format: Format,
    export: Export,
    parts: Sender<Part>,
    _place: OwnedSemaphorePermit,
    shutdown: CancellationToken,
) {
    let mut rows = 0;
    let written = tokio::select! {
        written = lines(format, export, &parts, &mut rows) => written,
        () = tokio::time::sleep(TIME_MAX) => Err(Cut::TooSlow),
        () = shutdown.cancelled() => Err(Cut::Stopping),
    };
    metrics::counter!("belay_exported_rows_total").increment(rows as u64);
    let last = match written {
        Ok(()) => None,
        Err(cut) => {
            tracing::warn!(rows, why = cut.word(), "an export of history is not whole");
            Some(line::last(format, cut, rows).into())
        }
    };
    // Dropping the channel after a last line is what breaks the connection off.
    let _ = tokio::time::timeout(LAST_LINE_WITHIN, parts.send(last)).await;
}

async fn lines(
    format: Format,
    mut export: Export,
    parts: &Sender<Part>,
    rows: &mut usize,
) -> Result<(), Cut> {
    send(parts, line::first(format)).await?;
    loop {
        let mut read = match export.next().await {
            Ok(Some(read)) => read,
            Ok(None) => return Ok(()),
            Err(ServiceError::NotAllowed) => return Err(Cut::NotAllowed),
            Err(_) => return Err(Cut::Unavailable),
        };
        let room = ROWS_MAX - *rows;
        let is_too_many = read.len() > room;
        read.truncate(room);
        *rows += read.len();
        let at = now();
        let read = read.iter().map(|row| Line::of(row, at));
        send(parts, line::lines(format, read)).await?;
        if is_too_many {
            return Err(Cut::TooMany);
        }
    }
}

async fn send(parts: &Sender<Part>, part: Result<Vec<u8>, csv::Error>) -> Result<(), Cut> {
    // Writing into memory fails on no line of ours.
    let part = part.map_err(|_| Cut::Unavailable)?;
    if part.is_empty() {
        return Ok(());
    }
    let sent = parts.send(Some(part.into())).await;
    sent.map_err(|_| Cut::Gone)
}
