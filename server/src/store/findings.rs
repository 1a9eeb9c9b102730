//! Findings, and what looking for them needs: which keys are live, which ended lately, and how far
//! a pass over the organisation is.

use domain::event::Stream;
use domain::finding::{Closed, Finding};
use domain::reconcile::late_since;
use domain::target::Key;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::commit::{Commit, Expect};
use super::item::{self, Attributes, StoredKey};
use super::keys::{self, At};
use super::live::{DUE_A_PAGE, DUE_PAGES_MAX};
use super::reads::{DueWhat, Range, place, readable};
use super::{Store, StoreError, Topic};

/// Open findings at once. What an organisation that was never looked after has of unmanaged
/// assignments is more than anybody reads; the rest is counted, and found once there is room.
pub const FINDINGS_MAX: usize = 2_000;

/// Closed findings are shown for a quarter of a year; their events are kept as all others.
const CLOSED_KEPT: SignedDuration = SignedDuration::from_secs(90 * 24 * 3600);

/// How far ahead the due entry of a key that is late may be: what waits for a create at large waits
/// 16 min, what failed five.
pub(super) const LATE_WITHIN: SignedDuration = SignedDuration::from_secs(17 * 60);

/// Keys that ended within a day: AWS changes at most 20 a second for a while, never all day.
const ENDED_MAX: i32 = 20_000;

/// How far a pass over the whole organisation is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// When it began; `None`: none is under way.
    #[serde(default)]
    pub began_at: Option<Timestamp>,
    /// Everything up to and with this permission set was read.
    #[serde(default)]
    pub after: Option<String>,
    /// Whether anything could not be read, so that what was not seen may still be there.
    #[serde(default)]
    pub incomplete: bool,
    /// When the last one ended that read everything.
    #[serde(default)]
    pub completed_at: Option<Timestamp>,
}

/// A finding that is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedFinding {
    /// As it was.
    #[serde(flatten)]
    pub finding: Finding,
    /// When it was no more.
    pub closed_at: Timestamp,
    /// Why.
    pub closed_as: Closed,
}

impl Commit {
    /// A finding, if it is neither open already nor agreed about.
    pub fn open_finding(&mut self, finding: &Finding) -> Result<(), StoreError> {
        let at = keys::finding(finding.difference, &finding.key);
        self.put(&at, item::attributes(finding)?, Some(Expect::Absent))?;
        // What two admins closed meanwhile stays closed.
        let agreed = keys::agreed(finding.difference, &finding.key);
        self.require(&agreed, Expect::Absent)?;
        let (kind, details) = finding.opened();
        self.event(&Stream::Finding(finding.id), kind, &details)?;
        self.topic(Topic::Findings.to_string());
        Ok(())
    }

    /// A finding is no more. Its stream, and its name, guard against closing it twice.
    pub fn close_finding(
        &mut self,
        finding: &Finding,
        head: domain::event::Head,
        why: Closed,
    ) -> Result<(), StoreError> {
        self.put_closed(finding, head, why)?;
        let (kind, details) = finding.closed(why);
        self.event(&Stream::Finding(finding.id), kind, &details)?;
        Ok(())
    }

    /// Takes it from the open ones to the closed ones, before the event that says so.
    pub(super) fn put_closed(
        &mut self,
        finding: &Finding,
        head: domain::event::Head,
        why: Closed,
    ) -> Result<(), StoreError> {
        let at = keys::finding(finding.difference, &finding.key);
        self.delete_if(&at, "id", &finding.id.to_string())?;
        let closed = ClosedFinding {
            finding: finding.clone(),
            closed_at: self.at(),
            closed_as: why,
        };
        let mut kept: Attributes = item::attributes(&closed)?;
        kept.insert(
            "expires_at".to_owned(),
            super::records::expires(self.at(), CLOSED_KEPT),
        );
        let at = keys::finding_closed(self.at(), finding.difference, &finding.key);
        self.put(&at, kept, None)?;
        self.continue_stream(&Stream::Finding(finding.id), head);
        self.topic(Topic::Findings.to_string());
        Ok(())
    }
}

impl Store {
    /// Every open finding, at most [`FINDINGS_MAX`].
    pub async fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        let limit = i32::try_from(FINDINGS_MAX).unwrap_or(i32::MAX);
        let items = self
            .all_of(Range::prefix(keys::FINDINGS, "", limit))
            .await?;
        Ok(items.into_iter().filter_map(readable).collect())
    }

    /// The latest findings that are no more.
    pub async fn closed_findings(&self, limit: i32) -> Result<Vec<ClosedFinding>, StoreError> {
        let mut range = Range::prefix(keys::FINDINGS_CLOSED, "", limit);
        range.newest_first = true;
        let items = self.all_of(range).await?;
        Ok(items.into_iter().filter_map(readable).collect())
    }

    /// The keys whose promised end is past and not proved, and since when.
    pub async fn late_keys(&self, now: Timestamp) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        let horizon = now.saturating_add(LATE_WITHIN).unwrap_or(now);
        let mut places = Vec::new();
        for shard in 0..keys::DUE_SHARDS {
            let mut after = None;
            for _ in 0..DUE_PAGES_MAX {
                let (page, more) = self.due_before(shard, horizon, DUE_A_PAGE, after).await?;
                places.extend(page.into_iter().filter_map(|due| match due.what {
                    DueWhat::Key(key) => Some(keys::key_of_text(&key)),
                    DueWhat::Request(_) | DueWhat::Signing(_) | DueWhat::Unknown => None,
                }));
                after = more;
                if after.is_none() {
                    break;
                }
            }
        }
        let mut late = Vec::new();
        for item in self.get_many(&places).await? {
            // Whoever asks must hear of all of them.
            let stored: StoredKey = item::value(item)?;
            if let Some(since) = late_since(&stored.state, now) {
                late.push((stored.state.key, since));
            }
        }
        Ok(late)
    }

    /// The keys whose access was taken away since then, as texts.
    pub async fn ended_keys(&self, since: Timestamp) -> Result<Vec<String>, StoreError> {
        let mut range = Range::prefix(keys::ENDED, "", ENDED_MAX);
        range.from = keys::millis(since);
        // The latest, should there be more.
        range.newest_first = true;
        let items = self.all_of(range).await?;
        Ok(items
            .iter()
            .filter_map(|item| {
                let at = place(item);
                Some(at.sk.split_once('#')?.1.to_owned())
            })
            .collect())
    }

    /// Keys, in no order; those that nobody ever wanted are left out.
    pub async fn keys_of(
        &self,
        keys: impl IntoIterator<Item = &Key>,
    ) -> Result<Vec<StoredKey>, StoreError> {
        let places: Vec<At> = keys.into_iter().map(keys::key).collect();
        let items = self.get_many(&places).await?;
        // Whoever judges by these must see all of them.
        items.into_iter().map(item::value).collect()
    }

    /// How far a pass over the organisation is.
    pub async fn pass(&self) -> Result<Pass, StoreError> {
        Ok(self.get(&keys::reconcile()).await?.unwrap_or_default())
    }

    /// Remembers how far it is: bookkeeping, so that the last word wins.
    pub async fn set_pass(&self, pass: &Pass) -> Result<(), StoreError> {
        self.overwrite(&keys::reconcile(), item::attributes(pass)?)
            .await
    }
}
