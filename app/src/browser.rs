//! What only a browser has: its clock, its zone, its title bar. On the server each of these does nothing.

use leptos::prelude::*;

use crate::{clock, view::EpochMs};

/// In context: the browser's half has taken over, so that things may be drawn that the server could not know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alive(pub(crate) RwSignal<bool>);

impl Alive {
    /// Puts it in context, false until everything that the server drew has been taken over.
    pub(crate) fn provide() {
        let alive = RwSignal::new(false);
        provide_context(Self(alive));
        Effect::new(move |_| {
            keep_zone();
            alive.set(true);
        });
    }

    /// Whether the browser's half is alive; tracked. False if nobody provided it.
    pub(crate) fn get() -> bool {
        use_context::<Self>().is_some_and(|alive| alive.0.get())
    }
}

/// How an instant reads until the browser's half is alive: in the reader's zone, if their cookie tells it.
#[cfg(not(feature = "hydrate"))]
pub(crate) fn at_first(at: EpochMs) -> String {
    match use_context::<crate::Zone>() {
        Some(zone) if !zone.name.is_empty() => {
            let from_utc = zone.offset_ms;
            clock::local(at, from_utc(at), zone.now, from_utc(zone.now))
        }
        _ => clock::utc(at),
    }
}

/// What the server drew stays until the browser's half is alive, and then this is always something else.
#[cfg(feature = "hydrate")]
pub(crate) fn at_first(at: EpochMs) -> String {
    clock::utc(at)
}

/// Only a browser is ever alive, and asks this.
#[cfg(not(feature = "hydrate"))]
pub(crate) const fn zone_offset_ms(_at: EpochMs) -> i64 {
    0
}

/// The server has no clock here: views carry the times that it means.
#[cfg(not(feature = "hydrate"))]
pub(crate) const fn now() -> EpochMs {
    0
}

/// How far the browser's zone is from UTC at that instant, in milliseconds.
#[cfg(feature = "hydrate")]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "dates fit both"
)]
pub(crate) fn zone_offset_ms(at: EpochMs) -> i64 {
    let minutes_behind = js_sys::Date::new(&(at as f64).into()).get_timezone_offset();
    -(minutes_behind as i64) * 60_000
}

/// The IANA name of the browser's zone; empty if it does not say.
#[cfg(feature = "hydrate")]
pub(crate) fn zone() -> String {
    let format = js_sys::Intl::DateTimeFormat::default();
    let options = format.resolved_options();
    let zone = js_sys::Reflect::get(&options, &"timeZone".into());
    zone.ok()
        .and_then(|zone| zone.as_string())
        .unwrap_or_default()
}

/// Nobody's zone.
#[cfg(not(feature = "hydrate"))]
pub(crate) const fn zone() -> String {
    String::new()
}

/// The zone until the browser's half is alive: what the reader's cookie tells; empty if it tells none.
#[cfg(not(feature = "hydrate"))]
pub(crate) fn zone_at_first() -> String {
    use_context::<crate::Zone>().map_or_else(String::new, |zone| zone.name)
}

/// What the server drew stays until the browser's half is alive, and then this is always something else.
#[cfg(feature = "hydrate")]
pub(crate) const fn zone_at_first() -> String {
    String::new()
}

/// Tells the server the zone, for the pages to come.
#[cfg(feature = "hydrate")]
fn keep_zone() {
    let zone = zone();
    if !zone.is_empty() {
        keep(crate::Zone::NAME, &zone);
    }
}

#[cfg(not(feature = "hydrate"))]
const fn keep_zone() {}

/// Keeps something in a cookie that the server reads, for a year from now. Both are plain characters.
#[cfg(feature = "hydrate")]
pub(crate) fn keep(name: &str, value: &str) {
    use wasm_bindgen::JsCast as _;

    const KEPT_SECONDS: u32 = 31_536_000;

    let Ok(document) = document().dyn_into::<web_sys::HtmlDocument>() else {
        return;
    };
    let is_secure = document.url().is_ok_and(|url| url.starts_with("https:"));
    let secure = if is_secure { "; Secure" } else { "" };
    // Refused only where cookies are, and then there is no session either.
    let _ = document.set_cookie(&format!(
        "{name}={value}; Path=/; Max-Age={KEPT_SECONDS}; SameSite=Lax{secure}"
    ));
}

/// The browser's clock.
#[cfg(feature = "hydrate")]
#[expect(clippy::cast_possible_truncation, reason = "dates fit")]
pub(crate) fn now() -> EpochMs {
    js_sys::Date::now() as EpochMs
}

/// In lower case, by the browser's own tables: Rust's would be a noticeable part of what it has to fetch.
#[cfg(feature = "hydrate")]
pub(crate) fn lower_case(text: &str) -> String {
    js_sys::JsString::from(text).to_lower_case().into()
}

/// In lower case.
#[cfg(not(feature = "hydrate"))]
pub(crate) fn lower_case(text: &str) -> String {
    text.to_lowercase()
}

/// In context: how many things wait for the reader; the title bar counts them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting(pub(crate) RwSignal<u32>);

/// Names the page in the title bar.
pub(crate) fn title(text: impl Into<String>) {
    let text = format!("{} · Belay", text.into());
    #[cfg(feature = "ssr")]
    server_title(&text);
    #[cfg(not(feature = "ssr"))]
    Effect::new(move |_| {
        let waiting = use_context::<Waiting>().map_or(0, |waiting| waiting.0.get());
        let title = if waiting == 0 {
            text.clone()
        } else {
            format!("({waiting}) {text}")
        };
        document().set_title(&title);
    });
}

/// `leptos_meta` 0.8 copies a title into the document as it is, and an account may be named `</title>`.
#[cfg(feature = "ssr")]
fn server_title(text: &str) {
    let _rendered_elsewhere = leptos_meta::Title(
        leptos_meta::TitleProps::builder()
            .text(crate::components::escape(text))
            .build(),
    );
}

/// Gives the page another HTTP status than 200.
pub(crate) fn status(code: u16) {
    #[cfg(feature = "ssr")]
    if let (Some(response), Ok(code)) = (
        use_context::<leptos_axum::ResponseOptions>(),
        http::StatusCode::from_u16(code),
    ) {
        response.set_status(code);
    }
    #[cfg(not(feature = "ssr"))]
    let _ = code;
}

/// Loads the page anew.
#[cfg(feature = "hydrate")]
pub(crate) fn reload() {
    // A browser that cannot do even that shows what it has.
    let _ = window().location().reload();
}

/// There is no page to load on the server.
#[cfg(not(feature = "hydrate"))]
pub(crate) const fn reload() {}
