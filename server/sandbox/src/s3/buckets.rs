//! Buckets: their names, their versioning and their Object Lock configuration.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use s3s::dto::{
    Bucket as BucketDto, BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput,
    DefaultRetention, ListBucketsInput, ListBucketsOutput, ObjectLockConfiguration,
    ObjectLockEnabled, ObjectLockRetentionMode, ObjectLockRule, Owner, VersioningConfiguration,
};
use s3s::{S3Error, S3Result, s3_error};

use super::moment::{Moment, timestamp};
use super::refusals;
use super::retention::{Mode, Retention};
use super::store::internal;

/// The region of every bucket: the sandbox's only one.
pub(crate) const REGION: &str = "eu-central-1";

/// The account that owns every bucket: the organisation's management account.
const OWNER_ACCOUNT: &str = "100000000001";

/// The canonical id of that account. Real ones are as long and as meaningless.
const OWNER_ID: &str = "5a6e64626f782d6f776e65722d3130303030303030303030312d62656c617921";

/// Longer than any lock that makes sense in a sandbox; AWS's own limit.
const RETENTION_YEARS_MAX: i32 = 100;

/// Whether a bucket keeps old versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Versioning {
    /// Never has.
    Off,
    /// Every write adds a version.
    Enabled,
    /// Did once: what was kept stays, new writes replace each other.
    Suspended,
}

impl Versioning {
    fn parse(text: &str) -> Self {
        match text {
            "enabled" => Self::Enabled,
            "suspended" => Self::Suspended,
            _ => Self::Off,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Enabled => "enabled",
            Self::Suspended => "suspended",
        }
    }

    /// As AWS writes it: a bucket that never was versioned has no status.
    pub(crate) fn to_dto(self) -> Option<BucketVersioningStatus> {
        match self {
            Self::Off => None,
            Self::Enabled => Some(BucketVersioningStatus::from_static(
                BucketVersioningStatus::ENABLED,
            )),
            Self::Suspended => Some(BucketVersioningStatus::from_static(
                BucketVersioningStatus::SUSPENDED,
            )),
        }
    }
}

/// Whether versions in a bucket can be locked. Once on it stays on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObjectLock {
    Off,
    /// With the lock that new versions get by themselves, if any.
    On(Option<DefaultLock>),
}

/// The lock of a version that was put without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DefaultLock {
    mode: Mode,
    period: Period,
}

/// How long; AWS gives back the unit in which it was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Days(i32),
    Years(i32),
}

/// One bucket.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) created: Moment,
    pub(crate) versioning: Versioning,
    pub(crate) object_lock: ObjectLock,
}

impl Bucket {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let versioning: String = row.get("versioning")?;
        let mode: Option<String> = row.get("retention_mode")?;
        let days: Option<i32> = row.get("retention_days")?;
        let years: Option<i32> = row.get("retention_years")?;
        let period = days.map(Period::Days).or(years.map(Period::Years));
        let default = mode.as_deref().and_then(Mode::parse).zip(period);
        let default = default.map(|(mode, period)| DefaultLock { mode, period });
        Ok(Self {
            name: row.get("name")?,
            created: Moment(row.get("created_ms")?),
            versioning: Versioning::parse(&versioning),
            object_lock: if row.get("object_lock")? {
                ObjectLock::On(default)
            } else {
                ObjectLock::Off
            },
        })
    }

    /// The lock of a version that is put now without one.
    pub(crate) fn default_retention(&self, now: Moment) -> Option<Retention> {
        let ObjectLock::On(Some(default)) = self.object_lock else {
            return None;
        };
        let days = match default.period {
            Period::Days(days) => i64::from(days),
            Period::Years(years) => i64::from(years) * 365,
        };
        Some(Retention {
            mode: default.mode,
            until: now.plus_days(days),
        })
    }

    /// Refuses what makes sense only where versions can be locked.
    pub(crate) fn require_object_lock(&self) -> S3Result<()> {
        match self.object_lock {
            ObjectLock::On(_) => Ok(()),
            ObjectLock::Off => Err(s3_error!(
                InvalidRequest,
                "Bucket is missing Object Lock Configuration"
            )),
        }
    }

    /// The version id that a caller is shown: none where there never was versioning.
    pub(crate) fn shown_id(&self, id: &str) -> Option<String> {
        (self.versioning != Versioning::Off).then(|| id.to_owned())
    }

    /// The Object Lock configuration, as AWS writes it.
    pub(crate) fn lock_configuration(&self) -> S3Result<ObjectLockConfiguration> {
        let ObjectLock::On(default) = self.object_lock else {
            return Err(s3_error!(
                ObjectLockConfigurationNotFoundError,
                "Object Lock configuration does not exist for this bucket"
            ));
        };
        Ok(ObjectLockConfiguration {
            object_lock_enabled: Some(ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED)),
            rule: default.map(|default| {
                let (days, years) = match default.period {
                    Period::Days(days) => (Some(days), None),
                    Period::Years(years) => (None, Some(years)),
                };
                let mode = ObjectLockRetentionMode::from_static(default.mode.as_str());
                ObjectLockRule {
                    default_retention: Some(DefaultRetention {
                        mode: Some(mode),
                        days,
                        years,
                    }),
                }
            }),
        })
    }
}

