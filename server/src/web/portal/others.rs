//! What else somebody may ask for in the same request: what is nearest first.

use app::view::TargetView;
use domain::catalogue::{Offer as Terms, PersonCatalogue};
use domain::id::GroupId;
use domain::target::Target;

use crate::world::World;

use super::{access, names};

/// More than these nobody picks from by ticking; with the rest of the form they stay below the
/// fields that a form may have.
const OTHERS_MAX: usize = 30;

/// The same in other accounts, then others in the same account, then groups, then the rest; by name.
/// Beside a group, other groups come first.
pub(super) fn others(
    world: &World,
    own: &Target,
    catalogue: &PersonCatalogue<'_>,
    groups: &[(GroupId, Terms)],
) -> Vec<TargetView> {
    let (mut nearest, rest) = match own {
        Target::Account {
            account,
            permission_set,
        } => {
            let accounts = world.catalogue.accounts().iter();
            let sets = world.catalogue.permission_sets().iter();
            let account = place(accounts.clone().position(|other| other == account));
            let set = place(sets.clone().position(|other| other == permission_set));
            let mut pairs = pairs(catalogue, |(_, other)| Some(other) == set);
            pairs.extend(self::pairs(catalogue, |(other, of)| {
                Some(other) == account && Some(of) != set
            }));
            let rest = self::pairs(catalogue, |(other, of)| {
                Some(other) != account && Some(of) != set
            });
            (targets(world, pairs), rest)
        }
        Target::Group { .. } => (Vec::new(), pairs(catalogue, |_| true)),
    };
    nearest.extend(by_name(world, groups));
    nearest.extend(targets(world, rest));
    nearest
        .into_iter()
        .filter(|other| other != own)
        .take(OTHERS_MAX)
        .filter_map(|other| access::target_view(world, &other))
        .map(names::listed)
        .collect()
}

fn place(at: Option<usize>) -> Option<u32> {
    u32::try_from(at?).ok()
}

/// The first of those pairs, by account and then by permission set: as many as could be needed, and
/// never all of them, of which there may be millions.
fn pairs(catalogue: &PersonCatalogue<'_>, wanted: impl Fn((u32, u32)) -> bool) -> Vec<(u32, u32)> {
    // One may turn out to be what is asked for already.
    const ENOUGH: usize = OTHERS_MAX + 1;
    let mut first: Vec<(u32, u32)> = Vec::new();
    for block in catalogue.blocks() {
        // Both are in order, and so are their pairs.
        let all = block
            .accounts
            .iter()
            .flat_map(|account| block.sets.iter().map(|set| (*account, *set)));
        first.extend(all.filter(|pair| wanted(*pair)).take(ENOUGH));
        first.sort_unstable();
        first.truncate(ENOUGH);
    }
    first
}

fn targets(world: &World, pairs: Vec<(u32, u32)>) -> Vec<Target> {
    let target = |(account, set): (u32, u32)| {
        Some(Target::Account {
            account: world.catalogue.accounts().get(account as usize)?.clone(),
            permission_set: world.catalogue.permission_sets().get(set as usize)?.clone(),
        })
    };
    pairs.into_iter().filter_map(target).collect()
}

fn by_name(world: &World, groups: &[(GroupId, Terms)]) -> Vec<Target> {
    let mut named: Vec<(&str, &GroupId)> = groups
        .iter()
        .filter_map(|(id, _)| Some((world.directory.groups.get(id)?.name.as_str(), id)))
        .collect();
    named.sort_unstable();
    named
        .into_iter()
        .map(|(_, group)| Target::Group {
            group: group.clone(),
        })
        .collect()
}
