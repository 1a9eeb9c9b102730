//! Submit: all of it, or nothing of it.

use std::collections::BTreeSet;

use domain::event::Stream;
use domain::id::{AccountId, AskIndex, PermissionSetName, RequestId};
use domain::policy::{Code, Outcome, Proposal, Seconds, Verdict, decide};
use domain::request::{Ask, AskState, Completion, Names, Request};
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::approve::Approval;
use super::{
    Caller, DECIDE_AGAIN, Invalid, PENDING_MAX, SUBMISSIONS_AN_HOUR, Service, ServiceError,
};
use crate::proof::Purpose;
use crate::store::{Commit, fresh_grant, now};
use crate::world::World;

/// Targets of one request. The domain and the store take ten; promising several together, and
/// remembering each one's approval until the last, is not built yet, so more are refused here.
const TARGETS_MAX: usize = 1;

/// Two submissions of the same that follow each other so closely are one that was sent twice.
const SECOND_CLICK_WITHIN: SignedDuration = SignedDuration::from_secs(10);

/// What a person submits, as typed but for the form.
#[derive(Debug, Clone)]
pub struct Submission {
    /// What is asked for.
    pub targets: Vec<(AccountId, PermissionSetName)>,
    /// For how long, in seconds.
    pub duration_seconds: u32,
    /// Why.
    pub reason: String,
}

impl Submission {
    /// What a proof has to be for, where a guardrail asks for one.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        let targets = self.targets.iter();
        Purpose::submit(targets.map(|(account, set)| spelled(account, set)))
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// A new request.
    New(RequestId),
    /// They wait for this target already: this is where.
    AlreadyPending(RequestId),
}

impl Service {
    /// Submits a request.
    pub async fn submit(
        &self,
        caller: &Caller,
        submission: &Submission,
    ) -> Result<Submitted, ServiceError> {
        for _ in 0..DECIDE_AGAIN {
            match self.try_submit(caller, submission).await {
                // Another policy would refuse the next try as well.
                Err(ServiceError::Changed) => self.check_policy(&*self.world()?).await?,
                other => return other,
            }
        }
        Err(ServiceError::Changed)
    }

    async fn try_submit(
        &self,
        caller: &Caller,
        submission: &Submission,
    ) -> Result<Submitted, ServiceError> {
        let world = self.world_for_giving()?;
        let targets = targets(&world, submission)?;
        if let [target] = targets.as_slice()
            && let Some(pending) = self.store.pending(&caller.who.id, target).await?
        {
            return Ok(Submitted::AlreadyPending(pending));
        }
        self.check_limits(caller).await?;
        let verdicts = self.verdicts(&world, caller, submission, &targets).await?;
        let at = now();
        if let ([target], [verdict]) = (targets.as_slice(), verdicts.as_slice())
            && verdict.outcome == Outcome::Granted
            && let Some(granted) = self
                .granted_just_now(caller, target, submission, at)
                .await?
        {
            return Ok(Submitted::AlreadyPending(granted));
        }
        let request = assemble(&world, caller, submission, &targets, &verdicts, at)?;
        let id = request.id;
        let mut commit = Commit::new(caller.actor(), caller.source, at);
        commit.under_policy(world.policy.version())?;
        let stream = Stream::Request(id);
        let (kind, details) = request.submitted();
        commit.event(&stream, kind, &details)?;
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
            let index = AskIndex(u8::try_from(index).unwrap_or(u8::MAX));
            approval.complete(&mut commit, index, None, completion)?;
        }
        commit.submit(approval.request())?;
        approval.promise(self, &mut commit).await?;
        match self.store.commit(commit).await {
            Ok(_) => Ok(Submitted::New(id)),
            Err(error) => Err(error.into()),
        }
    }

    /// The request of the same person that was granted the same for as long within the last
    /// seconds: a second click, or a repeated one whose answer was lost.
    async fn granted_just_now(
        &self,
        caller: &Caller,
        target: &Target,
        submission: &Submission,
        at: Timestamp,
    ) -> Result<Option<RequestId>, ServiceError> {
        let key = Key {
            user: caller.who.id.clone(),
            target: target.clone(),
        };
        let Some(key) = self.store.key(&key).await? else {
            return Ok(None);
        };
        let length = SignedDuration::from_secs(i64::from(submission.duration_seconds));
        for live in key.state.live {
            let just_now = at.duration_since(live.from) < SECOND_CLICK_WITHIN;
            if just_now && live.until.duration_since(live.from) == length {
                let grant = self.store.grant(live.grant).await?;
                return Ok(grant.map(|grant| grant.request));
            }
        }
        Ok(None)
    }

    async fn check_limits(&self, caller: &Caller) -> Result<(), ServiceError> {
        let user = &caller.who.id;
        if self.store.count_pending(user, PENDING_MAX).await? >= PENDING_MAX.unsigned_abs() as usize
        {
            return Err(ServiceError::TooManyPending {
                limit: PENDING_MAX.unsigned_abs(),
            });
        }
        let hour_ago = now()
            .checked_sub(SignedDuration::from_hours(1))
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let submitted = self
            .store
            .count_submissions(user, hour_ago, SUBMISSIONS_AN_HOUR)
            .await?;
        if submitted >= SUBMISSIONS_AN_HOUR.unsigned_abs() as usize {
            return Err(ServiceError::TooManySubmissions {
                limit: SUBMISSIONS_AN_HOUR.unsigned_abs(),
            });
        }
        Ok(())
    }

    async fn verdicts(
        &self,
        world: &World,
        caller: &Caller,
        submission: &Submission,
        targets: &[Target],
    ) -> Result<Vec<Verdict>, ServiceError> {
        let duration = Seconds::new(submission.duration_seconds);
        let people = BTreeSet::from([caller.who.id.clone()]);
        let live = self.live(world, &people, targets.iter()).await?;
        let verdicts: Vec<Verdict> = targets
            .iter()
            .map(|target| {
                let proposal = Proposal::new(
                    caller.who.id.clone(),
                    target.clone(),
                    duration,
                    submission.reason.trim().chars().count(),
                    now(),
                );
                decide(&world.policy, &proposal, &live.facts())
            })
            .collect();
        // All or nothing: one refused target refuses all, each named.
        if verdicts
            .iter()
            .any(|verdict| verdict.outcome == Outcome::Refused)
        {
            return Err(ServiceError::Refused(
                verdicts.into_iter().map(Verdict::for_requester).collect(),
            ));
        }
        Ok(verdicts)
    }
}

