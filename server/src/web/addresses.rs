//! Our own addresses: which paths are pages, and so may be returned to.

use domain::id::RequestId;
use url::Url;

use crate::service::Wanted;

/// Longer than the longest search on the history page.
const MAX_BYTES: usize = 2_000;

/// The path and query of one of our pages: nothing else can be made into one, so redirecting to it
/// never leaves the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PagePath(String);

impl PagePath {
    /// The page that greets people.
    pub(super) fn home() -> Self {
        Self("/".to_owned())
    }

    /// Parses a path with an optional query; anything that is not one of our pages is `None`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // An origin that nobody has: were the text able to name another, it would show.
        const BASE: &str = "http://belay.invalid";
        if text.len() > MAX_BYTES || !text.starts_with('/') || text.contains('\\') {
            return None;
        }
        let base = Url::parse(BASE).ok()?;
        let url = base.join(text).ok()?;
        if url.origin() != base.origin() || !url.username().is_empty() {
            return None;
        }
        is_page(url.path()).then(|| match url.query() {
            Some(query) => Self(format!("{}?{query}", url.path())),
            None => Self(url.path().to_owned()),
        })
    }

    /// The same, falling back to the first page.
    pub(super) fn parse_or_home(text: Option<&str>) -> Self {
        text.and_then(Self::parse).unwrap_or_else(Self::home)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_page(path: &str) -> bool {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments.as_slice() {
        ["" | "mine" | "approvals" | "history" | "findings" | "signed-out"]
        | ["history", "held"] => true,
        ["access", first, second] => Wanted::parse(first, &decoded(second)).is_some(),
        ["requests", id] => RequestId::parse(id).is_ok(),
        _ => false,
    }
}

/// Permission set names may have `+`, `=`, `,` and `@`, which browsers may escape.
fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn pages_can_be_returned_to() {
        for page in [
            "/",
            "/mine",
            "/history?from=2026-01-01&text=a%26b",
            "/history/held?account=111122223333&from=2026-01-01T08:00",
            "/access/111122223333/ReadOnlyAccess",
            "/access/111122223333/Team%2BOps",
            "/access/group/93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b",
            "/requests/01932c07-20a1-7e3c-a0a5-0123456789ab?done=submitted",
        ] {
            assert_eq!(PagePath::parse(page).unwrap().as_str(), page);
        }
    }

    #[test]
    fn nothing_else_can() {
        let long = format!("/history?text={}", "a".repeat(MAX_BYTES));
        for elsewhere in [
            "",
            "mine",
            "//evil.example",
            "//evil.example/mine",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example/mine",
            "\\\\evil.example",
            "http://evil.example/mine",
            "https:evil.example",
            "javascript:alert(1)",
            "/auth/start",
            "/auth/callback?code=x&state=y",
            "/mine/../auth/sign-out",
            "/live",
            "/history/export.csv",
            "/api/ui/me",
            "/pkg/belay.js",
            "/access/1/ReadOnlyAccess",
            "/access/group/Oncall",
            "/access/111122223333/%2e%2e",
            "/access/111122223333/..",
            "/requests/not-an-id",
            "/@evil.example",
            long.as_str(),
        ] {
            assert_eq!(PagePath::parse(elsewhere), None, "{elsewhere:?}");
        }
    }
}
