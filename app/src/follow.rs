//! A read that is shown, and kept up to date.
//!
//! Generic only at its edges: everything between is written for encoded answers and boxed closures, because each page
//! would otherwise bring a copy of Leptos's machinery for its own types to the browser.

#[cfg(feature = "hydrate")]
mod reread;

use std::{future::Future, pin::Pin, sync::Arc};

use leptos::prelude::*;
use serde::de::DeserializeOwned;

use crate::{
    view::WireError,
    wire::{Compact, Payload},
};

/// A value that follows the server's, and what keeps it from doing so.
#[derive(Debug)]
pub(crate) struct Followed<T: Send + Sync + 'static> {
    /// The newest answer that was one.
    pub(crate) value: RwSignal<T>,
    /// Why the newest answer was none, if it was none. What was shown before stays, so that nothing typed is lost.
    pub(crate) problem: RwSignal<Option<WireError>>,
}

/// A read under way.
pub(crate) type Reading = Pin<Box<dyn Future<Output = Result<Payload, WireError>> + Send>>;

type Read = Arc<dyn Fn() -> Reading + Send + Sync>;
/// Takes a newer answer.
type Update = Arc<dyn Fn(&Payload) + Send + Sync>;
type Shown = (AnyView, Option<Update>);

/// Reads once, on the server if the page is made there, and hands what came to `show`, or to `refuse`. In the browser
/// it is read again whenever a topic that `wants` accepts has moved; then only the signal changes, so what people
/// have typed and where they are on the page stays.
pub(crate) fn follow<T>(
    read: impl Fn() -> Reading + Send + Sync + 'static,
    wants: impl Fn(&str) -> bool + 'static,
    waiting: fn() -> AnyView,
    show: impl FnOnce(Followed<T>) -> AnyView + Send + 'static,
    refuse: fn(WireError) -> AnyView,
) -> AnyView
where
    T: PartialEq + DeserializeOwned + Send + Sync + 'static,
{
    let open = move |first: Payload| -> Shown {
        match first.open::<T>() {
            Ok(value) => {
                let value = RwSignal::new(value);
                let problem = RwSignal::new(None);
                let update = move |newer: &Payload| take(newer.open(), value, problem);
                (show(Followed { value, problem }), Some(Arc::new(update)))
            }
            Err(error) => (refuse(error), None),
        }
    };
    follow_encoded(Arc::new(read), Box::new(wants), waiting, Box::new(open))
}

/// Both signals are gone when the page is.
fn take<T: PartialEq + Send + Sync + 'static>(
    answer: Result<T, WireError>,
    value: RwSignal<T>,
    problem: RwSignal<Option<WireError>>,
) {
    match answer {
        Ok(newer) => {
            if value.try_with_untracked(|older| *older != newer) == Some(true) {
                value.try_set(newer);
            }
            if problem.try_with_untracked(Option::is_some) == Some(true) {
                problem.try_set(None);
            }
        }
        // The same again is not said again.
        Err(error) => {
            if problem.try_with_untracked(|said| said.as_ref() != Some(&error)) == Some(true) {
                problem.try_set(Some(error));
            }
        }
    }
}

fn follow_encoded(
    read: Read,
    wants: Box<dyn Fn(&str) -> bool>,
    waiting: fn() -> AnyView,
    open: Box<dyn FnOnce(Payload) -> Shown + Send>,
) -> AnyView {
    let update = StoredValue::new(None::<Update>);
    let first: Resource<Payload, Compact> = {
        let read = read.clone();
        Resource::new_with_options(|| (), move |()| answered(read()), false)
    };

    #[cfg(feature = "hydrate")]
    crate::live::on_change(wants, reread::listener(read, update));
    #[cfg(not(feature = "hydrate"))]
    drop((wants, read));

    view! {
        <Suspense fallback=waiting>
            {Suspend::new(async move {
                let (shown, keep) = open(first.await);
                update.set_value(keep);
                shown
            })}
        </Suspense>
    }
    .into_any()
}

/// A read that did not get through is an answer too.
async fn answered(reading: Reading) -> Payload {
    reading
        .await
        .unwrap_or_else(|error| Payload::of::<()>(&Err(error)))
}
