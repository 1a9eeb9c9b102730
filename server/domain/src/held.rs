//! Who held what, and when: said of a grant afterwards, from its record alone.
//!
//! Access was surely there from the instant at which it was seen to be there until its time was up;
//! before, from the recorded intent on, and after, until it is proven gone, it may have been. An
//! end that was never proven has no after. Deliberately absent: access that Belay did not give, of
//! which there is no record.

use jiff::Timestamp;

/// What is on record of a grant's access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// From when it may have been there: the intent to create it is on record.
    pub begun: Option<Timestamp>,
    /// From when it was there: AWS said so, or a read showed it.
    pub active: Option<Timestamp>,
    /// When its time was up.
    pub until: Timestamp,
    /// How it ended, once it has.
    pub end: End,
}

/// The end of a grant's access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It has none as yet.
    Open,
    /// From this instant on the grant gave nothing: it is proven gone, or what remains is by other
    /// grants, or was there before.
    Over(Timestamp),
    /// The grant is over, and that the access is gone was never proven: what it was made of could
    /// not be read any more.
    Unproven,
}

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// This instant.
    At(Timestamp),
    /// From this instant until, and not including, that one.
    Between(Timestamp, Timestamp),
}

/// How sure that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// It may have been there.
    Perhaps,
    /// It was there.
    Surely,
}

impl When {
    /// The last instant that is asked about, or the first after it.
    #[must_use]
    pub const fn end(self) -> Timestamp {
        match self {
            Self::At(at) | Self::Between(_, at) => at,
        }
    }

    /// Whether it meets what began then and ended, if it did, before that.
    fn meets(self, from: Timestamp, until: Option<Timestamp>) -> bool {
        if until.is_some_and(|until| until <= from) {
            return false;
        }
        let (begins_in_time, first) = match self {
            Self::At(at) => (from <= at, at),
            Self::Between(first, end) => (from < end, first),
        };
        begins_in_time && until.is_none_or(|until| first < until)
    }
}

impl Life {
    /// Whether the access was held at some time of `when`; `None`: it was not.
    #[must_use]
    pub fn held(&self, when: When) -> Option<Held> {
        let over = match self.end {
            End::Over(at) => Some(at),
            End::Open | End::Unproven => None,
        };
        let surely_until = over.map_or(self.until, |over| over.min(self.until));
        if let Some(active) = self.active
            && when.meets(active, Some(surely_until))
        {
            return Some(Held::Surely);
        }
        let begun = match (self.begun, self.active) {
            (Some(begun), Some(active)) => begun.min(active),
            (begun, active) => begun.or(active)?,
        };
        when.meets(begun, over).then_some(Held::Perhaps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_795_333_685, 0) + jiff::SignedDuration::from_secs(second)
    }

    /// Intended at 0, active from 10, until 100, proven gone at 130.
    fn ended() -> Life {
        Life {
            begun: Some(at(0)),
            active: Some(at(10)),
            until: at(100),
            end: End::Over(at(130)),
        }
    }

    fn check(life: &Life, moments: &[(i64, Option<Held>)]) {
        for (second, held) in moments {
            assert_eq!(life.held(When::At(at(*second))), *held, "at {second}");
        }
    }

    const SURELY: Option<Held> = Some(Held::Surely);
    const PERHAPS: Option<Held> = Some(Held::Perhaps);

    #[test]
    fn access_is_sure_while_it_was_promised_and_there_and_perhaps_at_both_edges() {
        check(
            &ended(),
            &[
                (-1, None),
                (0, PERHAPS),
                (9, PERHAPS),
                (10, SURELY),
                (99, SURELY),
                (100, PERHAPS),
                (129, PERHAPS),
                (130, None),
            ],
        );
    }

    #[test]
    fn what_was_gone_before_its_time_was_held_no_longer_than_that() {
        let early = Life {
            end: End::Over(at(50)),
            ..ended()
        };
        check(&early, &[(49, SURELY), (50, None), (99, None)]);
    }

    #[test]
    fn what_is_not_proven_gone_may_still_be_held() {
        for end in [End::Open, End::Unproven] {
            let life = Life { end, ..ended() };
            check(&life, &[(99, SURELY), (100, PERHAPS), (1_000_000, PERHAPS)]);
        }
    }

    #[test]
    fn what_never_was_seen_may_have_been_there_from_the_intent_on() {
        let unseen = Life {
            active: None,
            ..ended()
        };
        check(
            &unseen,
            &[(-1, None), (0, PERHAPS), (50, PERHAPS), (130, None)],
        );
        let never = Life {
            begun: None,
            ..unseen
        };
        check(&never, &[(0, None), (50, None), (1_000, None)]);
    }

    #[test]
    fn a_time_between_includes_its_first_instant_and_not_its_last() {
        let life = ended();
        for (from, until, held) in [
            (-10, 0, None),
            (-10, 1, PERHAPS),
            (0, 10, PERHAPS),
            (0, 11, SURELY),
            (20, 30, SURELY),
            (-10, 1_000, SURELY),
            (99, 200, SURELY),
            (100, 200, PERHAPS),
            (129, 200, PERHAPS),
            (130, 200, None),
        ] {
            let when = When::Between(at(from), at(until));
            assert_eq!(life.held(when), held, "{from} to {until}");
        }
    }

    #[test]
    fn a_window_that_ended_before_it_was_active_was_never_sure() {
        let late = Life {
            active: Some(at(100)),
            ..ended()
        };
        check(&late, &[(50, PERHAPS), (100, PERHAPS), (130, None)]);
        let empty = Life {
            begun: Some(at(5)),
            active: None,
            until: at(5),
            end: End::Over(at(5)),
        };
        check(&empty, &[(5, None)]);
    }
}
