//! Submit: all of it, or nothing of it.

use std::collections::BTreeSet;

use domain::event::Stream;
use domain::id::{AskIndex, GrantId, RequestId};
use domain::policy::{BreakGlass, Code, Facts, Outcome, Proposal, Seconds, Verdict, decide};
use domain::request::{Ask, AskState, Completion, Extends, Granting, Names, Request, Terms};
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::approve::{Approval, counted, stored};
use super::asked::{Asked, Submission};
use super::facts::LiveFacts;
use super::first;
use super::held::Held;
use super::{Caller, Invalid, PENDING_MAX, SUBMISSIONS_AN_HOUR, Service, ServiceError, WhyRefused};
use crate::store::{Commit, Tally, fresh_grant, now};
use crate::world::World;

/// Two submissions of the same that follow each other so closely are one that was sent twice.
const SECOND_CLICK_WITHIN: SignedDuration = SignedDuration::from_secs(10);

/// A start that has passed by no more than this was meant to be now: forms know minutes only.
const START_PASSED: SignedDuration = SignedDuration::from_secs(60);

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// A new request.
    New(RequestId),
    /// They wait for this already: this is where.
    AlreadyPending(RequestId),
}

impl Service {
    /// Submits a request.
    pub async fn submit(
        &self,
        caller: &Caller,
        submission: &Submission,
    ) -> Result<Submitted, ServiceError> {
        self.again_under_policy(|| self.try_submit(caller, submission))
            .await
    }

    async fn try_submit(
        &self,
        caller: &Caller,
        submission: &Submission,
    ) -> Result<Submitted, ServiceError> {
        let world = self.world_for_giving()?;
        let asked = Asked::of(&world, submission)?;
        let first = self.first(caller, submission).await?;
        let tally = self.store.tally(&caller.who.id).await?;
        // Whoever goes in first may have asked before, and waited in vain.
        if first.is_none()
            && let Some(pending) = self.pending_already(&asked, &tally).await?
        {
            return Ok(Submitted::AlreadyPending(pending));
        }
        let at = now();
        let tally = within_limits(tally, &asked, at)?;
        let held = self.held_on(caller, &asked.targets).await?;
        let terms = terms(submission, &held, at)?;
        if first
            .as_ref()
            .is_some_and(|first| !first.unsigned.is_empty())
            && let Some(before) = self.granted_just_now(&held, submission, &terms, at).await?
        {
            return Ok(Submitted::AlreadyPending(before));
        }
        let judging = Judging {
            duration_seconds: submission.duration_seconds,
            reason_chars: submission.reason_chars(),
            terms: &terms,
            break_glass: first::asked(first.as_ref()),
            at,
        };
        let people = BTreeSet::from([caller.who.id.clone()]);
        let live = self.live(&world, &people, asked.targets.iter()).await?;
        let verdicts = judging.verdicts(&world, &live, &held, &asked)?;
        first::all_at_once(&asked, first.as_ref(), &verdicts)?;
        let granted = |verdict: &Verdict| verdict.outcome == Outcome::Granted;
        if verdicts.iter().all(granted)
            && let Some(before) = self.granted_just_now(&held, submission, &terms, at).await?
        {
            return Ok(Submitted::AlreadyPending(before));
        }
        let request = assemble(
            &world,
            &live.facts(),
            caller,
            (submission, terms),
            &asked.targets,
            &verdicts,
            at,
        )?;
        let id = request.id;
        let mut commit = Commit::new(caller.actor(), caller.source, at);
        commit.under_policy(world.policy.version())?;
        let (kind, details) = request.submitted();
        commit.event(&Stream::Request(id), kind, &details)?;
        let mut approval = Approval::new(request);
        if verdicts.iter().any(needs_proof) {
            let purpose = submission.purpose();
            self.prove(caller, &purpose, &mut commit, &mut approval)
                .await?;
        }
        for (index, verdict) in verdicts.iter().enumerate() {
            if verdict.outcome != Outcome::Granted {
                continue;
            }
            let completion = Completion {
                rule: verdict
                    .granted_by
                    .as_ref()
                    .map_or_else(String::new, ToString::to_string),
                duration_seconds: submission.duration_seconds,
                grant: fresh_grant(),
                policy: world.policy.version().clone(),
            };
            let index = ask_index(index);
            let people = (&*world, &live.facts(), &caller.who.id);
            first::complete(
                &mut approval,
                &mut commit,
                index,
                verdict,
                &completion,
                people,
            )?;
        }
        first::went_in(&approval, &mut commit, first.as_ref())?;
        approval.promise(self, &mut commit, &held)?;
        let request = approval.request();
        commit.submit(request)?;
        let mut counted = counted(&tally.pruned, request);
        counted.submitted.push(at);
        commit.change_tally(&caller.who.id, &tally.read, &counted)?;
        let broke = request.is_break_glass();
        self.store.commit(commit).await?;
        if broke {
            metrics::counter!("belay_break_glass_total").increment(1);
            tracing::warn!(request = %id, "somebody went in by break-glass");
        }
        Ok(Submitted::New(id))
    }

