//! One line of an export, in each format.
//!
//! CSV is RFC 4180's. A cell that begins with what makes a spreadsheet run it gets an apostrophe
//! before it: reasons and names are other people's words.
//! <https://owasp.org/www-community/attacks/CSV_Injection>

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};
use domain::target::Target;
use jiff::Timestamp;
use serde::Serialize;

use super::{Cut, Format};
use crate::store::item::Summary;

/// A line. Its fields are the columns, in this order.
#[derive(Debug, Serialize)]
pub(super) struct Line<'r> {
    request_id: String,
    ask: String,
    submitted_at: Timestamp,
    requester_id: &'r str,
    requester_name: &'r str,
    requester_email: Option<&'r str>,
    kind: &'static str,
    account_id: Option<&'r str>,
    account_name: Option<&'r str>,
    permission_set_arn: Option<&'r str>,
    permission_set_name: Option<&'r str>,
    group_id: Option<&'r str>,
    group_name: Option<&'r str>,
    ticket: Option<&'r str>,
    reason: &'r str,
    duration_seconds: u32,
    state: &'r str,
    reviewers: &'r [String],
    break_glass: bool,
    window_from: Option<Timestamp>,
    window_until: Option<Timestamp>,
    begun_at: Option<Timestamp>,
    active_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    receipt: Option<&'r str>,
}

/// The columns' names.
const COLUMNS: [&str; 25] = [
    "request_id",
    "ask",
    "submitted_at",
    "requester_id",
    "requester_name",
    "requester_email",
    "kind",
    "account_id",
    "account_name",
    "permission_set_arn",
    "permission_set_name",
    "group_id",
    "group_name",
    "ticket",
    "reason",
    "duration_seconds",
    "state",
    "reviewers",
    "break_glass",
    "window_from",
    "window_until",
    "begun_at",
    "active_at",
    "ended_at",
    "receipt",
];

impl<'r> Line<'r> {
    pub(super) fn of(row: &'r Summary, now: Timestamp) -> Self {
        let name = Some(row.names.permission_set.as_str());
        let mut line = Self {
            request_id: row.request.to_string(),
            ask: row.ask.to_string(),
            submitted_at: row.submitted_at,
            requester_id: row.requester.id.as_str(),
            requester_name: &row.requester.name,
            requester_email: row.requester.email.as_deref(),
            kind: "account",
            account_id: None,
            account_name: None,
            permission_set_arn: None,
            permission_set_name: None,
            group_id: None,
            group_name: None,
            ticket: row.ticket.as_deref(),
            reason: &row.reason,
            duration_seconds: row.duration_seconds,
            state: row.word(now),
            reviewers: &row.reviewers,
            break_glass: row.break_glass,
            window_from: row.granted_from,
            window_until: row.granted_until,
            begun_at: row.begun_at,
            active_at: row.active_at,
            ended_at: row.ended_at,
            receipt: row.receipt.as_deref(),
        };
        match &row.target {
            Target::Account {
                account,
                permission_set,
            } => {
                line.account_id = Some(account.as_str());
                line.account_name = Some(&row.names.account);
                line.permission_set_arn = Some(permission_set.as_str());
                line.permission_set_name = name;
            }
            Target::Group { group } => {
                line.kind = "group";
                line.group_id = Some(group.as_str());
                line.group_name = name;
            }
        }
        line
    }

    fn cells(&self) -> [String; COLUMNS.len()] {
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let text = |text: Option<&str>| defused(text.unwrap_or_default()).into_owned();
        [
            self.request_id.clone(),
            self.ask.clone(),
            time(Some(self.submitted_at)),
            text(Some(self.requester_id)),
            text(Some(self.requester_name)),
            text(self.requester_email),
            self.kind.to_owned(),
            text(self.account_id),
            text(self.account_name),
            text(self.permission_set_arn),
            text(self.permission_set_name),
            text(self.group_id),
            text(self.group_name),
            text(self.ticket),
            text(Some(self.reason)),
            self.duration_seconds.to_string(),
            text(Some(self.state)),
            text(Some(&self.reviewers.join("; "))),
            self.break_glass.to_string(),
            time(self.window_from),
            time(self.window_until),
            time(self.begun_at),
            time(self.active_at),
            time(self.ended_at),
            text(self.receipt),
        ]
    }
}

