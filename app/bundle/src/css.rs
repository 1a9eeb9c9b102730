//! One stylesheet out of `main.css` and what it imports, without comments and needless space, and
//! with short names for its custom properties.
//!
//! Deliberately light: it understands strings, comments, punctuation and names that begin with two
//! dashes, and nothing else of CSS, so it cannot reorder or rewrite a rule wrongly. Brotli does the
//! rest. Nothing outside the sheet may use a custom property by its name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

/// Deeper nesting than this is a circle.
const IMPORT_DEPTH_LIMIT: usize = 8;

/// Reads `main` and puts each `@import "file.css";` in its place, order kept.
pub(crate) fn bundle(main: &Path) -> Result<String> {
    Ok(with_short_names(&minify(&with_imports(main, 0)?)))
}

fn with_imports(path: &Path, depth: usize) -> Result<String> {
    ensure!(
        depth < IMPORT_DEPTH_LIMIT,
        "{} is imported in a circle",
        path.display()
    );
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut whole = String::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("@import") {
            let at = format!("{}:{}", path.display(), number + 1);
            whole.push_str(&imported(path, line.trim(), depth).context(at)?);
        } else {
            whole.push_str(line);
        }
        whole.push('\n');
    }
    Ok(whole)
}

/// Takes `@import "x.css";` and `@import "x.css" layer(y);`, one a line. Other forms (media, remote
/// addresses) are refused rather than copied, since an import anywhere but at the top is ignored.
fn imported(from: &Path, line: &str, depth: usize) -> Result<String> {
    let parts = line
        .strip_prefix("@import")
        .and_then(|rest| rest.trim().strip_suffix(';'))
        .and_then(|rest| rest.trim().strip_prefix('"'))
        .and_then(|rest| rest.split_once('"'));
    let Some((name, condition)) = parts else {
        bail!("an import is written @import \"file.css\"; on one line, not {line}")
    };
    ensure!(
        !name.contains("://"),
        "{name} would be fetched from elsewhere; the page's policy forbids it"
    );
    let file: PathBuf = from.parent().unwrap_or(Path::new("")).join(name);
    let text = with_imports(&file, depth + 1)?;
    let condition = condition.trim();
    if condition.is_empty() {
        return Ok(text);
    }
    match condition
        .strip_prefix("layer(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        Some(layer) => Ok(format!("@layer {layer} {{\n{text}\n}}\n")),
        None => bail!("'{condition}' after an import is not supported; there is layer(name)"),
    }
}

/// Drops comments, joins runs of space, and drops space where CSS never needs it.
fn minify(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut space = false;
    while let Some(next) = rest.next() {
        match next {
            '/' if rest.peek() == Some(&'*') => {
                rest.next();
                let mut before = ' ';
                for inside in rest.by_ref() {
                    if before == '*' && inside == '/' {
                        break;
                    }
                    before = inside;
                }
                space = true;
            }
            quote @ ('"' | '\'') => {
                push(&mut out, quote, &mut space);
                while let Some(inside) = rest.next() {
                    out.push(inside);
                    if inside == '\\' {
                        out.extend(rest.next());
                    } else if inside == quote {
                        break;
                    }
                }
            }
            _ if next.is_whitespace() => space = true,
            _ => push(&mut out, next, &mut space),
        }
    }
    out
}

/// Gives custom properties names of a letter or two, the most used ones the shortest.
fn with_short_names(text: &str) -> String {
    let parts = parts(text);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in parts.iter().filter(|part| part.starts_with("--")) {
        *counts.entry(name).or_default() += 1;
    }
    let mut by_use: Vec<(&str, usize)> = counts.into_iter().collect();
    // Stable: equally used ones stay in the order of their names, so that a sheet has one outcome.
    by_use.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let short: BTreeMap<&str, String> = by_use
        .iter()
        .enumerate()
        .map(|(at, (name, _))| (*name, short_name(at)))
        .collect();
    parts
        .iter()
        .map(|part| short.get(part).map_or(*part, String::as_str))
        .collect()
}

