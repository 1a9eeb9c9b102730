//! What people do about findings, as it is stored: what is proposed stands with the finding, what is
//! agreed beside it, under the same name, so that nothing opens again what two admins closed.
//!
//! Every change of either makes an event on the finding's stream, and so two that are made at once
//! meet at its head: whoever reads the head first, and then the finding, decides on what is there.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::adoption::{Agreement, Over};
use domain::event::{Details, Head, Kind, Stream};
use domain::finding::{Closed, Difference, Finding};
use domain::target::Key;

use super::commit::{Commit, Expect};
use super::item::{self, Attributes};
use super::keys::{self, At};
use super::reads::{Range, place, readable};
use super::records::{ENDED_KEPT, expires};
use super::{Store, StoreError, Topic};

/// Agreements at once. Each is an act of two people that ends within a quarter of a year.
const AGREEMENTS_MAX: i32 = 10_000;

/// What is taken away in one look: each needs a read of AWS at a call a second, and the next look
/// comes in seconds.
const REVOCATIONS_A_LOOK: i32 = 20;

/// What one page of a list has, and where the next one begins.
pub type Listed<T> = (Vec<T>, Option<String>);

impl Commit {
    /// What is proposed about an open finding, or agreed to be done, after one event.
    pub fn change_finding(
        &mut self,
        finding: &Finding,
        head: Head,
        (kind, details): (Kind, Details),
    ) -> Result<(), StoreError> {
        const MAY_CHANGE: [&str; 4] = ["proposal", "proposals", "revocation", "failed"];
        let mut set = item::attributes(finding)?;
        set.retain(|name, _| MAY_CHANGE.contains(&name.as_str()));
        let gone: Vec<&str> = MAY_CHANGE
            .into_iter()
            .filter(|name| !set.contains_key(*name))
            .collect();
        let at = keys::finding(finding.difference, &finding.key);
        self.update(&at, set, &gone, Expect::Present)?;
        let stream = Stream::Finding(finding.id);
        self.continue_stream(&stream, head);
        self.event(&stream, kind, &details)?;
        self.topic(Topic::Findings.to_string());
        Ok(())
    }

    /// Two admins agreed that a finding's access is taken away, by that event: whoever leads looks for
    /// that.
    pub fn agree_to_revoke(
        &mut self,
        finding: &Finding,
        head: Head,
        event: (Kind, Details),
    ) -> Result<(), StoreError> {
        self.change_finding(finding, head, event)?;
        let at = keys::revocation(finding.difference, &finding.key);
        let id = AttributeValue::S(finding.id.to_string());
        self.put(&at, Attributes::from([("id".to_owned(), id)]), None)
    }

    /// The worker begins with that; nobody begins with it again.
    pub fn begin_revocation(
        &mut self,
        finding: &Finding,
        head: Head,
        event: (Kind, Details),
    ) -> Result<(), StoreError> {
        self.change_finding(finding, head, event)?;
        let agreed = keys::agreed(finding.difference, &finding.key);
        self.require(&agreed, Expect::Absent)?;
        self.revocation_is_over(finding)
    }

    /// Nobody looks for it any more.
    pub fn revocation_is_over(&mut self, finding: &Finding) -> Result<(), StoreError> {
        let name = keys::revocation(finding.difference, &finding.key).sk;
        self.forget_revocation(&name, &finding.id.to_string())
    }

    /// Forgets one of which the finding is no more, or not to be revoked any more.
    pub fn forget_revocation(&mut self, name: &str, id: &str) -> Result<(), StoreError> {
        let at = At {
            pk: keys::REVOCATIONS.to_owned(),
            sk: name.to_owned(),
        };
        self.delete_if(&at, "id", id)
    }

    /// Two admins agreed about a finding: it is closed by that event.
    pub fn agree(
        &mut self,
        agreement: &Agreement,
        head: Head,
        closed: Closed,
        (kind, details): (Kind, Details),
    ) -> Result<(), StoreError> {
        let finding = &agreement.finding;
        self.put_closed(finding, head, closed)?;
        let at = keys::agreed(finding.difference, &finding.key);
        let mut item = item::attributes(agreement)?;
        item.insert("id".to_owned(), AttributeValue::S(finding.id.to_string()));
        self.put(&at, item, Some(Expect::Absent))?;
        self.event(&Stream::Finding(finding.id), kind, &details)?;
        Ok(())
    }