/// As a spreadsheet shows and does not run it. Full-width signs are signs to some of them.
fn defused(cell: &str) -> Cow<'_, str> {
    const RUN: [char; 11] = [
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}',
    ];
    if cell.starts_with(RUN) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

fn csv<'r, C: AsRef<[u8]> + 'r>(
    records: impl Iterator<Item = [C; COLUMNS.len()]>,
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    for record in records {
        writer.write_record(record)?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))
}

/// What stands before all lines.
pub(super) fn first(format: Format) -> Result<Vec<u8>, csv::Error> {
    match format {
        Format::Csv => csv(std::iter::once(COLUMNS)),
        Format::JsonLines => Ok(Vec::new()),
    }
}

/// Lines.
pub(super) fn lines<'r>(
    format: Format,
    lines: impl Iterator<Item = Line<'r>>,
) -> Result<Vec<u8>, csv::Error> {
    match format {
        Format::Csv => csv(lines.map(|line| line.cells())),
        Format::JsonLines => {
            let mut out = Vec::new();
            for line in lines {
                serde_json::to_writer(&mut out, &line).map_err(std::io::Error::from)?;
                out.push(b'\n');
            }
            Ok(out)
        }
    }
}

/// The last line of a file that is not whole.
pub(super) fn last(format: Format, cut: Cut, rows: usize) -> Vec<u8> {
    let why = cut.word();
    match format {
        Format::Csv => format!("NOT WHOLE,{why},after {rows} rows\r\n").into_bytes(),
        Format::JsonLines => {
            let line = serde_json::json!({ "not_whole": why, "rows": rows });
            format!("{line}\n").into_bytes()
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use serde_json::{Value, json};

    use super::*;

    fn row(reason: &str, name: &str) -> Summary {
        serde_json::from_value(json!({
            "request": "01932c07-20a1-7e3c-a0a5-0123456789ab",
            "ask": 2,
            "requester": { "id": "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b", "name": name, "email": null },
            "target": { "kind": "group", "group": "a3a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6c" },
            "names": { "account": "", "permission_set": "On Call", "session_seconds": 3600 },
            "reason": reason,
            "submitted_at": "2026-11-22T08:00:00.5Z",
            "duration_seconds": 900,
            "state": "pending",
            "reviewers": ["Emma", "Mia"],
        }))
        .unwrap()
    }

    fn written(format: Format, row: &Summary) -> String {
        let line = Line::of(row, row.submitted_at);
        String::from_utf8(lines(format, std::iter::once(line)).unwrap()).unwrap()
    }

    #[test]
    fn both_formats_have_the_same_columns_in_the_same_order() {
        let row = row("a reason", "Ana");
        let json = written(Format::JsonLines, &row);
        let fields: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(fields.as_object().unwrap().len(), COLUMNS.len());
        let mut from = 0;
        for column in COLUMNS {
            let name = format!("\"{column}\":");
            let at = json[from..].find(&name);
            from += at.unwrap_or_else(|| panic!("{column} is not where it should be: {json}"));
        }
        assert_eq!(
            written(Format::Csv, &row),
            "01932c07-20a1-7e3c-a0a5-0123456789ab,2,2026-11-22T08:00:00.5Z,\
             93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b,Ana,,group,,,,,\
             a3a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6c,On Call,,a reason,900,pending,Emma; Mia,false,\
             ,,,,,\r\n"
        );
    }

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_is_defused_and_quoted() {
        for (typed, cell) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("\n=1", "\"'\n=1\""),
            ("\u{FF1D}1", "'\u{FF1D}1"),
            (
                "=HYPERLINK(\"x\",\"y\")",
                "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"",
            ),
            ("a\r\nb", "\"a\r\nb\""),
            ("INC-1=2", "INC-1=2"),
        ] {
            let line = written(Format::Csv, &row(typed, "Ana"));
            assert!(
                line.contains(&format!(",,{cell},900,")),
                "{typed:?}: {line}"
            );
            let line = written(Format::Csv, &row("x", typed));
            assert!(
                line.contains(&format!(",{cell},,group,")),
                "{typed:?}: {line}"
            );
            // A program reads what was typed.
            let line: Value =
                serde_json::from_str(&written(Format::JsonLines, &row(typed, "Ana"))).unwrap();
            assert_eq!(line["reason"], typed);
        }
    }

    #[test]
    fn every_column_is_documented() {
        let doc = include_str!("../export.rs");
        for column in COLUMNS {
            assert!(doc.contains(&format!("`{column}`")), "{column}");
        }
    }
}
