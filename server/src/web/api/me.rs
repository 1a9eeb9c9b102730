//! Who the caller is here, and what for.

use app::Backend as _;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::Portal;
use crate::web::portal::PortalBackend;

use super::asker::Reads;
use super::problem::Problem;
use super::shown::Person;

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// Who.
    #[serde(flatten)]
    person: Person,
    /// What policy lets them see.
    role: Role,
    /// Requests and break-glasses that wait for their word.
    waiting_count: u32,
    /// By what they are known here.
    by: By,
    /// The scopes of their token; empty for a session, which needs none.
    scopes: Vec<String>,
}

/// What somebody may see.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Role {
    /// Everything, and they may end anything; never approve by being admin.
    Admin,
    /// Everything.
    Auditor,
    /// What concerns them.
    Person,
}

/// By what somebody is known.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum By {
    /// The portal's session.
    Session,
    /// A bearer token.
    Token,
}

/// Who the caller is
///
/// The cheapest way to find out whether a token counts, and whose it is.
#[utoipa::path(get, path = "/me", tag = "people", operation_id = "me", responses(
    (status = 200, description = "The caller.", body = Me),
))]
pub(super) async fn read(
    State(portal): State<Portal>,
    Reads(asker): Reads,
) -> Result<Json<Me>, Problem> {
    let user_id = asker.caller.who.id.to_string();
    let by = asker.token.as_ref().map_or(By::Session, |_| By::Token);
    let scopes = asker.token.into_iter().flatten().collect();
    let backend = PortalBackend::new(portal, asker.caller);
    let me = backend
        .me()
        .await
        .map_err(|error| Problem::of_read(&error))?;
    Ok(Json(Me {
        person: Person {
            user_id,
            name: me.name,
            email: super::shown::text(me.email),
        },
        role: match (me.is_admin, me.can_see_history) {
            (true, _) => Role::Admin,
            (false, true) => Role::Auditor,
            (false, false) => Role::Person,
        },
        waiting_count: me.waiting_count,
        by,
        scopes,
    }))
}