    /// The request in which they wait for exactly this. Waiting for a part of it refuses, and says
    /// for which.
    async fn pending_already(
        &self,
        asked: &Asked<'_>,
        tally: &Tally,
    ) -> Result<Option<RequestId>, ServiceError> {
        let pending: Vec<Option<RequestId>> = asked
            .targets
            .iter()
            .map(|target| tally.pending.get(&target.to_string()).copied())
            .collect();
        let Some(first) = pending.iter().flatten().next().copied() else {
            return Ok(None);
        };
        if pending.iter().all(|one| *one == Some(first)) {
            let request = self.store.request(first).await?;
            if pending.len() == 1
                || request.is_some_and(|request| request.asks.len() == pending.len())
            {
                return Ok(Some(first));
            }
        }
        let refused = pending
            .into_iter()
            .enumerate()
            .filter_map(|(place, pending)| {
                Some(asked.refused(place, WhyRefused::Pending(pending?)))
            });
        Err(ServiceError::Refused(refused.collect()))
    }

    /// What they have of each already.
    pub(super) async fn held_on(
        &self,
        caller: &Caller,
        targets: &[Target],
    ) -> Result<Vec<Held>, ServiceError> {
        let reads = targets.iter().map(|target| {
            self.held(Key {
                user: caller.who.id.clone(),
                target: target.clone(),
            })
        });
        futures::future::try_join_all(reads).await
    }

    /// The request of the same person that was granted the same within the last seconds: a second
    /// click, or a repeated one whose answer was lost.
    async fn granted_just_now(
        &self,
        held: &[Held],
        submission: &Submission,
        terms: &Terms,
        at: Timestamp,
    ) -> Result<Option<RequestId>, ServiceError> {
        let targets: BTreeSet<&Target> = held.iter().map(|held| &held.key.target).collect();
        let Some(first) = held.first() else {
            return Ok(None);
        };
        for grant in &first.grants {
            let Some(before) = self.store.request(grant.request).await? else {
                continue;
            };
            let same = at.duration_since(before.submitted_at) < SECOND_CLICK_WITHIN
                && before.duration_seconds == submission.duration_seconds
                && before.terms.ticket == terms.ticket
                && before.terms.start == terms.start
                && before.terms.extends.is_none()
                && terms.extends.is_none()
                && before
                    .asks
                    .iter()
                    .map(|ask| &ask.target)
                    .collect::<BTreeSet<_>>()
                    == targets;
            if same {
                return Ok(Some(before.id));
            }
        }
        Ok(None)
    }
}

/// What is judged, besides the targets.
pub(super) struct Judging<'a> {
    pub(super) duration_seconds: u32,
    pub(super) reason_chars: usize,
    pub(super) terms: &'a Terms,
    pub(super) break_glass: BreakGlass,
    pub(super) at: Timestamp,
}

impl Judging<'_> {
    /// What policy says of one target, by these facts.
    pub(super) fn verdict(&self, world: &World, facts: &Facts<'_>, held: &Held) -> Verdict {
        let (terms, at) = (self.terms, self.at);
        let begins = terms.start.map_or(at, |start| start.max(at));
        let running = held.running_at(begins);
        let proposal = Proposal {
            ticket: terms.ticket.clone(),
            start: terms.start,
            run: running.map(|running| running.run(terms.extends.is_some())),
            break_glass: self.break_glass,
            ..Proposal::new(
                held.key.user.clone(),
                held.key.target.clone(),
                Seconds::new(self.duration_seconds),
                self.reason_chars,
                at,
            )
        };
        decide(&world.policy, &proposal, facts)
    }

    /// What policy says of all. All or nothing: one refused target refuses all, each named.
    fn verdicts(
        &self,
        world: &World,
        live: &LiveFacts<'_>,
        held: &[Held],
        asked: &Asked<'_>,
    ) -> Result<Vec<Verdict>, ServiceError> {
        let facts = live.facts();
        let verdicts: Vec<Verdict> = held
            .iter()
            .map(|held| self.verdict(world, &facts, held))
            .collect();
        let is_refused = |verdict: &Verdict| verdict.outcome == Outcome::Refused;
        if verdicts.iter().any(is_refused) {
            let refused = verdicts
                .into_iter()
                .enumerate()
                .filter(|(_, verdict)| is_refused(verdict))
                .map(|(place, verdict)| {
                    let verdict = Box::new(verdict.for_requester());
                    asked.refused(place, WhyRefused::Policy(verdict))
                });
            return Err(ServiceError::Refused(refused.collect()));
        }
        Ok(verdicts)
    }
}

/// Whether a guardrail wants whoever approves this for themselves to have signed in just before.
/// What nobody approves needs no proof of who does.
pub(super) fn needs_proof(verdict: &Verdict) -> bool {
    verdict.reauthenticate && verdict.outcome == Outcome::Granted && verdict.code != Code::Automatic
}

