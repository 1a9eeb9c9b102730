//! The policy on pages, for auditors and admins: what it says, what it would answer somebody, and
//! what a draft would change.
//!
//! All by the snapshot: nothing is decided here, and nothing comes into force. Deliberately absent:
//! writing a policy. It comes into force where it is kept, and is reviewed there.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::directory::NotOne;
use domain::id::{PolicyVersion, UserId};
use domain::policy::{
    self, BreakGlass, Change, Described, Format, Included, InvalidSeconds, KeptPolicy, Problem,
    Proposal, Seconds, Setting, Verdict,
};
use domain::target::Target;

use super::versions::PolicyFound;
use super::{Caller, Part, Role, Service, ServiceError};
use crate::store::now;
use crate::world::World;

/// What somebody wants explained, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explaining {
    /// Whom it is about: an e-mail, a user name or an id.
    pub person: String,
    /// An account's id or name.
    pub account: String,
    /// A permission set's name or ARN.
    pub permission_set: String,
    /// A group's name or id, instead of both.
    pub group: String,
    /// How long, as policies write it; empty for the shortest.
    pub duration: String,
    /// A ticket; empty for none.
    pub ticket: String,
    /// By break-glass.
    pub break_glass: bool,
}

/// Which field of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainField {
    /// Whom it is about.
    Person,
    /// Where.
    Account,
    /// What.
    PermissionSet,
    /// Or which group.
    Group,
    /// How long.
    Duration,
}

/// Why a field of it means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotExplained {
    /// Nothing was typed.
    Missing,
    /// The name is not that of one.
    NotOne(NotOne),
    /// It is no length of time.
    Duration(InvalidSeconds),
}

/// What the policy says of it.
#[derive(Debug, Clone)]
pub struct Explained {
    /// Whom it is about.
    pub person: UserId,
    /// What it is about.
    pub target: Target,
    /// How long.
    pub duration: Seconds,
    /// The whole verdict, as auditors and admins may see it.
    pub verdict: Verdict,
}

/// What a draft comes to.
#[derive(Debug, Clone)]
pub enum Draft {
    /// It is not a policy.
    Invalid(Vec<Problem>),
    /// It is one.
    Valid {
        /// What to think about before it comes into force.
        warnings: Vec<Problem>,
        /// Who gains and who loses what, compared with today; `None`: it is too much to compare
        /// while somebody waits.
        changes: Option<Vec<Change>>,
        /// It says what is in force already.
        is_in_force: bool,
    },
}

impl Service {
    /// What the policy in force says, for auditors and admins.
    pub async fn policy(&self, caller: &Caller) -> Result<(Arc<World>, Described), ServiceError> {
        let world = self.overseen(caller).await?;
        let described = world.policy.describe(&world.facts());
        Ok((world, described))
    }

    /// What the policy would answer somebody now.
    pub async fn explain(
        &self,
        caller: &Caller,
        wanted: &Explaining,
    ) -> Result<Result<Explained, Vec<(ExplainField, NotExplained)>>, ServiceError> {
        let world = self.overseen(caller).await?;
        Ok(explain(&world, wanted))
    }

    /// What would change if this came into force. The files that it includes are today's.
    pub async fn compare_draft(
        &self,
        caller: &Caller,
        text: String,
        format: Format,
    ) -> Result<Draft, ServiceError> {
        let world = self.overseen(caller).await?;
        let included = match self.kept_policy(world.policy.version()).await? {
            PolicyFound::Whole(kept) => kept.included,
            PolicyFound::Damaged => BTreeMap::new(),
        };
        let included: Included = included
            .into_iter()
            .map(|(name, text)| (name, Ok(text)))
            .collect();
        self.in_turn(move || compare(&world, &text, format, &included))
            .await
    }

    /// Which is in force, and what has changed from an earlier version to it: `None` if that one
    /// cannot be had again, or if it is too much to compare while somebody waits.
    pub async fn changed_since(
        &self,
        caller: &Caller,
        earlier: &KeptPolicy,
    ) -> Result<(PolicyVersion, Option<Vec<Change>>), ServiceError> {
        let world = self.overseen(caller).await?;
        let in_force = world.policy.version().clone();
        if in_force == earlier.version {
            return Ok((in_force, Some(Vec::new())));
        }
        let Ok(old) = earlier.policy() else {
            return Ok((in_force, None));
        };
        let compare = move || policy::diff_at_once(&Arc::new(old), &world.policy, &world.directory);
        Ok((in_force, self.in_turn(compare).await?))
    }

