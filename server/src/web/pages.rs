//! Pages and the reads behind them: Leptos renders, with the signed-in person's [`Backend`].

use std::sync::Arc;

use app::view::{Field, Problem};
use app::{Backend, FormState, Reader};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use leptos::nonce::use_nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::ResponseOptions;

use crate::proof::Place;
use crate::service::Caller;
use crate::store::now;

use super::portal::PortalBackend;
use super::refusal::at;
use super::{Portal, export, forms, headers, kept, problem, signed_in, zone};

/// The page on which people arrive after they have left: nobody is signed in there.
const SIGNED_OUT: &str = "/signed-out";

/// The pages that take a form: those that Leptos lists, by their pattern.
pub(super) const ASK_PAGE: &str = "/access/{account_id}/{permission_set}";
pub(super) const REQUEST_PAGE: &str = "/requests/{id}";
const FINDINGS_PAGE: &str = "/findings";
const DRAFT_PAGE: &str = "/policy/draft";

/// All of a version, to be taken away.
const VERSION_TEXT: &str = "/policy/versions/{id}/text";

/// All pages, the reads, and the page for addresses that are none.
pub(super) fn router(portal: &Portal) -> Router<Portal> {
    let mut private = Router::new()
        .route(VERSION_TEXT, get(forms::policy::text))
        .route("/favourites", post(forms::favourites::post));
    let mut public = Router::new()
        .route("/api/ui/{read}", get(read))
        .fallback(page);
    for listing in leptos_axum::generate_route_list(app::App) {
        match listing.path() {
            SIGNED_OUT => public = public.route(SIGNED_OUT, get(page)),
            ASK_PAGE => private = private.route(ASK_PAGE, get(page).post(forms::ask)),
            REQUEST_PAGE => private = private.route(REQUEST_PAGE, get(page).post(forms::act)),
            FINDINGS_PAGE => {
                private = private.route(FINDINGS_PAGE, get(page).post(forms::findings::post));
            }
            DRAFT_PAGE => private = private.route(DRAFT_PAGE, get(page).post(forms::policy::draft)),
            other => private = private.route(other, get(page)),
        }
    }
    private
        .route("/history/export.csv", get(export::csv))
        .route("/history/export.jsonl", get(export::json_lines))
        .layer(middleware::from_fn_with_state(
            portal.clone(),
            signed_in::required,
        ))
        .merge(public.layer(middleware::from_fn_with_state(
            portal.clone(),
            signed_in::optional,
        )))
}

/// A page, for whoever is signed in.
async fn page(
    State(portal): State<Portal>,
    caller: Option<Extension<Caller>>,
    request: Request,
) -> Response {
    let caller = caller.map(|Extension(caller)| caller);
    let Some(caller) = caller else {
        return render(&portal, None, None, request).await;
    };
    let (uri, headers) = (request.uri(), request.headers());
    let kept = match *request.method() {
        Method::GET => kept::give_back(&portal, &caller, uri, headers).await,
        _ => None,
    };
    let is_given_back = kept.is_some();
    let form = match kept {
        Some(form) => Some(form),
        None => returned(&portal, &caller, uri).await,
    };
    let mut response = render(&portal, Some(caller), form, request).await;
    if is_given_back {
        kept::forget(&mut response);
    }
    response
}

