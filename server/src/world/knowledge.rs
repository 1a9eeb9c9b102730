//! Where a server has the organisation from: whoever leads reads AWS and keeps what it read in the
//! table; everybody else, and a server that has just started, has it from there.
//!
//! A reading that failed, or found nobody or nothing where there was somebody, replaces nothing.

use domain::directory::{Directory, Holdings};
use jiff::{SignedDuration, Timestamp};

use super::WorldError;
use crate::directory::Reader;
use crate::lease::Lease;
use crate::store::{Manifest, PartsError, SNAPSHOT_LAYOUT, Store, StoreError, now};

/// How often the organisation is read anew. Reading 300 accounts takes some 700 calls, a minute at
/// our share of the quota; five minutes keep pages fresh and leave the quota to the worker.
const READ_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// After a reading that failed, while an older one serves.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// What groups are assigned is read about once an hour, within half an hour; what is older than
/// this is not known any more, and then no group can be asked for.
const HOLDINGS_GOOD_FOR: SignedDuration = SignedDuration::from_hours(6);

/// What is known of the organisation.
#[derive(Debug)]
pub(super) struct Knowledge {
    reader: Reader,
    store: Store,
    lease: Lease,
    known: Option<Known>,
    /// A reading began then of which nothing has come yet.
    failed_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Known {
    directory: Directory,
    manifest: Manifest,
}

/// What came of looking.
#[derive(Debug)]
pub(super) enum News {
    /// Nothing.
    Same,
    /// What is known is newer, whether or not it differs.
    Newer,
    /// This server read AWS: it is to be kept once it is complete.
    Fresh(Box<Directory>),
}

/// The organisation as the table has it, for one look; `None`: nobody has kept it in a way that this
/// version reads.
pub(crate) async fn stored_directory(store: &Store) -> Result<Option<Directory>, WorldError> {
    let Some(manifest) = store.snapshot_manifest().await? else {
        return Ok(None);
    };
    if manifest.layout > SNAPSHOT_LAYOUT {
        return Ok(None);
    }
    let whole = store.snapshot(&manifest).await?;
    serde_json::from_slice(&whole).map_err(WorldError::Snapshot)
}

impl Knowledge {
    pub(super) const fn new(reader: Reader, store: Store, lease: Lease) -> Self {
        Self {
            reader,
            store,
            lease,
            known: None,
            failed_at: None,
        }
    }

    pub(super) const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// What is known, if anything is.
    pub(super) fn directory(&self) -> Option<&Directory> {
        self.known.as_ref().map(|known| &known.directory)
    }

    /// Looks whether there is something newer in the table and, if this server leads and it is time,
    /// in AWS.
    pub(super) async fn look(&mut self) -> Result<News, WorldError> {
        let from_table = self.take_from_table().await?;
        if !(self.lease.held() && self.is_due()) {
            return if self.known.is_none() {
                Err(WorldError::NotReadYet)
            } else {
                Ok(from_table)
            };
        }
        self.failed_at = Some(now());
        let mut fresh = Box::pin(self.reader.read()).await?;
        if let Some(known) = &self.known {
            refuse_less(&fresh, &known.directory)?;
            fresh.holdings = known.directory.holdings.clone();
        }
        Ok(News::Fresh(Box::new(fresh)))
    }

    fn is_due(&self) -> bool {
        let now = now();
        let passed = |since: Timestamp, time| now.duration_since(since) >= time;
        let is_old = self
            .known
            .as_ref()
            .is_none_or(|known| passed(known.manifest.read_at, READ_EVERY));
        let may = self.known.is_none() || self.failed_at.is_none_or(|at| passed(at, READ_AGAIN));
        is_old && may
    }

    /// Takes what is in the table, if that is another than what is known.
    async fn take_from_table(&mut self) -> Result<News, WorldError> {
        let Some(manifest) = self.store.snapshot_manifest().await? else {
            return Ok(News::Same);
        };
        match &mut self.known {
            Some(known) if known.manifest == manifest => return Ok(News::Same),
            Some(known) if known.manifest.id == manifest.id => {
                known.directory.read_at = Some(manifest.read_at);
                known.manifest = manifest;
                return Ok(News::Newer);
            }
            _ => {}
        }
        if manifest.layout > SNAPSHOT_LAYOUT {
            // A later version's. Whoever leads with this one writes one that it can read.
            tracing::warn!(
                layout = manifest.layout,
                "the snapshot is of a later version"
            );
            return Ok(News::Same);
        }
        let whole = match self.store.snapshot(&manifest).await {
            Ok(whole) => whole,
            // It was replaced while it was read, or is damaged: what is known stays, and whoever
            // leads writes another.
            Err(PartsError::NotWhole { .. }) if self.known.is_some() || self.lease.held() => {
                tracing::warn!(id = %manifest.id, "the snapshot is not whole");
                return Ok(News::Same);
            }
            Err(error) => return Err(error.into()),
        };
        let mut directory: Directory =
            serde_json::from_slice(&whole).map_err(WorldError::Snapshot)?;
        directory.read_at = Some(manifest.read_at);
        tracing::info!(id = %manifest.id, bytes = whole.len(), "the organisation is known from the table");
        self.known = Some(Known {
            directory,
            manifest,
        });
        Ok(News::Newer)
    }

