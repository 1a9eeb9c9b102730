//! Who has left: what looks at the Identity Store say of people who have access or wait for some.
//!
//! A person's departure is never concluded from a missing row (invariant 6), nor from one look: two
//! definite answers, five minutes apart, say so. Deliberately absent: what becomes of their access;
//! and any memory beyond this value, so that a server that begins anew looks twice again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::id::UserId;

/// Between the two looks, and between any two at one person. An identity provider that synchronises
/// wrongly is mostly mended, or at least noticed, within less.
pub const LOOKS_APART: SignedDuration = SignedDuration::from_mins(5);

/// People whose access is ended for this within an hour. More at once is rather a mistake in the
/// identity provider than a day on which so many leave: the rest keeps its windows, an admin is
/// called, and it goes on an hour later.
pub const DEPARTURES_AN_HOUR: usize = 10;

/// How somebody is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// They are there and may not sign in.
    Disabled,
    /// There is no such person.
    NotFound,
}

impl Gone {
    /// The word for it, as records show it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::NotFound => "not-found",
        }
    }
}

/// Two looks that found somebody gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departed {
    /// How, by the later one.
    pub gone: Gone,
    /// When the first was answered.
    pub first: Timestamp,
    /// When the second was asked.
    pub second: Timestamp,
}

/// As a reason, for people.
impl fmt::Display for Departed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gone = match self.gone {
            Gone::Disabled => "is disabled",
            Gone::NotFound => "no longer exists",
        };
        write!(
            f,
            "Identity Center says that this person {gone} (asked at {:.0} and {:.0})",
            self.first, self.second
        )
    }
}

/// What a look says of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opinion {
    /// They are here.
    Here,
    /// They seem gone: another look says.
    Perhaps,
    /// They are gone.
    Departed(Departed),
}

/// What was seen of people so far.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    looks: BTreeMap<UserId, Look>,
    /// When people were concluded to have left, within the last hour.
    concluded: VecDeque<Timestamp>,
    /// Who has left, and keeps their windows because too many left within the hour.
    held: BTreeSet<UserId>,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    /// When the latest was answered: whoever is due by it has seemed gone for long enough, too.
    at: Timestamp,
    /// When the first was answered that found them gone, since when none found them here.
    gone_since: Option<Timestamp>,
}

impl Watch {
    /// At whom to look now, of those who have access or wait for some, at most so many. First those
    /// who seemed gone, then those of whom something hints at it, then whoever waited longest.
    pub fn to_look(
        &mut self,
        concerned: &BTreeSet<UserId>,
        hinted: &BTreeSet<UserId>,
        now: Timestamp,
        at_most: usize,
    ) -> Vec<UserId> {
        self.looks.retain(|user, _| concerned.contains(user));
        self.held.retain(|user| concerned.contains(user));
        let mut due: Vec<_> = concerned
            .iter()
            .filter_map(|user| {
                let look = self.looks.get(user);
                let seemed = look.is_some_and(|look| look.gone_since.is_some());
                let at = look.map(|look| look.at);
                let is_due = at.is_none_or(|at| now.duration_since(at) >= LOOKS_APART);
                is_due.then(|| (!seemed, !hinted.contains(user), at, user))
            })
            .collect();
        due.sort();
        due.truncate(at_most);
        due.into_iter().map(|(.., user)| user.clone()).collect()
    }

    /// What a look that was asked and answered at these instants says. A look that failed says
    /// nothing, and is not told here.
    pub fn looked(
        &mut self,
        user: &UserId,
        found: Option<Gone>,
        (asked, answered): (Timestamp, Timestamp),
    ) -> Opinion {
        let before = self.looks.get(user).and_then(|look| look.gone_since);
        let gone_since = found.map(|_| before.unwrap_or(answered));
        let look = Look {
            at: answered,
            gone_since,
        };
        self.looks.insert(user.clone(), look);
        match (found, before) {
            (None, _) => {
                self.held.remove(user);
                Opinion::Here
            }
            (Some(gone), Some(first)) if asked.duration_since(first) >= LOOKS_APART => {
                Opinion::Departed(Departed {
                    gone,
                    first,
                    second: asked,
                })
            }
            (Some(_), _) => Opinion::Perhaps,
        }
    }

    /// Whether the departure of this person, too, may be acted on within this hour; counts it, if
    /// so. If not they are held, until it may be, or they are seen, or have nothing any more.
    pub fn may_conclude(&mut self, user: &UserId, now: Timestamp) -> bool {
        let hour = SignedDuration::from_hours(1);
        while self
            .concluded
            .front()
            .is_some_and(|at| now.duration_since(*at) >= hour)
        {
            self.concluded.pop_front();
        }
        let may = self.concluded.len() < DEPARTURES_AN_HOUR;
        if may {
            self.concluded.push_back(now);
            self.held.remove(user);
        } else {
            self.held.insert(user.clone());
        }
        may
    }