/// `--a` to `--z`, then `--aa` and so on.
fn short_name(at: usize) -> String {
    let letters = "abcdefghijklmnopqrstuvwxyz";
    let (before, last) = (at / letters.len(), at % letters.len());
    let mut name = if before == 0 {
        "--".to_owned()
    } else {
        short_name(before - 1)
    };
    name.push_str(&letters[last..=last]);
    name
}

/// The text in pieces: strings, names (with dashes, digits and all), and everything else by itself.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let named = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let length = match first {
            '"' | '\'' => string_length(rest, first),
            _ if named(first) => rest.find(|c| !named(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (part, after) = rest.split_at(length);
        parts.push(part);
        rest = after;
    }
    parts
}

fn string_length(text: &str, quote: char) -> usize {
    let mut escaped = true;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + quote.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

fn push(out: &mut String, next: char, space: &mut bool) {
    let before = out.chars().next_back();
    let needed = *space
        && !matches!(before, None | Some('{' | '}' | ';' | ',' | ':'))
        // A space before `:` or `(` has a meaning, in `a :hover` and `and (`.
        && !matches!(next, '{' | '}' | ';' | ',');
    *space = false;
    if needed {
        out.push(' ');
    }
    if next == '}' && before == Some(';') {
        out.pop();
    }
    // `0.5` is `.5`, where the 0 is all of what stands before the dot.
    if next == '.' && before == Some('0') {
        let ahead = out.chars().rev().nth(1);
        if !ahead.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '%')) {
            out.pop();
        }
    }
    out.push(next);
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[track_caller]
    fn check(from: &str, to: &str) {
        assert_eq!(minify(from), to);
    }

    #[test]
    fn needless_space_and_comments_go() {
        check(
            "/* why */\na , b {\n  color : red;\n  margin: 0 auto;\n}\n",
            "a,b{color :red;margin:0 auto}",
        );
    }

    #[test]
    fn space_with_a_meaning_stays() {
        check(
            "nav :focus { width: calc(1px + 2px) }",
            "nav :focus{width:calc(1px + 2px)}",
        );
        check(
            "@media (min-width: 1px) and (hover) {}",
            "@media (min-width:1px) and (hover){}",
        );
        check("a/* b */c {}", "a c{}");
    }

    #[test]
    fn a_nought_before_the_dot_goes_and_no_other_does() {
        check(
            "a{margin:0.5rem -0.5em 10.5px 0 0.05em;inset:0}.a0.b{}",
            "a{margin:.5rem -0.5em 10.5px 0 .05em;inset:0}.a0.b{}",
        );
    }

    #[test]
    fn strings_are_not_touched() {
        check(
            r#"a { content: "/* { \" } */  x" ; }"#,
            r#"a{content:"/* { \" } */  x"}"#,
        );
    }

    #[test]
    fn custom_properties_get_short_names_and_nothing_else_does() {
        let from = r#"a{--wide:1px;--edge:2px}.b--wide{width:var(--wide);left:calc(var(--wide)*-1 - var(--edge));content:"--wide\"--edge"}"#;
        let to = r#"a{--a:1px;--b:2px}.b--wide{width:var(--a);left:calc(var(--a)*-1 - var(--b));content:"--wide\"--edge"}"#;
        assert_eq!(with_short_names(from), to);
        let names: Vec<String> = [0, 25, 26, 27, 701, 702].map(short_name).into();
        assert_eq!(names, ["--a", "--z", "--aa", "--ab", "--zz", "--aaa"]);
    }

    #[test]
    fn imports_keep_their_order_and_their_layer() {
        let folder = std::env::temp_dir().join(format!("bundle-css-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("a.css"), "a{}").unwrap();
        std::fs::write(folder.join("b.css"), "b{}").unwrap();
        let main = folder.join("main.css");
        std::fs::write(
            &main,
            "@import \"b.css\";\n@import \"a.css\" layer(base);\nc{}",
        )
        .unwrap();
        assert_eq!(bundle(&main).unwrap(), "b{}@layer base{a{}}c{}");
        std::fs::write(&main, "@import \"main.css\";").unwrap();
        assert!(bundle(&main).is_err(), "a circle");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
