//! What one policy gives and another does not, in sentences: for whoever reviews a change.
//!
//! It compares what people would be offered, not what is written: two policies that say the same in
//! other words do not differ. People whom neither policy tells apart are compared once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use serde::Serialize;

use super::facts::Facts;
use super::seconds::Seconds;
use super::{Policy, Rule};
use crate::catalogue::{Catalogue, Offer};
use crate::directory::Directory;
use crate::id::{AccountId, PermissionSetName, UserId};
use crate::target::Target;

/// How many are named in a sentence before it only counts them.
const NAMED: usize = 3;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// Whether people gain by it; otherwise they lose.
    pub gains: bool,
    /// How many people.
    pub people: usize,
    /// In how many accounts.
    pub accounts: usize,
    /// All of it as a sentence.
    pub sentence: String,
}

/// On what terms somebody can have something, from easy to hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Terms {
    AtOnce,
    OwnApproval,
    BreakGlass,
    Approvals(u32),
}

/// How the terms of one target differ, for one class of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Delta {
    Gained(Terms, Seconds),
    Lost,
    Terms(Terms, Terms),
    Length(Seconds, Seconds),
    Ticket(bool),
    Hours(bool),
    BreakGlass(bool),
    Approver(bool),
}

/// What somebody can have, as people call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing<'d> {
    Set(&'d PermissionSetName),
    Group(&'d str),
}

/// The classes of people whom something concerns, by account. A group is in none.
type Concerned<'d> = BTreeMap<Option<&'d AccountId>, BTreeSet<usize>>;

/// What a server compares when a policy changes: some seconds of work. Beyond it, people compare with
/// `belay policy diff`, which takes the time that it takes.
const COMPARED_AT_ONCE: usize = 20_000_000;

/// The same as [`diff`], unless that would be too much work for somebody who waits: then `None`.
#[must_use]
pub fn diff_at_once(
    old: &Arc<Policy>,
    new: &Arc<Policy>,
    directory: &Directory,
) -> Option<Vec<Change>> {
    let classes = classes(old, new, &Facts::of_snapshot(directory)).len();
    let targets = directory.accounts.len() * directory.permission_sets.len();
    (classes.saturating_mul(targets) <= COMPARED_AT_ONCE).then(|| diff(old, new, directory))
}

/// Everything in which the new policy differs from the old: gains first, then losses.
#[must_use]
pub fn diff(old: &Arc<Policy>, new: &Arc<Policy>, directory: &Directory) -> Vec<Change> {
    let facts = Facts::of_snapshot(directory);
    let (before, after) = (
        Catalogue::build(Arc::clone(old), directory),
        Catalogue::build(Arc::clone(new), directory),
    );
    let classes = classes(old, new, &facts);
    let mut deltas: BTreeMap<(Delta, Thing<'_>), Concerned<'_>> = BTreeMap::new();
    let mut note = |class, account, thing, delta| {
        deltas
            .entry((delta, thing))
            .or_default()
            .entry(account)
            .or_default()
            .insert(class);
    };
    // What is open to everybody's eyes lives as long as the directory.
    let known = |target: &Target| match target {
        Target::Account {
            account,
            permission_set,
        } => Some((
            Some(directory.accounts.get_key_value(account)?.0),
            Thing::Set(&directory.permission_sets.get(permission_set)?.name),
        )),
        Target::Group { group } => Some((None, Thing::Group(&directory.groups.get(group)?.name))),
    };
    for (number, class) in classes.iter().enumerate() {
        let Some(person) = class.first() else {
            continue;
        };
        let approves = approves(&before, &after, person, &facts)
            .into_iter()
            .map(|(target, may)| (target, Delta::Approver(may)));
        for (target, delta) in offered(&before, &after, person, &facts)
            .into_iter()
            .chain(approves)
        {
            if let Some((account, thing)) = known(&target) {
                note(number, account, thing, delta);
            }
        }
    }
    let mut changes: Vec<Change> = overseers(old, new, &facts);
    for ((delta, thing), by_account) in deltas {
        // Accounts in which it concerns the same people are told together.
        let mut together: BTreeMap<BTreeSet<usize>, Vec<&AccountId>> = BTreeMap::new();
        for (account, classes) in by_account {
            together.entry(classes).or_default().extend(account);
        }
        for (concerned, accounts) in together {
            let people: Vec<&UserId> = concerned
                .iter()
                .filter_map(|class| classes.get(*class))
                .flatten()
                .copied()
                .collect();
            changes.push(change(delta, thing, &people, &accounts, directory));
        }
    }
    changes.sort_by(|a, b| {
        let weight = |change: &Change| change.people * change.accounts.max(1);
        (b.gains, weight(b), &a.sentence).cmp(&(a.gains, weight(a), &b.sentence))
    });
    changes
}

/// People whom no rule of either policy tells apart.
fn classes<'d>(old: &Policy, new: &Policy, facts: &Facts<'d>) -> Vec<Vec<&'d UserId>> {
    let rules: Vec<&Rule> = old.rules().iter().chain(new.rules()).collect();
    let mut classes: HashMap<FixedBitSet, Vec<&UserId>> = HashMap::new();
    for user in facts.active_people() {
        let mut says = FixedBitSet::with_capacity(2 * rules.len());
        for (at, rule) in rules.iter().enumerate() {
            says.set(2 * at, rule.requesters.includes(user, facts));
            says.set(2 * at + 1, rule.approvers.includes(user, facts));
        }
        classes.entry(says).or_default().push(user);
    }
    let mut classes: Vec<Vec<&UserId>> = classes.into_values().collect();
    classes.sort();
    classes
}

