//! `belay policy explain`: what the policy answers somebody, and why.

use domain::directory::Directory;
use domain::id::{AccountId, GroupId, PermissionSetArn, UserId};
use domain::policy::{
    BreakGlass, Code, Facts, Outcome as Answer, Policy, Proposal, Seconds, Setting, Verdict,
    decide, nearest, not_carried_out, resolve,
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
    // Problems of a policy are no refusal.
    let file = policy::load(&command.file).map_err(|_| Outcome::Unknown)?;
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
        [] => Err(missing(
            &format!("--as {name}: there is no such person"),
            name,
            directory.people.values().flat_map(|person| {
                std::iter::once(person.user_name.as_str())
                    .chain(person.emails.iter().map(String::as_str))
            }),
            "give an e-mail, a user name or an id",
        )),
        several => Err(format!(
            "--as {name}: that is {} people; give the id of one",
            several.len()
        )),
    }
}

/// What is not there, with what was probably meant, or else what could be.
fn missing<'k>(what: &str, name: &str, known: impl Iterator<Item = &'k str>, help: &str) -> String {
    match nearest(name, known) {
        Some(near) => format!("{what}; did you mean `{near}`?"),
        None => format!("{what}; {help}"),
    }
}

fn target(command: &Explain, directory: &Directory) -> Result<Target, String> {
    if let Some(group) = &command.group {
        return Ok(Target::Group {
            group: self::group(group, directory)?,
        });
    }
    let (Some(account), Some(set)) = (&command.account, &command.permission_set) else {
        return Err("give --account with --permission-set, or --group".to_owned());
    };
    let account = self::account(account, directory)?;
    let permission_set = directory
        .permission_set_named(set)
        .map(|set| set.arn.clone())
        .or_else(|| PermissionSetArn::parse(set).ok())
        .ok_or_else(|| {
            let sets = directory.permission_sets.values();
            missing(
                &format!("--permission-set {set}: there is no such permission set"),
                set,
                sets.map(|set| set.name.as_str()),
                "give a name or an ARN",
            )
        })?;
    Ok(Target::Account {
        account,
        permission_set,
    })
}

/// By id or name. What is not there is judged like any other: the answer says so.
fn account(name: &str, directory: &Directory) -> Result<AccountId, String> {
    let accounts = || directory.accounts.values();
    let by_name: Vec<&AccountId> = accounts()
        .filter(|known| known.name == name)
        .map(|known| &known.id)
        .collect();
    match by_name.as_slice() {
        [one] => Ok((*one).clone()),
        [] if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) => {
            AccountId::parse(name).map_err(|_| {
                format!(
                    "--account {name} has {} digits; an AWS account id has 12",
                    name.len()
                )
            })
        }
        [] => Err(missing(
            &format!("--account {name}: there is no such account"),
            name,
            accounts().map(|account| account.name.as_str()),
            "give an id or a name",
        )),
        several => Err(format!(
            "--account {name}: that is {} accounts; give the id of one",
            several.len()
        )),
    }
}

/// By id or name.
fn group(name: &str, directory: &Directory) -> Result<GroupId, String> {
    if let Ok(id) = GroupId::parse(name) {
        return Ok(id);
    }
    let groups = || directory.groups.values();
    let by_name: Vec<&GroupId> = groups()
        .filter(|known| known.name == name)
        .map(|known| &known.id)
        .collect();
    match by_name.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(missing(
            &format!("--group {name}: there is no such group"),
            name,
            groups().map(|group| group.name.as_str()),
            "give a name or an id",
        )),
        several => Err(format!(
            "--group {name}: that is {} groups; give the id of one",
            several.len()
        )),
    }
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
        let mut names: Vec<&str> = route
            .approvers
            .iter()
            .filter_map(|user| directory.people.get(user))
            .map(|person| person.user_name.as_str())
            .collect();
        names.sort_unstable();
        let asks = if verdict.code == Code::BreakGlass {
            "signed afterwards by"
        } else {
            "approved by"
        };
        lines.push(String::new());
        lines.push(format!(
            "by rule `{}`, up to {}, {asks} {} of",
            route.rule,
            route.max_duration,
            route.needed_from_others()
        ));
        lines.push(format!("  {}", names.join(", ")));
    }
    if verdict.reauthenticate {
        lines.push(String::new());
        let who = if verdict.code == Code::BreakGlass {
            "Whoever goes in first"
        } else {
            "Whoever approves"
        };
        lines.push(format!("{who} has to have signed in just before."));
    }
    lines.push(String::new());
    lines.push(format!("policy version {}", verdict.policy));
    lines.join("\n")
}
