//! The table and the audit bucket.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use aws_sdk_dynamodb::types::{KeySchemaElement, TableDescription, TableStatus};
use aws_sdk_s3::types::{BucketVersioningStatus, ObjectLockEnabled};
use serde::Deserialize;

use crate::aws::Clients;
use crate::config::Config;

use super::Finding;

/// The only definition of the table; Terraform and the sandbox read the same file.
const DEFINITION: &str = include_str!("../../../../terraform/table.json");

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    key_schema: Vec<Key>,
    global_secondary_indexes: Vec<Index>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    index_name: String,
    key_schema: Vec<Key>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    attribute_name: String,
    key_type: String,
}

/// The attributes of a key: `pk HASH, sk RANGE`.
type Keys = BTreeSet<(String, String)>;

fn defined(keys: &[Key]) -> Keys {
    keys.iter()
        .map(|key| (key.attribute_name.clone(), key.key_type.clone()))
        .collect()
}

fn found(keys: &[KeySchemaElement]) -> Keys {
    keys.iter()
        .map(|key| {
            (
                key.attribute_name().to_owned(),
                key.key_type().as_str().to_owned(),
            )
        })
        .collect()
}

/// The table is there, with its keys and its indexes.
pub(super) async fn table(clients: &Clients, config: &Config) -> Finding {
    const CHECK: &str = "table";
    let name = &config.table;
    let answer = clients
        .dynamodb
        .describe_table()
        .table_name(name)
        .send()
        .await;
    let table = match answer {
        Ok(answer) => answer.table,
        Err(error) if error.code() == Some("ResourceNotFoundException") => {
            return Finding::problem(
                CHECK,
                format!("{name} does not exist in this account and region"),
                "create it from terraform/table.json, or set BELAY_TABLE and AWS_REGION",
            );
        }
        Err(error) => {
            return Finding::unknown(
                CHECK,
                format!(
                    "{name} could not be described: {}",
                    DisplayErrorContext(&error)
                ),
                "allow dynamodb:DescribeTable, and check region, credentials and network",
            );
        }
    };
    let definition = match serde_json::from_str::<Definition>(DEFINITION) {
        Ok(definition) => definition,
        Err(error) => {
            return Finding::unknown(
                CHECK,
                format!("terraform/table.json, built into this binary, cannot be read: {error}"),
                "use a released build",
            );
        }
    };
    match differences(
        &definition,
        &table.unwrap_or_else(|| TableDescription::builder().build()),
    ) {
        differences if differences.is_empty() => {
            Finding::ok(CHECK, format!("{name} has its key and its indexes"))
        }
        differences => Finding::problem(
            CHECK,
            format!(
                "{name} differs from terraform/table.json: {}",
                differences.join(", ")
            ),
            "apply the Terraform module, or create the table anew from terraform/table.json",
        ),
    }
}

fn differences(definition: &Definition, table: &TableDescription) -> Vec<String> {
    let mut differences = Vec::new();
    if !matches!(
        table.table_status(),
        Some(TableStatus::Active | TableStatus::Updating)
    ) {
        let status = table.table_status().map_or("unknown", TableStatus::as_str);
        differences.push(format!("its status is {status}"));
    }
    if found(table.key_schema()) != defined(&definition.key_schema) {
        differences.push("its key is another".to_owned());
    }
    let indexes: BTreeMap<&str, Keys> = table
        .global_secondary_indexes()
        .iter()
        .filter_map(|index| Some((index.index_name()?, found(index.key_schema()))))
        .collect();
    for index in &definition.global_secondary_indexes {
        match indexes.get(index.index_name.as_str()) {
            None => differences.push(format!("{} is missing", index.index_name)),
            Some(keys) if *keys != defined(&index.key_schema) => {
                differences.push(format!("{} has another key", index.index_name));
            }
            Some(_) => {}
        }
    }
    differences
}

/// The bucket answers, keeps versions, and can lock objects.
pub(super) async fn bucket(clients: &Clients, config: &Config) -> Finding {
    const CHECK: &str = "audit-bucket";
    let name = &config.audit.bucket;
    let unknown = |what: &str, detail: String| {
        Finding::unknown(
            CHECK,
            format!("{name}: {what} could not be read: {detail}"),
            "allow s3:GetBucketVersioning and s3:GetBucketObjectLockConfiguration, and check \
             region, credentials and network",
        )
    };
    let versioning = match clients.s3.get_bucket_versioning().bucket(name).send().await {
        Ok(versioning) => versioning,
        Err(error) if error.code() == Some("NoSuchBucket") => {
            return Finding::problem(
                CHECK,
                format!("{name} does not exist"),
                "create it with Object Lock (the Terraform module does), or set BELAY_AUDIT_BUCKET",
            );
        }
        Err(error) => return unknown("versioning", DisplayErrorContext(&error).to_string()),
    };
    if versioning.status() != Some(&BucketVersioningStatus::Enabled) {
        return Finding::problem(
            CHECK,
            format!("{name} does not keep versions: a record that is overwritten is lost"),
            "enable versioning on the bucket",
        );
    }
    let lock = clients
        .s3
        .get_object_lock_configuration()
        .bucket(name)
        .send()
        .await;
    let enabled = match lock {
        Ok(lock) => lock
            .object_lock_configuration()
            .and_then(|lock| lock.object_lock_enabled())
            .is_some_and(|enabled| *enabled == ObjectLockEnabled::Enabled),
        Err(error) if error.code() == Some("ObjectLockConfigurationNotFoundError") => false,
        Err(error) => return unknown("Object Lock", DisplayErrorContext(&error).to_string()),
    };
    if enabled {
        Finding::ok(CHECK, format!("{name} keeps versions and can lock objects"))
    } else {
        Finding::problem(
            CHECK,
            format!("{name} has no Object Lock: who may delete there can delete the log"),
            "enable Object Lock on the bucket",
        )
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_table_without_its_indexes_is_told_apart() {
        let definition: Definition = serde_json::from_str(DEFINITION).unwrap();
        let bare = TableDescription::builder()
            .table_status(TableStatus::Active)
            .build();
        assert_eq!(
            differences(&definition, &bare),
            [
                "its key is another",
                "gsi1 is missing",
                "gsi2 is missing",
                "gsi3 is missing",
                "gsi4 is missing"
            ]
        );
    }
}
