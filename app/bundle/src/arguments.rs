//! The command line: two options, so parsed by hand.

use std::path::PathBuf;

/// How the browser's half is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Small first: what people get, and what every test runs.
    WasmRelease,
    /// Quick to build and several times the size: for work on pages. Not measured against limits.
    DevFast,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) profile: Profile,
    pub(crate) out: PathBuf,
}

pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut parsed = Arguments {
        profile: Profile::WasmRelease,
        out: PathBuf::from("target/site"),
    };
    let mut words = words;
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} wants a value"));
        match word.as_str() {
            "--profile" => {
                parsed.profile = match value()?.as_str() {
                    "wasm-release" => Profile::WasmRelease,
                    "dev-fast" => Profile::DevFast,
                    other => {
                        return Err(format!(
                            "no profile '{other}'; there are wasm-release and dev-fast"
                        ));
                    }
                }
            }
            "--out" => parsed.out = PathBuf::from(value()?),
            other => {
                return Err(format!(
                    "unknown argument '{other}'; usage: bundle [--profile wasm-release|dev-fast] [--out FOLDER]"
                ));
            }
        }
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn the_small_build_into_the_usual_folder_is_the_default() {
        let expected = Arguments {
            profile: Profile::WasmRelease,
            out: PathBuf::from("target/site"),
        };
        assert_eq!(parsed(""), Ok(expected));
    }

    #[test]
    fn an_unknown_profile_is_refused_and_names_the_known_ones() {
        let refused = parsed("--profile release");
        assert!(refused.is_err_and(|problem| problem.contains("wasm-release")));
    }
}