/// A bucket by its name, if the caller's idea of its owner is right.
pub(crate) fn find(
    tx: &Transaction<'_>,
    name: &str,
    expected_owner: Option<&str>,
) -> S3Result<Bucket> {
    let found = tx
        .prepare_cached("SELECT * FROM bucket WHERE name = ?1")
        .and_then(|mut query| query.query_row([name], Bucket::read).optional())
        .map_err(internal)?
        .ok_or_else(refusals::no_such_bucket)?;
    if expected_owner.is_some_and(|owner| owner != OWNER_ACCOUNT) {
        return Err(s3_error!(
            AccessDenied,
            "The bucket belongs to another account than the one expected."
        ));
    }
    Ok(found)
}

/// Makes a bucket; one with Object Lock is versioned from the start.
pub(crate) fn create(
    tx: &Transaction<'_>,
    name: &str,
    object_lock: ObjectLock,
    now: Moment,
) -> S3Result<()> {
    let versioning = if object_lock == ObjectLock::Off {
        Versioning::Off
    } else {
        Versioning::Enabled
    };
    let made = tx
        .execute(
            "INSERT INTO bucket (name, created_ms, versioning, object_lock) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO NOTHING",
            params![
                name,
                now.0,
                versioning.as_str(),
                object_lock != ObjectLock::Off
            ],
        )
        .map_err(internal)?;
    match made {
        0 => Err(s3_error!(
            BucketAlreadyOwnedByYou,
            "Your previous request to create the named bucket succeeded and you already own it."
        )),
        _ => Ok(()),
    }
}

/// What a create request asks for; outside us-east-1 the region must be named.
pub(crate) fn asked(input: &CreateBucketInput) -> S3Result<ObjectLock> {
    let location = input
        .create_bucket_configuration
        .as_ref()
        .and_then(|found| found.location_constraint.as_ref());
    match location.map(BucketLocationConstraint::as_str) {
        Some(REGION) => {}
        None => {
            return Err(s3_error!(
                IllegalLocationConstraintException,
                "The unspecified location constraint is incompatible for the region specific endpoint this request \
                 was sent to."
            ));
        }
        Some(other) => {
            return Err(s3_error!(
                IllegalLocationConstraintException,
                "The {other} location constraint is incompatible for the region specific endpoint this request was \
                 sent to."
            ));
        }
    }
    Ok(if input.object_lock_enabled_for_bucket == Some(true) {
        ObjectLock::On(None)
    } else {
        ObjectLock::Off
    })
}

/// Removes a bucket that holds nothing, markers included.
pub(crate) fn delete(tx: &Transaction<'_>, bucket: &Bucket) -> S3Result<()> {
    let filled: bool = tx
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM version WHERE bucket = ?1)",
            [&bucket.name],
            |row| row.get(0),
        )
        .map_err(internal)?;
    if filled {
        return Err(s3_error!(
            BucketNotEmpty,
            "The bucket you tried to delete is not empty"
        ));
    }
    tx.execute("DELETE FROM bucket WHERE name = ?1", [&bucket.name])
        .map_err(internal)?;
    Ok(())
}

