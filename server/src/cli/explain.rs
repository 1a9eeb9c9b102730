//! `belay policy explain`: what the policy answers somebody, and why.

use domain::directory::Directory;
use domain::id::{AccountId, GroupId, PermissionSetArn, UserId};
use domain::policy::{
    BreakGlass, Facts, Outcome as Answer, Policy, Proposal, Seconds, Setting, Verdict, decide,
    not_carried_out, resolve,
};
use domain::target::Target;

use crate::store::now;

use super::{Explain, Outcome, policy, print, print_json, say};

/// Judges one proposal and says so.
pub(super) fn run(command: &Explain) -> Outcome {
    match judged(command) {
        Ok((directory, verdict)) => {
            if command.json {
                print_json(&verdict);
            } else {
                print(&text(&verdict, &directory));
            }
            match verdict.outcome {
                Answer::Granted | Answer::Pending => Outcome::Yes,
                Answer::Refused => Outcome::No,
            }
        }
        Err(outcome) => outcome,
    }
}

fn judged(command: &Explain) -> Result<(Directory, Verdict), Outcome> {
    let file = policy::load(&command.file)?;
    let directory = command.organisation.load()?;
    let resolved = resolve(&file, &directory, &Setting::default());
    for problem in resolved.problems.iter().chain(&not_carried_out(&file)) {
        say(&problem.to_string());
    }
    let proposal = proposal(command, &resolved.policy, &directory).map_err(|message| {
        say(&message);
        Outcome::Usage
    })?;
    let verdict = decide(&resolved.policy, &proposal, &Facts::of_snapshot(&directory));
    Ok((directory, verdict))
}

fn proposal(command: &Explain, policy: &Policy, directory: &Directory) -> Result<Proposal, String> {
    let duration = match &command.duration {
        None => policy.min_duration(),
        Some(text) => Seconds::parse(text)
            .map_err(|error| format!("--duration {text} is not a duration: {error}"))?,
    };
    Ok(Proposal {
        ticket: command.ticket.clone(),
        start: command.start,
        break_glass: if command.break_glass {
            BreakGlass::Asked
        } else {
            BreakGlass::No
        },
        ..Proposal::new(
            person(&command.person, directory)?,
            target(command, directory)?,
            duration,
            policy.reason_min(),
            now(),
        )
    })
}

/// By id, user name or e-mail, in any case.
fn person(name: &str, directory: &Directory) -> Result<UserId, String> {
    let found: Vec<&UserId> = directory
        .people
        .values()
        .filter(|person| {
            person.id.as_str().to_lowercase() == name.to_lowercase() || person.is_called(name)
        })
        .map(|person| &person.id)
        .collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(format!("--as {name}: there is no such person")),
        several => Err(format!(
            "--as {name}: that is {} people; give the id of one",
            several.len()
        )),
    }
}

fn target(command: &Explain, directory: &Directory) -> Result<Target, String> {
    if let Some(group) = &command.group {
        let known = directory
            .groups
            .values()
            .find(|known| known.id.as_str() == group || known.name == *group)
            .map(|known| known.id.clone());
        let group = known
            .or_else(|| GroupId::parse(group).ok())
            .ok_or_else(|| format!("--group {group}: there is no such group"))?;
        return Ok(Target::Group { group });
    }
    let (Some(account), Some(set)) = (&command.account, &command.permission_set) else {
        return Err("give --account with --permission-set, or --group".to_owned());
    };
    let by_name: Vec<&AccountId> = directory
        .accounts
        .values()
        .filter(|known| known.name == *account)
        .map(|known| &known.id)
        .collect();
    let account = match by_name.as_slice() {
        [one] => (*one).clone(),
        // An account that is not there is judged like any other: the answer says so.
        [] => AccountId::parse(account)
            .map_err(|_| format!("--account {account}: there is no such account"))?,
        several => {
            return Err(format!(
                "--account {account}: that is {} accounts; give the id of one",
                several.len()
            ));
        }
    };
    let permission_set = directory
        .permission_set_named(set)
        .map(|set| set.arn.clone())
        .or_else(|| PermissionSetArn::parse(set).ok())
        .ok_or_else(|| format!("--permission-set {set}: there is no such permission set"))?;
    Ok(Target::Account {
        account,
        permission_set,
    })
}

/// The answer first, then why, then who.
fn text(verdict: &Verdict, directory: &Directory) -> String {
    let answer = match verdict.outcome {
        Answer::Granted => "granted",
        Answer::Pending => "pending",
        Answer::Refused => "refused",
    };
    let mut lines = vec![format!("{answer} ({})", verdict.code), verdict.sentence()];
    if !verdict.reasons.is_empty() {
        lines.push(String::new());
        lines.push("because".to_owned());
        lines.extend(
            verdict
                .reasons
                .iter()
                .map(|reason| format!("  {}", reason.sentence())),
        );
    }
    for route in verdict.routes.iter().filter(|route| route.approvals > 0) {
        let names: Vec<&str> = route
            .approvers
            .iter()
            .filter_map(|user| directory.people.get(user))
            .map(|person| person.user_name.as_str())
            .collect();
        lines.push(String::new());
        lines.push(format!(
            "by rule `{}`, up to {}, {} of",
            route.rule,
            route.max_duration,
            route.needed_from_others()
        ));
        lines.push(format!("  {}", names.join(", ")));
    }
    if verdict.reauthenticate {
        lines.push(String::new());
        lines.push("Whoever approves has to have signed in just before.".to_owned());
    }
    lines.push(String::new());
    lines.push(format!("policy version {}", verdict.policy));
    lines.join("\n")
}
