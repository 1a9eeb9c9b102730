//! The pages and their addresses.

use leptos::prelude::*;
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};

use crate::{
    browser::{Alive, Waiting},
    components::LiveNotice,
    form_state::Arrived,
    layout::Header,
    live::Interrupted,
    pages::{
        Access, Approvals, Ask, Draft, Explain, Findings, History, Mine, NotFound, Policy, Request,
        SignedOut, Version, Versions, WhoHeld,
    },
};

/// The whole interface: header, navigation and the page of the current address.
#[component]
pub fn App() -> impl IntoView {
    #[cfg(feature = "ssr")]
    leptos_meta::provide_meta_context();
    Alive::provide();
    provide_context(Waiting(RwSignal::new(0)));
    provide_context(Interrupted::default());

    view! {
        <Router>
            <Frame/>
        </Router>
    }
}

/// What stands around every page. Every route is rendered whole before the first byte is sent, so that a page has the
/// status that it deserves and needs no script.
#[component]
fn Frame() -> impl IntoView {
    Arrived::provide();
    Arrived::leave_behind_on_navigation();
    view! {
        <a class="skip" href="#main" rel="external">"Skip to the page"</a>
        <Header/>
        <main id="main" class="page" tabindex="-1">
            <LiveNotice/>
            <FlatRoutes fallback=NotFound>
                <Route path=path!("/") view=Access ssr=SsrMode::Async/>
                <Route path=path!("/access/:account_id/:permission_set") view=Ask ssr=SsrMode::Async/>
                <Route path=path!("/mine") view=Mine ssr=SsrMode::Async/>
                <Route path=path!("/approvals") view=Approvals ssr=SsrMode::Async/>
                <Route path=path!("/requests/:id") view=Request ssr=SsrMode::Async/>
                <Route path=path!("/history") view=History ssr=SsrMode::Async/>
                <Route path=path!("/history/held") view=WhoHeld ssr=SsrMode::Async/>
                <Route path=path!("/findings") view=Findings ssr=SsrMode::Async/>
                <Route path=path!("/policy") view=Policy ssr=SsrMode::Async/>
                <Route path=path!("/policy/explain") view=Explain ssr=SsrMode::Async/>
                <Route path=path!("/policy/draft") view=Draft ssr=SsrMode::Async/>
                <Route path=path!("/policy/versions") view=Versions ssr=SsrMode::Async/>
                <Route path=path!("/policy/versions/:id") view=Version ssr=SsrMode::Async/>
                <Route path=path!("/signed-out") view=SignedOut ssr=SsrMode::Async/>
            </FlatRoutes>
        </main>
    }
}
