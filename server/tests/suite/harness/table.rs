//! The table: the sandbox's, or one in another DynamoDB that judges it (`TEST_DYNAMODB_URL`).

use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use serde_json::Value;

/// Where a test's table is.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    /// The address of that DynamoDB.
    pub(crate) url: String,
    /// Whose table it is. DynamoDB Local keeps a database for each access key, so that each test
    /// has one to itself.
    pub(crate) access_key: String,
}

impl Tables {
    /// The sandbox's own, or an empty table elsewhere.
    pub(crate) fn beside(aws: &str) -> Self {
        static TABLES: AtomicU32 = AtomicU32::new(0);
        let Some(url) = std::env::var("TEST_DYNAMODB_URL").ok() else {
            return Self {
                url: aws.to_owned(),
                access_key: "sandbox".to_owned(),
            };
        };
        let nth = TABLES.fetch_add(1, Ordering::Relaxed);
        let tables = Self {
            url,
            access_key: format!("test{}x{nth}", std::process::id()),
        };
        // A test starts its sandbox without awaiting anything.
        let client = tables.client();
        let created = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(create_table(&client, "belay"));
        });
        created.join().unwrap();
        tables
    }

    /// A client, to look at the table as nobody else does.
    pub(crate) fn client(&self) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new(
                &self.access_key,
                "sandbox",
                None,
                None,
                "test",
            ))
            .endpoint_url(&self.url)
            .build();
        Client::from_conf(config)
    }
}

/// Creates a table as production's is.
pub(crate) async fn create_table(dynamodb: &Client, name: &str) {
    let definition = concat!(env!("CARGO_MANIFEST_DIR"), "/../terraform/table.json");
    let definition: Value = serde_json::from_slice(&std::fs::read(definition).unwrap()).unwrap();
    let keys = |of: &Value| -> Vec<KeySchemaElement> {
        of["KeySchema"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| {
                KeySchemaElement::builder()
                    .attribute_name(key["AttributeName"].as_str().unwrap())
                    .key_type(KeyType::from(key["KeyType"].as_str().unwrap()))
                    .build()
                    .unwrap()
            })
            .collect()
    };
    let mut create = dynamodb
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(keys(&definition)));
    for attribute in definition["AttributeDefinitions"].as_array().unwrap() {
        create = create.attribute_definitions(
            AttributeDefinition::builder()
                .attribute_name(attribute["AttributeName"].as_str().unwrap())
                .attribute_type(ScalarAttributeType::S)
                .build()
                .unwrap(),
        );
    }
    for index in definition["GlobalSecondaryIndexes"].as_array().unwrap() {
        create = create.global_secondary_indexes(
            GlobalSecondaryIndex::builder()
                .index_name(index["IndexName"].as_str().unwrap())
                .set_key_schema(Some(keys(index)))
                .projection(
                    Projection::builder()
                        .projection_type(ProjectionType::All)
                        .build(),
                )
                .build()
                .unwrap(),
        );
    }
    create.send().await.unwrap();
}
