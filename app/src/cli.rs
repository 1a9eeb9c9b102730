//! What the AWS CLI is told, to use what somebody holds.

/// A profile for `~/.aws/config`, and the session that it signs in with: `aws configure sso` would write the same.
/// <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html>
pub(crate) fn profile(
    account: (&str, &str),
    permission_set: &str,
    start_url: &str,
    region: &str,
) -> String {
    let (account_id, account_name) = account;
    let name = name(account_name, account_id, permission_set);
    format!(
        "[profile {name}]\n\
         sso_session = belay\n\
         sso_account_id = {account_id}\n\
         sso_role_name = {permission_set}\n\
         region = {region}\n\
         \n\
         [sso-session belay]\n\
         sso_start_url = {start_url}\n\
         sso_region = {region}\n\
         sso_registration_scopes = sso:account:access\n"
    )
}

/// The profile's name: what a command line takes as it is. The account's number stands for a name that has nothing of
/// the kind.
pub(crate) fn name(account_name: &str, account_id: &str, permission_set: &str) -> String {
    let account = match plain(account_name).as_str() {
        "" => account_id.to_owned(),
        name => name.to_owned(),
    };
    format!("{account}-{}", plain(permission_set))
}

/// Letters and digits, and a dash for whatever is between them.
fn plain(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(letter.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{name, profile};

    #[test]
    fn a_profile_is_what_the_cli_would_write_itself() {
        let text = profile(
            ("111122223333", "Payments Production"),
            "ReadOnlyAccess",
            "https://d-99670a1b2c.awsapps.com/start",
            "eu-central-1",
        );
        assert_eq!(
            text,
            "[profile payments-production-readonlyaccess]\n\
             sso_session = belay\n\
             sso_account_id = 111122223333\n\
             sso_role_name = ReadOnlyAccess\n\
             region = eu-central-1\n\n\
             [sso-session belay]\n\
             sso_start_url = https://d-99670a1b2c.awsapps.com/start\n\
             sso_region = eu-central-1\n\
             sso_registration_scopes = sso:account:access\n"
        );
    }

    #[test]
    fn an_accounts_name_cannot_add_a_line_or_a_section() {
        assert_eq!(
            name("a]\n[default]\nx = $(y)", "111122223333", "Read+Only"),
            "a-default-x-y-read-only"
        );
        assert_eq!(name("決済", "111122223333", "X"), "111122223333-x");
    }
}
