//! Which Identity Store user a login is: exactly one who is active, or nobody.

use std::time::Duration;

use aws_sdk_identitystore::error::{DisplayErrorContext, ProvideErrorMetadata as _, SdkError};
use aws_sdk_identitystore::operation::describe_user::DescribeUserOutput;
use aws_sdk_identitystore::operation::get_user_id::GetUserIdError;
use aws_sdk_identitystore::types::{AlternateIdentifier, ExternalId, UniqueAttribute, UserStatus};
use aws_smithy_types::Document;
use domain::id::UserId;
use serde_json::Value;
use thiserror::Error;

use crate::config::{Attribute, ClaimRule, Unverified};
use crate::web::Portal;
use crate::web::oidc::Login;

/// A person, as the Identity Store knows them at this moment.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) user: UserId,
    pub(super) name: String,
    pub(super) email: String,
}

/// Why a login is nobody.
#[derive(Debug, Error)]
pub(super) enum PersonError {
    /// No rule found anyone.
    #[error("no claim rule finds anyone")]
    Nobody,
    /// A rule found something that is not clearly one person. Later rules are not asked: they
    /// could find somebody else.
    #[error("a claim rule does not find exactly one person: {0}")]
    Ambiguous(String),
    /// Exactly one, who may not sign in.
    #[error("the person is disabled")]
    Disabled,
    /// The Identity Store gave no answer.
    #[error("the Identity Store gave no answer: {0}")]
    Unavailable(String),
}

/// Longer than a burst of sign-ins waits at the usual rate: twenty calls a second are ten people. A
/// person who waits longer thinks that nothing happens, and starts over.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(10);

/// Applies the claim rules in order.
pub(super) async fn find(portal: &Portal, login: &Login) -> Result<Found, PersonError> {
    tokio::time::timeout(LOOK_UP_WITHIN, look_for(portal, login))
        .await
        .unwrap_or_else(|_| {
            Err(PersonError::Unavailable(
                "too many others were looked up at once".to_owned(),
            ))
        })
}

async fn look_for(portal: &Portal, login: &Login) -> Result<Found, PersonError> {
    for rule in &portal.provider.oidc().claims {
        let Some(value) = value_for(rule, login)? else {
            continue;
        };
        for spelling in spellings(rule.attribute, &value) {
            let identifier = identifier(rule.attribute, &spelling, &login.issuer)?;
            if let Some(id) = look_up(portal, identifier).await? {
                let user = describe(portal, &id).await?;
                return confirm(rule, &value, &user);
            }
        }
    }
    Err(PersonError::Nobody)
}

/// The value of a rule's claim, if the rule applies to this login.
fn value_for(rule: &ClaimRule, login: &Login) -> Result<Option<String>, PersonError> {
    let value = match login.claims.get(&rule.claim) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        // A list of addresses names no one in particular.
        Some(_) => {
            return Err(PersonError::Ambiguous(format!(
                "`{}` is not one text",
                rule.claim
            )));
        }
    };
    if rule.attribute == Attribute::Email(Unverified::Refused) && !is_verified(login) {
        tracing::warn!(rule = %rule, "the login's e-mail is not verified; the rule is passed over");
        return Ok(None);
    }
    Ok(Some(value))
}

/// Some providers write the boolean as a text.
fn is_verified(login: &Login) -> bool {
    match login.claims.get("email_verified") {
        Some(Value::Bool(verified)) => *verified,
        Some(Value::String(text)) => text == "true",
        _ => false,
    }
}

/// The case of an e-mail carries no meaning for people, but look-ups may be exact.
fn spellings(attribute: Attribute, value: &str) -> Vec<String> {
    let mut spellings = vec![value.to_owned()];
    let lower = value.to_lowercase();
    if matches!(attribute, Attribute::Email(_)) && lower != value {
        spellings.push(lower);
    }
    spellings
}