type OfTarget<T> = (Target, T);

fn offered(
    before: &Catalogue,
    after: &Catalogue,
    person: &UserId,
    facts: &Facts<'_>,
) -> Vec<OfTarget<Delta>> {
    let offers = |catalogue: &Catalogue| -> BTreeMap<Target, Offer> {
        let pairs = catalogue.for_person(person, facts).entries();
        let pairs = pairs.into_iter().map(|entry| {
            let target = Target::Account {
                account: entry.account,
                permission_set: entry.permission_set,
            };
            (target, entry.offer)
        });
        let groups = catalogue.groups_for_person(person, facts);
        let groups = groups
            .into_iter()
            .map(|(group, offer)| (Target::Group { group }, offer));
        pairs.chain(groups).collect()
    };
    let (before, after) = (offers(before), offers(after));
    let mut found = Vec::new();
    for (target, offer) in &after {
        let mut note = |delta| found.push((target.clone(), delta));
        let Some(earlier) = before.get(target) else {
            note(Delta::Gained(terms(offer), offer.max_duration));
            continue;
        };
        if terms(earlier) != terms(offer) {
            note(Delta::Terms(terms(earlier), terms(offer)));
        }
        if earlier.max_duration != offer.max_duration {
            note(Delta::Length(earlier.max_duration, offer.max_duration));
        }
        let besides =
            |offer: &Offer| offer.break_glass_up_to.is_some() && terms(offer) != Terms::BreakGlass;
        if besides(earlier) != besides(offer) {
            note(Delta::BreakGlass(besides(offer)));
        }
        if earlier.ticket != offer.ticket {
            note(Delta::Ticket(offer.ticket));
        }
        if earlier.hours != offer.hours {
            note(Delta::Hours(offer.hours));
        }
    }
    let lost = before.keys().filter(|target| !after.contains_key(target));
    found.extend(lost.map(|target| (target.clone(), Delta::Lost)));
    found
}

const fn terms(offer: &Offer) -> Terms {
    match offer.at_once_up_to {
        Some(_) if offer.own_approval => Terms::OwnApproval,
        Some(_) => Terms::AtOnce,
        None if offer.approvals == 0 && offer.break_glass_up_to.is_some() => Terms::BreakGlass,
        None => Terms::Approvals(offer.approvals),
    }
}

/// Where somebody's word begins or ceases to count.
fn approves(
    before: &Catalogue,
    after: &Catalogue,
    person: &UserId,
    facts: &Facts<'_>,
) -> Vec<OfTarget<bool>> {
    let approved = |catalogue: &Catalogue| -> BTreeSet<Target> {
        let pairs = catalogue.approved_by(person, facts).into_iter();
        let pairs = pairs.map(|(account, permission_set)| Target::Account {
            account,
            permission_set,
        });
        let groups = catalogue.groups_approved_by(person, facts).into_iter();
        pairs
            .chain(groups.map(|group| Target::Group { group }))
            .collect()
    };
    let (before, after) = (approved(before), approved(after));
    let gained = after.difference(&before).map(|target| (target, true));
    let lost = before.difference(&after).map(|target| (target, false));
    gained
        .chain(lost)
        .map(|(target, may)| (target.clone(), may))
        .collect()
}

