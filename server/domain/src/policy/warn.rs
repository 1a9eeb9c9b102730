//! What is doubtful in a policy that is valid: DESIGN's warnings.
//!
//! None of it stops a policy from loading. Each names what somebody who reads rules one by one would
//! not see.

use super::language::{Approval, PolicyFile};
use super::problem::{Problem, ProblemCode, Problems};
use super::selector::PersonSelector;
use crate::directory::Directory;

/// Every warning; those that need to know who and what there is only with a directory.
#[must_use]
pub fn warnings(file: &PolicyFile, directory: Option<&Directory>) -> Vec<Problem> {
    let mut problems = Problems::new(&file.file);
    everyone_approves(file, &mut problems);
    let _ = directory;
    problems.into_sorted()
}

/// Whoever asks finds somebody who nods.
fn everyone_approves<'a>(file: &'a PolicyFile, problems: &mut Problems<'a>) {
    for rule in &file.rules {
        if rule.approval == Some(Approval::None) {
            continue;
        }
        for approver in &rule.approvers {
            if approver.value == PersonSelector::Everyone {
                problems.enter(file.file_of(rule.included));
                problems.warn(
                    approver.place,
                    ProblemCode::EveryoneApproves,
                    format!("rule `{}` lets everyone approve", rule.name.value),
                    "name the users or groups whose approval means something",
                );
            }
        }
    }
    problems.leave();
}