/// What somebody had typed before they left this page to sign in again, and what is wrong if that
/// proves nothing.
async fn returned(portal: &Portal, caller: &Caller, uri: &http::Uri) -> Option<FormState> {
    let query = uri.query()?;
    let named = url::form_urlencoded::parse(query.as_bytes());
    let (_, place) = named.into_iter().find(|(name, _)| name == "again")?;
    let place = Place::parse(&place)?;
    let store = portal.service.store();
    let back = match store
        .returned::<Problem>(caller.sitting.as_ref()?, &place, now())
        .await
    {
        Ok(back) => back?,
        Err(error) => {
            // The page can be shown all the same, and says whether there is a proof.
            tracing::warn!(%error, "what was typed before a sign-in could not be read");
            return None;
        }
    };
    let status = match &back.problem {
        None => StatusCode::OK,
        Some(Problem::Unavailable { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        Some(_) => StatusCode::FORBIDDEN,
    };
    (back.page == uri.path()).then(|| FormState {
        status: status.as_u16(),
        values: back.typed,
        problems: back
            .problem
            .map(|problem| at(Field::Form, problem))
            .into_iter()
            .collect(),
    })
}

/// Renders the page of a request's address.
async fn render(
    portal: &Portal,
    caller: Option<Caller>,
    form: Option<FormState>,
    request: Request,
) -> Response {
    let context = context(portal, caller, form, request.headers());
    let assets = portal.assets.clone();
    let allowing = portal.clone();
    let context = move || {
        context();
        allow_scripts(&allowing);
    };
    leptos_axum::render_app_async_with_context(context, move || app::shell(assets.clone()))(request)
        .await
}

/// Renders a page again after its form was refused, with what was typed and what is wrong.
pub(super) async fn again(
    portal: &Portal,
    caller: Caller,
    form: FormState,
    uri: http::Uri,
    headers: HeaderMap,
) -> Response {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    render(portal, Some(caller), Some(form), request).await
}

/// Renders the page of another address, where that says best why this one has nothing to give.
pub(super) async fn instead(
    portal: &Portal,
    caller: Caller,
    uri: http::Uri,
    headers: HeaderMap,
) -> Response {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    render(portal, Some(caller), None, request).await
}

/// A read that a page makes after it has arrived.
async fn read(
    State(portal): State<Portal>,
    caller: Option<Extension<Caller>>,
    request: Request,
) -> Response {
    use axum::response::IntoResponse as _;
    let caller = caller.map(|Extension(caller)| caller);
    let context = context(&portal, caller, None, request.headers());
    leptos_axum::handle_server_fns_with_context(context, request)
        .await
        .into_response()
}

/// What pages and reads find in context: all of it, always, or they would find another request's
/// ([`Reader`]).
fn context(
    portal: &Portal,
    caller: Option<Caller>,
    form: Option<FormState>,
    headers: &HeaderMap,
) -> impl Fn() + Clone + Send + Sync + 'static {
    let theme = problem::theme(headers);
    let zone = zone::of(headers);
    let stay = kept::mark(headers);
    let backend = caller
        .map(|caller| Arc::new(PortalBackend::new(portal.clone(), caller)) as Arc<dyn Backend>);
    move || {
        provide_context(theme);
        provide_context(zone.clone());
        provide_context(stay.clone());
        provide_context(Reader(backend.clone()));
        provide_context(form.clone());
    }
}

/// Leptos makes a nonce for each page; only scripts that carry it run.
fn allow_scripts(portal: &Portal) {
    let (Some(nonce), Some(options)) = (use_nonce(), use_context::<ResponseOptions>()) else {
        return;
    };
    let policy = headers::content_security_policy(portal, Some(&nonce));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        options.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
}

#[cfg(test)]
mod tests {
    use super::super::addresses::PagePath;

    /// Whatever page is added to the interface can be returned to after signing in.
    #[tokio::test]
    async fn every_page_is_one_that_can_be_returned_to() {
        for listing in leptos_axum::generate_route_list(app::App) {
            let version = "6ac21ee6d7afda8dc071be82c37a7edd78de4e21f94f92ce0837b37081cf3e37";
            let path = listing
                .path()
                .replace("versions/{id}", &format!("versions/{version}"))
                .replace("{account_id}", "111122223333")
                .replace("{permission_set}", "ReadOnlyAccess")
                .replace("{id}", "01932c07-20a1-7e3c-a0a5-0123456789ab");
            assert!(PagePath::parse(&path).is_some(), "{path}");
        }
    }
}
