//! Somebody's own requests, a page at a time, newest first.

use domain::id::{RequestId, UserId};
use domain::request::Request;
use jiff::Timestamp;

use super::history::below;
use super::keys;
use super::reads::Range;
use super::{Store, StoreError};

/// A place among somebody's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPlace {
    /// When it was submitted, to the millisecond.
    pub at: Timestamp,
    /// Which.
    pub request: RequestId,
}

impl RequestPlace {
    /// For an address.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}#{}", keys::millis(self.at), self.request)
    }

    /// From an address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (at, request) = text.split_once('#')?;
        Some(Self {
            at: Timestamp::from_millisecond(at.parse().ok()?).ok()?,
            request: RequestId::parse(request).ok()?,
        })
    }
}

/// A page of somebody's requests.
#[derive(Debug, Clone)]
pub struct RequestPage {
    /// Newest first.
    pub requests: Vec<Request>,
    /// Below which place the next page is; `None`: there is none.
    pub next: Option<RequestPlace>,
}

impl Store {
    /// A person's requests, newest first, at most `limit`, from below that place on.
    pub async fn requests_of(
        &self,
        user: &UserId,
        limit: i32,
        after: Option<&RequestPlace>,
    ) -> Result<RequestPage, StoreError> {
        // One more tells whether there is another page.
        let mut range = Range::prefix(
            keys::person(user),
            keys::PERSON_REQUEST,
            limit.saturating_add(1),
        );
        range.newest_first = true;
        if let Some(RequestPlace { at, request }) = after {
            range.to = below(&keys::person_request(user, *at, *request).sk);
        }
        let mut pointers = self.all_of(range).await?;
        let shown = usize::try_from(limit).unwrap_or_default();
        let is_more = pointers.len() > shown;
        pointers.truncate(shown);
        // By its key: the request itself may be of a later version, and unreadable here.
        let last = pointers.last().filter(|_| is_more);
        let next = last.and_then(|last| {
            let sk = last.get("sk")?.as_s().ok()?;
            RequestPlace::parse(sk.strip_prefix(keys::PERSON_REQUEST)?)
        });
        let mut requests = self.pointed(pointers).await?;
        requests.sort_by_key(|request| std::cmp::Reverse((request.submitted_at, request.id)));
        Ok(RequestPage { requests, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_address_and_nothing_else_is_one() {
        let text = "1763800000123#01932c07-20a1-7e3c-a0a5-0123456789ab";
        let place = RequestPlace::parse(text);
        assert_eq!(place.map(|place| place.to_text()).as_deref(), Some(text));
        for other in ["", "x#y", "1763800000123", &format!("{text}#0")] {
            assert_eq!(RequestPlace::parse(other), None, "{other}");
        }
    }
}
