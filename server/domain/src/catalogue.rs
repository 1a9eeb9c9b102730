//! What a person may ask for, and who would approve it, as an index.
//!
//! Building the catalogue finds once what each rule and guardrail covers, and puts accounts, and
//! permission sets, that the policy does not tell apart into classes. A page then costs one look at
//! each rule, and one judgement for each way in which classes meet: there is no loop over accounts x
//! permission sets x rules.
//!
//! [`Catalogue::decide`] and [`crate::policy::decide`] are one function with two ways to find what
//! covers a target. It must be given facts of the directory that the catalogue was built from; groups
//! may have been read since.

pub(crate) mod coverage;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use serde::{Deserialize, Serialize};

use self::coverage::Coverage;
use crate::directory::Directory;
use crate::id::{AccountId, GroupId, PermissionSetArn, UserId};
use crate::policy::found::Found;
use crate::policy::guardrail::Fence;
use crate::policy::route::{Others, Routes, Say, Way, routes};
use crate::policy::{Facts, Policy, Proposal, Rule, RuleName, Seconds, Verdict, decide_among};
use crate::target::Target;

/// One line of what somebody may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueEntry {
    /// Where.
    pub account: AccountId,
    /// What.
    pub permission_set: PermissionSetArn,
    /// On what terms.
    #[serde(flatten)]
    pub offer: Offer,
}

/// The terms on which somebody may ask for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The longest that some route allows; by break-glass, if there is no other.
    pub max_duration: Seconds,
    /// What a form offers, from short to long.
    pub durations: Vec<Seconds>,
    /// Up to this long nobody has to be asked; `None` if somebody always has to.
    pub at_once_up_to: Option<Seconds>,
    /// Whether that is so only because the person is an approver whose own approval is enough.
    pub own_approval: bool,
    /// Up to this long by break-glass; `None` if there is no such way.
    pub break_glass_up_to: Option<Seconds>,
    /// How many others have to agree on the easiest route through approvers; 0 if there is none, or
    /// if the person's own approval is enough.
    pub approvals: u32,
    /// Whether a ticket is asked for.
    pub ticket: bool,
    /// Whether it is possible at certain hours only.
    pub hours: bool,
}

impl Offer {
    /// Whether somebody else has to agree to that long.
    #[must_use]
    pub fn needs_approval(&self, duration: Seconds) -> bool {
        self.at_once_up_to.is_none_or(|limit| duration > limit)
    }

    /// Whether nothing but break-glass leads there.
    #[must_use]
    pub fn only_break_glass(&self) -> bool {
        self.break_glass_up_to.is_some() && self.at_once_up_to.is_none() && self.approvals == 0
    }

    fn of(routes: &Routes<'_>, fence: &Fence<'_>, min: Seconds) -> Option<Self> {
        let limit = fence.max_continuous().map(|(max, _)| max);
        let limited = |duration: Seconds| limit.map_or(duration, |limit| duration.min(limit));
        let only_break_glass = routes.longest(false).is_none();
        let max_duration = limited(routes.longest(only_break_glass)?);
        if max_duration < min {
            return None;
        }
        let longest_of = |ways: &mut dyn Iterator<Item = &Way<'_>>| {
            ways.filter(|way| way.can_complete())
                .map(|way| limited(way.max_duration))
                .max()
        };
        let alone = |way: &&Way<'_>| way.needed_from_others() == 0;
        let at_once = longest_of(&mut routes.automatic.iter())
            .max(longest_of(&mut routes.waiting.iter().filter(alone)));
        let mut durations: BTreeSet<Seconds> = routes
            .open(only_break_glass)
            .flat_map(|way| way.offered(min))
            .filter(|offered| (min..=max_duration).contains(offered))
            .collect();
        if durations.is_empty() {
            durations.insert(max_duration);
        }
        Some(Self {
            max_duration,
            durations: durations.into_iter().collect(),
            at_once_up_to: at_once,
            own_approval: at_once.is_some() && routes.automatic.is_empty(),
            break_glass_up_to: longest_of(&mut routes.break_glass.iter()),
            approvals: routes
                .waiting
                .iter()
                .filter(|way| way.can_complete())
                .map(Way::needed_from_others)
                .min()
                .unwrap_or_default(),
            ticket: fence.tickets().any(|(rule, _)| rule.required),
            hours: fence.has_hours(),
        })
    }
}

/// What each rule and guardrail covers. Build a new one when the policy or the directory changes; it
/// holds no lock, and is shared in an [`Arc`].
#[derive(Debug)]
pub struct Catalogue {
    policy: Arc<Policy>,
    coverage: Coverage,
}