    /// Does some seconds of work for a large organisation, one at a time: pages are served
    /// meanwhile.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let turn = self.comparing.acquire().await;
        let done = tokio::task::spawn_blocking(work).await;
        drop(turn);
        done.map_err(|error| {
            tracing::error!(%error, "policies could not be compared");
            ServiceError::Unavailable { part: Part::World }
        })
    }

    pub(super) async fn overseen(&self, caller: &Caller) -> Result<Arc<World>, ServiceError> {
        let world = self.world()?;
        match self.live_role(&world, caller).await? {
            Role::Admin | Role::Auditor => Ok(world),
            Role::Person => Err(ServiceError::NotAllowed),
        }
    }
}

fn explain(
    world: &World,
    wanted: &Explaining,
) -> Result<Explained, Vec<(ExplainField, NotExplained)>> {
    let directory = &world.directory;
    let mut problems = Vec::new();
    let mut note = |field, problem| problems.push((field, problem));
    let named = |text: &str| -> Result<(), NotExplained> {
        if text.is_empty() {
            Err(NotExplained::Missing)
        } else {
            Ok(())
        }
    };
    let person = named(&wanted.person).and_then(|()| {
        let found = directory.person_called(&wanted.person);
        found
            .map(|person| person.id.clone())
            .map_err(NotExplained::NotOne)
    });
    let target = if wanted.group.is_empty() {
        let account = named(&wanted.account).and_then(|()| {
            directory
                .account_called(&wanted.account)
                .map_err(NotExplained::NotOne)
        });
        let set = named(&wanted.permission_set).and_then(|()| {
            let found = directory.permission_set_called(&wanted.permission_set);
            found.map_err(NotExplained::NotOne)
        });
        match (account, set) {
            (Ok(account), Ok(permission_set)) => Some(Target::Account {
                account,
                permission_set,
            }),
            (account, set) => {
                if let Err(problem) = account {
                    note(ExplainField::Account, problem);
                }
                if let Err(problem) = set {
                    note(ExplainField::PermissionSet, problem);
                }
                None
            }
        }
    } else {
        match directory.group_called(&wanted.group) {
            Ok(group) => Some(Target::Group { group }),
            Err(problem) => {
                note(ExplainField::Group, NotExplained::NotOne(problem));
                None
            }
        }
    };
    let duration = if wanted.duration.is_empty() {
        Ok(world.policy.min_duration())
    } else {
        Seconds::parse(&wanted.duration).map_err(NotExplained::Duration)
    };
    match (person, target, duration) {
        (Ok(person), Some(target), Ok(duration)) => {
            let proposal = Proposal {
                ticket: (!wanted.ticket.is_empty()).then(|| wanted.ticket.clone()),
                break_glass: if wanted.break_glass {
                    BreakGlass::Asked
                } else {
                    BreakGlass::No
                },
                ..Proposal::new(
                    person.clone(),
                    target.clone(),
                    duration,
                    world.policy.reason_min(),
                    now(),
                )
            };
            Ok(Explained {
                verdict: world.catalogue.decide(&proposal, &world.facts()),
                person,
                target,
                duration,
            })
        }
        (person, _, duration) => {
            if let Err(problem) = person {
                problems.insert(0, (ExplainField::Person, problem));
            }
            if let Err(problem) = duration {
                problems.push((ExplainField::Duration, problem));
            }
            Err(problems)
        }
    }
}

fn compare(world: &World, text: &str, format: Format, included: &Included) -> Draft {
    let name = match format {
        Format::Toml => "draft.toml",
        Format::Json => "draft.json",
    };
    let file = match policy::parse_with(text, format, name, included) {
        Ok(file) => file,
        Err(problems) => return Draft::Invalid(problems),
    };
    let setting = Setting {
        protected: world.policy.protected().clone(),
        earlier: None,
    };
    let resolved = policy::resolve(&file, &world.directory, &setting);
    let mut warnings = resolved.problems;
    warnings.extend(policy::warnings(&file, Some(&world.directory)));
    warnings.extend(policy::not_carried_out(&file));
    let new = Arc::new(resolved.policy);
    Draft::Valid {
        warnings,
        is_in_force: new.version() == world.policy.version(),
        changes: policy::diff_at_once(&world.policy, &new, &world.directory),
    }
}