    /// What was agreed is no more. What it was about is looked at again, soon and for a day.
    pub fn end_agreement(
        &mut self,
        agreement: &Agreement,
        head: Head,
        over: Over,
    ) -> Result<(), StoreError> {
        let finding = &agreement.finding;
        let at = keys::agreed(finding.difference, &finding.key);
        self.delete_if(&at, "id", &finding.id.to_string())?;
        if finding.difference == Difference::Unmanaged {
            let kept =
                Attributes::from([("expires_at".to_owned(), expires(self.at(), ENDED_KEPT))]);
            self.put(&keys::ended(self.at(), &finding.key), kept, None)?;
        }
        let stream = Stream::Finding(finding.id);
        self.continue_stream(&stream, head);
        let (kind, details) = agreement.ended(over);
        self.event(&stream, kind, &details)?;
        self.topic(Topic::Findings.to_string());
        Ok(())
    }

    /// Holds only while nobody wants more or less of this key than was read.
    pub fn key_as_read(&mut self, key: &Key, version: Option<u64>) -> Result<(), StoreError> {
        let expect = version.map_or(Expect::Absent, Expect::Version);
        self.require(&keys::key(key), expect)
    }
}

impl Store {
    /// The open finding of that name ([`keys::finding`]), read consistently.
    pub async fn finding_at(&self, name: &str) -> Result<Option<Finding>, StoreError> {
        self.get(&At {
            pk: keys::FINDINGS.to_owned(),
            sk: name.to_owned(),
        })
        .await
    }

    /// What was agreed under that name, read consistently.
    pub async fn agreement_at(&self, name: &str) -> Result<Option<Agreement>, StoreError> {
        self.get(&At {
            pk: keys::AGREED.to_owned(),
            sk: name.to_owned(),
        })
        .await
    }

    /// What two admins agreed to take away and nobody has begun with, by its name and its finding's
    /// id; the first [`REVOCATIONS_A_LOOK`].
    pub async fn revocations(&self) -> Result<Vec<(String, String)>, StoreError> {
        let range = Range::prefix(keys::REVOCATIONS, "", REVOCATIONS_A_LOOK);
        let (items, _) = self.range(range, None).await?;
        let named = items.iter().filter_map(|item| {
            let id = item.get("id")?.as_s().ok()?;
            Some((place(item).sk, id.clone()))
        });
        Ok(named.collect())
    }

    /// Everything that is agreed.
    pub async fn agreements(&self) -> Result<Vec<Agreement>, StoreError> {
        let items = self
            .all_of(Range::prefix(keys::AGREED, "", AGREEMENTS_MAX))
            .await?;
        Ok(items.into_iter().filter_map(readable).collect())
    }

    /// The names in the agreements' partition, whether or not they can be read.
    pub(super) async fn names_of(&self, pk: &str) -> Result<BTreeSet<String>, StoreError> {
        let items = self.all_of(Range::prefix(pk, "", AGREEMENTS_MAX)).await?;
        Ok(items.iter().map(|item| place(item).sk).collect())
    }

    /// A page of open findings, of one kind or of all, after that name.
    pub async fn findings_page(
        &self,
        kind: Option<Difference>,
        after: &str,
        limit: i32,
    ) -> Result<Listed<Finding>, StoreError> {
        let prefix = kind.map_or_else(String::new, |kind| format!("{kind}#"));
        self.page(keys::FINDINGS, &prefix, after, limit).await
    }

    /// A page of what is agreed, after that name.
    pub async fn agreements_page(
        &self,
        after: &str,
        limit: i32,
    ) -> Result<Listed<Agreement>, StoreError> {
        self.page(keys::AGREED, "", after, limit).await
    }

    async fn page<T: serde::de::DeserializeOwned>(
        &self,
        pk: &str,
        prefix: &str,
        after: &str,
        limit: i32,
    ) -> Result<Listed<T>, StoreError> {
        let mut range = Range::prefix(pk, prefix, limit);
        if after > range.from.as_str() {
            // The next name there can be.
            range.from = format!("{after} ");
        }
        if range.from > range.to {
            return Ok((Vec::new(), None));
        }
        let (items, more) = self.range(range, None).await?;
        let next = items.last().filter(|_| more.is_some());
        let next = next.map(|last| place(last).sk);
        Ok((items.into_iter().filter_map(readable).collect(), next))
    }
}
