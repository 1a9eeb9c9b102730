//! Object Lock: how long a version must stay, and who may change that.
//!
//! Rules only, no storage. A lock protects a version, never a key: an overwrite adds a version and a plain delete adds
//! a marker, locked or not.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>

use s3s::dto::{ObjectLockRetention, ObjectLockRetentionMode};
use s3s::{S3Result, s3_error};

use super::moment::{Moment, timestamp};

/// How strict a lock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nobody may shorten or remove it.
    Compliance,
    /// Whoever says `x-amz-bypass-governance-retention` may.
    Governance,
}

impl Mode {
    /// Reads AWS's name, which is also how it is stored.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            ObjectLockRetentionMode::COMPLIANCE => Some(Self::Compliance),
            ObjectLockRetentionMode::GOVERNANCE => Some(Self::Governance),
            _ => None,
        }
    }

    /// AWS's name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Compliance => ObjectLockRetentionMode::COMPLIANCE,
            Self::Governance => ObjectLockRetentionMode::GOVERNANCE,
        }
    }
}

/// A version's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retention {
    pub(crate) mode: Mode,
    pub(crate) until: Moment,
}

/// Whether the caller claims the right to override governance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bypass {
    No,
    Governance,
}

impl From<Option<bool>> for Bypass {
    fn from(header: Option<bool>) -> Self {
        if header == Some(true) {
            Self::Governance
        } else {
            Self::No
        }
    }
}

impl Retention {
    /// A lock as a caller gives it: both halves, a mode that exists, an end that is still to come.
    pub(crate) fn asked(
        mode: Option<&str>,
        until: Option<Moment>,
        now: Moment,
    ) -> S3Result<Option<Self>> {
        let (mode, until) = match (mode, until) {
            (None, None) => return Ok(None),
            (Some(mode), Some(until)) => (mode, until),
            _ => {
                return Err(s3_error!(
                    InvalidArgument,
                    "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
                ));
            }
        };
        let Some(mode) = Mode::parse(mode) else {
            return Err(s3_error!(InvalidArgument, "Unknown wormMode directive."));
        };
        if until <= now {
            return Err(s3_error!(
                InvalidArgument,
                "The retain until date must be in the future!"
            ));
        }
        Ok(Some(Self { mode, until }))
    }

    /// Whether a version under this lock may be deleted.
    pub(crate) fn allows_delete(self, bypass: Bypass, now: Moment) -> bool {
        self.until <= now || (self.mode == Mode::Governance && bypass == Bypass::Governance)
    }

    /// Whether `next` may take this lock's place. Longer and as strict is always allowed.
    pub(crate) fn allows_change(self, next: Option<Self>, bypass: Bypass, now: Moment) -> bool {
        let at_least_as_strict = next.is_some_and(|next| {
            next.until >= self.until && (next.mode == self.mode || next.mode == Mode::Compliance)
        });
        at_least_as_strict || self.allows_delete(bypass, now)
    }

    /// As AWS writes it.
    pub(crate) fn to_dto(self) -> ObjectLockRetention {
        ObjectLockRetention {
            mode: Some(ObjectLockRetentionMode::from_static(self.mode.as_str())),
            retain_until_date: Some(timestamp(self.until)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_000);

    fn compliance(until_ms: i64) -> Retention {
        Retention {
            mode: Mode::Compliance,
            until: Moment(until_ms),
        }
    }

    fn governance(until_ms: i64) -> Retention {
        Retention {
            mode: Mode::Governance,
            until: Moment(until_ms),
        }
    }

    #[test]
    fn compliance_can_be_lengthened_and_nothing_else() {
        let lock = compliance(5_000);
        for bypass in [Bypass::No, Bypass::Governance] {
            assert!(lock.allows_change(Some(compliance(6_000)), bypass, NOW));
            assert!(!lock.allows_change(Some(compliance(4_000)), bypass, NOW));
            assert!(!lock.allows_change(Some(governance(9_000)), bypass, NOW));
            assert!(!lock.allows_change(None, bypass, NOW));
            assert!(!lock.allows_delete(bypass, NOW));
        }
        assert!(
            lock.allows_delete(Bypass::No, Moment(5_000)),
            "a lock that is over locks nothing"
        );
    }

    #[test]
    fn governance_yields_to_whoever_says_so() {
        let lock = governance(5_000);
        assert!(!lock.allows_change(Some(governance(4_000)), Bypass::No, NOW));
        assert!(!lock.allows_delete(Bypass::No, NOW));
        assert!(lock.allows_change(Some(governance(4_000)), Bypass::Governance, NOW));
        assert!(lock.allows_change(None, Bypass::Governance, NOW));
        assert!(lock.allows_delete(Bypass::Governance, NOW));
        assert!(
            lock.allows_change(Some(compliance(5_000)), Bypass::No, NOW),
            "stricter is always allowed"
        );
    }

    #[test]
    fn a_lock_needs_both_halves_and_a_future_end() {
        assert!(matches!(Retention::asked(None, None, NOW), Ok(None)));
        assert!(Retention::asked(Some("COMPLIANCE"), None, NOW).is_err());
        assert!(Retention::asked(None, Some(Moment(2_000)), NOW).is_err());
        assert!(Retention::asked(Some("FOREVER"), Some(Moment(2_000)), NOW).is_err());
        assert!(Retention::asked(Some("COMPLIANCE"), Some(NOW), NOW).is_err());
        assert!(matches!(
            Retention::asked(Some("COMPLIANCE"), Some(Moment(2_000)), NOW),
            Ok(Some(_))
        ));
    }
}
