//! How often sign-ins may begin. Each is two writes to the table, and anybody may ask for one.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use domain::id::UserId;
use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::HeaderMap;

const fn of(times: u32) -> NonZeroU32 {
    match NonZeroU32::new(times) {
        Some(times) => times,
        None => NonZeroU32::MIN,
    }
}

/// From one address: a whole office may come from one, and the morning of 3,000 people is five a
/// second for ten minutes. It is a tenth of what all may, so that nobody keeps the others out alone.
const ADDRESS_A_SECOND: NonZeroU32 = of(5);
const ADDRESS_AT_ONCE: NonZeroU32 = of(120);

/// From all of them: more than any such morning, and what is written costs some ten dollars a day if
/// somebody insists.
const ALL_A_SECOND: NonZeroU32 = of(50);
const ALL_AT_ONCE: NonZeroU32 = of(600);

/// Addresses that are counted at a time: some hundred bytes each. Those that have not come lately are
/// forgotten; while so many have, they are counted only together.
const ADDRESSES_MAX: usize = 10_000;

/// Who wants to begin a sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// Somebody at this address, of which only as much is kept as one customer has.
    Address(IpAddr),
    /// Somebody who is signed in.
    Person(UserId),
    /// Nothing is known of them.
    Unknown,
}

impl Who {
    /// Whoever a request comes from: the load balancer's word, which is the last in its header, or
    /// the other end of the connection. Without a load balancer the header is anybody's, and then
    /// the limit for all is what holds.
    pub(super) fn of(headers: &HeaderMap, peer: Option<IpAddr>) -> Self {
        let told = headers
            .get_all("x-forwarded-for")
            .iter()
            .next_back()
            .and_then(|value| value.to_str().ok())
            .and_then(|list| list.rsplit(',').next())
            .and_then(|last| last.trim().parse::<IpAddr>().ok());
        match told.or(peer) {
            Some(IpAddr::V6(address)) => {
                // A household has 2^64 of them.
                let prefix = u128::from(address) >> 64 << 64;
                Self::Address(IpAddr::V6(Ipv6Addr::from(prefix)))
            }
            Some(address) => Self::Address(address),
            None => Self::Unknown,
        }
    }
}

/// Counts them.
#[derive(Debug)]
pub(super) struct Pace {
    each: RateLimiter<Who, HashMapStateStore<Who>, DefaultClock>,
    all: DefaultDirectRateLimiter,
}

impl Default for Pace {
    fn default() -> Self {
        let each = Quota::per_second(ADDRESS_A_SECOND).allow_burst(ADDRESS_AT_ONCE);
        let all = Quota::per_second(ALL_A_SECOND).allow_burst(ALL_AT_ONCE);
        Self {
            each: RateLimiter::hashmap(each),
            all: RateLimiter::direct(all),
        }
    }
}

impl Pace {
    /// Whether one more sign-in may begin, and counts it.
    pub(super) fn allows(&self, who: &Who) -> bool {
        if self.each.len() >= ADDRESSES_MAX {
            self.each.retain_recent();
        }
        let alone = self.each.len() >= ADDRESSES_MAX || self.each.check_key(who).is_ok();
        alone && self.all.check().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> Who {
        let headers = HeaderMap::from_iter([(
            http::HeaderName::from_static("x-forwarded-for"),
            http::HeaderValue::from_str(address).unwrap_or(http::HeaderValue::from_static("")),
        )]);
        Who::of(&headers, None)
    }

    #[test]
    fn one_address_cannot_keep_the_others_out() {
        let pace = Pace::default();
        let mine = (0..10_000)
            .filter(|_| pace.allows(&at("192.0.2.1")))
            .count();
        assert!((120..200).contains(&mine), "{mine}");
        assert!(pace.allows(&at("192.0.2.2")));
    }

    #[test]
    fn all_together_are_limited_however_many_addresses_they_claim() {
        let pace = Pace::default();
        let claimed = |n: u32| at(&Ipv6Addr::from(u128::from(n) << 64).to_string());
        let through = (0..20_000).filter(|n| pace.allows(&claimed(*n))).count();
        assert!((600..1_000).contains(&through), "{through}");
        assert!(pace.each.len() <= ADDRESSES_MAX);
    }

    #[test]
    fn what_a_client_claims_before_the_load_balancer_does_not_count() {
        assert_eq!(at("203.0.113.7, 192.0.2.1"), at("192.0.2.1"));
        assert_eq!(at("2001:db8::1"), at("2001:db8::2"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("nonsense"), Who::Unknown);
    }
}
