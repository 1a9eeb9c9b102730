//! The document around every page.

use serde::{Deserialize, Serialize};

/// Addresses of the built site's parts, from its manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assets {
    /// The browser's half, glue.
    pub js: String,
    /// The browser's half, code.
    pub wasm: String,
    /// The styles.
    pub css: String,
}

/// Which colours to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

#[cfg(feature = "ssr")]
mod server {
    use leptos::{nonce::use_nonce, prelude::*};

    use super::{Assets, Theme};
    use crate::{App, components::Logo, sentence, view::PageProblem};

    /// The whole document, with the page of the current address in it.
    ///
    /// Reads the [`Theme`] and the nonce in context. Its only script of its own starts the browser's half.
    #[must_use]
    pub fn shell(assets: Assets) -> impl IntoView {
        let theme = use_context::<Theme>().unwrap_or_default();
        let start = format!(
            "import start, {{ hydrate }} from {js};\
             start({{ module_or_path: {wasm} }}).then(hydrate);",
            js = script_string(&assets.js),
            wasm = script_string(&assets.wasm),
        );
        view! {
            <!DOCTYPE html>
            <html lang="en" data-theme=theme.as_str()>
                <head>
                    <meta charset="utf-8"/>
                    <meta name="viewport" content="width=device-width, initial-scale=1"/>
                    <meta name="color-scheme" content="light dark"/>
                    <meta name="robots" content="noindex"/>
                    <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                    <link rel="stylesheet" href=assets.css/>
                    <link rel="stylesheet" href="/print.css" media="print"/>
                    <link rel="modulepreload" href=assets.js nonce=use_nonce()/>
                    <link rel="preload" href=assets.wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                    <leptos_meta::MetaTags/>
                    <script type="module" nonce=use_nonce() inner_html=start></script>
                </head>
                <body>
                    <App/>
                </body>
            </html>
        }
    }

    /// A page for a problem, complete and without script: for what goes wrong before there is a session, or before
    /// there is a page.
    #[must_use]
    pub fn problem_page(assets: &Assets, theme: Theme, problem: PageProblem) -> String {
        let (title, advice) = sentence::page_problem(problem);
        let (way_on, name) = match problem {
            PageProblem::SignInMismatch
            | PageProblem::SignInExpired
            | PageProblem::SignInDeclined
            | PageProblem::SignInInvalid
            | PageProblem::SignInNobody
            | PageProblem::SignInAmbiguous
            | PageProblem::SignInDisabled
            | PageProblem::SignInBoundElsewhere => ("/auth/start", "Sign in"),
            _ => ("/", "Go to Belay"),
        };
        let css = assets.css.clone();
        let whole = Owner::new().with(|| {
            view! {
                <html lang="en" data-theme=theme.as_str()>
                    <head>
                        <meta charset="utf-8"/>
                        <meta name="viewport" content="width=device-width, initial-scale=1"/>
                        <meta name="color-scheme" content="light dark"/>
                        <meta name="robots" content="noindex"/>
                        <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                        <link rel="stylesheet" href=css/>
                        <title>{title} " · Belay"</title>
                    </head>
                    <body>
                        <header class="top">
                            <div class="top-row"><a class="brand" href="/"><Logo/> "Belay"</a></div>
                        </header>
                        <main id="main" class="page">
                            <section class="refusal">
                                <h1>{title}</h1>
                                <p class="lead">{advice}</p>
                                <p class="actions"><a class="button button-main" href=way_on>{name}</a></p>
                            </section>
                        </main>
                    </body>
                </html>
            }
            .to_html()
        });
        format!("<!DOCTYPE html>{whole}")
    }

    /// A JavaScript string literal that cannot end the script it stands in.
    fn script_string(text: &str) -> String {
        let escaped = text
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('<', "\\u003c")
            .replace(['\n', '\r'], "");
        format!("\"{escaped}\"")
    }
}

#[cfg(feature = "ssr")]
pub use server::{problem_page, shell};
