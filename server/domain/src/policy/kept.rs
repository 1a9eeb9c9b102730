//! One version of a policy, whole: what it takes to have it again when its file says something else
//! and its names mean somebody else.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::read::{Included, parse_with};
use super::resolve::{Bindings, Setting, resolve};
use super::source::Format;
use super::{Policy, Problem};
use crate::directory::Directory;
use crate::id::{AccountId, PolicyVersion};

/// What is kept of each version of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPolicy {
    /// Which version.
    pub version: PolicyVersion,
    /// The name of its file, whose ending is its notation.
    pub file: String,
    /// What that said. Comments that changed later are no other version.
    pub text: String,
    /// What it included, by name.
    pub included: BTreeMap<String, String>,
    /// Whom its names meant.
    pub bindings: Bindings,
    /// Which accounts no policy could open.
    pub protected: BTreeSet<AccountId>,
}

/// A policy that was kept and cannot be had again.
#[derive(Debug, Error)]
pub enum NotTheSame {
    /// Its text is not one of this version's language.
    #[error("its text has {} problems in this version's language", .0.len())]
    Text(Vec<Problem>),
    /// It is damaged, or this version of Belay reads it otherwise than the one that kept it.
    #[error("it is another policy ({found}) by what is kept of it")]
    Other {
        /// What is made of it.
        found: PolicyVersion,
    },
}

impl KeptPolicy {
    /// What is to be kept of a policy that was read from these texts.
    #[must_use]
    pub fn of(policy: &Policy, file: &str, text: &str, included: &Included) -> Self {
        Self {
            version: policy.version.clone(),
            file: file.to_owned(),
            text: text.to_owned(),
            // A policy with an include that could not be read is not valid.
            included: included
                .iter()
                .filter_map(|(name, text)| Some((name.clone(), text.clone().ok()?)))
                .collect(),
            bindings: policy.bindings.clone(),
            protected: policy.protected.clone(),
        }
    }

    /// The policy as it was: its names mean whom they meant then, and who could not be found then is
    /// nobody now.
    pub fn policy(&self) -> Result<Policy, NotTheSame> {
        let included: Included = self
            .included
            .iter()
            .map(|(name, text)| (name.clone(), Ok(text.clone())))
            .collect();
        let format = Format::of_file_name(&self.file);
        let file =
            parse_with(&self.text, format, &self.file, &included).map_err(NotTheSame::Text)?;
        let setting = Setting {
            protected: self.protected.clone(),
            earlier: Some(self.bindings.clone()),
        };
        // Nobody is there to be found, but by the bindings.
        let policy = resolve(&file, &Directory::default(), &setting).policy;
        if policy.version == self.version {
            Ok(policy)
        } else {
            let found = policy.version;
            Err(NotTheSame::Other { found })
        }
    }
}
