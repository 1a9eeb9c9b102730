//! What a JSON call says, member by member, refused in AWS's words where it is not valid.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::refusal::Refusal;
use super::service::Service;

/// The members of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) service: Service,
    pub(crate) operation: &'a str,
    members: &'a Map<String, Value>,
    /// Rows at most in a page, whatever was asked; 0 for AWS's own limit.
    page_size_max: usize,
}

/// The form that a text member must have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// AWS's own pattern, for the message.
    pattern: &'static str,
    holds: fn(&str) -> bool,
}

pub(crate) const INSTANCE_ARN: Shape = Shape {
    pattern: r"arn:(aws|aws-us-gov|aws-cn|aws-iso|aws-iso-b):sso:::instance/(sso)?ins-[a-zA-Z0-9-.]{16}",
    holds: |text| {
        let rest = text.strip_prefix("arn:aws:sso:::instance/");
        rest.is_some_and(is_instance)
    },
};
pub(crate) const PERMISSION_SET_ARN: Shape = Shape {
    pattern: r"arn:(aws|aws-us-gov|aws-cn|aws-iso|aws-iso-b):sso:::permissionSet/(sso)?ins-[a-zA-Z0-9-.]{16}/ps-[a-zA-Z0-9-./]{16}",
    holds: |text| {
        let rest = text.strip_prefix("arn:aws:sso:::permissionSet/");
        let parts = rest.and_then(|rest| rest.split_once("/ps-"));
        parts.is_some_and(|(instance, set)| {
            is_instance(instance) && set.len() == 16 && set.chars().all(|c| is_id(c) || c == '/')
        })
    },
};
pub(crate) const ACCOUNT_ID: Shape = Shape {
    pattern: r"\d{12}",
    holds: |text| text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()),
};
pub(crate) const IDENTITY_ID: Shape = Shape {
    pattern: r"([0-9a-f]{10}-|)[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}",
    holds: |text| match text.len() {
        36 => is_uuid(text),
        47 => {
            text.is_char_boundary(11)
                && text[..10].chars().all(|c| c.is_ascii_hexdigit())
                && text.as_bytes()[10] == b'-'
                && is_uuid(&text[11..])
        }
        _ => false,
    },
};
pub(crate) const IDENTITY_STORE: Shape = Shape {
    pattern: r"d-[0-9a-f]{10}$|^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    holds: |text| {
        let short = text
            .strip_prefix("d-")
            .is_some_and(|rest| rest.len() == 10 && rest.chars().all(|c| c.is_ascii_hexdigit()));
        short || is_uuid(text)
    },
};
pub(crate) const REQUEST_ID: Shape = Shape {
    pattern: r"\b[0-9a-f]{8}\b-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-\b[0-9a-f]{12}\b",
    holds: is_uuid,
};
pub(crate) const PARENT_ID: Shape = Shape {
    pattern: r"^(r-[0-9a-z]{4,32})|(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$",
    holds: |text| text.starts_with("r-") || text.starts_with("ou-"),
};
pub(crate) const ANY: Shape = Shape {
    pattern: r"[\s\S]*",
    holds: |text| !text.is_empty(),
};

fn is_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '.'
}

