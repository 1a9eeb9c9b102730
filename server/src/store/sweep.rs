//! What the sweep has to remember: the complete looks, what two admins agreed that it leaves alone,
//! and the list that an admin let go.
//!
//! What people do about these makes an event on one stream, and so two acts at once meet at its
//! head; what the worker does about them is bookkeeping, each item guarded by its own version.

use domain::event::{Details, Head, Kind, Stream};
use domain::finding::{Closed, Difference, Finding};
use domain::sweep::baseline::{Baseline, ProposedBaseline};
use domain::sweep::look::Looks;
use domain::sweep::plan::Confirmation;
use serde::{Deserialize, Serialize};

use super::commit::{Commit, Expect};
use super::item::{self, Attributes};
use super::keys;
use super::records::{ENDED_KEPT, expires};
use super::{Store, StoreError, Topic};

/// The looks, as an item.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    looks: Looks,
}

/// What becomes of a finding when the removal of what it is about came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It is no more.
    Closes(Closed),
    /// It stays open, as it is given.
    Stays,
    /// A pass has closed it already.
    WasClosed,
}

impl Commit {
    /// An act of a person on what the sweep may do, by one event.
    fn on_sweep(&mut self, head: Head, (kind, details): (Kind, Details)) -> Result<(), StoreError> {
        self.continue_stream(&Stream::Sweep, head);
        self.event(&Stream::Sweep, kind, &details)?;
        self.topic(Topic::Findings.to_string());
        Ok(())
    }

    /// One more complete look: bookkeeping of whoever leads, so that the last word wins. With it other
    /// findings are ripe, which pages say.
    pub fn put_looks(&mut self, looks: Looks) -> Result<(), StoreError> {
        let kept = item::attributes(&Kept { looks })?;
        self.put(&keys::sweep_looks(), kept, None)?;
        self.topic(Topic::Findings.to_string());
        Ok(())
    }

    /// A baseline is proposed, in the place of one that nobody agreed to.
    pub fn propose_baseline(
        &mut self,
        proposed: &ProposedBaseline,
        head: Head,
    ) -> Result<(), StoreError> {
        let attributes = item::attributes(proposed)?;
        self.put(&keys::sweep_proposed(), attributes, None)?;
        self.on_sweep(head, proposed.proposed())
    }

    /// What was proposed is no more.
    pub fn drop_baseline(
        &mut self,
        proposed: &ProposedBaseline,
        head: Head,
    ) -> Result<(), StoreError> {
        self.delete_if(&keys::sweep_proposed(), "digest", &proposed.digest)?;
        self.on_sweep(head, proposed.dropped())
    }

    /// Two admins agreed on it.
    pub fn agree_baseline(
        &mut self,
        baseline: &Baseline,
        head: Head,
        event: (Kind, Details),
    ) -> Result<(), StoreError> {
        self.delete_if(&keys::sweep_proposed(), "digest", &baseline.digest)?;
        self.put_baseline(baseline)?;
        self.on_sweep(head, event)
    }

    /// The baseline, in the place of the version before.
    pub fn put_baseline(&mut self, baseline: &Baseline) -> Result<(), StoreError> {
        let expect = Expect::as_read(baseline.version.saturating_sub(1));
        let attributes = item::attributes(baseline)?;
        self.put(&keys::sweep_baseline(), attributes, Some(expect))
    }

    /// Holds only while that is what the sweep leaves alone.
    pub fn under_baseline(&mut self, baseline: &Baseline) -> Result<(), StoreError> {
        let expect = Expect::Version(baseline.version);
        self.require(&keys::sweep_baseline(), expect)
    }

    /// An admin lets a list go.
    pub fn confirm_sweep(
        &mut self,
        confirmation: &Confirmation,
        head: Head,
    ) -> Result<(), StoreError> {
        self.put_confirmation(confirmation)?;
        self.on_sweep(head, confirmation.confirmed())
    }

    /// The confirmation, in the place of the version before.
    pub fn put_confirmation(&mut self, confirmation: &Confirmation) -> Result<(), StoreError> {
        let expect = Expect::as_read(confirmation.version.saturating_sub(1));
        let attributes = item::attributes(confirmation)?;
        self.put(&keys::sweep_confirmation(), attributes, Some(expect))
    }

    /// The sweep means to remove what an open finding is about that nobody agreed about.
    pub fn removing(
        &mut self,
        finding: &Finding,
        head: Head,
        (kind, details): (Kind, Details),
    ) -> Result<(), StoreError> {
        let at = keys::finding(finding.difference, &finding.key);
        self.require(&at, Expect::Present)?;
        let agreed = keys::agreed(finding.difference, &finding.key);
        self.require(&agreed, Expect::Absent)?;
        // Whoever decides about it meets this at the head of its stream.
        let stream = Stream::Finding(finding.id);
        self.continue_stream(&stream, head);
        self.event(&stream, kind, &details)?;
        self.topic(Topic::Findings.to_string());
        Ok(())
    }

    /// The removal of what a finding is about came to its end, by that event: it closes the finding,
    /// stays with it for people to see, or is only told, where that is closed already. Its key is
    /// looked at for a day.
    pub fn swept(
        &mut self,
        finding: &Finding,
        head: Head,
        then: Then,
        (kind, details): (Kind, Details),
    ) -> Result<(), StoreError> {
        let kept = Attributes::from([("expires_at".to_owned(), expires(self.at(), ENDED_KEPT))]);
        self.put(&keys::ended(self.at(), &finding.key), kept, None)?;
        if then == Then::Stays {
            return self.change_finding(finding, head, (kind, details));
        }
        if let Then::Closes(closed) = then {
            self.put_closed(finding, head, closed)?;
        } else {
            self.continue_stream(&Stream::Finding(finding.id), head);
        }
        self.event(&Stream::Finding(finding.id), kind, &details)?;
        self.topic(Topic::Findings.to_string());
        Ok(())
    }
}

impl Store {
    /// The complete looks so far.
    pub async fn looks(&self) -> Result<Looks, StoreError> {
        let kept: Option<Kept> = self.get(&keys::sweep_looks()).await?;
        Ok(kept.unwrap_or_default().looks)
    }

    /// What two admins agreed that the sweep leaves alone.
    pub async fn baseline(&self) -> Result<Option<Baseline>, StoreError> {
        self.get(&keys::sweep_baseline()).await
    }

    /// What is proposed for that.
    pub async fn proposed_baseline(&self) -> Result<Option<ProposedBaseline>, StoreError> {
        self.get(&keys::sweep_proposed()).await
    }

    /// The list that an admin let go last.
    pub async fn confirmation(&self) -> Result<Option<Confirmation>, StoreError> {
        self.get(&keys::sweep_confirmation()).await
    }

    /// Whether anything is agreed about an unmanaged key, also what this version cannot read.
    pub async fn is_agreed(&self, finding: &Finding) -> Result<bool, StoreError> {
        let at = keys::agreed(Difference::Unmanaged, &finding.key);
        let found: Option<serde_json::Value> = self.get(&at).await?;
        Ok(found.is_some())
    }

    /// The names under which anything is agreed, also what this version cannot read.
    pub async fn agreed_names(&self) -> Result<std::collections::BTreeSet<String>, StoreError> {
        self.names_of(keys::AGREED).await
    }
}
