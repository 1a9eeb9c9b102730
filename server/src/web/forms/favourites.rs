//! Stars: one form for a whole page of offers, each with a button of its own. It leads back to where it
//! was pressed, to the row itself where there is one.

use app::view::PageProblem;
use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::service::{Caller, ServiceError, Starred, Wanted};

use super::super::addresses::PagePath;
use super::super::refusal::view_part;
use super::super::{Portal, problem};
use super::{Form, see};

/// POST of a star. `star` and `unstar` come from the row of an offer, `drop` from the favourites.
pub(in crate::web) async fn post(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let refused = |what| problem::page(&portal, &head.headers, what);
    let form = match Form::read(&head.headers, body).await {
        Ok(form) => form,
        Err(what) => return refused(what),
    };
    let pressed = ["star", "unstar", "drop"]
        .into_iter()
        .find(|act| !form.value(act).is_empty());
    let Some(act) = pressed else {
        return refused(PageProblem::BadForm);
    };
    let offer = form.value(act);
    let parts = offer.split_once('/');
    // What is not even an id gets the answer of one that nobody may ask for.
    let Some(wanted) = parts.and_then(|(first, second)| Wanted::parse(first, second)) else {
        return refused(PageProblem::NotFound);
    };
    let service = &portal.service;
    let done = match act {
        "star" => service.star(&caller, &wanted).await,
        _ => service
            .unstar(&caller, &wanted)
            .await
            .map(|()| Starred::Yes),
    };
    let back = PagePath::parse_or_home(Some(form.value("return_to")));
    match done {
        Ok(Starred::Yes) if act == "drop" => see(back.as_str()),
        Ok(Starred::Yes) => {
            let row = utf8_percent_encode(offer, NON_ALPHANUMERIC);
            see(&format!("{}#{row}", back.as_str()))
        }
        Ok(Starred::Full) => {
            let with = if back.as_str().contains('?') {
                '&'
            } else {
                '?'
            };
            see(&format!("{}{with}done=favourites-full", back.as_str()))
        }
        Err(ServiceError::NotFound) => refused(PageProblem::NotFound),
        Err(ServiceError::Unavailable { part }) => {
            refused(PageProblem::Unavailable(view_part(part)))
        }
        // Tabs of one person that all change it at once, time after time.
        Err(_) => refused(PageProblem::Unavailable(app::view::Part::Store)),
    }
}
