//! The provider's secrets: the RSA keys that sign ID tokens and the key that seals its session cookie.
//!
//! They live in one file of the data folder, so that a restart leaves tokens and sessions valid. RS256 and not a
//! younger algorithm, because `OpenID` Connect Discovery 1.0 §3 requires every provider to offer it and the providers
//! that Belay meets in production sign with it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{self, KeyPair as _, UnparsedPublicKey};
use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Keys still published after a rotation. ID tokens live five minutes, so one predecessor is enough for every token
/// that is still valid; the second lets a test rotate twice in a row.
const KEYS_KEPT: usize = 3;

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    /// The folder or the file cannot be read or written.
    #[error("cannot use {}: check that the data folder is writable", path.display())]
    Io {
        /// What was being read or written.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is there and is not what this program wrote.
    #[error("{} is damaged: remove it to start with new keys (everybody signs in again)", path.display())]
    Damaged {
        /// The damaged file.
        path: PathBuf,
    },
    /// The cryptographic library refused to make a key or a signature.
    #[error("cannot make a key: the system gives no randomness")]
    Crypto,
}

/// The key file, as it is on disk. Base64url, newest signing key first.
#[derive(Serialize, Deserialize)]
struct Stored {
    session: String,
    signing: Vec<String>,
}

struct SigningKey {
    kid: String,
    pair: KeyPair,
}

/// The provider's keys. Cheap to share; rotation is safe while others sign.
pub(crate) struct Keys {
    path: PathBuf,
    session_bytes: Vec<u8>,
    session: hmac::Key,
    signing: RwLock<Vec<Arc<SigningKey>>>,
}

impl Keys {
    /// Reads the keys from `folder`, or makes them there.
    pub(crate) fn open(folder: &Path) -> Result<Self, KeysError> {
        let path = folder.join("keys.json");
        fs::create_dir_all(folder).map_err(|source| KeysError::Io {
            path: folder.to_path_buf(),
            source,
        })?;
        match fs::read(&path) {
            Ok(bytes) => Self::read(path, &bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(source) => Err(KeysError::Io { path, source }),
        }
    }

    fn create(path: PathBuf) -> Result<Self, KeysError> {
        // As long as the digest it keys, which RFC 2104 §3 recommends.
        let mut session_bytes = vec![0; 32];
        rand::fill(&mut session_bytes).map_err(|_| KeysError::Crypto)?;
        let keys = Self {
            path,
            session: hmac::Key::new(hmac::HMAC_SHA256, &session_bytes),
            session_bytes,
            signing: RwLock::new(vec![Arc::new(SigningKey::generate()?)]),
        };
        keys.save()?;
        Ok(keys)
    }

    fn read(path: PathBuf, bytes: &[u8]) -> Result<Self, KeysError> {
        let parsed = || -> Option<(Vec<u8>, Vec<Arc<SigningKey>>)> {
            let stored: Stored = serde_json::from_slice(bytes).ok()?;
            let signing = stored.signing.iter().map(|der| {
                let pair = KeyPair::from_pkcs8(&BASE64URL.decode(der).ok()?).ok()?;
                Some(Arc::new(SigningKey::of(pair)))
            });
            let signing: Vec<_> = signing.collect::<Option<_>>()?;
            let session = BASE64URL.decode(stored.session).ok()?;
            (!signing.is_empty() && session.len() >= 32).then_some((session, signing))
        };
        let Some((session_bytes, signing)) = parsed() else {
            return Err(KeysError::Damaged { path });
        };
        let session = hmac::Key::new(hmac::HMAC_SHA256, &session_bytes);
        Ok(Self {
            path,
            session_bytes,
            session,
            signing: RwLock::new(signing),
        })
    }

    /// Signs with a new key from now on. Tokens signed with the old one still verify.
    pub(crate) fn rotate(&self) -> Result<(), KeysError> {
        let fresh = Arc::new(SigningKey::generate()?);
        {
            let mut signing = self.signing.write().unwrap_or_else(PoisonError::into_inner);
            signing.insert(0, fresh);
            signing.truncate(KEYS_KEPT);
        }
        self.save()
    }

    fn save(&self) -> Result<(), KeysError> {
        let mut signing = Vec::new();
        for key in self.published() {
            let der: Pkcs8V1Der<'_> = key.pair.as_der().map_err(|_| KeysError::Crypto)?;
            signing.push(BASE64URL.encode(der.as_ref()));
        }
        let stored = Stored {
            session: BASE64URL.encode(&self.session_bytes),
            signing,
        };
        let text = serde_json::to_vec(&stored).map_err(|_| KeysError::Crypto)?;
        replace(&self.path, &text).map_err(|source| KeysError::Io {
            path: self.path.clone(),
            source,
        })
    }

    fn published(&self) -> Vec<Arc<SigningKey>> {
        self.signing
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The public halves (RFC 7517), newest first.
    pub(crate) fn jwks(&self) -> Value {
        let keys: Vec<Value> = self
            .published()
            .iter()
            .map(|key| {
                let (n, e) = key.public();
                json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.kid, "n": n, "e": e })
            })
            .collect();
        json!({ "keys": keys })
    }

    /// A compact JWS (RFC 7515) over `claims`, signed with the newest key.
    pub(crate) fn sign(&self, claims: &Value) -> Result<String, KeysError> {
        self.sign_as("JWT", claims)
    }

