//! Addresses: ours, built in one place, and those of others, let through only if they are what they should be.

use std::fmt::Write as _;

/// Percent-encodes one segment of a path, or one value of a query: everything but RFC 3986's unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The form for one target, by the segments of its address: an account and a permission set, or `group` and a group.
pub(crate) fn ask(first: &str, second: &str) -> String {
    format!("/access/{}/{}", encode(first), encode(second))
}

/// What may be asked for: what is found of it, in one part of it, on one page.
pub(crate) fn access(typed: &str, within: &str, page: u32) -> String {
    let page = if page > 1 {
        page.to_string()
    } else {
        String::new()
    };
    let fields = [("q", typed), ("in", within), ("page", page.as_str())];
    let mut address = "/".to_owned();
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        address.push(if address.len() == 1 { '?' } else { '&' });
        // Writing to a String cannot fail.
        let _ = write!(address, "{name}={}", encode(value));
    }
    address
}

/// The form for one target, with the words of an earlier request.
pub(crate) fn ask_again(first: &str, second: &str, request: &str) -> String {
    format!("{}?like={}", ask(first, second), encode(request))
}

/// The form for more of what one has.
pub(crate) fn extend(first: &str, second: &str, grant: &str) -> String {
    format!("{}?extend={}", ask(first, second), encode(grant))
}

/// The page of a request, where that grant of it is ended.
pub(crate) fn end(request: &str, grant: &str) -> String {
    let grant = encode(grant);
    format!("{}?end={grant}#end-{grant}", self::request(request))
}

/// What was over before that place.
pub(crate) fn mine_before(place: &str) -> String {
    format!("/mine?before={}", encode(place))
}

/// A request.
pub(crate) fn request(id: &str) -> String {
    format!("/requests/{}", encode(id))
}

/// Sign in, then come back to `path`, one of ours.
pub(crate) fn sign_in(path: &str) -> String {
    format!("/auth/start?return_to={}", encode(path))
}

/// Lets an address of somebody else's through only if it is https, or http on this very machine (the sandbox's).
/// Leptos does not look at what an `href` says, and `javascript:` is an address too.
pub(crate) fn external(url: &str) -> Option<&str> {
    let loopback = ["http://localhost", "http://127.0.0.1"]
        .iter()
        .filter_map(|start| url.strip_prefix(start))
        .any(|rest| rest.is_empty() || rest.starts_with([':', '/']));
    (url.starts_with("https://") || loopback).then_some(url)
}

/// A search, by those of its fields that have something in them.
pub(crate) fn search(path: &str, fields: &[(&str, &str)]) -> String {
    let filled: Vec<_> = fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .copied()
        .collect();
    with_all(path, &filled)
}

/// An address with all of these fields, also those that have nothing in them. Their names are ours and need no encoding.
pub(crate) fn with_all(path: &str, fields: &[(&str, &str)]) -> String {
    if fields.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", query(fields.iter().copied()))
    }
}

/// Fields as a form encodes them. Their names are ours and need no encoding.
pub(crate) fn query<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = String::new();
    for (name, value) in fields {
        if !query.is_empty() {
            query.push('&');
        }
        // Writing to a String cannot fail.
        let _ = write!(query, "{name}={}", encode(value));
    }
    query
}

#[cfg(test)]
mod tests {
    use super::{access, ask, encode, external, sign_in};

    #[test]
    fn an_address_has_only_what_is_looked_for() {
        assert_eq!(access("", "", 1), "/");
        assert_eq!(access("a&b=c", "", 1), "/?q=a%26b%3Dc");
        assert_eq!(access("", "groups", 1), "/?in=groups");
        assert_eq!(
            access("prod", "111122223333", 2),
            "/?q=prod&in=111122223333&page=2"
        );
    }

    #[test]
    fn a_name_cannot_leave_its_segment() {
        assert_eq!(
            ask("111122223333", "a/../b?c#d%2F"),
            "/access/111122223333/a%2F..%2Fb%3Fc%23d%252F"
        );
        assert_eq!(encode("Zoë+1"), "Zo%C3%AB%2B1");
        assert_eq!(
            sign_in("/requests/1?done=x&y"),
            "/auth/start?return_to=%2Frequests%2F1%3Fdone%3Dx%26y"
        );
    }

    #[test]
    fn only_https_and_this_machine_are_linked() {
        assert!(external("https://example.awsapps.com/start/#/console").is_some());
        assert!(external("http://127.0.0.1:8001/start").is_some());
        assert!(external("http://localhost/start").is_some());
        for refused in [
            "javascript:alert(1)",
            "http://example.com/",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com",
            "data:text/html,x",
            "//example.com",
            " https://example.com",
            "",
        ] {
            assert_eq!(external(refused), None, "{refused}");
        }
    }
}
