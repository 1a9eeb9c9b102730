//! `belay policy explain`: what the policy answers somebody, and why.

use domain::directory::{Directory, NotOne};
use domain::id::UserId;
use domain::policy::{
    BreakGlass, Code, Facts, Outcome as Answer, Policy, Proposal, Seconds, Setting, Verdict,
    decide, not_carried_out, resolve,
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

fn person(name: &str, directory: &Directory) -> Result<UserId, String> {
    let found = directory.person_called(name);
    found.map(|person| person.id.clone()).map_err(|not| {
        let instead = "give an e-mail, a user name or an id";
        not_one(&not, "--as", name, ("person", "people"), instead)
    })
}

/// Why a name is not one thing, with what was probably meant, or else what could be.
fn not_one(
    not: &NotOne,
    option: &str,
    name: &str,
    (one, many): (&str, &str),
    instead: &str,
) -> String {
    match not {
        NotOne::Nothing { near: Some(near) } => {
            format!("{option} {name}: there is no such {one}; did you mean `{near}`?")
        }
        NotOne::Nothing { near: None } => {
            format!("{option} {name}: there is no such {one}; {instead}")
        }
        NotOne::Several(count) => {
            format!("{option} {name}: that is {count} {many}; give the id of one")
        }
        NotOne::Digits(count) => {
            format!("{option} {name} has {count} digits; an AWS account id has 12")
        }
    }
}

fn target(command: &Explain, directory: &Directory) -> Result<Target, String> {
    if let Some(name) = &command.group {
        let group = directory.group_called(name).map_err(|not| {
            let instead = "give a name or an id";
            not_one(&not, "--group", name, ("group", "groups"), instead)
        })?;
        return Ok(Target::Group { group });
    }
    let (Some(account), Some(set)) = (&command.account, &command.permission_set) else {
        return Err("give --account with --permission-set, or --group".to_owned());
    };
    Ok(Target::Account {
        account: directory.account_called(account).map_err(|not| {
            let instead = "give an id or a name";
            not_one(&not, "--account", account, ("account", "accounts"), instead)
        })?,
        permission_set: directory.permission_set_called(set).map_err(|not| {
            let things = ("permission set", "permission sets");
            not_one(
                &not,
                "--permission-set",
                set,
                things,
                "give a name or an ARN",
            )
        })?,
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