    /// The same, saying what kind of token it is.
    pub(crate) fn sign_as(&self, typ: &str, claims: &Value) -> Result<String, KeysError> {
        let key = self
            .published()
            .into_iter()
            .next()
            .ok_or(KeysError::Crypto)?;
        let header = json!({ "alg": "RS256", "typ": typ, "kid": key.kid });
        let mut token = format!(
            "{}.{}",
            BASE64URL.encode(header.to_string()),
            BASE64URL.encode(claims.to_string())
        );
        let mut signature = vec![0; key.pair.public_modulus_len()];
        key.pair
            .sign(
                &signature::RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                token.as_bytes(),
                &mut signature,
            )
            .map_err(|_| KeysError::Crypto)?;
        token.push('.');
        token.push_str(&BASE64URL.encode(signature));
        Ok(token)
    }

    /// The claims of a token that one of our keys signed, expired or not: a sign-out hint is often old
    /// (RP-Initiated Logout 1.0 §2).
    pub(crate) fn verify(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Value = serde_json::from_slice(&BASE64URL.decode(header).ok()?).ok()?;
        let signature = BASE64URL.decode(signature).ok()?;
        let keys = self.published();
        let key = keys
            .iter()
            .find(|key| Some(key.kid.as_str()) == header["kid"].as_str())?;
        UnparsedPublicKey::new(
            &signature::RSA_PKCS1_2048_8192_SHA256,
            key.pair.public_key().as_ref(),
        )
        .verify(signed.as_bytes(), &signature)
        .ok()?;
        serde_json::from_slice(&BASE64URL.decode(claims).ok()?).ok()
    }

    /// `value` with a seal that only this provider can make.
    pub(crate) fn seal(&self, value: &str) -> String {
        let body = BASE64URL.encode(value);
        let tag = hmac::sign(&self.session, body.as_bytes());
        format!("{body}.{}", BASE64URL.encode(tag.as_ref()))
    }

    /// What was sealed, or nothing when the seal is not ours.
    pub(crate) fn unseal(&self, sealed: &str) -> Option<String> {
        let (body, tag) = sealed.split_once('.')?;
        hmac::verify(&self.session, body.as_bytes(), &BASE64URL.decode(tag).ok()?).ok()?;
        String::from_utf8(BASE64URL.decode(body).ok()?).ok()
    }
}

impl SigningKey {
    fn generate() -> Result<Self, KeysError> {
        KeyPair::generate(KeySize::Rsa2048)
            .map(Self::of)
            .map_err(|_| KeysError::Crypto)
    }

    fn of(pair: KeyPair) -> Self {
        let mut key = Self {
            kid: String::new(),
            pair,
        };
        let (n, e) = key.public();
        // RFC 7638: members in this order, no spaces. The id follows from the key, so it needs no storing.
        let thumbprint = Sha256::digest(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#));
        key.kid = BASE64URL.encode(thumbprint);
        key
    }

    fn public(&self) -> (String, String) {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        (BASE64URL.encode(public.n), BASE64URL.encode(public.e))
    }
}

/// A fresh unguessable name for a code or a token: 256 bits, of which RFC 6749 §10.10 asks at least 160.
pub(crate) fn secret() -> Result<String, KeysError> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| KeysError::Crypto)?;
    Ok(BASE64URL.encode(bytes))
}

/// Writes the whole file or nothing: a kill in the middle leaves the old one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staging = path.with_extension("json.new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&staging)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&staging, path)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_restart_keeps_tokens_and_sessions_valid() {
        let folder = tempfile::tempdir().unwrap();
        let (token, sealed) = {
            let keys = Keys::open(folder.path()).unwrap();
            (
                keys.sign(&json!({ "sub": "ana" })).unwrap(),
                keys.seal("session"),
            )
        };
        let keys = Keys::open(folder.path()).unwrap();
        assert_eq!(keys.verify(&token).unwrap()["sub"], "ana");
        assert_eq!(keys.unseal(&sealed).as_deref(), Some("session"));
    }

    #[test]
    fn a_rotation_signs_with_a_new_key_and_still_verifies_the_old() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        let before = keys.sign(&json!({ "n": 1 })).unwrap();
        keys.rotate().unwrap();
        let after = keys.sign(&json!({ "n": 2 })).unwrap();
        assert_ne!(
            before.split('.').next(),
            after.split('.').next(),
            "the header names another key"
        );
        assert_eq!(keys.verify(&before).unwrap()["n"], 1);
        assert_eq!(keys.verify(&after).unwrap()["n"], 2);
        assert_eq!(Keys::open(folder.path()).unwrap().jwks(), keys.jwks());
    }

    #[test]
    fn a_changed_token_or_seal_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        let token = keys.sign(&json!({ "sub": "ana" })).unwrap();
        let [header, _, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
        let forged = format!(
            "{header}.{}.{signature}",
            BASE64URL.encode(r#"{"sub":"ben"}"#)
        );
        assert!(keys.verify(&forged).is_none());
        let sealed = keys.seal("ana");
        let forged = format!(
            "{}.{}",
            BASE64URL.encode("ben"),
            sealed.split_once('.').unwrap().1
        );
        assert!(keys.unseal(&forged).is_none());
    }

    #[test]
    fn a_damaged_key_file_is_named_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("keys.json"), "{}").unwrap();
        assert!(matches!(
            Keys::open(folder.path()),
            Err(KeysError::Damaged { .. })
        ));
        assert_eq!(
            fs::read_to_string(folder.path().join("keys.json")).unwrap(),
            "{}"
        );
    }
}
