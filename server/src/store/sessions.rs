//! A person's sessions, to close them all. What a session holds is the web's; here it is only found
//! and deleted.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::UserId;
use jiff::Timestamp;

use super::item::{self, Attributes};
use super::keys::{self, At};
use super::reads::Range;
use super::{Store, StoreError};

/// Sessions of one person that are closed at once: a browser has one, and they last a day.
const SESSIONS_MAX: i32 = 200;

/// What a session's item says of whose it is, for [`Store::close_sessions`].
pub(crate) fn index(user: &UserId, signed_in_at: i64) -> Attributes {
    let since = Timestamp::from_second(signed_in_at).unwrap_or_default();
    Attributes::from([
        (
            "gsi2pk".to_owned(),
            AttributeValue::S(keys::sessions_of(user)),
        ),
        ("gsi2sk".to_owned(), AttributeValue::S(keys::millis(since))),
    ])
}

impl Store {
    /// Whether this person seems signed in anywhere. An index says so, which may lag.
    pub async fn has_sessions(&self, user: &UserId) -> Result<bool, StoreError> {
        let found = self.range(sessions(user, 1), None).await?;
        Ok(!found.0.is_empty())
    }

    /// Signs a person out everywhere, and says of how many sessions. One that began within the last
    /// second or so may be missed, since the index lags: whoever may not sign in any more has none.
    pub async fn close_sessions(&self, user: &UserId) -> Result<usize, StoreError> {
        let found = self.all_of(sessions(user, SESSIONS_MAX)).await?;
        let mut closed = 0;
        for item in found {
            let text = |name: &str| item.get(name)?.as_s().ok().cloned();
            let (Some(pk), Some(sk)) = (text("pk"), text("sk")) else {
                continue;
            };
            self.dynamodb
                .delete_item()
                .table_name(&self.table)
                .set_key(Some(item::primary(&At { pk, sk })))
                .send()
                .await
                .map_err(|error| StoreError::unavailable("DeleteItem", &error))?;
            closed += 1;
        }
        Ok(closed)
    }
}

fn sessions(user: &UserId, limit: i32) -> Range {
    Range {
        index: Some("gsi2"),
        ..Range::prefix(keys::sessions_of(user), "", limit)
    }
}