fn identifier(
    attribute: Attribute,
    value: &str,
    issuer: &str,
) -> Result<AlternateIdentifier, PersonError> {
    let path = match attribute {
        Attribute::Email(_) => "emails.value",
        Attribute::UserName => "userName",
        Attribute::ExternalId => {
            return ExternalId::builder()
                .issuer(issuer)
                .id(value)
                .build()
                .map(AlternateIdentifier::ExternalId)
                .map_err(|error| PersonError::Ambiguous(error.to_string()));
        }
    };
    UniqueAttribute::builder()
        .attribute_path(path)
        .attribute_value(Document::String(value.to_owned()))
        .build()
        .map(AlternateIdentifier::UniqueAttribute)
        .map_err(|error| PersonError::Ambiguous(error.to_string()))
}

async fn look_up(
    portal: &Portal,
    identifier: AlternateIdentifier,
) -> Result<Option<String>, PersonError> {
    let people = portal.service.people();
    people.turn().await;
    let found = portal
        .clients
        .people
        .get_user_id()
        .identity_store_id(&portal.identity_store_id)
        .alternate_identifier(identifier)
        .send()
        .await;
    match found {
        Ok(found) => Ok(Some(found.user_id)),
        Err(error) => match error.as_service_error() {
            // A value that cannot be an identifier (too long, say) finds nobody, either.
            Some(
                GetUserIdError::ResourceNotFoundException(_)
                | GetUserIdError::ValidationException(_),
            ) => Ok(None),
            // The API's model does not list it for this call; the store that is asked may still say it.
            Some(service) if service.code() == Some("ConflictException") => Err(
                PersonError::Ambiguous("more than one user has it".to_owned()),
            ),
            _ => {
                people.heed(&error);
                Err(unavailable(&error))
            }
        },
    }
}

async fn describe(portal: &Portal, id: &str) -> Result<DescribeUserOutput, PersonError> {
    let people = portal.service.people();
    people.turn().await;
    portal
        .clients
        .people
        .describe_user()
        .identity_store_id(&portal.identity_store_id)
        .user_id(id)
        .send()
        .await
        .map_err(|error| match error.as_service_error() {
            // Deleted between two calls.
            Some(service) if service.is_resource_not_found_exception() => PersonError::Nobody,
            _ => {
                people.heed(&error);
                unavailable(&error)
            }
        })
}

/// Checks that who was found has what they were found by, and is active. An index that lags must
/// not sign anybody in as somebody else.
fn confirm(rule: &ClaimRule, value: &str, user: &DescribeUserOutput) -> Result<Found, PersonError> {
    let has_it = match rule.attribute {
        Attribute::Email(_) => user.emails().iter().any(|email| {
            email
                .value()
                .is_some_and(|address| address.to_lowercase() == value.to_lowercase())
        }),
        Attribute::UserName => user
            .user_name()
            .is_some_and(|name| name.to_lowercase() == value.to_lowercase()),
        Attribute::ExternalId => user.external_ids().iter().any(|id| id.id() == value),
    };
    if !has_it {
        return Err(PersonError::Ambiguous(format!(
            "whom `{rule}` finds does not have what they were found by"
        )));
    }
    // Absent where the Identity Store does not keep it (some directories); anything else that is
    // not enabled, also what later versions may add, is not.
    if !matches!(user.user_status(), None | Some(UserStatus::Enabled)) {
        return Err(PersonError::Disabled);
    }
    let user_id = UserId::parse(user.user_id())
        .map_err(|error| PersonError::Unavailable(error.to_string()))?;
    Ok(Found {
        name: display_name(user),
        email: primary_email(user),
        user: user_id,
    })
}

fn display_name(user: &DescribeUserOutput) -> String {
    [user.display_name(), user.user_name()]
        .into_iter()
        .flatten()
        .map(str::trim)
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| user.user_id())
        .to_owned()
}

