//! What a person may ask for, and who would approve it, as an index.
//!
//! Building the catalogue finds once which accounts and permission sets each rule covers. A page then
//! costs one look at each rule, and work only for what is on it: accounts under the same rules are
//! judged together, so there is no loop over accounts x permission sets x rules.
//!
//! A catalogue never decides. What it offers goes through [`crate::policy::decide`] when somebody
//! asks for it, with the groups read again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::directory::{Account, Directory, PermissionSet};
use crate::id::{AccountId, PermissionSetArn, UserId};
use crate::policy::route::{Routes, Say, routes};
use crate::policy::{Facts, Policy, Route, Seconds};
use crate::target::Target;

/// One line of what somebody may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueEntry {
    /// Where.
    pub account: AccountId,
    /// What.
    pub permission_set: PermissionSetArn,
    /// The longest that some route allows.
    pub max_duration: Seconds,
    /// What a form offers, from short to long.
    pub durations: Vec<Seconds>,
    /// Up to this long nobody has to be asked; `None` if somebody always has to.
    pub at_once_up_to: Option<Seconds>,
    /// How many others have to agree on the easiest route through approvers; 0 if there is none, or
    /// if the person's own approval is enough.
    pub approvals: u32,
}

impl CatalogueEntry {
    /// Whether somebody else has to agree to that long.
    #[must_use]
    pub fn needs_approval(&self, duration: Seconds) -> bool {
        self.at_once_up_to.is_none_or(|limit| duration > limit)
    }
}

/// What a person's routes to one target amount to.
#[derive(Debug, Clone)]
struct Offer {
    max_duration: Seconds,
    durations: Vec<Seconds>,
    at_once_up_to: Option<Seconds>,
    approvals: u32,
}

/// Which accounts and permission sets each rule covers. Build a new one when the policy or the
/// directory changes; it holds no lock, and is shared in an [`Arc`].
#[derive(Debug)]
pub struct Catalogue {
    policy: Arc<Policy>,
    /// Open, unprotected accounts, by name.
    accounts: Vec<AccountId>,
    /// By name.
    sets: Vec<PermissionSetArn>,
    /// One for each rule of the policy, in its order.
    reach: Vec<Reach>,
}

/// What one rule covers.
#[derive(Debug)]
struct Reach {
    /// Positions in [`Catalogue::accounts`].
    accounts: Vec<u32>,
    /// For each of [`Catalogue::sets`], whether it is covered.
    sets: Vec<bool>,
}

impl Catalogue {
    /// Finds what each rule covers.
    #[must_use]
    pub fn build(policy: Arc<Policy>, directory: &Directory) -> Self {
        let mut accounts: Vec<&Account> = directory
            .accounts
            .values()
            .filter(|account| account.active && !policy.is_protected(&account.id))
            .collect();
        accounts.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let mut sets: Vec<&PermissionSet> = directory.permission_sets.values().collect();
        sets.sort_by(|a, b| (&a.name, &a.arn).cmp(&(&b.name, &b.arn)));
        let reach = policy
            .rules()
            .iter()
            .map(|rule| Reach {
                accounts: (0_u32..)
                    .zip(&accounts)
                    .filter(|(_, account)| rule.covers_account(account))
                    .map(|(at, _)| at)
                    .collect(),
                sets: sets.iter().map(|set| rule.covers_set(set)).collect(),
            })
            .collect();
        Self {
            accounts: accounts.iter().map(|account| account.id.clone()).collect(),
            sets: sets.iter().map(|set| set.arn.clone()).collect(),
            policy,
            reach,
        }
    }

    /// The policy that it indexes.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Everything that this person may ask for, by account name and then permission set name.
    #[must_use]
    pub fn for_person(&self, user: &UserId, facts: &Facts<'_>) -> Vec<CatalogueEntry> {
        let say = self.say(user, facts);
        if say.eligible.is_empty() {
            return Vec::new();
        }
        let mut judged: HashMap<Vec<u32>, Option<Offer>> = HashMap::new();
        let mut entries: Vec<(u32, usize, CatalogueEntry)> = Vec::new();
        for (rules, accounts) in self.accounts_by_rules(&say) {
            for (set, arn) in self.sets.iter().enumerate() {
                let covering: Vec<u32> = rules
                    .iter()
                    .copied()
                    .filter(|rule| self.reaches_set(*rule, set))
                    .collect();
                if !covering.iter().any(|rule| say.eligible.contains(rule)) {
                    continue;
                }
                let offer = judged
                    .entry(covering)
                    .or_insert_with_key(|rules| self.offer(rules, user, facts));
                let Some(offer) = offer else { continue };
                for at in &accounts {
                    let Some(account) = self.accounts.get(*at as usize) else {
                        continue;
                    };
                    let entry = offer.at(account, arn);
                    entries.push((*at, set, entry));
                }
            }
        }
        entries.sort_unstable_by_key(|(account, set, _)| (*account, *set));
        entries.into_iter().map(|(_, _, entry)| entry).collect()
    }

