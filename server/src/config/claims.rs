//! `BELAY_OIDC_CLAIMS`: how a login finds its person.

use std::fmt;

/// More rules than there are attributes to find a person by, twice over, is a mistake.
const MAX_RULES: usize = 6;

/// One rule: the claim of the login, and the attribute of the Identity Store user that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRule {
    /// The claim's name in the ID token or the userinfo answer.
    pub claim: String,
    /// What it is compared with.
    pub attribute: Attribute,
}

/// The attributes by which `GetUserId` finds exactly one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// `emails.value`.
    Email(Unverified),
    /// `userName`.
    UserName,
    /// `externalId`: what the provider that feeds the Identity Store calls the person.
    ExternalId,
}

/// Whether an e-mail that the provider does not call verified may find a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unverified {
    /// It finds nobody. Anybody can write anybody's address into some providers' profiles.
    Refused,
    /// It may: Cognito says `email_verified: false` of every SAML login, even though the address
    /// came from the Identity Center itself.
    Trusted,
}

impl fmt::Display for ClaimRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attribute = match self.attribute {
            Attribute::Email(Unverified::Refused) => "emails.value",
            Attribute::Email(Unverified::Trusted) => "emails.value trust-unverified",
            Attribute::UserName => "userName",
            Attribute::ExternalId => "externalId",
        };
        write!(f, "{}={attribute}", self.claim)
    }
}

/// Parses the ordered list, or says which rule is wrong.
pub(super) fn parse(text: &str) -> Result<Vec<ClaimRule>, String> {
    let rules = text
        .split(',')
        .map(str::trim)
        .filter(|rule| !rule.is_empty())
        .map(parse_rule)
        .collect::<Result<Vec<_>, _>>()?;
    match rules.len() {
        0 => Err("has no rule".to_owned()),
        n if n > MAX_RULES => Err(format!("has {n} rules; at most {MAX_RULES}")),
        _ => Ok(rules),
    }
}

fn parse_rule(text: &str) -> Result<ClaimRule, String> {
    let (claim, attribute) = text
        .split_once('=')
        .ok_or_else(|| format!("has the rule `{text}`, which is not claim=attribute"))?;
    let claim = claim.trim();
    if claim.is_empty() || claim.contains(char::is_whitespace) {
        return Err(format!("has the rule `{text}`, whose claim is not a name"));
    }
    let words: Vec<&str> = attribute.split_whitespace().collect();
    let attribute = match words.as_slice() {
        ["emails.value"] => Attribute::Email(Unverified::Refused),
        ["emails.value", "trust-unverified"] => Attribute::Email(Unverified::Trusted),
        ["userName"] => Attribute::UserName,
        ["externalId"] => Attribute::ExternalId,
        _ => {
            return Err(format!(
                "has the rule `{text}`, whose attribute is not emails.value, userName or externalId"
            ));
        }
    };
    Ok(ClaimRule {
        claim: claim.to_owned(),
        attribute,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn rules_keep_their_order_and_their_trust() {
        let text =
            "email=emails.value, cognito:email = emails.value trust-unverified, sub=externalId";
        let rules = parse(text).unwrap();
        let shown: Vec<String> = rules.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "email=emails.value",
                "cognito:email=emails.value trust-unverified",
                "sub=externalId"
            ]
        );
    }

    #[test]
    fn what_is_not_a_rule_is_named() {
        for wrong in [
            "",
            "email",
            "email=mail",
            "e mail=userName",
            "email=userName trust-unverified",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse("email=mail").unwrap_err().contains("`email=mail`"));
    }
}
