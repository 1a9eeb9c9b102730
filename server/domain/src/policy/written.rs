//! Policies that are written by program: lists, texts and comments that say in TOML what is meant.

use super::problem::{Place, ProblemCode, Problems};
use super::read::parse;
use super::source::Format;

/// Characters that are never written as they are: control characters, and those that reverse the
/// direction of text and can make a line read as another.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A TOML text.
pub(super) fn quoted(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                written.push('\\');
                written.push(c);
            }
            hidden if is_hidden(hidden) => {
                written.extend(format!("\\U{:08X}", u32::from(hidden)).chars());
            }
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

/// What stands behind a `#`: one line, whatever somebody named their account.
pub(super) fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if is_hidden(c) { '\u{fffd}' } else { c })
        .collect()
}

/// On one line while that can be read at a glance, otherwise an entry a line.
pub(super) fn list(key: &str, entries: &[String]) -> String {
    /// What fits beside a diff.
    const WIDE: usize = 100;
    let entries: Vec<String> = entries.iter().map(|entry| quoted(entry)).collect();
    let short = format!("{key} = [{}]", entries.join(", "));
    if short.chars().count() <= WIDE {
        return short;
    }
    format!("{key} = [\n    {},\n]", entries.join(",\n    "))
}

/// The language's limits hold for what was written, too: said here, since nobody could use it.
pub(super) fn too_large(policy: &str, problems: &mut Problems<'_>) {
    let Err(found) = parse(policy, Format::Toml, "the policy") else {
        return;
    };
    for problem in found {
        if problem.code == ProblemCode::TooLarge {
            problems.error(
                Place::START,
                ProblemCode::TooLarge,
                format!("the policy that this gives: {}", problem.message),
                problem.help,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_quoted_is_read_back(text in "\\PC{0,20}|[\"\\\\\n\t\u{0}\u{7f}\u{202e}a]{0,20}") {
            let read: toml::Table = toml::from_str(&format!("# {}\nx = {}", comment(&text), quoted(&text))).unwrap();
            prop_assert_eq!(read["x"].as_str().unwrap(), text);
        }
    }
}
