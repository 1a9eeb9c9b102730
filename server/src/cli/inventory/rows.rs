//! Holdings as text: for a terminal, and for a spreadsheet.
//!
//! Names come from whoever may name an account, a group or a person. On a terminal they cannot move
//! the cursor, and in a spreadsheet they are never a formula.

use domain::directory::Status;
use domain::inventory::Holding;

const HEAD: [&str; 9] = [
    "account_id",
    "account_name",
    "permission_set",
    "user_name",
    "display_name",
    "email",
    "status",
    "via_group",
    "user_id",
];

/// Columns of the table: the last two help machines more than people, and lines stay readable.
const SHOWN: [usize; 6] = [0, 1, 2, 3, 6, 7];

fn cells(holding: &Holding<'_>) -> [String; 9] {
    let person = holding.person;
    let user_name = match (person, holding.user_id) {
        (Some(person), _) => person.user_name.clone(),
        (None, Some(_)) => "(no longer exists)".to_owned(),
        (None, None) => "(nobody is in it)".to_owned(),
    };
    let via = match (holding.via_group, holding.via_group_id) {
        (Some(name), _) => name.to_owned(),
        (None, Some(id)) => id.to_string(),
        (None, None) => String::new(),
    };
    [
        holding.account_id.to_string(),
        holding.account_name.to_owned(),
        holding.permission_set.to_string(),
        user_name,
        person.map_or_else(String::new, |person| person.display_name.clone()),
        person
            .and_then(|person| person.email.clone())
            .unwrap_or_default(),
        match person.map(|person| person.status) {
            Some(Status::Active) => "active",
            Some(Status::Disabled) => "disabled",
            None => "",
        }
        .to_owned(),
        via,
        holding
            .user_id
            .map_or_else(String::new, ToString::to_string),
    ]
}

/// RFC 4180, with a heading.
pub(super) fn csv(holdings: &[Holding<'_>]) -> String {
    let line = |cells: &[String]| {
        let quoted: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
        format!("{}\r\n", quoted.join(","))
    };
    let mut text = line(&HEAD.map(str::to_owned));
    for holding in holdings {
        text.push_str(&line(&cells(holding)));
    }
    text
}

/// A spreadsheet runs a cell that begins like a formula, also after a space or a line break. An
/// apostrophe in front makes it text. <https://owasp.org/www-community/attacks/CSV_Injection>
fn csv_cell(cell: &str) -> String {
    /// The wide forms are what East Asian input methods give, and spreadsheets take them as well.
    const FORMULA: [char; 9] = ['=', '+', '-', '@', '|', '＝', '＋', '－', '＠'];
    let begins = cell
        .trim_start_matches(|c: char| c.is_whitespace() || c.is_control())
        .starts_with(FORMULA);
    let breaks = cell.starts_with(['\t', '\r', '\n']);
    let defused = if begins || breaks {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if defused.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", defused.replace('"', "\"\""))
    } else {
        defused
    }
}

/// Columns as wide as what is in them.
pub(super) fn table(holdings: &[Holding<'_>]) -> String {
    let heading = SHOWN.map(|column| HEAD[column].replace('_', " ").to_uppercase());
    let mut rows = vec![heading];
    rows.extend(holdings.iter().map(|holding| {
        let cells = cells(holding);
        SHOWN.map(|column| terminal(&cells[column]))
    }));
    let widths: Vec<usize> = (0..SHOWN.len())
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn terminal(text: &str) -> String {
    text.chars()
        .map(|c| {
            // The two ranges reverse the direction of text.
            if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use domain::inventory::Holder;

    use super::*;

    fn shown(account_name: &str, group: &str) -> (String, String) {
        let account_id = "111122223333".parse().unwrap();
        let permission_set = "ReadOnlyAccess".parse().unwrap();
        let user_id = "10000000-0000-4000-8000-000000000000".parse().unwrap();
        let person = Holder {
            user_name: "ana.silva".to_owned(),
            display_name: "Ana \"A\" Silva".to_owned(),
            email: Some("ana.silva@example.com".to_owned()),
            status: Status::Active,
        };
        let holding = Holding {
            account_id: &account_id,
            account_name,
            permission_set: &permission_set,
            user_id: Some(&user_id),
            person: Some(&person),
            via_group_id: None,
            via_group: Some(group),
        };
        (
            csv(std::slice::from_ref(&holding)),
            table(std::slice::from_ref(&holding)),
        )
    }

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_is_text() {
        for name in [
            "=HYPERLINK(\"http://evil.example\")",
            "+1",
            "-1",
            "@SUM(A1)",
            " =1",
            "\t=1",
            "\n=1",
            "|cmd",
            "＝1",
            "\r",
        ] {
            let (csv, _) = shown(name, "Payments");
            let row = csv.split_once("\r\n").unwrap().1;
            let cell = row.strip_prefix("111122223333,").unwrap();
            assert!(
                cell.trim_start_matches('"').starts_with('\''),
                "{name:?} became {cell:?}"
            );
        }
        let (csv, _) = shown("Payments - Production", "Payments");
        assert!(csv.contains(",Payments - Production,"), "{csv}");
    }

    #[test]
    fn quotes_and_commas_stay_in_their_cell() {
        let (csv, _) = shown("Payments, Production", "a\"b");
        assert_eq!(
            csv.lines().nth(1).unwrap(),
            "111122223333,\"Payments, Production\",ReadOnlyAccess,ana.silva,\
             \"Ana \"\"A\"\" Silva\",ana.silva@example.com,active,\"a\"\"b\",\
             10000000-0000-4000-8000-000000000000"
        );
    }

    #[test]
    fn a_name_cannot_write_to_the_terminal() {
        let (_, table) = shown("\u{1b}[2Jgone\u{202e}", "two\nlines");
        assert!(!table.contains('\u{1b}') && !table.contains('\u{202e}'));
        assert_eq!(table.lines().count(), 2, "{table}");
    }
}
