//! A portal and a browser, small enough to misbehave on purpose. Tokens are verified by `openidconnect`.

use std::collections::BTreeMap;

use openidconnect::core::{CoreClient, CoreIdToken, CoreProviderMetadata};
use openidconnect::{ClientId, ClientSecret, IssuerUrl, JsonWebKeySet, Nonce};
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::Value;

/// A callback on the list; nobody listens there.
pub(crate) const REDIRECT: &str = "http://localhost:8000/auth/callback";

/// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const STATE: &str = "state & more";
const NONCE: &str = "nonce-1";

fn http() -> Client {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client")
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        Self {
            status,
            headers,
            body: response.text().await.expect("a body"),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON: {}", self.body))
    }

    /// The answer's parameters, after the checks that every client owes: the address, `state` and `iss` (RFC 9207).
    fn returned(&self, portal: &Portal) -> BTreeMap<String, String> {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        let location =
            Url::parse(self.headers[LOCATION].to_str().expect("text")).expect("an address");
        assert!(
            location.as_str().starts_with(&format!("{REDIRECT}?")),
            "{location}"
        );
        let pairs: BTreeMap<_, _> = location.query_pairs().into_owned().collect();
        assert_eq!(pairs["state"], STATE);
        assert_eq!(pairs["iss"], portal.issuer);
        pairs
    }

    pub(crate) fn code(&self, portal: &Portal) -> String {
        self.returned(portal)["code"].clone()
    }

    pub(crate) fn error(&self, portal: &Portal) -> String {
        let pairs = self.returned(portal);
        assert!(!pairs.contains_key("code"));
        pairs["error"].clone()
    }
}

/// Something that keeps cookies.
#[derive(Debug, Default)]
pub(crate) struct Browser {
    cookies: BTreeMap<String, String>,
    site: Option<&'static str>,
}

impl Browser {
    /// What it says of where its next requests come from.
    pub(crate) fn comes_from(&mut self, site: &'static str) {
        self.site = Some(site);
    }

    /// Asks to sign in. `changes` add parameters, replace them, or with an empty value drop them.
    pub(crate) async fn authorize(&mut self, portal: &Portal, changes: &[(&str, &str)]) -> Answer {
        let parameters = changed(
            &[
                ("response_type", "code"),
                ("client_id", "belay"),
                ("redirect_uri", REDIRECT),
                ("scope", "openid email profile"),
                ("state", STATE),
                ("nonce", NONCE),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ],
            changes,
        );
        let pairs: Vec<_> = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.get(
            portal.metadata["authorization_endpoint"]
                .as_str()
                .expect("an endpoint"),
            &pairs,
        )
        .await
    }

    pub(crate) async fn get(&mut self, address: &str, query: &[(&str, &str)]) -> Answer {
        self.send(http().get(address).query(query)).await
    }

    /// Presses a button on the page.
    pub(crate) async fn pick(
        &mut self,
        portal: &Portal,
        page: &Answer,
        button: &[(&str, &str)],
    ) -> Answer {
        let hidden = page
            .body
            .split_once(r#"name="request" value=""#)
            .expect("the request is in the page")
            .1;
        let request = hidden
            .split_once('"')
            .expect("a value")
            .0
            .replace("&amp;", "&")
            .replace("&quot;", "\"");
        let mut form = vec![("request", request.as_str())];
        form.extend_from_slice(button);
        self.send(
            http()
                .post(format!("{}/sign-in", portal.issuer))
                .form(&form),
        )
        .await
    }

    async fn send(&mut self, request: RequestBuilder) -> Answer {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = request.header(COOKIE, cookies.join("; "));
        if let Some(site) = self.site {
            request = request.header("sec-fetch-site", site);
        }
        let answer = Answer::of(request).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("text");
            assert!(
                cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
                "{cookie}"
            );
            let (pair, _) = cookie.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a pair");
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// What a code was exchanged for.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) id_token: String,
}

/// The client `belay`.
#[derive(Debug)]
pub(crate) struct Portal {
    pub(crate) issuer: String,
    pub(crate) metadata: Value,
    pub(crate) jwks: Value,
}

impl Portal {
    pub(crate) async fn discover(issuer: &str) -> Self {
        let get = async |address: &str| Answer::of(http().get(address)).await.json();
        let metadata = get(&format!("{issuer}/.well-known/openid-configuration")).await;
        let jwks = get(metadata["jwks_uri"].as_str().expect("an address")).await;
        Self {
            issuer: issuer.to_owned(),
            metadata,
            jwks,
        }
    }

    pub(crate) async fn exchange(&self, code: &str) -> Result<Tokens, Answer> {
        let answer = self.token(code, &[]).await;
        if answer.status != StatusCode::OK {
            return Err(answer);
        }
        let body = answer.json();
        let text = |name: &str| body[name].as_str().expect(name).to_owned();
        assert_eq!(text("token_type"), "Bearer");
        Ok(Tokens {
            access_token: text("access_token"),
            id_token: text("id_token"),
        })
    }

    /// A token request with the right secret. `changes` as for [`Browser::authorize`].
    pub(crate) async fn token(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        self.token_as(Some(("belay", "belay-sandbox-secret")), code, changes)
            .await
    }

    pub(crate) async fn token_as(
        &self,
        basic: Option<(&str, &str)>,
        code: &str,
        changes: &[(&str, &str)],
    ) -> Answer {
        let usual = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let mut request = http().post(
            self.metadata["token_endpoint"]
                .as_str()
                .expect("an endpoint"),
        );
        if let Some((id, secret)) = basic {
            request = request.basic_auth(id, Some(secret));
        }
        Answer::of(request.form(&changed(&usual, changes))).await
    }

    pub(crate) async fn user_info(&self, access_token: &str) -> Result<Value, Answer> {
        let endpoint = self.metadata["userinfo_endpoint"]
            .as_str()
            .expect("an endpoint");
        let answer = Answer::of(http().get(endpoint).bearer_auth(access_token)).await;
        if answer.status == StatusCode::OK {
            Ok(answer.json())
        } else {
            Err(answer)
        }
    }

    /// The claims of an ID token, after `openidconnect` has found nothing wrong with it.
    pub(crate) fn verified(&self, tokens: &Tokens) -> Value {
        let metadata: CoreProviderMetadata =
            serde_json::from_value(self.metadata.clone()).expect("metadata");
        assert_eq!(
            *metadata.issuer(),
            IssuerUrl::new(self.issuer.clone()).expect("an address")
        );
        let keys: JsonWebKeySet<_> = serde_json::from_value(self.jwks.clone()).expect("keys");
        let client = CoreClient::from_provider_metadata(
            metadata.set_jwks(keys),
            ClientId::new("belay".to_owned()),
            Some(ClientSecret::new("belay-sandbox-secret".to_owned())),
        );
        let token: CoreIdToken = tokens.id_token.parse().expect("a token");
        let claims = token
            .claims(&client.id_token_verifier(), &Nonce::new(NONCE.to_owned()))
            .expect("a valid token");
        serde_json::to_value(claims).expect("claims")
    }
}

fn changed(usual: &[(&str, &str)], changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let kept = usual
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let new = changes.iter().filter(|(_, value)| !value.is_empty());
    kept.chain(new)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