    /// How many have left and keep their windows for now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap_or_default()
    }

    fn user(number: u32) -> UserId {
        UserId::parse(&format!("00000000-0000-4000-8000-{number:012}")).unwrap()
    }

    fn look(watch: &mut Watch, found: Option<Gone>, second: i64) -> Opinion {
        watch.looked(&user(1), found, (at(second), at(second)))
    }

    #[test]
    fn two_looks_five_minutes_apart_say_that_somebody_has_left() {
        let mut watch = Watch::default();
        assert_eq!(look(&mut watch, Some(Gone::Disabled), 0), Opinion::Perhaps);
        assert_eq!(
            look(&mut watch, Some(Gone::Disabled), 299),
            Opinion::Perhaps
        );
        let departed = Departed {
            gone: Gone::NotFound,
            first: at(0),
            second: at(300),
        };
        assert_eq!(
            look(&mut watch, Some(Gone::NotFound), 300),
            Opinion::Departed(departed)
        );
    }

    #[test]
    fn the_time_between_is_counted_from_the_first_answer() {
        let mut watch = Watch::default();
        watch.looked(&user(1), Some(Gone::Disabled), (at(0), at(20)));
        assert_eq!(
            look(&mut watch, Some(Gone::Disabled), 319),
            Opinion::Perhaps
        );
        assert!(matches!(
            look(&mut watch, Some(Gone::Disabled), 320),
            Opinion::Departed(_)
        ));
    }

    /// Else it would say nothing, and the next is five minutes later again.
    #[test]
    fn whoever_is_due_again_is_due_long_enough_after_the_first_answer() {
        let mut watch = Watch::default();
        let concerned = BTreeSet::from([user(1)]);
        watch.looked(&user(1), Some(Gone::Disabled), (at(0), at(2)));
        let due = |watch: &mut Watch, second| watch.to_look(&concerned, &concerned, at(second), 9);
        assert_eq!(due(&mut watch, 301), []);
        assert_eq!(due(&mut watch, 302), [user(1)]);
        assert!(matches!(
            look(&mut watch, Some(Gone::Disabled), 302),
            Opinion::Departed(_)
        ));
    }

    #[test]
    fn whoever_was_seen_between_has_not_left() {
        let mut watch = Watch::default();
        look(&mut watch, Some(Gone::Disabled), 0);
        assert_eq!(look(&mut watch, None, 150), Opinion::Here);
        assert_eq!(
            look(&mut watch, Some(Gone::Disabled), 300),
            Opinion::Perhaps
        );
    }

    #[test]
    fn those_who_seem_gone_are_looked_at_first_and_nobody_too_often() {
        let mut watch = Watch::default();
        let everybody: BTreeSet<UserId> = (1..=4).map(user).collect();
        let hinted = BTreeSet::from([user(3)]);
        assert_eq!(
            watch.to_look(&everybody, &hinted, at(0), 2),
            [user(3), user(1)]
        );
        watch.looked(&user(1), None, (at(0), at(0)));
        watch.looked(&user(4), Some(Gone::Disabled), (at(0), at(0)));
        assert_eq!(
            watch.to_look(&everybody, &hinted, at(299), 9),
            [user(3), user(2)]
        );
        assert_eq!(
            watch.to_look(&everybody, &hinted, at(300), 9),
            [user(4), user(3), user(2), user(1)]
        );
    }

    #[test]
    fn what_was_seen_of_those_who_have_nothing_any_more_is_forgotten() {
        let mut watch = Watch::default();
        look(&mut watch, Some(Gone::Disabled), 0);
        assert!(
            watch
                .to_look(&BTreeSet::new(), &BTreeSet::new(), at(10), 9)
                .is_empty()
        );
        assert_eq!(
            look(&mut watch, Some(Gone::Disabled), 400),
            Opinion::Perhaps
        );
    }

    #[test]
    fn an_identity_provider_that_disables_everybody_ends_ten_an_hour() {
        let mut watch = Watch::default();
        let concluded =
            (0..40).filter(|second| watch.may_conclude(&user(*second), at((*second).into())));
        assert_eq!(concluded.count(), DEPARTURES_AN_HOUR);
        assert_eq!(watch.held(), 40 - DEPARTURES_AN_HOUR);
        assert!(!watch.may_conclude(&user(39), at(3_599)));
        assert!(watch.may_conclude(&user(39), at(3_600)));
        assert_eq!(watch.held(), 39 - DEPARTURES_AN_HOUR);
    }

    #[test]
    fn nobody_is_held_who_is_seen_again_or_has_nothing_any_more() {
        let mut watch = Watch::default();
        for number in 0..=DEPARTURES_AN_HOUR {
            watch.may_conclude(&user(u32::try_from(number).unwrap()), at(0));
        }
        watch.may_conclude(&user(1), at(0));
        assert_eq!(watch.held(), 2);
        look(&mut watch, None, 10);
        assert_eq!(watch.held(), 1);
        watch.to_look(&BTreeSet::new(), &BTreeSet::new(), at(20), 9);
        assert_eq!(watch.held(), 0);
    }

    #[test]
    fn the_reason_names_both_looks() {
        let departed = Departed {
            gone: Gone::Disabled,
            first: at(0),
            second: at(300),
        };
        assert_eq!(
            departed.to_string(),
            "Identity Center says that this person is disabled \
             (asked at 2027-01-15T08:00:00Z and 2027-01-15T08:05:00Z)"
        );
    }
}
