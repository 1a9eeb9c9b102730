//! Sessions in DynamoDB.
//!
//! | item | key | what |
//! | --- | --- | --- |
//! | session | `session#<SHA-256 of the id>` / `session` | what a browser's cookie stands for |
//!
//! Of somebody signed in they are in the index `gsi2` as well, so that all of one person's can be
//! closed ([`crate::store::sessions`]).
//!
//! Ids are hashed at rest: who reads the table cannot become anybody. Expiry is checked on every
//! load, because DynamoDB deletes expired items only within days.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::event;
use sha2::{Digest as _, Sha256};
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::{Duration, OffsetDateTime};
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{Expiry, SessionManagerLayer, SessionStore};

use super::signed_in::{PERSON, Person};
use crate::store::sessions;

/// `__Host-` makes browsers refuse the cookie unless it is Secure, for `/` and for this host only.
pub(super) const COOKIE: &str = "__Host-belay";

/// A laptop left alone over lunch is signed out.
pub(super) const IDLE: Duration = Duration::minutes(30);

/// A working day: after it the provider is asked again, however busy the person was.
pub(super) const ABSOLUTE: Duration = Duration::hours(8);

/// The sort key of sessions; also their kind.
const SESSION: &str = "session";

/// The layout of these items; a reader that meets a higher one ignores the session.
const SCHEMA: u32 = 1;

/// Keeps sessions in Belay's table.
#[derive(Debug, Clone)]
pub(super) struct DynamoSessions {
    dynamodb: Client,
    table: String,
}

/// The layer that gives every request its session.
pub(super) fn layer(dynamodb: Client, table: String) -> SessionManagerLayer<DynamoSessions> {
    SessionManagerLayer::new(DynamoSessions { dynamodb, table })
        .with_name(COOKIE)
        .with_secure(true)
        .with_http_only(true)
        // Lax, because the provider sends people back by a link from its own site.
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(IDLE))
}

fn partition(id: &Id) -> String {
    let hash = Sha256::digest(id.0.to_le_bytes());
    format!("session#{}", event::hex(&hash))
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The SDK's own text for the log; the source stays in the SDK's error, which is not `Clone`.
fn backend<E, R>(error: &SdkError<E, R>) -> Error
where
    SdkError<E, R>: std::error::Error,
    E: std::error::Error + 'static,
    R: std::fmt::Debug,
{
    Error::Backend(aws_sdk_dynamodb::error::DisplayErrorContext(error).to_string())
}

impl DynamoSessions {
    fn put(&self, record: &Record) -> Result<PutItemFluentBuilder> {
        let data = serde_json::to_string(&record.data)
            .map_err(|error| Error::Encode(error.to_string()))?;
        let until = record.expiry_date.unix_timestamp();
        let person = record.data.get(PERSON).cloned();
        let person: Option<Person> = person
            .map(serde_json::from_value)
            .transpose()
            .map_err(|error| Error::Encode(error.to_string()))?;
        let index = person.map(|person| sessions::index(&person.user, person.signed_in_at));
        Ok(self
            .dynamodb
            .put_item()
            .set_item(index)
            .table_name(&self.table)
            .item("pk", text(partition(&record.id)))
            .item("sk", text(SESSION))
            .item("schema", number(i64::from(SCHEMA)))
            .item("item", text(SESSION))
            .item("expires_at", number(until))
            .item("data", text(data)))
    }
}

fn is_condition_failure(error: &SdkError<PutItemError>) -> bool {
    error
        .as_service_error()
        .is_some_and(PutItemError::is_conditional_check_failed_exception)
}

#[async_trait]
impl SessionStore for DynamoSessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        // 128 random bits do not collide by chance; if they seem to, something is wrong, and a
        // second try with fresh bits either helps or fails loudly.
        for _ in 0..2 {
            match self
                .put(record)?
                .condition_expression("attribute_not_exists(pk)")
                .send()
                .await
            {
                Ok(_) => return Ok(()),
                Err(error) if is_condition_failure(&error) => record.id = Id::default(),
                Err(error) => return Err(backend(&error)),
            }
        }
        Err(Error::Backend("two new session ids were taken".to_owned()))
    }

    /// Changes a session that is there. One that was ended meanwhile stays ended: a page that was
    /// still being made while its reader signed out must not sign them in again.
    async fn save(&self, record: &Record) -> Result<()> {
        match self
            .put(record)?
            .condition_expression("attribute_exists(pk)")
            .send()
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if is_condition_failure(&error) => Ok(()),
            Err(error) => Err(backend(&error)),
        }
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let found = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .key("pk", text(partition(id)))
            .key("sk", text(SESSION))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| backend(&error))?;
        let Some(item) = found.item else {
            return Ok(None);
        };
        let integer = |name: &str| item.get(name)?.as_n().ok()?.parse::<i64>().ok();
        let data = item.get("data").and_then(|data| data.as_s().ok());
        let (Some(schema), Some(until), Some(data)) =
            (integer("schema"), integer("expires_at"), data)
        else {
            return Err(Error::Decode("a session item lacks a field".to_owned()));
        };
        let expiry_date = OffsetDateTime::from_unix_timestamp(until)
            .map_err(|error| Error::Decode(error.to_string()))?;
        if schema > i64::from(SCHEMA) || expiry_date <= OffsetDateTime::now_utc() {
            return Ok(None);
        }
        Ok(Some(Record {
            id: *id,
            data: serde_json::from_str(data).map_err(|error| Error::Decode(error.to_string()))?,
            expiry_date,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.dynamodb
            .delete_item()
            .table_name(&self.table)
            .key("pk", text(partition(id)))
            .key("sk", text(SESSION))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| backend(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_never_sees_an_id() {
        let id = Id(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        let key = partition(&id);
        assert_eq!(key.len(), "session#".len() + 64);
        assert!(!key.contains(&id.to_string()));
    }
}
