//! A draft of the policy, sent to be compared, and a version of it, to be taken away. Neither changes
//! anything.

use app::FormState;
use app::view::PageProblem;
use axum::Extension;
use axum::extract::{OriginalUri, Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use domain::id::PolicyVersion;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};

use crate::service::{Caller, PolicyFound, ServiceError};

use super::super::portal::policy::files_of;
use super::super::refusal::view_part;
use super::super::{Portal, pages, problem};
use super::Form;

/// POST of the page: the same page with what was sent, which reads what it comes to.
pub(in crate::web) async fn draft(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    match Form::read(&head.headers, body).await {
        Ok(form) => {
            let form = FormState {
                status: StatusCode::OK.as_u16(),
                values: form.typed(&["draft", "notation"]),
                problems: Vec::new(),
            };
            pages::again(&portal, caller, form, uri, head.headers).await
        }
        Err(what) => problem::page(&portal, &head.headers, what),
    }
}

/// All files of a version as one text, each after a line with its name.
pub(in crate::web) async fn text(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Ok(version) = PolicyVersion::parse(&id) else {
        return problem::page(&portal, &headers, PageProblem::NotFound);
    };
    match portal.service.policy_version(&caller, &version).await {
        Ok(PolicyFound::Whole(kept)) => {
            let mut text = String::new();
            for (name, file) in files_of(&kept) {
                text.push_str("# ");
                text.push_str(name);
                text.push('\n');
                text.push_str(file);
                text.push('\n');
            }
            // A version is hexadecimal digits.
            let name = format!("attachment; filename=\"policy-{version}.txt\"");
            let headers = [
                (CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
                (CONTENT_DISPOSITION, name),
            ];
            (headers, text).into_response()
        }
        Err(ServiceError::Unavailable { part }) => {
            let what = PageProblem::Unavailable(view_part(part));
            problem::page(&portal, &headers, what)
        }
        // Whom it is not for, and what is not there, or not as it was written.
        Ok(PolicyFound::Damaged) | Err(_) => {
            problem::page(&portal, &headers, PageProblem::NotFound)
        }
    }
}