    /// Keeps what was read, for everybody.
    pub(super) async fn keep(&mut self, mut fresh: Directory) -> Result<Directory, WorldError> {
        // When it was read is the manifest's: what is the same is not written again.
        let read_at = fresh.read_at.take().unwrap_or_else(now);
        let whole = serde_json::to_vec(&fresh).map_err(WorldError::Snapshot)?;
        fresh.read_at = Some(read_at);
        let had = self.known.as_ref().map(|known| known.manifest.id);
        match self.store.put_snapshot(whole, read_at, had).await {
            Ok(manifest) => {
                self.failed_at = None;
                self.known = Some(Known {
                    directory: fresh.clone(),
                    manifest,
                });
                Ok(fresh)
            }
            // Somebody else leads, and wrote one: it is read next.
            Err(PartsError::Store(StoreError::Changed)) => Ok(fresh),
            Err(error) => Err(error.into()),
        }
    }
}

/// A reading without accounts, permission sets or people replaces nothing that has them.
fn refuse_less(fresh: &Directory, known: &Directory) -> Result<(), WorldError> {
    let lost = |fresh: bool, known: bool| fresh && !known;
    let is_less = lost(fresh.accounts.is_empty(), known.accounts.is_empty())
        || lost(fresh.people.is_empty(), known.people.is_empty())
        || lost(
            fresh.permission_sets.is_empty(),
            known.permission_sets.is_empty(),
        );
    if is_less {
        return Err(WorldError::Empty);
    }
    Ok(())
}

/// Whether what groups were assigned then still says what they are.
pub(crate) fn is_good(read_at: Timestamp) -> bool {
    now().duration_since(read_at) <= HOLDINGS_GOOD_FOR
}

/// What groups are assigned was read so long ago that it says nothing any more.
pub(super) fn forget_old(holdings: &mut Holdings) {
    if holdings.read_at.is_some_and(|at| !is_good(at)) {
        *holdings = Holdings::default();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use domain::directory::{Account, Person, Status};

    use super::*;

    fn whole() -> Directory {
        let mut directory = Directory::default();
        let id: domain::id::AccountId = "111122223333".parse().unwrap();
        directory.accounts.insert(
            id.clone(),
            Account {
                id,
                name: "Payments".to_owned(),
                ou_path: Vec::new(),
                ou_ids: Vec::new(),
                tags: std::collections::BTreeMap::new(),
                active: true,
            },
        );
        let id: domain::id::UserId = "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b".parse().unwrap();
        directory.people.insert(
            id.clone(),
            Person {
                id,
                user_name: "ana".to_owned(),
                display_name: "Ana".to_owned(),
                emails: Vec::new(),
                status: Status::Active,
            },
        );
        directory
    }

    #[test]
    fn a_reading_that_found_nothing_replaces_nothing_that_has_something() {
        let known = whole();
        assert!(refuse_less(&whole(), &known).is_ok());
        for forget in [
            (|less: &mut Directory| less.people.clear()) as fn(&mut Directory),
            |less| less.accounts.clear(),
        ] {
            let mut less = whole();
            forget(&mut less);
            assert!(matches!(refuse_less(&less, &known), Err(WorldError::Empty)));
            // What never had any is no worse for it.
            assert!(refuse_less(&less, &Directory::default()).is_ok());
        }
    }

    #[test]
    fn what_groups_were_assigned_long_ago_is_not_known_any_more() {
        let group: domain::id::GroupId = "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b".parse().unwrap();
        let mut holdings = Holdings::default();
        holdings.insert(group.clone(), std::collections::BTreeSet::new());
        holdings.read_at = Some(now());
        forget_old(&mut holdings);
        assert!(holdings.of(&group).is_some());
        holdings.read_at = Some(now() - HOLDINGS_GOOD_FOR - SignedDuration::from_secs(1));
        forget_old(&mut holdings);
        assert_eq!(holdings.of(&group), None, "so it cannot be asked for");
    }
}
