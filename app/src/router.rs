//! The pages and their addresses.

use leptos::prelude::*;

/// The whole interface: header, navigation and the page of the current address.
#[component]
pub fn App() -> impl IntoView {}
