//! What is kept to be used once: a sign-in that has left, a proof that somebody just signed in.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, ReturnValue, TransactWriteItem};
use serde::de::DeserializeOwned;

use super::commit::Commit;
use super::item::{self, Attributes};
use super::keys::At;
use super::{Store, StoreError};

impl Store {
    /// Keeps a piece of bookkeeping, in place of any that is there.
    pub(crate) async fn keep(&self, at: &At, attributes: Attributes) -> Result<(), StoreError> {
        self.dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(attributes))
            .item("pk", AttributeValue::S(at.pk.clone()))
            .item("sk", AttributeValue::S(at.sk.clone()))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| StoreError::unavailable("PutItem", &error))
    }

    /// Takes it away for good if its attribute `name` is `value`, and gives it: of all who try, to
    /// one. Whoever's answer is lost on the way has taken it all the same, and gets nothing.
    pub(crate) async fn take<T: DeserializeOwned>(
        &self,
        at: &At,
        name: &str,
        value: &str,
    ) -> Result<Option<T>, StoreError> {
        let taken = self
            .dynamodb
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(item::primary(at)))
            .condition_expression("#name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        match taken {
            Ok(taken) => taken.attributes.map(item::value).transpose(),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(StoreError::unavailable("DeleteItem", &error)),
        }
    }
}

impl Commit {
    /// Holds only if the item is there with this attribute, and takes it away.
    pub(crate) fn delete_if(&mut self, at: &At, name: &str, value: &str) -> Result<(), StoreError> {
        let delete = Delete::builder()
            .table_name("")
            .set_key(Some(item::primary(at)))
            .condition_expression("#name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
            .build()
            .map_err(StoreError::build)?;
        self.add(TransactWriteItem::builder().delete(delete).build());
        Ok(())
    }
}
