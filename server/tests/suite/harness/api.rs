//! A program that speaks to the HTTP API, and a judge of every answer that it gets: each is as the
//! served document promises, or the test fails.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{Belay, Browser, Sandbox};

/// What the API is called at the provider.
pub(crate) const AUDIENCE: &str = "https://belay.example.com/api/v1";

/// Both scopes.
pub(crate) const ALL: &str = "belay:read belay:submit";

/// An answer of the API.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null if there is none.
    pub(crate) body: Value,
}

impl Answer {
    /// A header's value; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The code of a problem; empty if it is none.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The body of what went well.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.body
    }

    /// The codes of a problem's errors, each with its place.
    pub(crate) fn errors(&self) -> Vec<(&str, &str)> {
        let errors = self.body["errors"].as_array();
        let errors = errors.into_iter().flatten();
        errors
            .map(|error| {
                let place = error["pointer"].as_str().or(error["parameter"].as_str());
                (error["code"].as_str().unwrap(), place.unwrap_or_default())
            })
            .collect()
    }
}

/// What speaks for somebody.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    base: Url,
    http: reqwest::Client,
    document: Value,
    headers: BTreeMap<&'static str, String>,
}

impl Api {
    /// Nobody.
    pub(crate) async fn of(belay: &Belay) -> Self {
        let base = Url::parse(&belay.portal).unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let document = http.get(base.join("/api/v1/openapi.json").unwrap());
        let document = document.send().await.unwrap().json().await.unwrap();
        Self {
            base,
            http,
            document,
            headers: BTreeMap::new(),
        }
    }

    /// The contract, as it is served.
    pub(crate) const fn document(&self) -> &Value {
        &self.document
    }

    /// With this token.
    pub(crate) fn token(&self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// As a page of the portal would, in this browser.
    pub(crate) fn session(&self, browser: &Browser) -> Self {
        let cookie = browser.cookie("__Host-belay").unwrap_or_default();
        let origin = self.base.origin().ascii_serialization();
        self.with("cookie", &format!("__Host-belay={cookie}"))
            .with("origin", &origin)
    }

    /// With this header.
    pub(crate) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut api = self.clone();
        api.headers.insert(name, value.to_owned());
        api
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// A POST of JSON; of nothing, if that is null.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let body = (!body.is_null()).then(|| body.to_string());
        self.with("content-type", "application/json")
            .send(Method::POST, path, body)
            .await
    }

    /// A request of any kind, judged.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        let url = self.base.join(&format!("/api/v1{path}")).unwrap();
        let mut request = self.http.request(method.clone(), url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let body = if text.is_empty() || method == Method::HEAD {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path} is not JSON: {text}"))
        };
        let answer = Answer {
            status,
            headers,
            body,
        };
        self.judge(&method, path, &answer);
        answer
    }

    /// Whether an answer is what the document promises of that door.
    fn judge(&self, method: &Method, path: &str, answer: &Answer) {
        let kind = answer.header("content-type");
        assert!(
            !(300..400).contains(&answer.status) && !kind.contains("html"),
            "{method} {path}: {answer:?}"
        );
        if self.headers.contains_key("authorization") {
            assert_eq!(answer.header("set-cookie"), "", "{method} {path}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        let is_problem = answer.status >= 400;
        assert_eq!(
            kind == "application/problem+json",
            is_problem,
            "{method} {path}: {answer:?}"
        );
        if is_problem {
            assert_eq!(answer.body["status"], answer.status, "{path}");
            assert_eq!(
                answer.body["type"],
                format!("urn:belay:problem:{}", answer.code())
            );
        }
        let Some(operation) = self.operation(method, path) else {
            assert!(is_problem, "{method} {path} is not in the document");
            self.fits(&json!({ "$ref": "#/components/schemas/Problem" }), answer);
            return;
        };
        let promised = &operation["responses"][answer.status.to_string()];
        assert!(
            promised.is_object(),
            "{method} {path} does not promise this: {answer:?}"
        );
        match promised["content"].as_object() {
            None => assert_eq!(answer.body, Value::Null, "{method} {path}"),
            Some(content) => {
                let schema = &content[kind.split(';').next().unwrap()]["schema"];
                self.fits(schema, answer);
            }
        }
    }

    /// What the document has for a door.
    fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let path = path.split('?').next().unwrap();
        let doors = self.document["paths"].as_object().unwrap();
        let door = doors.iter().find(|(pattern, _)| {
            let (mut of, mut is) = (pattern.split('/'), path.split('/'));
            loop {
                match (of.next(), is.next()) {
                    (None, None) => return true,
                    (Some(of), Some(is)) if of == is || of.starts_with('{') => {}
                    _ => return false,
                }
            }
        });
        door?.1.get(method.as_str().to_lowercase())
    }

    fn fits(&self, schema: &Value, answer: &Answer) {
        let mut schema = schema.clone();
        schema["components"] = self.document["components"].clone();
        let judge = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap();
        let errors: Vec<String> = judge
            .iter_errors(&answer.body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?} in {answer:?}");
    }
}

impl Sandbox {
    /// A token of the sandbox's provider, as a command line gets one: a browser is sent to it, and what
    /// it brings back is exchanged.
    pub(crate) async fn token(&self, user_name: &str, scopes: &str, audience: &str) -> String {
        const VERIFIER: &str = "a-verifier-of-a-test-which-is-long-enough-for-it";
        const CALLBACK: &str = "http://127.0.0.1:9/callback";
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let challenge = BASE64URL.encode(Sha256::digest(VERIFIER));
        let scope = format!("openid {scopes}");
        let mut url = Url::parse(&format!("{}/authorize", self.oidc)).unwrap();
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", "belay-cli"),
            ("redirect_uri", CALLBACK),
            ("scope", &scope),
            ("resource", audience),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("login_hint", user_name),
        ]);
        let answer = http.get(url).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        let back = Url::parse(&back).unwrap();
        let (_, code) = back.query_pairs().find(|(name, _)| name == "code").unwrap();
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "belay-cli"),
            ("redirect_uri", CALLBACK),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ];
        let tokens = http.post(format!("{}/token", self.oidc)).form(&form);
        let tokens: Value = tokens.send().await.unwrap().json().await.unwrap();
        let token = tokens["access_token"].as_str();
        token.unwrap_or_else(|| panic!("{tokens}")).to_owned()
    }
}
