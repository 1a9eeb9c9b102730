//! Those who have or lately had a grant, about once a minute: one read for each pair or group,
//! however many grants there are on it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::finding::{Closed, Difference};
use domain::id::{PolicyVersion, UserId};
use domain::policy::{self, BreakGlass, Outcome, Proposal, Seconds};
use domain::target::{Key, Target};
use tokio::time::Instant;

use super::findings::Findings;
use super::{CLASS, Pace, Reconciler, Seen};
use crate::assignments::Pair;
use crate::store::{ENDED_KEPT, StoreError, now};
use crate::world::World;

/// A pass begins at most this often. One pair with a grant costs this server a call a minute.
const EVERY: Duration = Duration::from_mins(1);

/// After the table did not answer.
const PAUSE: Duration = Duration::from_secs(10);

/// Grants that are looked through for those that the policy would refuse today.
const JUDGED_AT_ONCE: usize = 100;

/// How the live grants were judged last.
#[derive(Debug)]
struct Judged {
    /// By which policy.
    by: PolicyVersion,
    /// What was found or agreed after that: it is judged each time, and once more when it is neither
    /// any more, since an agreement may have been made and given up meanwhile.
    known: BTreeSet<Key>,
}

impl Reconciler {
    pub(super) async fn keep_near(&self) {
        let mut judged_by = None;
        loop {
            self.lead().await;
            let began = Instant::now();
            let outcome = self.near(&mut judged_by).await;
            let pause = match outcome {
                Ok(()) => EVERY.saturating_sub(began.elapsed()),
                Err(error) => {
                    tracing::error!(%error, detail = error.detail(), "those with grants cannot be looked after");
                    PAUSE
                }
            };
            metrics::histogram!("belay_reconcile_near_seconds")
                .record(began.elapsed().as_secs_f64());
            tokio::time::sleep(pause).await;
        }
    }

    async fn near(&self, judged_by: &mut Option<Judged>) -> Result<(), StoreError> {
        let mut findings = Findings::load(self).await?;
        findings.let_pass(self).await?;
        // Whoever is judged is read anew; whoever is missing here is looked at a minute later.
        let live = self.live.recent().await?;
        let live = self.parse(live.entries.iter().map(|entry| &*entry.key));
        let since = now().saturating_sub(ENDED_KEPT).unwrap_or_else(|_| now());
        let ended = self.store.ended_keys(since).await?;
        let ended = self.parse(ended.iter().map(String::as_str));
        let mut targets: BTreeMap<Target, (BTreeSet<UserId>, BTreeSet<UserId>)> = BTreeMap::new();
        for key in &live {
            let (live, _) = targets.entry(key.target.clone()).or_default();
            live.insert(key.user.clone());
        }
        for key in ended {
            let (_, ended) = targets.entry(key.target).or_default();
            ended.insert(key.user);
        }
        let pace = Pace::new(self.limiter.clone());
        for (target, (live, ended)) in &targets {
            if !self.lease.held() {
                return Ok(());
            }
            pace.step().await;
            self.look_at(target, live, ended, &mut findings).await?;
        }
        self.recheck(&mut findings).await?;
        self.judge_by_policy(judged_by, &mut findings).await?;
        findings.show();
        Ok(())
    }