/// Everything that one person may ask for, as blocks: some accounts, some permission sets, the same
/// terms throughout.
#[derive(Debug)]
pub struct PersonCatalogue<'c> {
    coverage: &'c Coverage,
    blocks: Vec<Block>,
}

/// Some accounts and some permission sets, on the same terms throughout. Both go by their places in
/// [`Catalogue::accounts`] and [`Catalogue::permission_sets`], in that order.
#[derive(Debug)]
pub struct Block {
    /// Where.
    pub accounts: Arc<[u32]>,
    /// What; blocks that have the same ones share them.
    pub sets: Arc<[u32]>,
    /// On what terms.
    pub offer: Arc<Offer>,
}

impl PersonCatalogue<'_> {
    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks
            .iter()
            .map(|block| block.accounts.len() * block.sets.len())
            .sum()
    }

    /// Whether there is nothing to ask for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// All of it without a line for each entry, of which there may be millions. No pair is in two.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Each entry, by account name and then permission set name.
    #[must_use]
    pub fn entries(&self) -> Vec<CatalogueEntry> {
        let mut places: Vec<(u32, u32, &Offer)> = Vec::with_capacity(self.len());
        for block in &self.blocks {
            for account in block.accounts.iter() {
                let offer = &*block.offer;
                places.extend(block.sets.iter().map(|set| (*account, *set, offer)));
            }
        }
        places.sort_unstable_by_key(|(account, set, _)| (*account, *set));
        places
            .into_iter()
            .filter_map(|(account, set, offer)| {
                Some(CatalogueEntry {
                    account: self.coverage.accounts.things.get(account as usize)?.clone(),
                    permission_set: self.coverage.sets.things.get(set as usize)?.clone(),
                    offer: offer.clone(),
                })
            })
            .collect()
    }
}

impl Catalogue {
    /// Finds what each rule and guardrail covers.
    #[must_use]
    pub fn build(policy: Arc<Policy>, directory: &Directory) -> Self {
        Self {
            coverage: Coverage::of(&policy, directory),
            policy,
        }
    }

    /// The policy that it indexes.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Every account that may be asked for by somebody, by name.
    #[must_use]
    pub fn accounts(&self) -> &[AccountId] {
        &self.coverage.accounts.things
    }

    /// Every permission set that may be asked for by somebody, by name.
    #[must_use]
    pub fn permission_sets(&self) -> &[PermissionSetArn] {
        &self.coverage.sets.things
    }

    /// What the policy says of the proposal: [`crate::policy::decide`] without looking at every rule.
    #[must_use]
    pub fn decide(&self, proposal: &Proposal, facts: &Facts<'_>) -> Verdict {
        let requester = &proposal.requester;
        decide_among(&self.policy, proposal, facts, |found| {
            match self.covering(found) {
                Some(covering) => (
                    Say::among(self.rules(&covering), requester, facts),
                    self.fence(&covering),
                ),
                // Not in the index: a group, or an account that is closed to everyone.
                None => (
                    Say::of(&self.policy, found, requester, facts),
                    Fence::of(self.policy.guardrails(), found),
                ),
            }
        })
    }

    /// Everything that this person may ask for in accounts.
    #[must_use]
    pub fn for_person(&self, user: &UserId, facts: &Facts<'_>) -> PersonCatalogue<'_> {
        let mut judge = Judge::new(self, user, facts);
        let accounts = together(
            &self.coverage.accounts.statements,
            &self.coverage.accounts.members,
            &judge,
        );
        let sets = together(
            &self.coverage.sets.statements,
            &self.coverage.sets.members,
            &judge,
        );
        // Only sets that share one of the person's rules with the accounts are looked at.
        let mut sets_of_rule: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, (by_set, _)) in sets.iter().enumerate() {
            for rule in by_set.intersection(&judge.eligible) {
                sets_of_rule.entry(rule).or_default().push(at);
            }
        }
        let mut blocks = Vec::new();
        let mut meeting = FixedBitSet::with_capacity(sets.len());
        for (by_account, accounts) in &accounts {
            meeting.clear();
            for rule in by_account.intersection(&judge.eligible) {
                meeting.extend(sets_of_rule.get(&rule).into_iter().flatten().copied());
            }
            for (by_set, sets) in meeting.ones().filter_map(|at| sets.get(at)) {
                let mut covering = by_account.clone();
                covering.intersect_with(by_set);
                if let Some(offer) = judge.offer(covering) {
                    blocks.push(Block {
                        accounts: Arc::clone(accounts),
                        sets: Arc::clone(sets),
                        offer,
                    });
                }
            }
        }
        PersonCatalogue {
            coverage: &self.coverage,
            blocks,
        }
    }

