//! What a browser asks with, as the server functions of `read.rs` take it.
//!
//! Written out rather than derived: a serializer for addresses is a noticeable part of what the browser has to load. The
//! tests hold it to the derived names.

use crate::view::{AccessFilter, FindingsFilter, HeldFilter, HistoryFilter};

/// Names and values, in no order that matters.
pub(crate) type Fields = Vec<(String, String)>;

fn filter(fields: &[(&str, &str)]) -> Fields {
    fields
        .iter()
        .map(|(name, value)| (format!("filter[{name}]"), (*value).to_owned()))
        .collect()
}

pub(crate) fn access(of: &AccessFilter) -> Fields {
    filter(&[
        ("q", &of.q),
        ("within", &of.within),
        ("page", &of.page.to_string()),
    ])
}

pub(crate) fn history(of: &HistoryFilter) -> Fields {
    filter(&[
        ("from", &of.from),
        ("to", &of.to),
        ("zone", &of.zone),
        ("person", &of.person),
        ("account", &of.account),
        ("permission_set", &of.permission_set),
        ("state", &of.state),
        ("text", &of.text),
        ("cursor", &of.cursor),
    ])
}

pub(crate) fn held(of: &HeldFilter) -> Fields {
    filter(&[
        ("person", &of.person),
        ("account", &of.account),
        ("permission_set", &of.permission_set),
        ("from", &of.from),
        ("to", &of.to),
        ("zone", &of.zone),
        ("cursor", &of.cursor),
    ])
}

pub(crate) fn findings(of: &FindingsFilter) -> Fields {
    filter(&[
        ("kind", &of.kind),
        ("cursor", &of.cursor),
        ("agreed_cursor", &of.agreed_cursor),
    ])
}

pub(crate) fn policy(page: String, fields: Vec<String>) -> Fields {
    let fields = fields.into_iter().enumerate();
    fields
        .map(|(at, field)| (format!("fields[{at}]"), field))
        .chain([("page".to_owned(), page)])
        .collect()
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    /// Each field has a value of its own, so that none can stand for another.
    #[track_caller]
    fn check(found: Fields, of: &impl Serialize) {
        let derived = serde_json::to_value(of).unwrap_or_default();
        let mut expected: Fields = derived
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                (format!("filter[{name}]"), value)
            })
            .collect();
        assert!(!expected.is_empty());
        let mut found = found;
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }

    fn named(name: &str) -> String {
        format!("a {name}")
    }

    #[test]
    fn a_filter_is_asked_for_by_all_of_its_fields_and_their_names() {
        let of = AccessFilter {
            q: named("q"),
            within: named("within"),
            page: 7,
        };
        check(access(&of), &of);
        let of = HistoryFilter {
            from: named("from"),
            to: named("to"),
            zone: named("zone"),
            person: named("person"),
            account: named("account"),
            permission_set: named("set"),
            state: named("state"),
            text: named("text"),
            cursor: named("cursor"),
        };
        check(history(&of), &of);
        let of = HeldFilter {
            person: named("person"),
            account: named("account"),
            permission_set: named("set"),
            from: named("from"),
            to: named("to"),
            zone: named("zone"),
            cursor: named("cursor"),
        };
        check(held(&of), &of);
        let of = FindingsFilter {
            kind: named("kind"),
            cursor: named("cursor"),
            agreed_cursor: named("agreed"),
        };
        check(findings(&of), &of);
    }

    #[test]
    fn a_policy_page_asks_with_its_fields_in_their_order() {
        let fields = policy("draft".to_owned(), vec!["x".to_owned(), "y".to_owned()]);
        let expected = [("fields[0]", "x"), ("fields[1]", "y"), ("page", "draft")];
        assert_eq!(
            fields,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