fn primary_email(user: &DescribeUserOutput) -> String {
    let emails = user.emails();
    emails
        .iter()
        .find(|email| email.primary())
        .or_else(|| emails.first())
        .and_then(|email| email.value())
        .unwrap_or_default()
        .to_owned()
}

fn unavailable<E, R>(error: &SdkError<E, R>) -> PersonError
where
    E: std::error::Error + 'static,
    R: std::fmt::Debug,
{
    PersonError::Unavailable(DisplayErrorContext(error).to_string())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use aws_sdk_identitystore::types::Email;
    use serde_json::json;

    use super::*;

    fn login(claims: &Value) -> Login {
        Login {
            issuer: "https://idp.example".to_owned(),
            subject: "1".to_owned(),
            claims: claims.as_object().unwrap().clone(),
            auth_time: None,
            id_token: String::new(),
        }
    }

    fn rule(attribute: Attribute) -> ClaimRule {
        ClaimRule {
            claim: "email".to_owned(),
            attribute,
        }
    }

    fn user(status: Option<UserStatus>) -> DescribeUserOutput {
        DescribeUserOutput::builder()
            .identity_store_id("d-99670a1b2c")
            .user_id("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b")
            .user_arn("arn:aws:identitystore:::user/93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b")
            .user_name("ana.silva")
            .display_name("Ana Silva")
            .emails(
                Email::builder()
                    .value("Ana.Silva@example.com")
                    .primary(true)
                    .build(),
            )
            .set_user_status(status)
            .revision("1")
            .build()
            .unwrap()
    }

    #[test]
    fn an_unverified_e_mail_finds_nobody_unless_it_is_trusted() {
        let strict = rule(Attribute::Email(Unverified::Refused));
        let trusting = rule(Attribute::Email(Unverified::Trusted));
        for (claims, expected) in [
            (
                json!({"email": "a@example.com", "email_verified": true}),
                true,
            ),
            (
                json!({"email": "a@example.com", "email_verified": "true"}),
                true,
            ),
            (
                json!({"email": "a@example.com", "email_verified": false}),
                false,
            ),
            (json!({"email": "a@example.com"}), false),
        ] {
            let login = login(&claims);
            let found = value_for(&strict, &login).unwrap();
            assert_eq!(found.is_some(), expected, "{claims}");
            assert!(value_for(&trusting, &login).unwrap().is_some());
        }
    }

    #[test]
    fn a_claim_that_is_a_list_stops() {
        let login = login(&json!({"email": ["a@example.com", "b@example.com"]}));
        let result = value_for(&rule(Attribute::Email(Unverified::Trusted)), &login);
        assert!(matches!(result, Err(PersonError::Ambiguous(_))));
    }

    #[test]
    fn the_case_of_an_e_mail_does_not_matter() {
        let rule = rule(Attribute::Email(Unverified::Refused));
        let found = confirm(&rule, "ANA.SILVA@example.com", &user(None)).unwrap();
        assert_eq!(found.name, "Ana Silva");
        assert_eq!(
            spellings(rule.attribute, "ANA@example.com"),
            ["ANA@example.com", "ana@example.com"]
        );
    }

    #[test]
    fn who_does_not_have_what_they_were_found_by_is_not_signed_in() {
        let rule = rule(Attribute::Email(Unverified::Refused));
        let result = confirm(&rule, "ben@example.com", &user(None));
        assert!(matches!(result, Err(PersonError::Ambiguous(_))));
    }

    #[test]
    fn only_enabled_people_sign_in() {
        let rule = rule(Attribute::Email(Unverified::Refused));
        let status = |status: &str| Some(UserStatus::from(status));
        let sign_in = |status| confirm(&rule, "ana.silva@example.com", &user(status));
        assert!(sign_in(status("ENABLED")).is_ok());
        for other in ["DISABLED", "SUSPENDED"] {
            assert!(matches!(sign_in(status(other)), Err(PersonError::Disabled)));
        }
    }
}
