//! Lists, a page at a time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::code::ApiCode;
use super::problem::Problem;

/// As many as are read at once without being much.
const USUAL: u16 = 50;

/// The most that a page holds: some hundred kilobytes.
pub(super) const MAX: u16 = 100;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// What is on it. It may be fewer than asked for, or none, while there is a next page.
    #[schema(max_items = 100)]
    pub(super) items: Vec<T>,
    /// Goes on with the list, as `cursor`; absent at its end. It means nothing to anybody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) next: Option<String>,
}

/// How many a page should hold, of at most so many.
pub(super) fn limit(wanted: Option<u16>, max: u16) -> Result<usize, Problem> {
    let limit = wanted.unwrap_or(USUAL.min(max));
    if (1..=max).contains(&limit) {
        return Ok(usize::from(limit));
    }
    let why = format!("A page holds 1 to {max}.");
    Err(Problem::parameter(ApiCode::BadQuery, "limit", why))
}

/// A place, as an address carries it.
pub(super) fn cursor(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

/// The place that a cursor names; nothing: the beginning.
pub(super) fn place<T>(
    cursor: Option<&str>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    let text = decoded(cursor);
    text.and_then(|text| parse(&text)).map(Some).ok_or_else(bad)
}

/// What [`cursor`] made an address of.
pub(super) fn decoded(cursor: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    String::from_utf8(bytes).ok()
}

/// A cursor that leads nowhere.
pub(super) fn bad() -> Problem {
    let code = ApiCode::BadCursor;
    Problem::parameter(code, "cursor", code.sentence().trim())
}

/// A page of a list that is short enough to be read whole.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// Where the page before ended: its `next`.
    cursor: Option<String>,
    /// The most that the page holds.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u16>,
}

impl PageQuery {
    /// The page of these, in the order of their places: what has gone meanwhile leaves no gap.
    pub(super) fn page_of<T>(&self, mut all: Vec<((i64, String), T)>) -> Result<Page<T>, Problem> {
        let limit = limit(self.limit, MAX)?;
        let after = place(self.cursor.as_deref(), |text| {
            let (at, id) = text.split_once(' ')?;
            Some((at.parse::<i64>().ok()?, id.to_owned()))
        })?;
        all.retain(|(place, _)| after.as_ref().is_none_or(|after| place > after));
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        let is_more = all.len() > limit;
        all.truncate(limit);
        let next = all.last().filter(|_| is_more);
        let next = next.map(|((at, id), _)| cursor(&format!("{at} {id}")));
        Ok(Page {
            items: all.into_iter().map(|(_, item)| item).collect(),
            next,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn pages(all: &[(i64, &str)], limit: u16) -> Vec<Vec<String>> {
        let (mut pages, mut cursor) = (Vec::new(), None);
        loop {
            let query = PageQuery {
                cursor,
                limit: Some(limit),
            };
            let all = all
                .iter()
                .map(|(at, id)| ((*at, (*id).to_owned()), (*id).to_owned()));
            let page = query.page_of(all.collect()).unwrap();
            pages.push(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn a_list_comes_whole_a_page_at_a_time() {
        let all = [(2, "c"), (1, "a"), (2, "b")];
        assert_eq!(pages(&all, 1), [["a"], ["b"], ["c"]]);
        assert_eq!(pages(&all, 2), [vec!["a", "b"], vec!["c"]]);
        assert_eq!(pages(&all, 3), [["a", "b", "c"]]);
        assert_eq!(pages(&[], 3), [Vec::<String>::new()]);
    }

    #[test]
    fn a_cursor_of_another_list_is_none() {
        for cursor in ["", "!", "YQ", "NOT BASE64"] {
            let query = PageQuery {
                cursor: Some(cursor.to_owned()),
                limit: None,
            };
            assert!(query.page_of::<()>(Vec::new()).is_err(), "{cursor}");
        }
    }
}
