//! A browser without script: cookies, redirects, `Origin`, and a record of each cookie it was given.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Method};
use reqwest::redirect::Policy;
use serde_json::Value;
use url::Url;

/// A sign-in takes five; twice that is a loop.
const REDIRECTS_MAX: usize = 10;

/// An answer, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// The same, as it came.
    pub(crate) bytes: Vec<u8>,
}

impl Page {
    /// Its text, cut so that a failure stays readable.
    pub(crate) fn text(&self) -> String {
        format!(
            "{} {} {}",
            self.status,
            self.url,
            self.body.chars().take(4_000).collect::<String>()
        )
    }

    /// Where it leads.
    pub(crate) fn location(&self) -> String {
        let location = self.headers.get(LOCATION);
        let location = location.unwrap_or_else(|| panic!("leads nowhere: {}", self.text()));
        location.to_str().unwrap().to_owned()
    }

    /// A header's only value.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    /// The cookies that it sets, as they were sent.
    pub(crate) fn cookies(&self) -> Vec<String> {
        self.headers
            .get_all(SET_COOKIE)
            .iter()
            .map(|cookie| cookie.to_str().unwrap().to_owned())
            .collect()
    }
}

/// One browser profile. Cookies belong to hosts, not ports, as in real ones; each test has its own
/// sandbox, so all of `localhost` is that test's.
#[derive(Debug)]
pub(crate) struct Browser {
    portal: Url,
    http: reqwest::Client,
    cookies: Mutex<BTreeMap<(String, String), String>>,
}

impl Browser {
    pub(crate) fn new(portal: &str) -> Self {
        Self {
            portal: Url::parse(portal).unwrap(),
            http: reqwest::Client::builder()
                .redirect(Policy::none())
                .build()
                .unwrap(),
            cookies: Mutex::new(BTreeMap::new()),
        }
    }

    /// The address of a path of the portal; addresses stay as they are.
    pub(crate) fn address(&self, path: &str) -> Url {
        self.portal.join(path).unwrap()
    }

    /// One GET, no redirect followed.
    pub(crate) async fn get(&self, path: &str) -> Page {
        self.send(Method::GET, self.address(path), None, &[]).await
    }

    /// A read as a page's script makes it.
    pub(crate) async fn read(&self, path: &str) -> Page {
        let json = [(ACCEPT.as_str(), "application/json")];
        self.send(Method::GET, self.address(path), None, &json)
            .await
    }

    /// A GET with its redirects.
    pub(crate) async fn visit(&self, path: &str) -> Page {
        let page = self.get(path).await;
        self.follow(page).await
    }