fn is_instance(text: &str) -> bool {
    let rest = text
        .strip_prefix("ssoins-")
        .or_else(|| text.strip_prefix("ins-"));
    rest.is_some_and(|rest| rest.len() == 16 && rest.chars().all(is_id))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// Where a list goes on, and how many rows it may give.
#[derive(Debug)]
pub(crate) struct Paging {
    after: Option<String>,
    rows: usize,
    scope: String,
}

impl Paging {
    /// Takes one page from items in the order of their keys, and the token for the next, if there
    /// is one.
    pub(crate) fn take<K: AsRef<str>, T>(
        self,
        items: impl Iterator<Item = (K, T)>,
    ) -> (Vec<T>, Option<String>) {
        let mut rows = Vec::new();
        let mut last = None;
        let mut more = false;
        for (key, item) in items {
            let key = key.as_ref();
            if self.after.as_deref().is_some_and(|after| key <= after) {
                continue;
            }
            if rows.len() == self.rows {
                more = true;
                break;
            }
            last = Some(key.to_owned());
            rows.push(item);
        }
        let token = last.filter(|_| more).map(|after| {
            let token = json!({"scope": self.scope, "after": after}).to_string();
            URL_SAFE_NO_PAD.encode(token)
        });
        (rows, token)
    }
}

impl<'a> Input<'a> {
    pub(crate) fn new(
        service: Service,
        operation: &'a str,
        members: &'a Map<String, Value>,
        page_size_max: usize,
    ) -> Self {
        Self {
            service,
            operation,
            members,
            page_size_max,
        }
    }

    /// A member that must be there.
    pub(crate) fn text(&self, name: &str, shape: Shape) -> Result<&'a str, Refusal> {
        match self.text_if_any(name, shape)? {
            Some(text) => Ok(text),
            None => Err(self.invalid(
                "INPUT_REQUIRED",
                &format!(
                    "Value null at '{}' failed to satisfy constraint: Member must not be null",
                    camel(name)
                ),
            )),
        }
    }

    /// A member that may be missing.
    pub(crate) fn text_if_any(&self, name: &str, shape: Shape) -> Result<Option<&'a str>, Refusal> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if (shape.holds)(text) => Ok(Some(text)),
            Some(Value::String(text)) => Err(self.invalid(
                "INVALID_PATTERN",
                &format!(
                    "Value '{}' at '{}' failed to satisfy constraint: Member must satisfy regular expression pattern: {}",
                    text.chars().take(100).collect::<String>(),
                    camel(name),
                    shape.pattern
                ),
            )),
            Some(_) => Err(self.mistyped(name)),
        }
    }

    /// A member that must be one of these.
    pub(crate) fn one_of(&self, name: &str, among: &[&str]) -> Result<&'a str, Refusal> {
        let text = self.text(name, ANY)?;
        if among.contains(&text) {
            return Ok(text);
        }
        Err(self.invalid(
            "INVALID_ENUM",
            &format!(
                "Value '{text}' at '{}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
                camel(name),
                among.join(", ")
            ),
        ))
    }

    /// A structure that may be missing, to be read the same way.
    pub(crate) fn structure(&self, name: &str) -> Result<Option<Self>, Refusal> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self { members, ..*self })),
            Some(_) => Err(self.mistyped(name)),
        }
    }

    /// A list that may be missing.
    pub(crate) fn list(&self, name: &str) -> Result<Option<&'a [Value]>, Refusal> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(self.mistyped(name)),
        }
    }

    /// A structure inside a list, to be read the same way.
    pub(crate) fn item(&self, name: &str, item: &'a Value) -> Result<Self, Refusal> {
        let members = item.as_object().ok_or_else(|| self.mistyped(name))?;
        Ok(Self { members, ..*self })
    }

    /// `MaxResults` and `NextToken`. A token is good for the same question only.
    pub(crate) fn paging(&self, rows_max: usize) -> Result<Paging, Refusal> {
        let asked = match self.members.get("MaxResults") {
            None | Some(Value::Null) => rows_max,
            Some(Value::Number(number)) => {
                let rows = number.as_u64().and_then(|rows| usize::try_from(rows).ok());
                match rows {
                    Some(rows) if (1..=rows_max).contains(&rows) => rows,
                    _ => return Err(self.invalid(
                        "MAX_VALUE_EXCEEDED",
                        &format!("Value '{number}' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and {rows_max}"),
                    )),
                }
            }
            Some(_) => return Err(self.mistyped("MaxResults")),
        };
        let rows = match self.page_size_max {
            0 => asked,
            max => asked.min(max),
        };
        let scope = self.scope();
        let after = match self.text_if_any("NextToken", ANY)? {
            None => None,
            Some(token) => Some(read_token(token, &scope).ok_or_else(|| {
                self.invalid("INVALID_NEXT_TOKEN", "The pagination token is not valid")
            })?),
        };
        Ok(Paging { after, rows, scope })
    }

    /// An error of this service about this call.
    pub(crate) fn refuse(&self, code: &str, message: impl Into<String>) -> Refusal {
        Refusal::new(self.service, code, message)
    }

    /// The service's error for what is not valid; Organizations says why in a word.
    pub(crate) fn invalid(&self, reason: &str, problem: &str) -> Refusal {
        let message = format!("1 validation error detected: {problem}");
        let refusal = self.refuse(self.service.validation_error(), message);
        match self.service {
            Service::Organizations => refusal.with("Reason", reason),
            _ => refusal,
        }
    }

    fn mistyped(&self, name: &str) -> Refusal {
        self.refuse(
            "SerializationException",
            format!("{name} has a value of the wrong type"),
        )
    }

    /// What a token belongs to: the operation and everything it asks but the paging.
    fn scope(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.operation);
        for (name, value) in self.members {
            if name != "NextToken" && name != "MaxResults" {
                hasher.update(format!("\n{name}={value}"));
            }
        }
        // Half a digest tells any two questions apart.
        format!("{:x}", hasher.finalize())[..32].to_owned()
    }
}

fn read_token(token: &str, scope: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let token: Value = serde_json::from_slice(&bytes).ok()?;
    let after = token.get("after")?.as_str()?;
    (token.get("scope")?.as_str()? == scope).then(|| after.to_owned())
}

/// AWS's validator names members as its code does.
fn camel(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}
