//! What was before, and where its ticket is, on the card of what waits for an approver.

use app::view::{DeniedView, HasView, LastTimeView, PastView};
use domain::request::Request;
use jiff::Timestamp;
use url::{Url, form_urlencoded};

use crate::service::Past;
use crate::web::portal::names;
use crate::world::World;

/// What was before, of those asks of the request of which it is known.
pub(super) fn view(request: &Request, past: &[Past]) -> Vec<PastView> {
    let now = Timestamp::now();
    past.iter()
        .filter(|one| one.request == request.id)
        .map(|one| PastView {
            index: u32::from(one.ask.0),
            has: one.has.as_ref().map(|grant| HasView {
                from: (grant.from > now).then(|| names::ms(grant.from)),
                until: names::ms(grant.until),
                is_extended: request.terms.extends.is_some(),
            }),
            times: names::count(one.times),
            is_all: one.is_all,
            last: one.last.as_ref().map(|grant| LastTimeView {
                until: names::ms(grant.until),
                approved_by: grant
                    .approver
                    .as_ref()
                    .map_or_else(String::new, |who| who.name.clone()),
            }),
            denied: one.denied.as_ref().map(|review| DeniedView {
                by: review.by.name.clone(),
                at: names::ms(review.at),
                note: review.note.clone(),
            }),
        })
        .collect()
}

/// Where the policy says that its ticket is; empty if it does not say.
pub(super) fn ticket_url(world: &World, request: &Request) -> String {
    let Some(ticket) = request.terms.ticket.as_deref() else {
        return String::new();
    };
    request
        .asks
        .iter()
        .flat_map(|ask| world.policy.tickets(&ask.target, &world.facts()))
        .filter(|rule| rule.accepts(Some(ticket)))
        .find_map(|rule| address(&rule.url?, ticket))
        .unwrap_or_default()
}

/// The ticket in its place. It came from whoever asks: no ticket leads to another host than the
/// policy names, nor out of its place in the address.
fn address(pattern: &str, ticket: &str) -> Option<String> {
    if matches!(ticket, "." | "..") {
        return None;
    }
    let encoded: String = form_urlencoded::byte_serialize(ticket.as_bytes()).collect();
    let with = |ticket: &str| Url::parse(&pattern.replace("{ticket}", ticket)).ok();
    let (address, meant) = (with(&encoded.replace('+', "%20"))?, with("a")?);
    (address.origin() == meant.origin()).then(|| address.into())
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn a_ticket_stays_in_its_place() {
        let there = |ticket| address("https://tickets.example.com/browse/{ticket}?v=1", ticket);
        let at = |place: &str| Some(format!("https://tickets.example.com/browse/{place}?v=1"));
        assert_eq!(there("INC-7"), at("INC-7"));
        assert_eq!(there("a b+c"), at("a%20b%2Bc"));
        assert_eq!(there("x/../../y?z#w"), at("x%2F..%2F..%2Fy%3Fz%23w"));
        assert_eq!(there(".."), None);
        // A policy may put it into the name of a host; then only the name that it stands for by itself.
        assert_eq!(address("https://{ticket}/x", "evil.example.com"), None);
        assert_eq!(address("https://x@{ticket}", "evil"), None);
    }
}