    /// One POST of a form from one of our own pages, no redirect followed.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let origin = self.portal.origin().ascii_serialization();
        self.post_from(path, form, &[(ORIGIN.as_str(), &origin)])
            .await
    }

    /// One POST of a form with these headers and no others that say where it is from.
    pub(crate) async fn post_from(
        &self,
        path: &str,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Page {
        self.send(Method::POST, self.address(path), Some(form), headers)
            .await
    }

    /// Goes where a page leads, until it leads nowhere.
    pub(crate) async fn follow(&self, mut page: Page) -> Page {
        for _ in 0..REDIRECTS_MAX {
            if !(300..400).contains(&page.status) {
                return page;
            }
            let next = page.url.join(&page.location()).unwrap();
            page = self.send(Method::GET, next, None, &[]).await;
        }
        panic!("redirected round and round: {}", page.text());
    }

    /// Begins a sign-in and stops at the provider's door: the address that it was sent to.
    pub(crate) async fn begin_sign_in(&self, return_to: &str) -> Url {
        let mut start = self.address("/auth/start");
        start.query_pairs_mut().append_pair("return_to", return_to);
        let page = self.send(Method::GET, start, None, &[]).await;
        assert_eq!(page.status, 303, "{}", page.text());
        Url::parse(&page.location()).unwrap()
    }

    /// Lets the provider sign this person in, and stops at the address of the callback.
    pub(crate) async fn at_callback(&self, mut provider: Url, user_name: &str) -> Url {
        provider
            .query_pairs_mut()
            .append_pair("login_hint", user_name);
        let mut page = self.send(Method::GET, provider, None, &[]).await;
        for _ in 0..REDIRECTS_MAX {
            let next = page.url.join(&page.location()).unwrap();
            if next.path() == "/auth/callback" {
                return next;
            }
            page = self.send(Method::GET, next, None, &[]).await;
        }
        panic!(
            "the provider does not send {user_name} back: {}",
            page.text()
        );
    }

    /// Signs in and arrives at the first page.
    pub(crate) async fn sign_in(&self, user_name: &str) -> Page {
        let provider = self.begin_sign_in("/").await;
        let callback = self.at_callback(provider, user_name).await;
        self.visit(callback.as_str()).await
    }

    /// The value of a cookie of the portal.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let host = self.portal.host_str().unwrap().to_owned();
        self.jar().get(&(host, name.to_owned())).cloned()
    }

    /// Plants a cookie for the portal.
    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        let host = self.portal.host_str().unwrap().to_owned();
        self.jar().insert((host, name.to_owned()), value.to_owned());
    }

    fn jar(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), String>> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request of any kind, answered.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: Url,
        form: Option<&[(&str, &str)]>,
        headers: &[(&str, &str)],
    ) -> Page {
        self.try_send(method, url, form, headers).await.unwrap()
    }

    /// One request of any kind, to a server that may not be there.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        url: Url,
        form: Option<&[(&str, &str)]>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Page> {
        let host = url.host_str().unwrap().to_owned();
        let cookies: Vec<String> = self
            .jar()
            .iter()
            .filter(|((of, _), _)| *of == host)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let mut request = self.http.request(method, url.clone());
        if !headers.iter().any(|(name, _)| *name == ACCEPT.as_str()) {
            request = request.header(ACCEPT, "text/html,application/xhtml+xml");
        }
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(form) = form {
            request = request.form(form);
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await?.to_vec();
        let page = Page {
            url,
            status,
            headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        };
        self.keep(&host, &page);
        Ok(page)
    }

    fn keep(&self, host: &str, page: &Page) {
        for cookie in page.cookies() {
            let mut parts = cookie.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            let attributes: Vec<String> = parts.map(str::to_lowercase).collect();
            let has = |wanted: &str| attributes.iter().any(|have| have == wanted);
            // As browsers do: such a cookie is not taken, nor is its removal.
            if name.starts_with("__Host-") && !(has("secure") && has("path=/")) {
                continue;
            }
            let key = (host.to_owned(), name.to_owned());
            if has("max-age=0") {
                self.jar().remove(&key);
            } else {
                self.jar().insert(key, value.to_owned());
            }
        }
    }
}

/// An answer that goes on: `/live`.
#[derive(Debug)]
pub(crate) struct Live {
    answer: reqwest::Response,
    unread: String,
}

impl Browser {
    /// Opens a stream.
    pub(crate) async fn open(&self, path: &str) -> Live {
        let url = self.address(path);
        let host = url.host_str().unwrap().to_owned();
        let cookies: Vec<String> = self
            .jar()
            .iter()
            .filter(|((of, _), _)| *of == host)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let answer = self
            .http
            .get(url)
            .header(ACCEPT, "text/event-stream")
            .header(COOKIE, cookies.join("; "))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        Live {
            answer,
            unread: String::new(),
        }
    }
}

impl Live {
    /// The topics of the next change; `None` if nothing is told in this time or the stream ends.
    pub(crate) async fn change(&mut self, within: Duration) -> Option<Vec<String>> {
        let read = async {
            loop {
                if let Some(end) = self.unread.find("\n\n") {
                    let event: String = self.unread.drain(..end + 2).collect();
                    let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                    let Some(data) = data else { continue };
                    let data: Value = serde_json::from_str(data).unwrap();
                    return serde_json::from_value(data["topics"].clone()).ok();
                }
                let chunk = self.answer.chunk().await.ok()??;
                self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        tokio::time::timeout(within, read).await.ok()?
    }

    /// Everything until its end.
    pub(crate) async fn rest(&mut self) -> String {
        while let Ok(Some(chunk)) = self.answer.chunk().await {
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        std::mem::take(&mut self.unread)
    }

    /// Everything until its end, and whether that came as ends should.
    pub(crate) async fn whole(&mut self) -> (String, bool) {
        loop {
            match self.answer.chunk().await {
                Ok(Some(chunk)) => self.unread.push_str(std::str::from_utf8(&chunk).unwrap()),
                Ok(None) => return (std::mem::take(&mut self.unread), true),
                Err(_) => return (std::mem::take(&mut self.unread), false),
            }
        }
    }
}
