//! Patterns over names: `*` stands for any characters, `?` for exactly one. Nothing else is special,
//! and case counts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A pattern such as `payments-*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// Every text is a pattern; one without `*` or `?` matches only itself.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether the text has a `*` or a `?`.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.contains(['*', '?'])
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `text` matches.
    ///
    /// Remembers only the last `*`, so the time is at most pattern x text and the stack is flat,
    /// whatever someone writes.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let mut pattern = self.0.chars();
        let mut text = text.chars();
        let mut star: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
        loop {
            let (here, ahead) = (text.clone(), pattern.next());
            match (ahead, text.next()) {
                (Some('*'), _) => {
                    // Try the star as nothing first; come back to give it one character more.
                    text = here;
                    star = Some((pattern.clone(), text.clone()));
                }
                (None, None) => return true,
                (Some('?'), Some(_)) => {}
                (Some(wanted), Some(found)) if wanted == found => {}
                (_, None) => return false,
                _ => {
                    let Some((after_star, mut taken)) = star.take() else {
                        return false;
                    };
                    if taken.next().is_none() {
                        return false;
                    }
                    pattern = after_star.clone();
                    text = taken.clone();
                    star = Some((after_star, taken));
                }
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("payments-*", "payments-prod", true),
            ("payments-*", "payments-", true),
            ("payments-*", "my-payments-prod", false),
            ("*Access", "ReadOnlyAccess", true),
            ("*Access", "ReadOnlyAccessPlus", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("??", "ab", true),
            ("??", "a", false),
            ("?", "ü", true),
            ("**", "", true),
            ("a", "A", false),
            ("", "", true),
            ("", "a", false),
            ("[a]", "a", false),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(text),
                expected,
                "{pattern} {text}"
            );
        }
    }

    /// The obvious definition, exponential in the number of stars.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match (pattern.first(), text.first()) {
            (None, None) => true,
            (Some('*'), _) => {
                slow(&pattern[1..], text) || (!text.is_empty() && slow(pattern, &text[1..]))
            }
            (Some('?'), Some(_)) => slow(&pattern[1..], &text[1..]),
            (Some(a), Some(b)) if a == b => slow(&pattern[1..], &text[1..]),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn the_quick_matcher_agrees_with_the_obvious_one(pattern in "[ab*?]{0,7}", text in "[abc]{0,8}") {
            let expected = slow(
                &pattern.chars().collect::<Vec<_>>(),
                &text.chars().collect::<Vec<_>>(),
            );
            prop_assert_eq!(Pattern::new(&pattern).matches(&text), expected);
        }
    }
}
