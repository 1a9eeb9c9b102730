//! History, for auditors and admins.

use domain::held::{End, Life};
use domain::id::{AccountId, GroupId, PermissionSetArn, UserId};
use domain::target::Target;
use jiff::{SignedDuration, Timestamp};

use super::{Caller, Role, Service, ServiceError};
use crate::store::history::{Bound, Found, Place, Search};
use crate::store::item::Summary;
use crate::store::now;

/// Taking access away needs some tens of seconds at AWS; what takes longer deserves a look.
pub(crate) const OVERDUE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// What is looked for, as typed but for dates and the place.
#[derive(Debug, Clone, Default)]
pub struct HistorySearch {
    /// Submitted at this instant or later.
    pub from: Option<Timestamp>,
    /// Submitted before this instant.
    pub before: Option<Timestamp>,
    /// Part of a requester's name or e-mail, or their id.
    pub person: String,
    /// Part of an account's name or id.
    pub account: String,
    /// Part of a permission set's name, or of a group's; or the id of either.
    pub permission_set: String,
    /// A state's word.
    pub state: String,
    /// Part of the reason or of the ticket.
    pub text: String,
    /// Where the page before ended.
    pub after: Option<Place>,
}

impl Service {
    /// One page of history.
    pub async fn history(
        &self,
        caller: &Caller,
        wanted: &HistorySearch,
    ) -> Result<Found, ServiceError> {
        self.must_see_all(caller).await?;
        let at = now();
        let keep = |row: &Summary| wanted.keeps(row, at);
        let search = wanted.indexed();
        Ok(self.store.history(&search, Bound::PAGE, at, keep).await?)
    }

    /// Everyone's requests are for auditors and admins, by their groups as they are now.
    pub(super) async fn must_see_all(&self, caller: &Caller) -> Result<(), ServiceError> {
        let world = self.world()?;
        match self.live_role(&world, caller).await? {
            Role::Admin | Role::Auditor => Ok(()),
            Role::Person => Err(ServiceError::NotAllowed),
        }
    }
}

impl HistorySearch {
    /// An index is used for ids alone: a name may be a leaver's, or a set's that was made anew, and
    /// an index by today's id would hide those rows without a word.
    pub(super) fn indexed(&self) -> Search {
        Search {
            from: self.from,
            before: self.before,
            person: UserId::parse(&self.person).ok(),
            account: AccountId::parse(&self.account).ok(),
            permission_set: PermissionSetArn::parse(&self.permission_set).ok(),
            group: GroupId::parse(&self.permission_set).ok(),
            after: self.after.clone(),
        }
    }

    /// Everything that was typed, whatever an index has found already.
    pub(super) fn keeps(&self, row: &Summary, at: Timestamp) -> bool {
        let who = &row.requester;
        let person = who.id.as_str() == self.person
            || contains(&who.name, &self.person)
            || contains(who.email.as_deref().unwrap_or_default(), &self.person);
        let account = contains(&row.names.account, &self.account)
            || matches!(&row.target, Target::Account { account, .. }
                if contains(account.as_str(), &self.account));
        let set = contains(&row.names.permission_set, &self.permission_set)
            || match &row.target {
                Target::Account { permission_set, .. } => {
                    permission_set.as_str() == self.permission_set
                }
                Target::Group { group } => group.as_str() == self.permission_set,
            };
        let state = self.state.is_empty() || row.word(at) == self.state;
        let text = contains(&row.reason, &self.text)
            || contains(row.ticket.as_deref().unwrap_or_default(), &self.text);
        person && account && set && state && text
    }
}

/// Whether the text has that part, whatever its case. Everything has an empty one.
fn contains(text: &str, part: &str) -> bool {
    part.is_empty() || text.to_lowercase().contains(&part.to_lowercase())
}

impl Summary {
    /// The word for what it is at that instant, as pages and searches have it.
    pub(crate) fn word(&self, at: Timestamp) -> &str {
        match self.state.as_str() {
            // Its grant's own word comes with the worker's first step.
            "approved" => "scheduled",
            "granting" | "active" | "revoking" if self.is_overdue(at) => "overdue",
            word => word,
        }
    }

    fn is_overdue(&self, at: Timestamp) -> bool {
        self.granted_until
            .and_then(|until| until.saturating_add(OVERDUE_AFTER).ok())
            .is_some_and(|late| late <= at)
    }