    /// The groups that this person may ask to join, with the terms.
    #[must_use]
    pub fn groups_for_person(&self, user: &UserId, facts: &Facts<'_>) -> Vec<(GroupId, Offer)> {
        self.policy
            .target_groups()
            .into_iter()
            .filter_map(|group| {
                let target = Target::Group {
                    group: group.clone(),
                };
                Some((group, self.offer(user, &target, facts)?))
            })
            .collect()
    }

    /// The entry for one target in an account, if this person may ask for it.
    #[must_use]
    pub fn entry(
        &self,
        user: &UserId,
        target: &Target,
        facts: &Facts<'_>,
    ) -> Option<CatalogueEntry> {
        let Target::Account {
            account,
            permission_set,
        } = target
        else {
            return None;
        };
        Some(CatalogueEntry {
            account: account.clone(),
            permission_set: permission_set.clone(),
            offer: self.offer(user, target, facts)?,
        })
    }

    /// The terms on which this person may ask for the target, if they may.
    #[must_use]
    pub fn offer(&self, user: &UserId, target: &Target, facts: &Facts<'_>) -> Option<Offer> {
        let (routes, fence) = self.ways(target, user, facts)?;
        Offer::of(&routes, &fence, self.policy.min_duration())
    }

    /// Who could approve this for that requester by some route, the requester left out.
    #[must_use]
    pub fn possible_approvers(
        &self,
        target: &Target,
        requester: &UserId,
        facts: &Facts<'_>,
    ) -> BTreeSet<UserId> {
        let Some((routes, _)) = self.ways(target, requester, facts) else {
            return BTreeSet::new();
        };
        routes
            .waiting
            .iter()
            .filter(|way| way.can_complete())
            .flat_map(|way| way.rule.approvers.members(facts, requester))
            .collect()
    }

    /// Every account and permission set where this person's approval counts for somebody.
    #[must_use]
    pub fn approved_by(
        &self,
        user: &UserId,
        facts: &Facts<'_>,
    ) -> BTreeSet<(AccountId, PermissionSetArn)> {
        let statements = self.coverage.statements;
        let mut approves = statements.none();
        for (at, rule) in self.policy.rules().iter().enumerate() {
            let for_somebody = || rule.requesters.count(facts, user, 1) > 0;
            approves.set(at, rule.approvers.includes(user, facts) && for_somebody());
        }
        let Coverage { accounts, sets, .. } = &self.coverage;
        let mut found = BTreeSet::new();
        for (by_account, in_accounts) in accounts.statements.iter().zip(&accounts.members) {
            let mut here = by_account.clone();
            here.intersect_with(&approves);
            if here.is_clear() {
                continue;
            }
            for (by_set, in_sets) in sets.statements.iter().zip(&sets.members) {
                if here.is_disjoint(by_set) {
                    continue;
                }
                for account in in_accounts {
                    let account = accounts.things.get(*account as usize);
                    let sets = in_sets.iter().map(|set| sets.things.get(*set as usize));
                    found.extend(sets.filter_map(|set| Some((account?.clone(), set?.clone()))));
                }
            }
        }
        found
    }

    /// Every group that this person's approval lets somebody join.
    #[must_use]
    pub fn groups_approved_by(&self, user: &UserId, facts: &Facts<'_>) -> BTreeSet<GroupId> {
        self.policy
            .rules()
            .iter()
            .filter(|rule| rule.approvers.includes(user, facts))
            .filter(|rule| rule.requesters.count(facts, user, 1) > 0)
            .flat_map(|rule| rule.scope.groups())
            .filter(|group| !self.policy.is_policy_group(group))
            .cloned()
            .collect()
    }

    /// The ways that are open to one target, if anything can be had there.
    fn ways(
        &self,
        target: &Target,
        user: &UserId,
        facts: &Facts<'_>,
    ) -> Option<(Routes<'_>, Fence<'_>)> {
        if !facts.is_active(user) {
            return None;
        }
        let found = Found::of(target, facts)?;
        if found.is_unknown()
            || found.protected(&self.policy).is_some()
            || found.beyond(facts.directory).is_some()
        {
            return None;
        }
        if let Target::Group { group } = target
            && self.policy.is_policy_group(group)
        {
            return None;
        }
        let (say, fence) = match self.covering(&found) {
            Some(covering) => (
                Say::among(self.rules(&covering), user, facts),
                self.fence(&covering),
            ),
            None => (
                Say::of(&self.policy, &found, user, facts),
                Fence::of(self.policy.guardrails(), &found),
            ),
        };
        if say.unknown.is_some() || say.eligible.is_empty() || fence.shuts_out(&found) {
            return None;
        }
        let routes = routes(
            &say,
            &fence,
            |rule| rule.approvers.includes(user, facts),
            |rule| Others::Counted(Others::counted(rule, user, facts)),
        );
        Some((routes, fence))
    }

