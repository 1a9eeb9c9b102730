//! The contract: an `OpenAPI` document, generated from the handlers that keep it.
//!
//! What holds at every door (who may come in, what can be wrong) is added here, so that no door
//! forgets it. The document says nothing of the organisation, and is there for everybody.

use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, ResponseBuilder, Schema};
use utoipa::{Modify, OpenApi};

use crate::web::session::COOKIE;

use super::code;
use super::problem::{MEDIA_TYPE, ProblemBody};
use super::scope::Scope;

/// The document without its paths, which come from the router.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Belay",
        version = "1",
        description = "Temporary, approved access to AWS accounts through IAM Identity Center: what may \
            be asked for, asking for it, and what came of it.\n\n\
            **Who asks.** The portal's session (its cookie; what changes something also needs the \
            portal's own `Origin`), or a bearer token: a JWT access token (RFC 9068) of the configured \
            issuer for this API's audience, whose person has signed in to the portal once. A request \
            with both is judged by its token alone. Scopes: `belay:read` and `belay:submit`; one does \
            not stand for the other. Reviewing, signing, break-glass, agreeing about findings and the \
            sweep, and ending another's access have no scope: people answer for them, by their session. \
            Where too many tokens came from that do not count, new ones are not looked at for a moment.\n\n\
            **What is wrong** is said as `application/problem+json` (RFC 9457) with a `code` from a \
            closed list; `errors` name each member or parameter at fault.\n\n\
            **Lists** come a page at a time: `next` of one page is `cursor` of the next. A body is at \
            most 64 KiB, unless its address says otherwise. Times are RFC 3339 in UTC, durations whole seconds. Members and words may be \
            added; none is taken away or changes its meaning within `/api/v1`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/api/v1")),
    tags(
        (name = "people", description = "Who the caller is."),
        (name = "access", description = "What may be asked for."),
        (name = "requests", description = "Asking for it."),
        (name = "grants", description = "What is held."),
        (name = "reviews", description = "What waits for the caller, and their word."),
        (name = "history", description = "For auditors and admins."),
        (name = "findings", description = "Where promises and AWS differ, for auditors and admins, and what \
            two admins agree about it."),
        (name = "sweep", description = "What nobody promised and is taken away, for auditors and admins."),
        (name = "policy", description = "For auditors and admins."),
        (name = "contract", description = "This document."),
    ),
    components(schemas(ProblemBody)),
)]
pub(super) struct Document;

/// Where a code stands in a schema.
pub(super) fn codes() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name("Code"))
}

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "contract", operation_id = "read_contract", responses(
    (status = 200, description = "The document.", body = Object),
))]
pub(super) async fn read() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(text);
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// The whole of it.
fn text() -> String {
    let (_, mut document) = super::parts();
    Everywhere.modify(&mut document);
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// What holds at every door.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "A JWT access token (`typ` `at+jwt`) of the configured issuer for this API's audience.",
            ))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let cookie = ApiKeyValue::with_description(COOKIE, "The portal's session.");
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let list = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .description(Some(
                "What is wrong. A closed list; a later version may know more.",
            ))
            .enum_values(Some(code::all()))
            .build();
        components.schemas.insert("Code".to_owned(), list.into());
        for item in document.paths.paths.values_mut() {
            if let Some(operation) = &mut item.get {
                everywhere(operation, Does::Reads);
            }
            if let Some(operation) = &mut item.post {
                let does = Does::by_post(operation);
                everywhere(operation, does);
            }
        }
    }
}

/// What somebody does at a door, by which its scope is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// They read, and nothing changes.
    Reads,
    /// They ask for access, or give back their own.
    Submits,
    /// They answer for it: there is no scope.
    Acts,
}

impl Does {
    /// What a POST does. What is about a policy is a question with a long text.
    fn by_post(operation: &Operation) -> Self {
        if has(operation, "policy") {
            Self::Reads
        } else if ["reviews", "findings", "sweep"]
            .iter()
            .any(|tag| has(operation, tag))
        {
            Self::Acts
        } else {
            Self::Submits
        }
    }

    const fn scope(self) -> Option<Scope> {
        match self {
            Self::Reads => Some(Scope::Read),
            Self::Submits => Some(Scope::Submit),
            Self::Acts => None,
        }
    }
}

fn has(operation: &Operation, tag: &str) -> bool {
    let mut tags = operation.tags.iter().flatten();
    tags.any(|one| one == tag)
}

fn everywhere(operation: &mut Operation, does: Does) {
    if has(operation, "contract") {
        operation.security = Some(vec![SecurityRequirement::default()]);
        return;
    }
    let takes_body = operation.request_body.is_some();
    let session = SecurityRequirement::new("session", Vec::<String>::new());
    let scope = does.scope();
    let token = scope.map(|scope| SecurityRequirement::new("token", [scope.word()]));
    operation.security = Some(token.into_iter().chain([session]).collect());
    let mut add = |status: &str, meaning: &str, header: Option<(&str, &str)>| {
        let mut response = ResponseBuilder::new().description(meaning).content(
            MEDIA_TYPE,
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build(),
        );
        if let Some((name, meaning)) = header {
            let header = HeaderBuilder::new().description(Some(meaning)).build();
            response = response.header(name, header);
        }
        let responses = &mut operation.responses.responses;
        responses.insert(status.to_owned(), RefOr::T(response.build()));
    };
    let challenge = Some(("www-authenticate", "RFC 6750"));
    add(
        "400",
        "The query, the cursor or the JSON cannot be read.",
        None,
    );
    add(
        "401",
        "`signed-out`, `invalid-token` or `tokens-not-taken`.",
        challenge,
    );
    add(
        "403",
        "`insufficient-scope`, `session-only`, `login-not-bound`, `person-inactive`, \
         `cross-origin`, or it is not for this person.",
        challenge,
    );
    add("404", "There is no such thing for this person.", None);
    add("500", "Something broke on our side.", None);
    let retry = Some(("retry-after", "When to try again, in seconds."));
    add(
        "503",
        "A part does not answer just now; nothing was recorded.",
        retry,
    );
    match does {
        Does::Reads => add("429", "`too-many-tokens`.", retry),
        Does::Submits => add(
            "429",
            "A limit of this person is reached, or `too-many-tokens`.",
            retry,
        ),
        Does::Acts => add("429", "A limit of this person is reached.", retry),
    }
    if does != Does::Reads {
        add("409", "It is not as it was, or there is one already.", None);
    }
    if does != Does::Reads || takes_body {
        add(
            "422",
            "What was sent is JSON, and policy or the contract has something against it.",
            None,
        );
    }
    if takes_body {
        add("413", "The body is over what this address takes.", None);
        add("415", "The body is not `application/json`.", None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_in_it_once() {
        let codes = code::all();
        let mut once = codes.clone();
        once.dedup();
        assert_eq!(codes, once);
        for code in &codes {
            assert!(text().contains(&format!("\"{code}\"")), "{code}");
        }
    }
}
