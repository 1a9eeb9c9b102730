//! What people look for, made ready once a snapshot: a search then folds what is typed, and nothing else.

use std::collections::HashMap;

use app::search::Text;
use domain::catalogue::Catalogue;
use domain::directory::Directory;
use domain::id::GroupId;

/// The texts of everything that somebody may ask for.
#[derive(Debug)]
pub struct Texts {
    /// By place in [`Catalogue::accounts`].
    pub accounts: Vec<AccountText>,
    /// By place in [`Catalogue::permission_sets`].
    pub sets: Vec<Text>,
    /// Of the groups that the policy offers.
    pub groups: HashMap<GroupId, Text>,
    /// Each organizational unit once, from the root, joined by ` / `; sorted.
    pub units: Vec<String>,
    /// The places of all accounts, by unit and then by name.
    pub by_unit: Vec<u32>,
}

/// An account, as it is looked for.
#[derive(Debug)]
pub struct AccountText {
    /// What words are looked for in.
    pub text: Text,
    /// Its place in [`Texts::units`].
    pub unit: u32,
}

impl Texts {
    /// Makes them ready, in the catalogue's order.
    #[must_use]
    pub fn of(catalogue: &Catalogue, directory: &Directory) -> Self {
        let known = catalogue
            .accounts()
            .iter()
            .map(|id| directory.accounts.get(id));
        let paths: Vec<String> = known
            .clone()
            .map(|account| account.map_or_else(String::new, |account| ou_path(&account.ou_path)))
            .collect();
        let mut units = paths.clone();
        units.sort_unstable();
        units.dedup();
        let accounts: Vec<AccountText> = catalogue
            .accounts()
            .iter()
            .zip(known)
            .zip(&paths)
            .map(|((id, account), path)| {
                let name = account.map_or("", |account| account.name.as_str());
                let tags: Vec<String> = account.map(tags).unwrap_or_default();
                let tags = tags.iter().map(String::as_str);
                let unit = units.binary_search(path).unwrap_or_default();
                AccountText {
                    text: Text::of_account(id.as_str(), name, path, tags),
                    unit: u32::try_from(unit).unwrap_or(u32::MAX),
                }
            })
            .collect();
        let mut by_unit: Vec<u32> = (0..).take(accounts.len()).collect();
        // Stable: within a unit they stay in the catalogue's order, which is by name.
        by_unit.sort_by_key(|at| accounts.get(*at as usize).map(|account| account.unit));
        Self {
            sets: sets(catalogue, directory),
            groups: groups(catalogue, directory),
            accounts,
            units,
            by_unit,
        }
    }
}

fn sets(catalogue: &Catalogue, directory: &Directory) -> Vec<Text> {
    let sets = catalogue.permission_sets().iter();
    sets.map(|arn| {
        let set = directory.permission_sets.get(arn);
        let name = set.map_or("", |set| set.name.as_str());
        let description = set.and_then(|set| set.description.as_deref());
        Text::of_set(name, description.unwrap_or_default())
    })
    .collect()
}

fn groups(catalogue: &Catalogue, directory: &Directory) -> HashMap<GroupId, Text> {
    let wanted = catalogue.policy().target_groups().into_iter();
    wanted
        .filter_map(|id| {
            let group = directory.groups.get(&id)?;
            let held = directory.holdings.of(&id).into_iter().flatten();
            let gives: Vec<&str> = held
                .flat_map(|(account, set)| {
                    let set = directory.permission_sets.get(set);
                    let known = directory.accounts.get(account);
                    [
                        set.map_or("", |set| set.name.as_str()),
                        known.map_or("", |account| account.name.as_str()),
                        account.as_str(),
                    ]
                })
                .collect();
            let text = Text::of_group(id.as_str(), &group.name, gives);
            Some((id, text))
        })
        .collect()
}

/// Organizational units from the root, as pages join them.
#[must_use]
pub fn ou_path(path: &[String]) -> String {
    path.join(" / ")
}

/// Tags as pages write them.
#[must_use]
pub fn tags(account: &domain::directory::Account) -> Vec<String> {
    let tags = account.tags.iter();
    tags.map(|(key, value)| format!("{key}={value}")).collect()
}
