//! Everything that somebody may ask for, one after the other, for programs: found as pages find it, and
//! never in an order of its own, so that a list goes on where it stopped.

use app::search::Words;
use app::view::{CurrentView, TargetView};
use domain::catalogue::Offer as Terms;
use domain::grant::Grant;
use domain::id::{AccountId, GroupId, PermissionSetArn, UserId};
use domain::request::Request;
use domain::target::Target;

use crate::world::World;

use super::access::{self, Current};
use super::names;

/// An offer of a list.
#[derive(Debug)]
pub(in crate::web) struct Listed {
    pub(in crate::web) target: TargetView,
    pub(in crate::web) terms: Terms,
    pub(in crate::web) current: Option<CurrentView>,
    /// Where a list goes on after this.
    pub(in crate::web) place: Place,
}

/// A place in the list: groups by name, then accounts by name with their permission sets by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::web) struct Place(Target);

impl Place {
    /// For a cursor.
    pub(in crate::web) fn to_text(&self) -> String {
        match &self.0 {
            Target::Account {
                account,
                permission_set,
            } => format!("{account} {permission_set}"),
            Target::Group { group } => format!("group {group}"),
        }
    }

    /// From a cursor.
    pub(in crate::web) fn parse(text: &str) -> Option<Self> {
        let (first, second) = text.split_once(' ')?;
        Some(Self(if first == "group" {
            Target::Group {
                group: GroupId::parse(second).ok()?,
            }
        } else {
            Target::Account {
                account: AccountId::parse(first).ok()?,
                permission_set: PermissionSetArn::parse(second).ok()?,
            }
        }))
    }
}

/// The place is of something that the directory has no more.
#[derive(Debug)]
pub(in crate::web) struct Lost;

/// What is looked for.
#[derive(Debug, Default)]
pub(in crate::web) struct Wanted<'a> {
    /// Words; empty for everything.
    pub(in crate::web) text: &'a str,
    /// Only in this account.
    pub(in crate::web) account: Option<&'a AccountId>,
    /// Only after this.
    pub(in crate::web) after: Option<&'a Place>,
    /// At most so many.
    pub(in crate::web) limit: usize,
}

/// A stretch of the list, and whether there is more behind it.
pub(in crate::web) fn listed(
    world: &World,
    user: &UserId,
    wanted: &Wanted<'_>,
    (requests, live): (&[Request], &[Grant]),
) -> Result<(Vec<Listed>, bool), Lost> {
    let current = Current::of(requests, live);
    let words = Words::of(wanted.text);
    // One more tells whether there is more.
    let enough = wanted.limit + 1;
    let mut found: Vec<(Target, Terms)> = Vec::new();
    let after = wanted.after.map(|place| &place.0);
    if wanted.account.is_none() && !matches!(after, Some(Target::Account { .. })) {
        groups(world, user, &words, after, &mut found)?;
        found.truncate(enough);
    }
    if found.len() < enough {
        accounts(
            world,
            user,
            (&words, wanted.account),
            (after, enough),
            &mut found,
        )?;
    }
    let is_more = found.len() > wanted.limit;
    found.truncate(wanted.limit);
    let listed = found.into_iter().filter_map(|(target, terms)| {
        Some(Listed {
            current: current.on(&target),
            target: names::listed(access::target_view(world, &target)?),
            terms,
            place: Place(target),
        })
    });
    Ok((listed.collect(), is_more))
}

fn groups(
    world: &World,
    user: &UserId,
    words: &Words,
    after: Option<&Target>,
    found: &mut Vec<(Target, Terms)>,
) -> Result<(), Lost> {
    let name = |group: &GroupId| {
        let known = world.directory.groups.get(group);
        known.map(|known| (known.name.as_str(), group.clone()))
    };
    let begin = match after {
        Some(Target::Group { group }) => Some(name(group).ok_or(Lost)?),
        _ => None,
    };
    let facts = world.facts();
    let mut all: Vec<((&str, GroupId), Terms)> = world
        .catalogue
        .groups_for_person(user, &facts)
        .into_iter()
        .filter_map(|(group, terms)| {
            let text = world.texts.groups.get(&group)?;
            words.score(words.found(text))?;
            Some((name(&group)?, terms))
        })
        .filter(|(name, _)| begin.as_ref().is_none_or(|begin| name > begin))
        .collect();
    all.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let target = |((_, group), terms)| (Target::Group { group }, terms);
    found.extend(all.into_iter().map(target));
    Ok(())
}

fn accounts(
    world: &World,
    user: &UserId,
    (words, only): (&Words, Option<&AccountId>),
    (after, enough): (Option<&Target>, usize),
    found: &mut Vec<(Target, Terms)>,
) -> Result<(), Lost> {
    let (accounts, sets) = (
        world.catalogue.accounts(),
        world.catalogue.permission_sets(),
    );
    // Both are in the order of names.
    let begin = match after {
        Some(Target::Account {
            account,
            permission_set,
        }) => {
            let account = accounts.iter().position(|one| one == account);
            let set = sets.iter().position(|one| one == permission_set);
            Some((account.ok_or(Lost)?, set.ok_or(Lost)?))
        }
        _ => None,
    };
    let facts = world.facts();
    let catalogue = world.catalogue.for_person(user, &facts);
    let in_sets: Vec<_> = world
        .texts
        .sets
        .iter()
        .map(|text| words.found(text))
        .collect();
    let first = begin.map_or(0, |(account, _)| account);
    for (at, account) in accounts.iter().enumerate().skip(first) {
        if only.is_some_and(|only| only != account) {
            continue;
        }
        let Some(text) = world.texts.accounts.get(at) else {
            continue;
        };
        let here = words.found(&text.text);
        let place = u32::try_from(at).unwrap_or(u32::MAX);
        let blocks = catalogue.blocks().iter();
        let mut offers: Vec<(usize, &Terms)> = blocks
            .filter(|block| block.accounts.binary_search(&place).is_ok())
            .flat_map(|block| block.sets.iter().map(|set| (*set as usize, &*block.offer)))
            .filter(|(set, _)| {
                let in_set = in_sets.get(*set).copied().unwrap_or_default();
                begin.is_none_or(|begin| (at, *set) > begin)
                    && words.score(here.or(in_set)).is_some()
            })
            .collect();
        offers.sort_unstable_by_key(|(set, _)| *set);
        let target = |(set, terms): (usize, &Terms)| {
            let target = Target::Account {
                account: account.clone(),
                permission_set: sets.get(set)?.clone(),
            };
            Some((target, terms.clone()))
        };
        found.extend(offers.into_iter().filter_map(target));
        if found.len() >= enough {
            break;
        }
    }
    Ok(())
}
