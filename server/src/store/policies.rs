//! Every version of the policy that was ever in force, whole: what an old verdict was judged by.
//!
//! A version is written once, in the transaction that puts it in force, and kept for ever, as the
//! verdicts are that name it: a policy of a thousand rules takes some 40 KB, and a version is
//! somebody's change of a file.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::{PolicyVersion, ServerId};
use domain::policy::KeptPolicy;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::commit::{Commit, Expect};
use super::item::{self, PolicyInForce};
use super::keys::{self, At};
use super::parts::{self, Packed, PartsError};
use super::reads::{Range, readable};
use super::{Store, StoreError};

/// The language lets all files of a policy have 2 MB, which pack to a tenth. 2.8 MB leave room in a
/// transaction, which takes 4 MB.
const PARTS_MAX: usize = 8;

/// What they may become: 2 MB of text as JSON, each character escaped, and whom its names mean.
const WHOLE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The layout that this version writes. A reader that meets a higher one says so.
const LAYOUT: u32 = 1;

/// Versions that a page shows.
pub const VERSIONS_A_PAGE: usize = 50;

/// Which parts a version has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    layout: u32,
    parts: usize,
    sha256: String,
}

/// A version came into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    /// Which. One that was in force before may be again.
    pub policy_version: PolicyVersion,
    /// The one before it; `None`: it was the first.
    pub previous: Option<PolicyVersion>,
    /// When.
    pub at: Timestamp,
    /// Which server read it.
    pub server: ServerId,
}

/// A page of what was in force.
#[derive(Debug, Clone)]
pub struct Versions {
    /// Newest first.
    pub rows: Vec<Loaded>,
    /// Whether there were earlier ones.
    pub more: bool,
}

/// A version that is ready to be written.
#[derive(Debug)]
pub struct PackedPolicy {
    version: PolicyVersion,
    packed: Packed,
}

impl PackedPolicy {
    /// Packs it.
    pub async fn of(kept: &KeptPolicy) -> Result<Self, PartsError> {
        let whole = serde_json::to_vec(kept).map_err(PartsError::Json)?;
        Ok(Self {
            version: kept.version.clone(),
            packed: parts::pack(whole, PARTS_MAX).await?,
        })
    }
}

impl Commit {
    /// Keeps a version whole: a new one, or in place of one that is damaged.
    pub fn keep_policy(&mut self, policy: PackedPolicy, expect: Expect) -> Result<(), StoreError> {
        let PackedPolicy { version, packed } = policy;
        let manifest = Manifest {
            layout: LAYOUT,
            parts: packed.parts.len(),
            sha256: packed.sha256,
        };
        let at = keys::policy_version(&version);
        self.put(&at, item::attributes(&manifest)?, Some(expect))?;
        for (number, part) in packed.parts.into_iter().enumerate() {
            self.put(&keys::policy_part(&version, number), part, None)?;
        }
        Ok(())
    }

    /// Puts a version in force. Whatever was in force before was read with the head of the policy's
    /// stream, which the event of this continues: if another came since, nothing is stored.
    pub fn put_in_force(
        &mut self,
        in_force: &PolicyInForce,
        previous: Option<&PolicyVersion>,
        server: ServerId,
    ) -> Result<(), StoreError> {
        let expect = previous.map_or(Expect::Absent, |_| Expect::Present);
        self.put(&keys::policy(), item::attributes(in_force)?, Some(expect))?;
        let loaded = Loaded {
            policy_version: in_force.policy_version.clone(),
            previous: previous.cloned(),
            at: self.at(),
            server,
        };
        let at = keys::policy_loaded(loaded.at, &loaded.policy_version);
        self.put(&at, item::attributes(&loaded)?, None)
    }
}

impl Store {
    /// A version of the policy, as it was kept; `None`: it was never in force.
    pub async fn policy_version(
        &self,
        version: &PolicyVersion,
    ) -> Result<Option<KeptPolicy>, PartsError> {
        let at = keys::policy_version(version);
        let Some(manifest) = self.get::<Manifest>(&at).await? else {
            return Ok(None);
        };
        let what = format!("version {version} of the policy");
        let refused = |why| {
            let what = what.clone();
            PartsError::NotWhole { what, why }
        };
        if manifest.layout > LAYOUT {
            return Err(refused("a later version of Belay wrote it"));
        }
        if manifest.parts > PARTS_MAX {
            return Err(refused("it has too many parts"));
        }
        let places: Vec<At> = (0..manifest.parts)
            .map(|number| keys::policy_part(version, number))
            .collect();
        let whole = self
            .whole(&what, &places, &manifest.sha256, WHOLE_BYTES_MAX)
            .await?;
        let kept: KeptPolicy = serde_json::from_slice(&whole).map_err(PartsError::Json)?;
        if kept.version != *version {
            return Err(refused("it is another version"));
        }
        Ok(Some(kept))
    }

    /// What came into force, the latest first; before that instant, if one is given.
    pub async fn policy_versions(&self, before: Option<Timestamp>) -> Result<Versions, StoreError> {
        // One more says whether there are more.
        let limit = i32::try_from(VERSIONS_A_PAGE + 1).unwrap_or(i32::MAX);
        let mut range = Range::prefix(keys::POLICIES, "", limit);
        range.newest_first = true;
        if let Some(before) = before {
            // Sorts before every key of that millisecond.
            range.to = keys::millis(before);
        }
        let items = self.all_of(range).await?;
        let more = items.len() > VERSIONS_A_PAGE;
        let rows = items
            .into_iter()
            .take(VERSIONS_A_PAGE)
            .filter_map(readable)
            .collect();
        Ok(Versions { rows, more })
    }

    /// The same version was read from another text, such as one with another comment: from now on
    /// that is what its names' ids belong to.
    pub async fn policy_source(
        &self,
        version: &PolicyVersion,
        source: &str,
    ) -> Result<(), StoreError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let updated = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::primary(&keys::policy())))
            .update_expression("SET #source = :source")
            .condition_expression("policy_version = :version")
            .expression_attribute_names("#source", "source")
            .expression_attribute_values(":source", text(source))
            .expression_attribute_values(":version", text(version.as_str()))
            .send()
            .await;
        match updated {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Err(StoreError::Changed)
            }
            Err(error) => Err(StoreError::unavailable("UpdateItem", &error)),
        }
    }
}
