//! A page that holds everything, narrowed by what is typed: the answer that the server would give, without asking it.

use super::{Found, Text, Words};
use crate::view::{AccessFilter, AccessView, AccountView, GroupOfferView, UnitView};

/// What of a whole page is found. The same as the server's answer to the same words, which a test there holds.
#[must_use]
pub fn narrow(whole: &AccessView, typed: &str) -> AccessView {
    let words = Words::of(typed);
    if words.is_empty() {
        return whole.clone();
    }
    let sets: Vec<(&str, Found)> = whole
        .permission_sets
        .iter()
        .map(|set| {
            let text = Text::of_set(&set.name, &set.description);
            (set.name.as_str(), words.found(&text))
        })
        .collect();
    let mut units: Vec<(u32, UnitView)> = whole
        .units
        .iter()
        .filter_map(|unit| match unit {
            UnitView::Groups { offers, .. } => groups(&words, offers),
            UnitView::Accounts { path, accounts } => unit_of(&words, path, accounts, &sets),
        })
        .collect();
    let units = sorted(&mut units).map_or_else(Vec::new, |(_, units)| units);
    let total: usize = units.iter().map(UnitView::len).sum();
    AccessView {
        filter: AccessFilter {
            q: typed.trim().to_owned(),
            ..AccessFilter::default()
        },
        recent: Vec::new(),
        total: u32::try_from(total).unwrap_or(u32::MAX),
        units,
        ..whole.clone()
    }
}

fn groups(words: &Words, offers: &[GroupOfferView]) -> Option<(u32, UnitView)> {
    let mut found: Vec<(u32, GroupOfferView)> = offers
        .iter()
        .filter_map(|offer| {
            let gives = offer.gives.held.iter().flat_map(|held| {
                [
                    held.permission_set.as_str(),
                    &held.account_name,
                    &held.account_id,
                ]
            });
            let text = Text::of_group(&offer.id, &offer.name, gives);
            Some((words.score(words.found(&text))?, offer.clone()))
        })
        .collect();
    let (best, offers) = sorted(&mut found)?;
    Some((best, UnitView::Groups { offers, more: 0 }))
}

fn unit_of(
    words: &Words,
    path: &str,
    accounts: &[AccountView],
    sets: &[(&str, Found)],
) -> Option<(u32, UnitView)> {
    let mut found: Vec<(u32, AccountView)> = accounts
        .iter()
        .filter_map(|account| {
            let tags = account.tags.iter().map(String::as_str);
            let text = Text::of_account(&account.id, &account.name, path, tags);
            let here = words.found(&text);
            let mut offers: Vec<_> = account
                .offers
                .iter()
                .filter_map(|offer| {
                    let set = sets.iter().find(|(name, _)| *name == offer.permission_set);
                    let of_set = set.map_or_else(Found::default, |(_, found)| *found);
                    Some((words.score(here.or(of_set))?, offer.clone()))
                })
                .collect();
            let (best, offers) = sorted(&mut offers)?;
            let account = AccountView {
                offers,
                ..account.clone()
            };
            Some((best, account))
        })
        .collect();
    let (best, accounts) = sorted(&mut found)?;
    let unit = UnitView::Accounts {
        path: path.to_owned(),
        accounts,
    };
    Some((best, unit))
}

/// The best first, and how good that is; `None` if there is nothing. What is found equally well stays in its order.
fn sorted<T>(found: &mut Vec<(u32, T)>) -> Option<(u32, Vec<T>)> {
    let scores: Vec<u32> = found.iter().map(|(score, _)| *score).collect();
    let order = best_first(&scores);
    let best = *scores.get(*order.first()?)?;
    let mut found: Vec<Option<T>> = found.drain(..).map(|(_, thing)| Some(thing)).collect();
    let things = order
        .into_iter()
        .filter_map(|at| found.get_mut(at)?.take())
        .collect();
    Some((best, things))
}

/// The places of these scores, the highest first, equal ones as they stand. By insertion, since there are some hundred
/// at most: the library's sort, once for each of four types, was a sixtieth of what a browser has to load.
fn best_first(scores: &[u32]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(scores.len());
    for (at, score) in scores.iter().enumerate() {
        let place = order.partition_point(|before| scores[*before] >= *score);
        order.insert(place, at);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::best_first;

    #[test]
    fn the_best_come_first_and_equals_stay_as_they_stand() {
        assert_eq!(best_first(&[2, 7, 2, 9, 7, 0]), [3, 1, 4, 0, 2, 5]);
        assert!(best_first(&[]).is_empty());
    }
}
