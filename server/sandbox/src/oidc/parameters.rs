//! Request parameters, read with OAuth's rule that none may be there twice (RFC 6749 §3.1).

use url::form_urlencoded;

/// Decoded names and values, in the order they were sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query string or a form.
    pub(crate) fn parse(encoded: &str) -> Self {
        Self(
            form_urlencoded::parse(encoded.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// A value, or nothing; an empty value counts as nothing (RFC 6749 §3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let value = self
            .0
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    /// A name that is there more than once.
    pub(crate) fn repeated(&self) -> Option<&str> {
        self.0.iter().enumerate().find_map(|(at, (name, _))| {
            self.0[..at]
                .iter()
                .any(|(earlier, _)| earlier == name)
                .then_some(name.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_empty_ones_are_absent() {
        let parameters = Parameters::parse("a=x+y%26z&b=");
        assert_eq!(parameters.get("a"), Some("x y&z"));
        assert_eq!(parameters.get("b"), None);
        assert_eq!(parameters.get("c"), None);
    }

    #[test]
    fn a_repeated_name_is_found() {
        assert_eq!(Parameters::parse("a=1&b=2").repeated(), None);
        assert_eq!(Parameters::parse("a=1&b=2&a=1").repeated(), Some("a"));
    }
}