    /// What is on record of its access; `None` if it never was to begin.
    pub(crate) fn life(&self) -> Option<Life> {
        let (from, until) = (self.granted_from?, self.granted_until?);
        let receipt = self.receipt.as_deref();
        let nothing_done = matches!(self.state.as_str(), "approved" | "scheduled");
        if nothing_done || receipt == Some("never-granted") {
            return None;
        }
        let end = match (self.ended_at, receipt) {
            (None, _) => End::Open,
            (Some(at), Some("removed" | "absent-already" | "held-by" | "standing")) => {
                End::Over(at)
            }
            // Also a receipt of a later version: it is not this one's to call that a proof.
            (Some(_), _) => End::Unproven,
        };
        Some(Life {
            // What an older server recorded does not say: not before its window.
            begun: self.begun_at.or(Some(from)),
            active: self.active_at,
            until,
            end,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use domain::held::{Held, When};
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_795_333_685, 0) + SignedDuration::from_secs(second)
    }

    fn row(more: &serde_json::Value) -> Summary {
        let mut row = json!({
            "request": "01932c07-20a1-7e3c-a0a5-0123456789ab",
            "ask": 0,
            "requester": {
                "id": "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b",
                "name": "Ana Silva",
                "email": "ana.silva@example.com",
            },
            "target": { "kind": "group", "group": "a3a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6c" },
            "names": { "account": "", "permission_set": "On Call", "session_seconds": 3600 },
            "reason": "INC-7: the batch is stuck",
            "submitted_at": at(-60),
            "duration_seconds": 100,
            "state": "ended",
            "reviewers": [],
            "granted_from": at(0),
            "granted_until": at(100),
            "ended_at": at(130),
            "receipt": "removed",
        });
        let fields = row.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        serde_json::from_value(row).unwrap()
    }

    fn held(more: &serde_json::Value, second: i64) -> Option<Held> {
        row(more).life()?.held(When::At(at(second)))
    }

    #[test]
    fn what_is_on_record_says_what_was_held() {
        let whole = json!({ "begun_at": at(5), "active_at": at(10) });
        assert_eq!(held(&whole, 4), None);
        assert_eq!(held(&whole, 5), Some(Held::Perhaps));
        assert_eq!(held(&whole, 10), Some(Held::Surely));
        assert_eq!(held(&whole, 130), None);
        // As an older server wrote it.
        assert_eq!(held(&json!({}), 50), Some(Held::Perhaps));
        for (receipt, after) in [
            ("absent-already", None),
            ("held-by", None),
            ("standing", None),
            ("target-gone", Some(Held::Perhaps)),
            ("of-a-later-version", Some(Held::Perhaps)),
        ] {
            let row = json!({ "active_at": at(10), "receipt": receipt });
            assert_eq!(held(&row, 50), Some(Held::Surely), "{receipt}");
            assert_eq!(held(&row, 1_000), after, "{receipt}");
        }
        assert_eq!(held(&json!({ "receipt": "never-granted" }), 50), None);
        let scheduled = json!({ "state": "scheduled", "ended_at": null, "receipt": null });
        assert_eq!(held(&scheduled, 50), None);
        let ending = json!({ "state": "revoking", "ended_at": null, "receipt": null });
        assert_eq!(held(&ending, 10_000), Some(Held::Perhaps));
        let pending = json!({ "state": "pending", "granted_from": null, "granted_until": null });
        assert_eq!(held(&pending, 50), None);
    }

    #[test]
    fn a_state_is_what_pages_show() {
        let word = |state: &str, second| {
            let row = row(&json!({ "state": state }));
            row.word(at(second)).to_owned()
        };
        assert_eq!(word("approved", 0), "scheduled");
        assert_eq!(word("active", 159), "active");
        assert_eq!(word("active", 160), "overdue");
        assert_eq!(word("revoking", 160), "overdue");
        assert_eq!(word("ended", 1_000), "ended");
    }

    #[test]
    fn a_text_is_looked_for_in_the_reason_and_the_ticket() {
        let keeps = |text: &str| {
            let text = text.to_owned();
            let search = HistorySearch {
                text,
                ..HistorySearch::default()
            };
            search.keeps(&row(&json!({ "ticket": "PAY-42" })), at(0))
        };
        assert!(keeps("STUCK") && keeps("pay-4") && keeps(""));
        assert!(!keeps("PAY-43"));
    }
}
