//! What is done about what nobody promised, and where it is known and need not be found. Pure.
//!
//! [`plan`] says what would be taken away, of what two [`look`]s found and no [`baseline`] knows;
//! [`remove`] takes one away. Deliberately absent: names. A name can be given to something else tomorrow, and would take along
//! what was allowed under it.

pub mod baseline;
pub mod look;
pub mod plan;
pub mod remove;

use std::str::FromStr;

use jiff::SignedDuration;
use thiserror::Error;

use crate::id::{AccountId, UserId};
use crate::target::{Key, Target};

/// Longer lists are a policy of their own, and nobody reads them.
const PATTERNS_MAX: usize = 100;

/// What is done about assignments that no grant wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Nothing: they are not looked for.
    Off,
    /// They are found, and left alone.
    Warn,
    /// They are found, and taken away once they have been known for long enough.
    Enforce,
}

impl Sweep {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warn => "warn",
            Self::Enforce => "enforce",
        }
    }
}

/// The longest that the sweep waits before it takes away what is found: whoever waits longer does
/// not want it swept.
pub const GRACE_MAX: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What is known, and never found unmanaged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList(Vec<Pattern>);

/// One line of it; what is absent is any.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    account: Option<AccountId>,
    /// The last part of its ARN.
    permission_set: Option<String>,
    person: Option<UserId>,
}

/// Why a text is no such list.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAPattern {
    /// Not three parts, or one of them is not what it should be.
    #[error("names `{0}`, which is not account/permission-set/person")]
    Malformed(String),
    /// It would allow everything.
    #[error("names `*/*/*`, which allows everything")]
    Everything,
    /// More than anybody reads.
    #[error("names more than {PATTERNS_MAX}")]
    TooMany,
}

impl AllowList {
    /// Whether an assignment on this key is known.
    #[must_use]
    pub fn covers(&self, key: &Key) -> bool {
        self.0.iter().any(|pattern| pattern.covers(key))
    }
}

impl Pattern {
    fn covers(&self, key: &Key) -> bool {
        let Target::Account {
            account,
            permission_set,
        } = &key.target
        else {
            return false;
        };
        let set = permission_set.as_str().rsplit('/').next();
        self.account.as_ref().is_none_or(|only| only == account)
            && self
                .permission_set
                .as_deref()
                .is_none_or(|only| Some(only) == set)
            && self.person.as_ref().is_none_or(|only| *only == key.user)
    }
}

impl FromStr for AllowList {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, NotAPattern> {
        let patterns = text.split(',').map(str::trim).filter(|one| !one.is_empty());
        let patterns: Vec<Pattern> = patterns.map(str::parse).collect::<Result<_, _>>()?;
        if patterns.len() > PATTERNS_MAX {
            return Err(NotAPattern::TooMany);
        }
        Ok(Self(patterns))
    }
}

impl FromStr for Pattern {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, NotAPattern> {
        let malformed = || NotAPattern::Malformed(text.to_owned());
        let parts: Vec<&str> = text.split('/').map(str::trim).collect();
        let [account, set, person] = parts.as_slice() else {
            return Err(malformed());
        };
        let only = |part: &str| (part != "*").then(|| part.to_owned());
        let is_set = |set: &String| {
            set.strip_prefix("ps-")
                .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric()))
        };
        let permission_set = only(set);
        if permission_set.as_ref().is_some_and(|set| !is_set(set)) {
            return Err(malformed());
        }
        let account = only(account).map(|id| AccountId::parse(&id));
        let person = only(person).map(|id| UserId::parse(&id));
        let pattern = Self {
            account: account.transpose().map_err(|_| malformed())?,
            permission_set,
            person: person.transpose().map_err(|_| malformed())?,
        };
        let is_everything = pattern.account.is_none()
            && pattern.permission_set.is_none()
            && pattern.person.is_none();
        if is_everything {
            return Err(NotAPattern::Everything);
        }
        Ok(pattern)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::id::{GroupId, PermissionSetArn};

    const ANA: &str = "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b";
    const BEN: &str = "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6c";

    fn key(account: &str, set: &str, person: &str) -> Key {
        let arn = format!("arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/{set}");
        Key {
            user: UserId::parse(person).unwrap(),
            target: Target::Account {
                account: AccountId::parse(account).unwrap(),
                permission_set: PermissionSetArn::parse(&arn).unwrap(),
            },
        }
    }

    fn covers(list: &str, key: &Key) -> bool {
        list.parse::<AllowList>().unwrap().covers(key)
    }

    #[test]
    fn each_part_of_a_pattern_narrows_it() {
        let own = key("111122223333", "ps-0123456789abcdef", ANA);
        let others = [
            key("111122223334", "ps-0123456789abcdef", ANA),
            key("111122223333", "ps-0123456789abcdee", ANA),
            key("111122223333", "ps-0123456789abcdef", BEN),
        ];
        let exact = format!("111122223333/ps-0123456789abcdef/{ANA}");
        assert!(covers(&exact, &own));
        assert!(others.iter().all(|other| !covers(&exact, other)));
        let [elsewhere, other_set, other_person] = &others;
        for (list, kept, left) in [
            ("111122223333/*/*", other_set, elsewhere),
            ("*/ps-0123456789abcdef/*", other_person, other_set),
            (&*format!("*/*/{ANA}"), elsewhere, other_person),
        ] {
            assert!(covers(list, &own) && covers(list, kept), "{list}");
            assert!(!covers(list, left), "{list}");
        }
        assert!(!covers("", &own));
        assert!(covers(&format!(" 999900001111/*/* , {exact},"), &own));
    }

    #[test]
    fn being_in_a_group_is_not_looked_for_and_not_allowed() {
        let key = Key {
            user: UserId::parse(ANA).unwrap(),
            target: Target::Group {
                group: GroupId::parse(BEN).unwrap(),
            },
        };
        assert!(!covers(&format!("*/*/{ANA}"), &key));
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        for wrong in [
            "111122223333",
            "111122223333/*",
            "111122223333/*/*/*",
            "1111/*/*",
            "111122223333/AdministratorAccess/*",
            "*/ps-/*",
            "*/*/ana.silva@example.com",
            "*//*",
        ] {
            let refused = wrong.parse::<AllowList>().unwrap_err();
            assert_eq!(refused, NotAPattern::Malformed(wrong.to_owned()));
        }
        let all = "111122223333/*/*,*/*/*".parse::<AllowList>();
        assert_eq!(all, Err(NotAPattern::Everything));
        let many = vec!["111122223333/*/*"; PATTERNS_MAX + 1].join(",");
        assert_eq!(many.parse::<AllowList>(), Err(NotAPattern::TooMany));
    }
}
