//! A read that is shown, and kept up to date.

use std::future::Future;

use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use crate::{read::Answer, view::WireError};

/// A value that follows the server's, and what keeps it from doing so.
#[derive(Debug)]
pub(crate) struct Followed<T: Send + Sync + 'static> {
    /// The newest answer that was one.
    pub(crate) value: Signal<T>,
    /// Why the newest answer was none, if it was none. What was shown before stays, so that nothing typed is lost.
    pub(crate) problem: Signal<Option<WireError>>,
}

/// Reads once, on the server if the page is made there, and hands what came to `show`, or to `refuse`. In the browser
/// it is read again whenever a topic that `wants` accepts has moved; then only the signal changes, so what people
/// have typed and where they are on the page stays.
pub(crate) fn follow<T, Read, Reading, Shown, Refused>(
    read: Read,
    wants: impl Fn(&str) -> bool + 'static,
    waiting: fn() -> AnyView,
    show: impl FnOnce(Followed<T>) -> Shown + Send + 'static,
    refuse: impl FnOnce(WireError) -> Refused + Send + 'static,
) -> impl IntoView
where
    T: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static,
    Read: Fn() -> Reading + Clone + Send + Sync + 'static,
    Reading: Future<Output = Answer<T>> + Send + 'static,
    Shown: IntoView,
    Refused: IntoView,
{
    let slot = StoredValue::new(None::<RwSignal<T>>);
    let problem = RwSignal::new(None::<WireError>);
    let first = Resource::new(|| (), {
        let read = read.clone();
        move |()| read()
    });

    #[cfg(feature = "hydrate")]
    crate::live::on_change(wants, refresher(read, slot, problem));
    #[cfg(not(feature = "hydrate"))]
    drop((wants, read));

    view! {
        <Suspense fallback=waiting>
            {Suspend::new(async move {
                match first.await.and_then(std::convert::identity) {
                    Ok(value) => {
                        let value = RwSignal::new(value);
                        slot.set_value(Some(value));
                        show(Followed { value: value.into(), problem: problem.into() }).into_any()
                    }
                    Err(error) => refuse(error).into_any(),
                }
            })}
        </Suspense>
    }
}

/// Reads again when called, one read at a time: calls during a read make one more after it.
#[cfg(feature = "hydrate")]
fn refresher<T, Read, Reading>(
    read: Read,
    slot: StoredValue<Option<RwSignal<T>>>,
    problem: RwSignal<Option<WireError>>,
) -> impl Fn() + 'static
where
    T: PartialEq + Send + Sync + 'static,
    Read: Fn() -> Reading + Clone + 'static,
    Reading: Future<Output = Answer<T>> + 'static,
{
    use std::{cell::Cell, rc::Rc};

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Flight {
        None,
        One,
        OneAndAnother,
    }

    let flight = Rc::new(Cell::new(Flight::None));
    move || {
        if flight.get() != Flight::None {
            flight.set(Flight::OneAndAnother);
            return;
        }
        flight.set(Flight::One);
        let (read, flight) = (read.clone(), flight.clone());
        leptos::task::spawn_local(async move {
            loop {
                let answer = read().await.and_then(std::convert::identity);
                // Either is gone when the page is.
                if let Some(Some(shown)) = slot.try_get_value() {
                    match answer {
                        Ok(value) => {
                            if shown.try_with_untracked(|old| *old != value) == Some(true) {
                                shown.try_set(value);
                            }
                            problem.try_set(None);
                        }
                        Err(error) => {
                            problem.try_set(Some(error));
                        }
                    }
                }
                if flight.replace(Flight::One) == Flight::One {
                    break;
                }
            }
            flight.set(Flight::None);
        });
    }
}
