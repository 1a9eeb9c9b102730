//! The open findings, as one pass knows them: what is found again is not found twice, and what two
//! admins agreed about is not found before that is over.

use std::collections::{BTreeMap, BTreeSet};

use domain::adoption::{Agreement, Over};
use domain::event::{Actor, Source, Stream};
use domain::finding::{Closed, Difference, Finding};
use domain::grant::ReadEvidence;
use domain::id::{FindingId, UserId};
use domain::key::KeyState;
use domain::request::{Names, Who};
use domain::target::{Key, Target};
use jiff::Timestamp;
use uuid::Uuid;

use super::Reconciler;
use crate::store::{Commit, FINDINGS_MAX, StoreError, keys, now};
use crate::world::World;

/// The open findings.
#[derive(Debug)]
pub(super) struct Findings {
    open: BTreeMap<(Difference, Key), Finding>,
    agreed: BTreeMap<(Difference, Key), Agreement>,
    /// Found, and not told for want of room.
    untold: u32,
}

impl Findings {
    pub(super) async fn load(of: &Reconciler) -> Result<Self, StoreError> {
        // What is agreed while this is read is in both, and nothing is in neither.
        let open = of.store.findings().await?;
        let agreed = of.store.agreements().await?;
        Ok(Self {
            agreed: agreed
                .into_iter()
                .map(|one| ((one.finding.difference, one.finding.key.clone()), one))
                .collect(),
            open: open
                .into_iter()
                .map(|finding| ((finding.difference, finding.key.clone()), finding))
                .collect(),
            untold: 0,
        })
    }

    /// The keys of the open findings of this kind.
    pub(super) fn keys(&self, difference: Difference) -> Vec<Key> {
        self.open
            .keys()
            .filter(|(of, _)| *of == difference)
            .map(|(_, key)| key.clone())
            .collect()
    }

    /// The same, with those about which something is agreed.
    pub(super) fn known(&self, difference: Difference) -> BTreeSet<Key> {
        self.open
            .keys()
            .chain(self.agreed.keys())
            .filter(|(of, _)| *of == difference)
            .map(|(_, key)| key.clone())
            .collect()
    }

    /// The people about whom something is found or agreed on this target.
    pub(super) fn people_of(&self, target: &Target) -> impl Iterator<Item = UserId> {
        self.open
            .keys()
            .chain(self.agreed.keys())
            .filter(move |(_, key)| key.target == *target)
            .map(|(_, key)| key.user.clone())
    }