    /// What covers a target; `None` if that is not in the index.
    fn covering(&self, found: &Found<'_>) -> Option<FixedBitSet> {
        let Found::Pair(pair) = found else {
            return None;
        };
        let mut covering = self.coverage.accounts.covering(&pair.account.id)?.clone();
        covering.intersect_with(self.coverage.sets.covering(&pair.set.arn)?);
        Some(covering)
    }

    fn rules(&self, covering: &FixedBitSet) -> impl Iterator<Item = &Rule> {
        covering.ones().map_while(|at| self.policy.rules().get(at))
    }

    fn fence(&self, covering: &FixedBitSet) -> Fence<'_> {
        let statements = self.coverage.statements;
        covering
            .ones()
            .skip_while(|at| *at < statements.rules)
            .map_while(|at| self.policy.guardrails().get(at - statements.rules))
            .collect()
    }
}

/// Things whose classes one person cannot tell apart.
fn together(
    statements: &[FixedBitSet],
    members: &[Vec<u32>],
    judge: &Judge<'_, '_>,
) -> Vec<(FixedBitSet, Arc<[u32]>)> {
    let mut together: HashMap<FixedBitSet, Vec<u32>> = HashMap::new();
    for (statements, members) in statements.iter().zip(members) {
        let mut seen = statements.clone();
        seen.intersect_with(&judge.concerned);
        if !seen.is_disjoint(&judge.eligible) {
            together.entry(seen).or_default().extend(members);
        }
    }
    together
        .into_iter()
        .map(|(seen, mut members)| {
            // Classes are in order, each for itself.
            members.sort_unstable();
            (seen, members.into())
        })
        .collect()
}

/// Judges for one person, each combination of statements once.
struct Judge<'c, 'f> {
    catalogue: &'c Catalogue,
    user: &'f UserId,
    facts: &'f Facts<'f>,
    /// The rules that include them as a requester.
    eligible: FixedBitSet,
    /// Those, those that could forbid them something or cannot be judged, and all guardrails.
    concerned: FixedBitSet,
    /// How many others could agree under each rule, once that was asked.
    others: HashMap<&'c RuleName, u32>,
    judged: HashMap<FixedBitSet, Option<Arc<Offer>>>,
}

impl<'c, 'f> Judge<'c, 'f> {
    fn new(catalogue: &'c Catalogue, user: &'f UserId, facts: &'f Facts<'f>) -> Self {
        let statements = catalogue.coverage.statements;
        let mut eligible = statements.none();
        let mut concerned = statements.none();
        let active = facts.is_active(user);
        for (at, rule) in catalogue.policy.rules().iter().enumerate() {
            let requesters = rule.requesters.names(user, facts);
            let known = requesters.known && rule.approvers.is_known(facts);
            let included = active && requesters.included;
            eligible.set(at, included);
            concerned.set(at, included || rule.requesters.incomplete || !known);
        }
        concerned.insert_range(statements.rules..);
        Self {
            catalogue,
            user,
            facts,
            eligible,
            concerned,
            others: HashMap::new(),
            judged: HashMap::new(),
        }
    }

    fn offer(&mut self, covering: FixedBitSet) -> Option<Arc<Offer>> {
        if let Some(judged) = self.judged.get(&covering) {
            return judged.clone();
        }
        let offer = self.judge(&covering).map(Arc::new);
        self.judged.insert(covering, offer.clone());
        offer
    }

    fn judge(&mut self, covering: &FixedBitSet) -> Option<Offer> {
        let (catalogue, user, facts) = (self.catalogue, self.user, self.facts);
        let statements = catalogue.coverage.statements;
        let say = Say::among(catalogue.rules(covering), user, facts);
        if say.unknown.is_some() {
            return None;
        }
        let fence = catalogue.fence(covering);
        let session_too_long = (0..statements.guardrails).any(|at| {
            covering.contains(statements.guardrail(at))
                && covering.contains(statements.session_too_long(at))
        });
        if session_too_long || fence.denies() {
            return None;
        }
        let others = &mut self.others;
        let routes = routes(
            &say,
            &fence,
            |rule| rule.approvers.includes(user, facts),
            |rule| {
                let others = others
                    .entry(&rule.name)
                    .or_insert_with(|| Others::counted(rule, user, facts));
                Others::Counted(*others)
            },
        );
        Offer::of(&routes, &fence, catalogue.policy.min_duration())
    }
}