    /// The entry for one target, if this person may ask for it.
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
        let rules = self.rules_for(target)?;
        Some(self.offer(&rules, user, facts)?.at(account, permission_set))
    }

    /// Who could approve this for that requester by some route, the requester left out.
    #[must_use]
    pub fn possible_approvers(
        &self,
        target: &Target,
        requester: &UserId,
        facts: &Facts<'_>,
    ) -> BTreeSet<UserId> {
        let Some(rules) = self.rules_for(target) else {
            return BTreeSet::new();
        };
        self.routes(&rules, requester, facts)
            .map(|routes| {
                routes
                    .waiting
                    .into_iter()
                    .filter(Route::can_complete)
                    .flat_map(|route| route.approvers)
                    .collect()
            })
            .unwrap_or_default()
    }

    /// Which rules concern the person, whatever the target.
    fn say(&self, user: &UserId, facts: &Facts<'_>) -> Concerned {
        let mut concerned = Concerned::default();
        for (at, rule) in (0_u32..).zip(self.policy.rules()) {
            let eligible = rule.requesters.includes(user, facts);
            if eligible {
                concerned.eligible.insert(at);
            }
            if eligible || rule.requesters.incomplete || !rule.is_known(facts) {
                concerned.all.push(at);
            }
        }
        concerned
    }

    /// Accounts under exactly the same of those rules, together.
    fn accounts_by_rules(&self, say: &Concerned) -> HashMap<Vec<u32>, Vec<u32>> {
        let mut rules: Vec<Vec<u32>> = vec![Vec::new(); self.accounts.len()];
        for rule in &say.all {
            let Some(reach) = self.reach.get(*rule as usize) else {
                continue;
            };
            for account in &reach.accounts {
                if let Some(rules) = rules.get_mut(*account as usize) {
                    rules.push(*rule);
                }
            }
        }
        let mut together: HashMap<Vec<u32>, Vec<u32>> = HashMap::new();
        for (account, rules) in (0_u32..).zip(rules) {
            if rules.iter().any(|rule| say.eligible.contains(rule)) {
                together.entry(rules).or_default().push(account);
            }
        }
        together
    }

    fn reaches_set(&self, rule: u32, set: usize) -> bool {
        self.reach
            .get(rule as usize)
            .and_then(|reach| reach.sets.get(set))
            .copied()
            .unwrap_or(false)
    }

    /// The rules that cover a target; `None` if it is not in the catalogue for anybody.
    fn rules_for(&self, target: &Target) -> Option<Vec<u32>> {
        let Target::Account {
            account,
            permission_set,
        } = target
        else {
            return None;
        };
        let account = self.accounts.iter().position(|id| id == account)?;
        let account = u32::try_from(account).ok()?;
        let set = self.sets.iter().position(|arn| arn == permission_set)?;
        let rules = (0_u32..)
            .zip(&self.reach)
            .filter(|(rule, reach)| {
                self.reaches_set(*rule, set) && reach.accounts.binary_search(&account).is_ok()
            })
            .map(|(rule, _)| rule)
            .collect();
        Some(rules)
    }

    fn routes(&self, rules: &[u32], user: &UserId, facts: &Facts<'_>) -> Option<Routes<'_>> {
        let mut say = Say::default();
        for rule in rules {
            say.add(self.policy.rules().get(*rule as usize)?, user, facts);
        }
        if say.unknown.is_some() || say.eligible.is_empty() {
            return None;
        }
        Some(routes(&say, user, self.policy.min_duration(), facts))
    }

    fn offer(&self, rules: &[u32], user: &UserId, facts: &Facts<'_>) -> Option<Offer> {
        Offer::of(
            &self.routes(rules, user, facts)?,
            self.policy.min_duration(),
        )
    }
}

/// The rules that concern one person, by position.
#[derive(Debug, Default)]
struct Concerned {
    /// Those that include them as a requester.
    eligible: BTreeSet<u32>,
    /// Those, and those that could forbid them something or cannot be judged.
    all: Vec<u32>,
}

impl Offer {
    fn of(routes: &Routes<'_>, min: Seconds) -> Option<Self> {
        let max_duration = routes.longest()?;
        let open = || routes.waiting.iter().filter(|route| route.can_complete());
        let at_once = routes
            .automatic
            .iter()
            .map(|rule| rule.longest())
            .chain(
                open()
                    .filter(|route| route.needed_from_others() == 0)
                    .map(|route| route.max_duration),
            )
            .max();
        let durations: BTreeSet<Seconds> = routes
            .automatic
            .iter()
            .flat_map(|rule| rule.offered(min))
            .chain(open().flat_map(|route| route.durations.iter().copied()))
            .filter(|offered| (min..=max_duration).contains(offered))
            .collect();
        Some(Self {
            max_duration,
            durations: durations.into_iter().collect(),
            at_once_up_to: at_once,
            approvals: open()
                .map(crate::policy::Route::needed_from_others)
                .min()
                .unwrap_or_default(),
        })
    }

    fn at(&self, account: &AccountId, permission_set: &PermissionSetArn) -> CatalogueEntry {
        CatalogueEntry {
            account: account.clone(),
            permission_set: permission_set.clone(),
            max_duration: self.max_duration,
            durations: self.durations.clone(),
            at_once_up_to: self.at_once_up_to,
            approvals: self.approvals,
        }
    }
}