    /// Opens one, unless it is open or agreed about.
    pub(super) async fn open(
        &mut self,
        of: &Reconciler,
        difference: Difference,
        key: &Key,
        state: Option<&KeyState>,
        read: Option<ReadEvidence>,
        why: Option<String>,
    ) -> Result<(), StoreError> {
        let place = (difference, key.clone());
        if self.open.contains_key(&place) || self.agreed.contains_key(&place) {
            return Ok(());
        }
        if self.open.len() >= FINDINGS_MAX {
            self.untold = self.untold.saturating_add(1);
            return Ok(());
        }
        let world = of.keeper.world();
        let finding = Finding {
            id: FindingId::new(Uuid::now_v7()),
            difference,
            key: key.clone(),
            names: names(world.as_deref(), &key.target),
            who: who(world.as_deref(), &key.user),
            grants: state
                .map(|state| state.live.iter().map(|live| live.grant).collect())
                .unwrap_or_default(),
            opened_at: now(),
            read,
            why,
            proposal: None,
            proposals: 0,
            revocation: None,
            failed: None,
        };
        let mut commit = Commit::new(Actor::Server(of.me), Source::Worker, finding.opened_at);
        commit.looked_after();
        commit.open_finding(&finding)?;
        match of.store.commit(commit).await {
            Ok(_) => {
                tracing::warn!(%difference, key = %finding.key, finding = %finding.id, "found");
                metrics::counter!("belay_findings_total", "difference" => difference.word())
                    .increment(1);
                self.open.insert(place, finding);
                Ok(())
            }
            // The other pass found it, or two admins closed it meanwhile.
            Err(StoreError::Changed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Closes one, if it is open and was opened at an instant of which that can be said; and ends what
    /// is agreed about it, likewise.
    pub(super) async fn close_if(
        &mut self,
        of: &Reconciler,
        difference: Difference,
        key: &Key,
        why: Closed,
        may: impl Fn(Timestamp) -> bool,
    ) -> Result<(), StoreError> {
        let place = (difference, key.clone());
        let agreed = self.agreed.get(&place);
        if let Some(over) = Over::with(why)
            && agreed.is_some_and(|agreed| may(agreed.confirmed_at))
        {
            self.end_agreement(of, &place, over).await?;
        }
        let Some(finding) = self.open.get(&place).filter(|open| may(open.opened_at)) else {
            return Ok(());
        };
        let head = of.store.head(&Stream::Finding(finding.id)).await?;
        let mut commit = of.bookkeeping();
        commit.close_finding(finding, head, why)?;
        // Perhaps closed by the other pass or by people, or something was proposed: the next pass knows.
        of.commit_unless_changed(commit).await?;
        self.open.remove(&place);
        Ok(())
    }

    /// Lets what is proposed lapse that nobody answered in time, and ends what is agreed whose time
    /// is up.
    pub(super) async fn let_pass(&mut self, of: &Reconciler) -> Result<(), StoreError> {
        let over = |at: &Agreement| at.is_over(now());
        let over: Vec<_> = self.agreed.iter().filter(|(_, at)| over(at)).collect();
        let over: Vec<_> = over.into_iter().map(|(place, _)| place.clone()).collect();
        for place in over {
            self.end_agreement(of, &place, Over::Expired).await?;
        }
        let lapsed = self.open.values().filter(|one| one.lapse(now()).is_some());
        for finding in lapsed {
            let stream = Stream::Finding(finding.id);
            // In this order: what is read after the head is what the head is of.
            let head = of.store.head(&stream).await?;
            let name = keys::finding(finding.difference, &finding.key).sk;
            let found = of.store.finding_at(&name).await?;
            let lapsed = found
                .filter(|found| found.id == finding.id)
                .and_then(|found| found.lapse(now()));
            let Some((lapsed, event)) = lapsed else {
                continue;
            };
            let mut commit = of.bookkeeping();
            commit.change_finding(&lapsed, head, event)?;
            of.commit_unless_changed(commit).await?;
        }
        Ok(())
    }

    async fn end_agreement(
        &mut self,
        of: &Reconciler,
        place: &(Difference, Key),
        over: Over,
    ) -> Result<(), StoreError> {
        let Some(agreement) = self.agreed.get(place) else {
            return Ok(());
        };
        let head = of
            .store
            .head(&Stream::Finding(agreement.finding.id))
            .await?;
        let mut commit = of.bookkeeping();
        commit.end_agreement(agreement, head, over)?;
        // Perhaps the other pass ended it, or an admin gave it up.
        of.commit_unless_changed(commit).await?;
        self.agreed.remove(place);
        Ok(())
    }

    /// How many were found for which there was no room.
    pub(super) const fn untold(&self) -> u32 {
        self.untold
    }

    /// Shows how many there are.
    pub(super) fn show(&self) {
        for difference in Difference::ALL {
            let count = self.keys(difference).len();
            metrics::gauge!("belay_findings_open", "difference" => difference.word())
                .set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        }
        let agreed = u32::try_from(self.agreed.len()).unwrap_or(u32::MAX);
        metrics::gauge!("belay_findings_agreed").set(f64::from(agreed));
        metrics::gauge!("belay_findings_untold").set(f64::from(self.untold));
        if self.untold > 0 {
            tracing::error!(
                untold = self.untold,
                limit = FINDINGS_MAX,
                "there is more to be found than is kept; close or adopt some",
            );
        }
    }
}

fn names(world: Option<&World>, target: &Target) -> Names {
    let directory = world.map(|world| &world.directory);
    let (account, permission_set, session_seconds) = match target {
        Target::Account {
            account,
            permission_set,
        } => {
            let set = directory.and_then(|it| it.permission_sets.get(permission_set));
            (
                directory
                    .and_then(|it| it.accounts.get(account))
                    .map_or_else(|| account.to_string(), |account| account.name.clone()),
                set.map_or_else(|| permission_set.to_string(), |set| set.name.to_string()),
                set.map_or(0, |set| set.session_seconds),
            )
        }
        Target::Group { group } => (
            String::new(),
            directory
                .and_then(|it| it.groups.get(group))
                .map_or_else(|| group.to_string(), |group| group.name.clone()),
            0,
        ),
    };
    Names {
        account,
        permission_set,
        session_seconds,
    }
}

fn who(world: Option<&World>, user: &UserId) -> Who {
    let person = world.and_then(|world| world.directory.people.get(user));
    Who {
        id: user.clone(),
        name: person.map_or_else(|| user.to_string(), |person| person.display_name.clone()),
        email: person.and_then(|person| person.emails.first().cloned()),
    }
}
