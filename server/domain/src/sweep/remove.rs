//! One removal by the sweep, or as two admins agreed, on the same path as every other deletion: an intent in the key's item,
//! followed to its end, and proved by an independent read.
//!
//! It is tried once. What fails is not sent again by itself as the end of a grant is: the next look
//! judges everything anew. Deliberately absent: the judgement, which is [`super::plan`]'s.

use jiff::Timestamp;

use crate::event::{Details, Kind};
use crate::finding::{Closed, Difference, Failed, Finding};
use crate::grant::Receipt;
use crate::id::FindingId;
use crate::key::{Action, Before, KeyState, Operation, Standing};
use crate::plan::{Change, Context};
use crate::request::{Names, Who};
use crate::target::{Key, Target};

/// Why a removal is given up where somebody was promised the access meanwhile.
pub(crate) const WANTED: &str = "wanted";

/// What became of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swept {
    /// It is proved.
    Removed(Receipt),
    /// It did not happen, or is not proved: the finding stays.
    NotRemoved {
        /// What AWS said, or what stood in the way, as a code.
        reason: String,
    },
}

/// The intent to remove what a finding is about. `None`: something of ours is on this key.
#[must_use]
pub fn remove(key: &KeyState, finding: FindingId, at: Context) -> Option<Change> {
    let is_free = key.live.is_empty()
        && key.operation.is_none()
        && key.standing != Standing::Standing
        && key.unsettled_until(at.now).is_none();
    if !is_free {
        return None;
    }
    let mut change = Change::to(key.clone());
    change.intend(Action::Delete, Before::Uncertain, 1, at);
    if let Some(operation) = &mut change.key.operation {
        operation.finding = Some(finding);
    }
    Some(change)
}

/// Whatever became of the operation, it is not tried again.
pub(crate) fn give_up(key: &KeyState, finding: FindingId, reason: &str) -> Change {
    let mut change = Change::to(key.clone());
    change.key.operation = None;
    change.not_removed(Some(finding), reason);
    change.settle()
}

impl Change {
    /// The operation of that finding ended without what it was for.
    pub(crate) fn not_removed(&mut self, finding: Option<FindingId>, reason: &str) {
        let reason = reason.to_owned();
        self.swept = finding.map(|finding| (finding, Swept::NotRemoved { reason }));
    }

    /// The operation has ended with this receipt.
    pub(crate) fn removed(&mut self, operation: Option<&Operation>, receipt: &Receipt) {
        let finding = operation.and_then(|operation| operation.finding);
        self.swept = finding.map(|finding| (finding, Swept::Removed(receipt.clone())));
    }
}

impl Swept {
    /// How a finding closes by this receipt.
    #[must_use]
    pub const fn closes_as(receipt: &Receipt) -> Closed {
        if receipt.access_is_gone() {
            Closed::Removed
        } else {
            Closed::Gone
        }
    }
}

impl Finding {
    /// One of which only the key is known any more: what was done about it is told all the same.
    #[must_use]
    pub fn nameless(id: FindingId, key: &Key, now: Timestamp) -> Self {
        let (account, permission_set) = match &key.target {
            Target::Account {
                account,
                permission_set,
            } => (account.to_string(), permission_set.to_string()),
            Target::Group { group } => (String::new(), group.to_string()),
        };
        Self {
            id,
            difference: Difference::Unmanaged,
            key: key.clone(),
            names: Names {
                account,
                permission_set,
                session_seconds: 0,
            },
            who: Who {
                id: key.user.clone(),
                name: key.user.to_string(),
                email: None,
            },
            grants: Vec::new(),
            opened_at: now,
            read: None,
            why: None,
            proposal: None,
            proposals: 0,
            revocation: None,
            failed: None,
        }
    }

    /// The same, with what kept it from being removed.
    #[must_use]
    pub fn not_removed(&self, reason: &str, at: Timestamp) -> Self {
        Self {
            failed: Some(Failed {
                at,
                reason: reason.to_owned(),
            }),
            ..self.clone()
        }
    }

    /// What happens when the sweep means to remove what it is about, and by what it was judged.
    #[must_use]
    pub fn removing(&self, known_since: Timestamp, baseline: &str) -> (Kind, Details) {
        let mut details = self.details();
        details.note("opened_at", &self.opened_at.to_string());
        details.note("known_since", &known_since.to_string());
        details.note("baseline", baseline);
        (Kind::FindingRemoving, details)
    }

    /// What happened when that came to its end.
    #[must_use]
    pub fn swept(&self, swept: &Swept) -> (Kind, Details) {
        let mut details = self.details();
        details.note("opened_at", &self.opened_at.to_string());
        match swept {
            Swept::Removed(receipt) => {
                if let Receipt::Removed { aws_request_id, .. } = receipt {
                    details.aws_request_id = Some(aws_request_id.clone());
                }
                let is_gone = receipt.access_is_gone();
                details.evidence("receipt", receipt);
                details.note("access_is_gone", if is_gone { "true" } else { "false" });
                details.note("closed_as", Swept::closes_as(receipt).word());
                (Kind::FindingRemoved, details)
            }
            Swept::NotRemoved { reason } => {
                details.note("not_removed_as", reason);
                (Kind::FindingNotRemoved, details)
            }
        }
    }
}
