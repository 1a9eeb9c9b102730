//! Which accounts a selector covers.
//!
//! Judged by the directory at the moment of deciding: an account that moves to another OU is at once
//! under that OU's rules.

use std::collections::BTreeSet;

use super::selector::AccountSelector;
use crate::directory::{Account, Directory};

/// Whether the selector covers the account.
pub(crate) fn covers(selector: &AccountSelector, account: &Account) -> bool {
    match selector {
        AccountSelector::All => true,
        AccountSelector::Id(id) => *id == account.id,
        AccountSelector::Ou(name) => under(account, name).is_some(),
        AccountSelector::Name(pattern) => pattern.matches(&account.name),
        AccountSelector::Tag { key, value } => account.tags.get(key) == Some(value),
    }
}

/// How many levels of the account's path lead to the OU that `name` means, if it is under one: by
/// its id, its name, or some levels of its path (`Root/Production`).
fn under(account: &Account, name: &str) -> Option<usize> {
    if let Some(at) = account.ou_ids.iter().position(|id| id == name) {
        return Some(at + 1);
    }
    // Before paths, because an OU's own name may contain a slash.
    if let Some(at) = account.ou_path.iter().position(|ou| ou == name) {
        return Some(at + 1);
    }
    let wanted: Vec<&str> = name.split('/').collect();
    account
        .ou_path
        .windows(wanted.len())
        .position(|run| run.iter().eq(wanted.iter()))
        .map(|at| at + wanted.len())
}

/// The full paths of the OUs that `name` means: more than one if OUs share the name.
pub(super) fn ous(directory: &Directory, name: &str) -> BTreeSet<String> {
    directory
        .accounts
        .values()
        .filter_map(|account| {
            let levels = under(account, name)?;
            Some(account.ou_path.get(..levels)?.join("/"))
        })
        .collect()
}