/// A page of buckets in the order of their names. The token is the last name of the page before.
pub(crate) fn list(tx: &Transaction<'_>, input: &ListBucketsInput) -> S3Result<ListBucketsOutput> {
    // AWS's own limit, and its default.
    let at_most = match input.max_buckets {
        None => 10_000,
        Some(count @ 1..=10_000) => count.unsigned_abs() as usize,
        Some(_) => {
            return Err(s3_error!(
                InvalidArgument,
                "MaxBuckets must be between 1 and 10000."
            ));
        }
    };
    let after = input.continuation_token.clone().unwrap_or_default();
    let prefix = input.prefix.clone().unwrap_or_default();
    let mut found: Vec<Bucket> = tx
        .prepare_cached("SELECT * FROM bucket WHERE name > ?1 ORDER BY name")
        .and_then(|mut query| query.query_map([after], Bucket::read)?.collect())
        .map_err(internal)?;
    found.retain(|bucket| bucket.name.starts_with(&prefix));
    let more = found.len() > at_most;
    found.truncate(at_most);
    Ok(ListBucketsOutput {
        continuation_token: found
            .last()
            .filter(|_| more)
            .map(|bucket| bucket.name.clone()),
        buckets: Some(
            found
                .into_iter()
                .map(|bucket| BucketDto {
                    bucket_region: Some(REGION.to_owned()),
                    creation_date: Some(timestamp(bucket.created.second())),
                    name: Some(bucket.name),
                })
                .collect(),
        ),
        owner: Some(owner()),
        prefix: input.prefix.clone(),
    })
}

/// The owner of everything here.
pub(crate) fn owner() -> Owner {
    Owner {
        display_name: None,
        id: Some(OWNER_ID.to_owned()),
    }
}

/// Turns versioning on or suspends it; where versions can be locked it stays on.
pub(crate) fn set_versioning(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    asked: &VersioningConfiguration,
) -> S3Result<()> {
    let versioning = match asked.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => {
            return Err(s3_error!(
                IllegalVersioningConfigurationException,
                "The Versioning element must be specified"
            ));
        }
    };
    if versioning == Versioning::Suspended && bucket.object_lock != ObjectLock::Off {
        return Err(s3_error!(
            InvalidBucketState,
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        ));
    }
    tx.execute(
        "UPDATE bucket SET versioning = ?2 WHERE name = ?1",
        [bucket.name.as_str(), versioning.as_str()],
    )
    .map_err(internal)?;
    Ok(())
}

/// Turns Object Lock on, or changes the lock that new versions get. Existing versions keep theirs.
pub(crate) fn set_object_lock(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    asked: Option<&ObjectLockConfiguration>,
) -> S3Result<()> {
    let asked = asked.ok_or_else(refusals::malformed_xml)?;
    if asked
        .object_lock_enabled
        .as_ref()
        .map(ObjectLockEnabled::as_str)
        != Some(ObjectLockEnabled::ENABLED)
    {
        return Err(refusals::malformed_xml());
    }
    if bucket.versioning != Versioning::Enabled {
        return Err(s3_error!(
            InvalidBucketState,
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        ));
    }
    let default = match &asked.rule {
        None => None,
        Some(rule) => Some(default_lock(rule)?),
    };
    let (days, years) = match default.map(|default| default.period) {
        Some(Period::Days(days)) => (Some(days), None),
        Some(Period::Years(years)) => (None, Some(years)),
        None => (None, None),
    };
    tx.execute(
        "UPDATE bucket SET object_lock = TRUE, retention_mode = ?2, retention_days = ?3, retention_years = ?4
         WHERE name = ?1",
        params![bucket.name, default.map(|default| default.mode.as_str()), days, years],
    )
    .map_err(internal)?;
    Ok(())
}

fn default_lock(rule: &ObjectLockRule) -> S3Result<DefaultLock> {
    let default = rule
        .default_retention
        .as_ref()
        .ok_or_else(refusals::malformed_xml)?;
    let mode = default
        .mode
        .as_ref()
        .and_then(|mode| Mode::parse(mode.as_str()))
        .ok_or_else(refusals::malformed_xml)?;
    let period = match (default.days, default.years) {
        (Some(days), None) => Period::Days(days),
        (None, Some(years)) => Period::Years(years),
        _ => return Err(refusals::malformed_xml()),
    };
    match period {
        Period::Days(..1) | Period::Years(..1) => Err(s3_error!(
            InvalidArgument,
            "Default retention period must be a positive integer value."
        )),
        Period::Days(days) if days > RETENTION_YEARS_MAX * 365 => Err(too_long()),
        Period::Years(years) if years > RETENTION_YEARS_MAX => Err(too_long()),
        period => Ok(DefaultLock { mode, period }),
    }
}

fn too_long() -> S3Error {
    s3_error!(InvalidArgument, "Default retention period is too large.")
}