fn overseers(old: &Policy, new: &Policy, facts: &Facts<'_>) -> Vec<Change> {
    type Is = fn(&Policy, &UserId, &Facts<'_>) -> bool;
    let roles: [(&str, Is); 2] = [
        (
            "admins: they see everything and may end anything",
            Policy::is_admin,
        ),
        ("auditors: they see everything", Policy::is_auditor),
    ];
    let mut changes = Vec::new();
    for (role, is) in roles {
        for gains in [true, false] {
            let people: Vec<&UserId> = facts
                .active_people()
                .filter(|user| {
                    let (was, is) = (is(old, user, facts), is(new, user, facts));
                    if gains { is && !was } else { was && !is }
                })
                .collect();
            if people.is_empty() {
                continue;
            }
            let verb = match (gains, people.len()) {
                (true, 1) => "is now one of the",
                (true, _) => "are now",
                (false, 1) => "is no longer one of the",
                (false, _) => "are no longer",
            };
            changes.push(Change {
                gains,
                people: people.len(),
                accounts: 0,
                sentence: format!("{} {verb} {role}.", who(&people, facts.directory)),
            });
        }
    }
    changes
}

fn change(
    delta: Delta,
    thing: Thing<'_>,
    people: &[&UserId],
    accounts: &[&AccountId],
    directory: &Directory,
) -> Change {
    let who = who(people, directory);
    let thing = match thing {
        Thing::Set(set) => format!("{set} {}", place(accounts, directory)),
        Thing::Group(group) => format!("membership of {group}"),
    };
    let are = if people.len() == 1 { "is" } else { "are" };
    let need = if people.len() == 1 { "needs" } else { "need" };
    let (gains, sentence) = match delta {
        Delta::Gained(terms, max) => (
            true,
            format!("{who} can now have {thing} {}, up to {max}", on(terms)),
        ),
        Delta::Lost => (false, format!("{who} can no longer ask for {thing}")),
        Delta::Terms(_, Terms::OwnApproval) => {
            (true, format!("{who} can now approve their own {thing}"))
        }
        Delta::Terms(Terms::OwnApproval, to) if to != Terms::AtOnce => (
            false,
            format!(
                "{who} can no longer approve their own {thing}; they can have it {}",
                on(to)
            ),
        ),
        Delta::Terms(from, to) => (
            to < from,
            format!(
                "{who} can now have {thing} {}; until now {}",
                on(to),
                on(from)
            ),
        ),
        Delta::Length(from, to) => (
            to > from,
            format!("{who} can now have {thing} for up to {to} instead of {from}"),
        ),
        Delta::BreakGlass(true) => (
            true,
            format!("{who} can now also have {thing} as break-glass"),
        ),
        Delta::BreakGlass(false) => (
            false,
            format!("{who} can no longer have {thing} as break-glass"),
        ),
        Delta::Ticket(true) => (false, format!("{who} now {need} a ticket for {thing}")),
        Delta::Ticket(false) => (true, format!("{who} no longer {need} a ticket for {thing}")),
        Delta::Hours(true) => (
            false,
            format!("{who} {are} now held to certain hours for {thing}"),
        ),
        Delta::Hours(false) => (
            true,
            format!("{who} {are} no longer held to certain hours for {thing}"),
        ),
        Delta::Approver(true) => (true, format!("{who} can now approve {thing}")),
        Delta::Approver(false) => (false, format!("{who} can no longer approve {thing}")),
    };
    Change {
        gains,
        people: people.len(),
        accounts: accounts.len(),
        sentence: format!("{sentence}."),
    }
}

fn on(terms: Terms) -> String {
    match terms {
        Terms::AtOnce => "without approval".to_owned(),
        Terms::OwnApproval => "by approving it themselves".to_owned(),
        Terms::Approvals(1) => "with 1 approval".to_owned(),
        Terms::Approvals(n) => format!("with {n} approvals"),
        Terms::BreakGlass => "as break-glass".to_owned(),
    }
}

/// `ana.silva`, `ana.silva and ben.okafor`, `14 people`.
fn who(people: &[&UserId], directory: &Directory) -> String {
    if people.len() > NAMED {
        return format!("{} people", people.len());
    }
    let mut names: Vec<&str> = people
        .iter()
        .filter_map(|user| directory.people.get(*user))
        .map(|person| person.user_name.as_str())
        .collect();
    names.sort_unstable();
    listed(&names)
}

fn place(accounts: &[&AccountId], directory: &Directory) -> String {
    if accounts.len() > NAMED {
        return format!("in {} accounts", accounts.len());
    }
    let mut names: Vec<&str> = accounts
        .iter()
        .filter_map(|account| directory.accounts.get(*account))
        .map(|account| account.name.as_str())
        .collect();
    names.sort_unstable();
    format!("in {}", listed(&names))
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The differences as text: a line each, `+` for what people gain and `-` for what they lose.
#[must_use]
pub fn diff_text(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "nobody gains or loses anything\n".to_owned();
    }
    let mut text = String::new();
    for change in changes {
        text.push_str(if change.gains { "+ " } else { "- " });
        text.push_str(&change.sentence);
        text.push('\n');
    }
    text
}
