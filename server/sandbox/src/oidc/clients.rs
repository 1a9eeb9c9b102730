//! The applications that this provider knows, and the addresses it may send a browser back to.

use aws_lc_rs::constant_time;
use url::Url;

/// Belay's client id at the sandbox.
pub(crate) const CLIENT_ID: &str = "belay";

/// The client id of a command line that speaks for a person to Belay's API: a public client (RFC 8252 §8.4),
/// which has no secret to keep.
pub(crate) const CLI_ID: &str = "belay-cli";

/// What people see on the page that asks who they are.
pub(crate) const CLIENT_NAME: &str = "Belay";

/// Worth nothing: the provider listens on loopback only and asks nobody for a password. It is here so that Belay's
/// client authentication is exercised as in production.
const CLIENT_SECRET: &str = "belay-sandbox-secret";

const CALLBACK_PATH: &str = "/auth/callback";

/// Where a command line listens for its answer, on any port (RFC 8252 §7.3).
const CLI_CALLBACK_PATH: &str = "/callback";

/// Where a browser may land after signing out: the portal's page for it, its start page, or the callback.
const SIGNED_OUT_PATHS: [&str; 3] = ["/signed-out", "/", CALLBACK_PATH];

/// Whether `uri` is a callback of the portal: loopback, any port, exactly this path. Tests run many portals at once,
/// each on a port of its own, which is why the port is free (RFC 8252 §7.3).
pub(crate) fn is_callback(client_id: &str, uri: &str) -> bool {
    match client_id {
        CLIENT_ID => is_loopback(uri, &[CALLBACK_PATH]),
        CLI_ID => is_loopback(uri, &[CLI_CALLBACK_PATH]),
        _ => false,
    }
}

/// Whether a browser may be sent to `uri` after signing out.
pub(crate) fn is_signed_out_page(uri: &str) -> bool {
    is_loopback(uri, &SIGNED_OUT_PATHS)
}

/// Compares text, not parsed addresses: `http://localhost:1@evil.example/` and its many cousins parse to something
/// other than they look like, and text that matches this shape cannot be one of them.
fn is_loopback(uri: &str, paths: &[&str]) -> bool {
    ["http://localhost:", "http://127.0.0.1:"]
        .iter()
        .any(|origin| {
            let Some(rest) = uri.strip_prefix(origin) else {
                return false;
            };
            let Some((port, _)) = rest.split_once('/') else {
                return false;
            };
            let port_is_plain = port.bytes().all(|byte| byte.is_ascii_digit())
                && port.parse::<u16>().is_ok_and(|n| n > 0);
            port_is_plain && paths.contains(&&rest[port.len()..]) && Url::parse(uri).is_ok()
        })
}

/// Compared in constant time, as a real provider does.
pub(crate) fn is_secret(secret: &str) -> bool {
    constant_time::verify_slices_are_equal(secret.as_bytes(), CLIENT_SECRET.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopback_callback_is_a_callback() {
        for good in [
            "http://localhost:8000/auth/callback",
            "http://127.0.0.1:65535/auth/callback",
        ] {
            assert!(is_callback(CLIENT_ID, good), "{good}");
        }
        for bad in [
            "https://localhost:8000/auth/callback",
            "http://localhost/auth/callback",
            "http://localhost:0/auth/callback",
            "http://localhost:65536/auth/callback",
            "http://localhost:+80/auth/callback",
            "http://localhost:8000/auth/callback/",
            "http://localhost:8000/auth/callback?next=/",
            "http://localhost:8000/auth/callback#x",
            "http://localhost:8000/signed-out",
            "http://localhost:8000@evil.example/auth/callback",
            "http://localhost:@evil.example:8000/auth/callback",
            "http://localhost.evil.example:8000/auth/callback",
            "http://evil.example/auth/callback",
            "HTTP://localhost:8000/auth/callback",
            "http://[::1]:8000/auth/callback",
            "javascript:alert(1)",
            "",
        ] {
            assert!(!is_callback(CLIENT_ID, bad), "{bad}");
        }
    }

    #[test]
    fn each_client_has_its_own_callback() {
        let (portal, cli) = (
            "http://localhost:8000/auth/callback",
            "http://127.0.0.1:9/callback",
        );
        assert!(is_callback(CLI_ID, cli));
        assert!(!is_callback(CLI_ID, portal));
        assert!(!is_callback(CLIENT_ID, cli));
        assert!(!is_callback("another", portal));
    }

    #[test]
    fn signing_out_ends_on_the_portal_only() {
        assert!(is_signed_out_page("http://localhost:8000/signed-out"));
        assert!(is_signed_out_page("http://127.0.0.1:8000/"));
        assert!(!is_signed_out_page("http://localhost:8000/elsewhere"));
        assert!(!is_signed_out_page("http://evil.example/signed-out"));
    }

    #[test]
    fn the_secret_is_the_secret() {
        assert!(is_secret("belay-sandbox-secret"));
        assert!(!is_secret("belay-sandbox-secre"));
        assert!(!is_secret(""));
    }
}
