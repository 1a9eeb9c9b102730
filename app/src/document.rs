//! The document around every page.

use leptos::prelude::*;

use crate::view::PageProblem;

/// Addresses of the built site's parts, from its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    /// The browser's half, glue.
    pub js: String,
    /// The browser's half, code.
    pub wasm: String,
    /// The styles.
    pub css: String,
}

/// Which colours to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// As the reader's system says.
    #[default]
    System,
    /// Light, by choice.
    Light,
    /// Dark, by choice.
    Dark,
}

impl Theme {
    /// The cookie that keeps the choice, and the field of the form that makes it.
    pub const NAME: &str = "theme";

    /// Reads a cookie's or a field's value; anything unknown is [`Theme::System`].
    #[must_use]
    pub fn parse(value: &str) -> Self {
        match value {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The value that [`Theme::parse`] reads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The whole document.
pub fn shell(assets: Assets) -> impl IntoView {
    let _ = assets;
}

/// A page for a problem, complete, without script.
#[must_use]
pub fn problem_page(assets: &Assets, theme: Theme, problem: PageProblem) -> String {
    let _ = (assets, theme, problem);
    String::new()
}