    pub(super) fn parse<'t>(&self, texts: impl Iterator<Item = &'t str>) -> BTreeSet<Key> {
        let parsed = texts.filter_map(|text| {
            let key = Key::parse(text, &self.sets);
            if key.is_none() {
                // Of a kind that this version does not know: left alone (invariant 13).
                tracing::warn!(
                    key = text,
                    "a key that is not understood is not looked after"
                );
            }
            key
        });
        parsed.collect()
    }

    async fn look_at(
        &self,
        target: &Target,
        live: &BTreeSet<UserId>,
        ended: &BTreeSet<UserId>,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let (people, read) = match target {
            Target::Account { .. } => {
                let Some(pair) = Pair::of(target) else {
                    return Ok(());
                };
                let Ok(read) = self.assignments.read_pair(pair, CLASS).await else {
                    // Nothing is concluded; the next pass reads it again.
                    return Ok(());
                };
                let people = read
                    .people
                    .iter()
                    .map(|user| (user.clone(), None))
                    .collect();
                (people, read.read.clone())
            }
            Target::Group { group } => {
                let Ok(read) = self.assignments.read_group(group, CLASS).await else {
                    return Ok(());
                };
                let people = read
                    .members
                    .into_iter()
                    .map(|(user, id)| (user, Some(id)))
                    .collect::<BTreeMap<_, _>>();
                (people, read.read)
            }
        };
        let seen = Seen {
            target,
            people,
            read: &read,
        };
        // Whoever has what they should have is not even looked up.
        let is_group = matches!(target, Target::Group { .. });
        let odd = live
            .iter()
            .filter(|user| is_group || !seen.people.contains_key(user));
        let back = ended.iter().filter(|user| seen.people.contains_key(user));
        let open = findings.people_of(target);
        let people: BTreeSet<UserId> = odd.chain(back).cloned().chain(open).collect();
        self.judge(&seen, &people, findings).await
    }

    /// What is late, and whether what was found about a promise is still so.
    async fn recheck(&self, findings: &mut Findings) -> Result<(), StoreError> {
        let mut keys: BTreeSet<Key> = self.worker.late().keys().into_iter().collect();
        keys.extend(findings.keys(Difference::Missing));
        keys.extend(findings.keys(Difference::Overdue));
        for stored in self.store.keys_of(&keys).await? {
            keys.remove(&stored.state.key);
            self.compare_promise(&stored.state, None, findings).await?;
        }
        // A key that is no more promises nothing.
        for key in keys {
            for difference in [Difference::Missing, Difference::Overdue] {
                findings
                    .close_if(self, difference, &key, Closed::Ended, |_| true)
                    .await?;
            }
        }
        Ok(())
    }

    /// Which live grants today's policy would refuse: when another policy has come into force, and
    /// for what was found so.
    async fn judge_by_policy(
        &self,
        judged_by: &mut Option<Judged>,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let Some(world) = self.keeper.world() else {
            return Ok(());
        };
        let version = world.policy.version();
        let mut found = findings.known(Difference::NoLongerAllowed);
        let before = judged_by.as_ref().filter(|judged| judged.by == *version);
        found.extend(before.into_iter().flat_map(|judged| judged.known.clone()));
        if before.is_none() {
            // Read after that policy came: what was promised by the one before is all in it, and what
            // is promised from now on is decided by this one.
            let live = self.live.fresh().await?;
            found.extend(self.parse(live.entries.iter().map(|entry| &*entry.key)));
        }
        let keys: Vec<&Key> = found.iter().collect();
        for keys in keys.chunks(JUDGED_AT_ONCE) {
            self.judge_some(&world, keys, findings).await?;
        }
        *judged_by = Some(Judged {
            by: version.clone(),
            known: findings.known(Difference::NoLongerAllowed),
        });
        Ok(())
    }

    async fn judge_some(
        &self,
        world: &World,
        keys: &[&Key],
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let mut left: BTreeSet<&Key> = keys.iter().copied().collect();
        for stored in self.store.keys_of(keys.iter().copied()).await? {
            let state = &stored.state;
            left.remove(&state.key);
            let ids: Vec<_> = state.live.iter().map(|live| live.grant).collect();
            let mut refused = None;
            for grant in self.store.grants(&ids).await? {
                refused = refused.or_else(|| refuses(world, &grant));
            }
            if let Some(why) = refused {
                let difference = Difference::NoLongerAllowed;
                findings
                    .open(self, difference, &state.key, Some(state), None, Some(why))
                    .await?;
                continue;
            }
            let closed = if state.live.is_empty() {
                Closed::Ended
            } else {
                Closed::Allowed
            };
            self.close_allowed(&state.key, closed, findings).await?;
        }
        for key in left {
            self.close_allowed(key, Closed::Ended, findings).await?;
        }
        Ok(())
    }

    async fn close_allowed(
        &self,
        key: &Key,
        closed: Closed,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let difference = Difference::NoLongerAllowed;
        findings
            .close_if(self, difference, key, closed, |_| true)
            .await
    }
}

/// Whether today's policy would refuse this person this target for that long, and by which code.
/// When it was asked for, and with what ticket, is not asked again.
fn refuses(world: &World, grant: &domain::grant::Grant) -> Option<String> {
    use domain::policy::Code;

    let seconds = u32::try_from(grant.until.duration_since(grant.from).as_secs()).ok()?;
    let mut proposal = Proposal::new(
        grant.key.user.clone(),
        grant.key.target.clone(),
        Seconds::new(seconds),
        grant.reason.trim().chars().count(),
        grant.from,
    );
    if grant.break_glass {
        // What is still owed for it says nothing of what the policy allows.
        proposal.break_glass = BreakGlass::Asked;
    }
    let verdict = policy::decide(&world.policy, &proposal, &world.facts());
    let is_about_the_rule = matches!(
        verdict.code,
        Code::NoRule
            | Code::RequesterNotAllowed
            | Code::Denied
            | Code::Protected
            | Code::TooLong
            | Code::SessionTooLong
    );
    (verdict.outcome == Outcome::Refused && is_about_the_rule).then(|| verdict.code.to_string())
}
