//! What the table holds, as a test reads it.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value, json};

use super::Sandbox;

impl Sandbox {
    /// An item of Belay's table; null if there is none.
    pub(crate) async fn item(&self, pk: &str, sk: &str) -> Value {
        let answer = self
            .dynamodb()
            .get_item()
            .table_name("belay")
            .key("pk", AttributeValue::S(pk.to_owned()))
            .key("sk", AttributeValue::S(sk.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .unwrap();
        let item = answer.item.map(AttributeValue::M);
        item.as_ref().map_or(Value::Null, plain)
    }

    /// A request, by the path of its page.
    pub(crate) async fn request(&self, path: &str) -> Value {
        let id = path.rsplit('/').next().unwrap();
        self.item(&format!("request#{id}"), "request").await
    }

    /// The states of a request's asks.
    pub(crate) async fn asks(&self, path: &str) -> Vec<String> {
        let request = self.request(path).await;
        let asks = request["asks"].as_array().unwrap();
        let state = |ask: &Value| ask["state"]["state"].as_str().unwrap().to_owned();
        asks.iter().map(state).collect()
    }

    /// The grants that came of a request, in the order of its asks.
    pub(crate) async fn grants(&self, path: &str) -> Vec<Value> {
        let request = self.request(path).await;
        let mut grants = Vec::new();
        for ask in request["asks"].as_array().unwrap() {
            if let Some(id) = ask["state"]["grant"].as_str() {
                let grant = self.item(&format!("grant#{id}"), "grant").await;
                if !grant.is_null() {
                    grants.push(grant);
                }
            }
        }
        grants
    }

    /// What happened to a request or a grant, oldest first: the records.
    pub(crate) async fn events(&self, stream: &str) -> Vec<Value> {
        let answer = self
            .dynamodb()
            .query()
            .table_name("belay")
            .key_condition_expression("pk = :stream AND begins_with(sk, :event)")
            .expression_attribute_values(":stream", AttributeValue::S(format!("stream#{stream}")))
            .expression_attribute_values(":event", AttributeValue::S("event#".to_owned()))
            .consistent_read(true)
            .send()
            .await
            .unwrap();
        let bytes = |item: &std::collections::HashMap<String, AttributeValue>| {
            serde_json::from_str(item["bytes"].as_s().unwrap()).unwrap()
        };
        answer.items().iter().map(bytes).collect()
    }

    /// The kinds of what happened to a request.
    pub(crate) async fn kinds(&self, path: &str) -> Vec<String> {
        let id = path.rsplit('/').next().unwrap();
        let events = self.events(&format!("request:{id}")).await;
        let kind = |event: &Value| event["kind"].as_str().unwrap().to_owned();
        events.iter().map(kind).collect()
    }
}

fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!(text),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap(),
        AttributeValue::Bool(is) => json!(is),
        AttributeValue::L(list) => list.iter().map(plain).collect(),
        AttributeValue::M(map) => {
            let map: Map<String, Value> = map
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect();
            Value::Object(map)
        }
        _ => Value::Null,
    }
}
