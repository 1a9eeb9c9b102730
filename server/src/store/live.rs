//! The keys that have a live grant, by their due entries, and what a copy keeps of them.

use std::collections::BTreeMap;

use domain::grant::Grant;
use jiff::Timestamp;

use super::item::StoredKey;
use super::keys::{self, At};
use super::reads::{DueWhat, readable};
use super::{Store, StoreError};

/// Due entries in one page.
pub(super) const DUE_A_PAGE: i32 = 1_000;

/// Pages of due entries of one shard: 100,000 live grants.
pub(super) const DUE_PAGES_MAX: u32 = 25;

/// A key that has something to come, by its due entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveEntry {
    /// The key, as a text.
    pub key: String,
    /// When it must be looked at.
    pub at: Timestamp,
    /// When the last of its windows ends, as far as the entry says.
    pub until: Option<Timestamp>,
}

impl Store {
    /// Each key that has a live grant.
    pub async fn live_entries(&self) -> Result<Vec<LiveEntry>, StoreError> {
        let mut found = Vec::new();
        for shard in 0..keys::DUE_SHARDS {
            let mut after = None;
            for _ in 0..DUE_PAGES_MAX {
                let (page, more) = self.due(shard, DUE_A_PAGE, after).await?;
                found.extend(page.into_iter().filter_map(|due| match due.what {
                    DueWhat::Key(key) => Some(LiveEntry {
                        key,
                        at: due.at,
                        until: due.until,
                    }),
                    DueWhat::Request(_) | DueWhat::Signing(_) | DueWhat::Unknown => None,
                }));
                after = more;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The same, as texts only.
    pub async fn live_keys(&self) -> Result<Vec<String>, StoreError> {
        let entries = self.live_entries().await?;
        Ok(entries.into_iter().map(|entry| entry.key).collect())
    }

    /// These keys with their live grants, by the keys' texts. What this version cannot read is left
    /// out, as what is not there.
    pub async fn with_grants<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k String>,
    ) -> Result<BTreeMap<String, (StoredKey, Vec<Grant>)>, StoreError> {
        let places: Vec<At> = keys.into_iter().map(|key| keys::key_of_text(key)).collect();
        let mut found = BTreeMap::new();
        let mut wanted = Vec::new();
        for item in self.get_many(&places).await? {
            let Some(stored) = readable::<StoredKey>(item) else {
                continue;
            };
            let live = stored.state.live.iter().map(|live| keys::grant(live.grant));
            wanted.extend(live);
            found.insert(stored.state.key.to_string(), (stored, Vec::new()));
        }
        for item in self.get_many(&wanted).await? {
            let Some(grant) = readable::<Grant>(item) else {
                continue;
            };
            match found.get_mut(&grant.key.to_string()) {
                Some((_, grants)) => grants.push(grant),
                None => {
                    tracing::error!(grant = %grant.id, "a grant is of another key than the one that names it");
                }
            }
        }
        Ok(found)
    }
}