/// What a person waits for, as it was read and as it counts now.
pub(super) struct Counted {
    read: Tally,
    pruned: Tally,
}

/// Refuses what one person may not do so often.
pub(super) fn within_limits(
    tally: Tally,
    asked: &Asked<'_>,
    at: Timestamp,
) -> Result<Counted, ServiceError> {
    let hour_ago = at
        .checked_sub(SignedDuration::from_hours(1))
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let mut pruned = tally.clone();
    pruned.submitted.retain(|submitted| *submitted > hour_ago);
    if pruned.pending.len() + asked.targets.len() > PENDING_MAX {
        return Err(ServiceError::TooManyPending {
            limit: u32::try_from(PENDING_MAX).unwrap_or(u32::MAX),
        });
    }
    if pruned.submitted.len() >= SUBMISSIONS_AN_HOUR {
        return Err(ServiceError::TooManySubmissions {
            limit: u32::try_from(SUBMISSIONS_AN_HOUR).unwrap_or(u32::MAX),
        });
    }
    Ok(Counted {
        read: tally,
        pruned,
    })
}

/// What is asked for besides targets. An extension begins when what it extends ends.
pub(super) fn terms(
    submission: &Submission,
    held: &[Held],
    at: Timestamp,
) -> Result<Terms, ServiceError> {
    let ticket = submission.ticket.trim();
    let mut terms = Terms {
        ticket: (!ticket.is_empty()).then(|| ticket.to_owned()),
        start: later(submission.start, at)?,
        granting: submission.granting,
        extends: None,
    };
    if let Some(grant) = submission.extends {
        let [held] = held else {
            return Err(ServiceError::Invalid(vec![Invalid::Targets]));
        };
        if terms.start.is_some() {
            return Err(ServiceError::Invalid(vec![Invalid::StartOfExtension]));
        }
        let running = running(held, grant, at).ok_or(ServiceError::NotLive)?;
        terms.start = Some(running.until);
        terms.extends = Some(Extends {
            grant,
            run_from: running.from,
        });
    }
    if held.len() == 1 {
        // There is nothing to wait for.
        terms.granting = Granting::Together;
    }
    Ok(terms)
}

fn running(held: &Held, grant: GrantId, at: Timestamp) -> Option<super::held::Running> {
    let running = held.running_with(grant)?;
    (running.until > at).then_some(running)
}

fn later(start: Option<Timestamp>, at: Timestamp) -> Result<Option<Timestamp>, ServiceError> {
    match start {
        Some(start) if at.duration_since(start) > START_PASSED => {
            Err(ServiceError::Invalid(vec![Invalid::StartPassed]))
        }
        Some(start) if start > at => Ok(Some(start)),
        _ => Ok(None),
    }
}

fn ask_index(place: usize) -> AskIndex {
    AskIndex(u8::try_from(place).unwrap_or(u8::MAX))
}

fn assemble(
    world: &World,
    facts: &Facts<'_>,
    caller: &Caller,
    (submission, terms): (&Submission, Terms),
    targets: &[Target],
    verdicts: &[Verdict],
    at: Timestamp,
) -> Result<Request, ServiceError> {
    let expires_after = i64::from(world.policy.request_expires_after().get());
    let expires_at = at
        .checked_add(SignedDuration::from_secs(expires_after))
        .map_err(|_| ServiceError::Invalid(vec![Invalid::Duration]))?;
    let asks = targets
        .iter()
        .zip(verdicts)
        .enumerate()
        .map(|(place, (target, verdict))| {
            Ok(Ask {
                index: ask_index(place),
                target: target.clone(),
                names: names(facts, target)?,
                state: AskState::Pending,
                verdict: stored(verdict.clone(), targets.len())?,
                reviews: Vec::new(),
                glass: None,
            })
        })
        .collect::<Result<Vec<Ask>, ServiceError>>()?;
    Ok(Request {
        id: RequestId::new(Uuid::now_v7()),
        requester: caller.who.clone(),
        reason: submission.reason.trim().to_owned(),
        duration_seconds: submission.duration_seconds,
        submitted_at: at,
        expires_at,
        policy: world.policy.version().clone(),
        terms,
        asks,
        nudged_at: None,
        version: 1,
    })
}

/// How people call the target now: kept with the request, since names change.
fn names(facts: &Facts<'_>, target: &Target) -> Result<Names, ServiceError> {
    let directory = facts.directory;
    match target {
        Target::Account {
            account,
            permission_set,
        } => {
            let account = directory.accounts.get(account);
            let set = directory.permission_sets.get(permission_set);
            let (account, set) = account.zip(set).ok_or(ServiceError::NotFound)?;
            Ok(Names {
                account: account.name.clone(),
                permission_set: set.name.to_string(),
                session_seconds: set.session_seconds,
            })
        }
        Target::Group { group } => {
            let known = directory.groups.get(group).ok_or(ServiceError::NotFound)?;
            Ok(Names {
                account: String::new(),
                permission_set: known.name.clone(),
                session_seconds: directory.longest_session_of(group, facts.holdings),
            })
        }
    }
}
