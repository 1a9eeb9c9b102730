//! One assignment that nobody promised, looked at once more before it is taken away: what is read
//! here is what the judgement is made by, and a condition of the intent.

use domain::event::{Actor, Head, Source, Stream};
use domain::finding::Finding;
use domain::grant::ReadEvidence;
use domain::key::KeyState;
use domain::plan::{self, Context};
use domain::reconcile::is_unmanaged;
use domain::sweep::plan::{Left, Ours};
use domain::sweep::remove::remove;

use super::{CLASS, Reconciler};
use crate::assignments::Pair;
use crate::store::item::StoredKey;
use crate::store::{Commit, StoreError, keys};

/// What came of one removal's last judgement.
pub(super) enum Judged {
    /// The intent is on record.
    Intended,
    /// It is left, and why.
    Left(&'static str),
}

/// An assignment that is there, as a complete read and then the table show it.
pub(super) struct Present {
    /// Its finding, as it is now.
    pub(super) finding: Finding,
    head: Head,
    stored: Option<StoredKey>,
    read: ReadEvidence,
    /// When it was judged, and by whom.
    pub(super) context: Context,
}

/// What a look showed.
pub(super) enum Shown {
    /// It is there.
    Present(Box<Present>),
    /// A complete read does not show it: where its finding is still open, that, and where its stream
    /// stood before.
    Gone(Option<(Box<Finding>, Head)>),
    /// Nothing can be told, and why.
    Untold(&'static str),
}

impl Present {
    /// What stands of its key in the table.
    pub(super) fn ours(&self) -> Ours {
        Ours::of(self.state(), self.context.now)
    }

    fn state(&self) -> Option<&KeyState> {
        self.stored.as_ref().map(|stored| &stored.state)
    }
}

impl Reconciler {
    /// Reads the pair and then the table.
    pub(super) async fn look_again(&self, finding: &Finding) -> Result<Shown, StoreError> {
        let key = &finding.key;
        let Some(pair) = Pair::of(&key.target) else {
            return Ok(Shown::Untold(Left::NotAnAssignment.word()));
        };
        let Ok(read) = self.assignments.read_pair(pair, CLASS).await else {
            return Ok(Shown::Untold("unread"));
        };
        // In this order: what is read after the head is what the head is of.
        let head = self.store.head(&Stream::Finding(finding.id)).await?;
        let name = keys::finding(finding.difference, key).sk;
        let found = self.store.finding_at(&name).await?;
        let found = found.filter(|found| found.id == finding.id);
        if !read.people.contains(&key.user) {
            return Ok(Shown::Gone(found.map(|found| (Box::new(found), head))));
        }
        let Some(finding) = found else {
            return Ok(Shown::Untold("closed"));
        };
        let stored = self.store.key(key).await?;
        Ok(Shown::Present(Box::new(Present {
            finding,
            head,
            stored,
            read: read.read.clone(),
            context: self.worker.context(),
        })))
    }

    /// Records the intent to take it away, with what `say` makes of its finding and its stream.
    pub(super) async fn intend(
        &self,
        present: Present,
        say: impl FnOnce(&mut Commit, &Finding, Head) -> Result<(), StoreError>,
    ) -> Result<Judged, StoreError> {
        let (state, context) = (present.state(), present.context);
        if !is_unmanaged(state, &present.read) {
            return Ok(Judged::Left(Left::UnderWay.word()));
        }
        let nobodys = KeyState::new(present.finding.key.clone());
        let finding = present.finding.id;
        let Some(change) = remove(state.unwrap_or(&nobodys), finding, context) else {
            return Ok(Judged::Left(Left::UnderWay.word()));
        };
        let mut commit = Commit::new(Actor::Server(self.me), Source::Worker, context.now);
        say(&mut commit, &present.finding, present.head)?;
        let due_at = plan::due(&change.key, context);
        let state = change.key;
        commit.change_key(present.stored.as_ref(), &StoredKey { state, due_at })?;
        if !self.lease.held() {
            return Ok(Judged::Left("lease-lost"));
        }
        self.store.commit(commit).await?;
        Ok(Judged::Intended)
    }
}