/// A target in a proof's purpose: as it stands in the form's address.
pub(super) fn spelled(account: &AccountId, set: &PermissionSetName) -> String {
    format!("{account}/{set}")
}

/// Whether a guardrail wants whoever approves this for themselves to have signed in just before.
/// What nobody approves needs no proof of who does.
pub(super) fn needs_proof(verdict: &Verdict) -> bool {
    verdict.reauthenticate && verdict.outcome == Outcome::Granted && verdict.code != Code::Automatic
}

/// Names become ids. What is not known here is answered like what is not allowed.
fn targets(world: &World, submission: &Submission) -> Result<Vec<Target>, ServiceError> {
    let mut targets = Vec::new();
    for (account, set) in &submission.targets {
        let Some(set) = world.directory.permission_set_named(set.as_str()) else {
            return Err(ServiceError::NotAvailable);
        };
        targets.push(Target::Account {
            account: account.clone(),
            permission_set: set.arn.clone(),
        });
    }
    let distinct: BTreeSet<&Target> = targets.iter().collect();
    if targets.is_empty() || targets.len() > TARGETS_MAX || distinct.len() != targets.len() {
        return Err(ServiceError::Invalid(vec![Invalid::Targets]));
    }
    Ok(targets)
}

fn assemble(
    world: &World,
    caller: &Caller,
    submission: &Submission,
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
        .map(|(index, (target, verdict))| {
            Ok(Ask {
                index: AskIndex(u8::try_from(index).unwrap_or(u8::MAX)),
                target: target.clone(),
                names: names(world, target)?,
                state: AskState::Pending,
                verdict: serde_json::to_value(verdict.clone().for_record())
                    .map_err(|_| ServiceError::Changed)?,
                reviews: Vec::new(),
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
        asks,
        version: 1,
    })
}

/// How people call the target now: kept with the request, since names change.
fn names(world: &World, target: &Target) -> Result<Names, ServiceError> {
    let Target::Account {
        account,
        permission_set,
    } = target
    else {
        return Err(ServiceError::NotFound);
    };
    let account = world.directory.accounts.get(account);
    let set = world.directory.permission_sets.get(permission_set);
    match (account, set) {
        (Some(account), Some(set)) => Ok(Names {
            account: account.name.clone(),
            permission_set: set.name.to_string(),
            session_seconds: set.session_seconds,
        }),
        _ => Err(ServiceError::NotFound),
    }
}
