//! What a rule covers: accounts, permission sets and people.

use domain::policy::Code;

use crate::organisation::{Organisation, rule};

#[test]
fn a_rule_covers_accounts_by_id_ou_name_tag_or_all() {
    for (selector, covered, not_covered) in [
        ("111122223333", "Payments Production", "Payments Staging"),
        ("ou:Production", "Payments Production", "Payments Staging"),
        ("ou:Production", "Orders Production", "Management"),
        ("ou:Payments", "Payments Production", "Orders Production"),
        (
            "ou:Root/Production",
            "Data Lake Production",
            "Data Lake Dev",
        ),
        (
            "ou:Production/Data",
            "Data Lake Production",
            "Orders Production",
        ),
        ("ou:ou-ab12-0staging", "Orders Staging", "Orders Production"),
        ("ou:r-ab12", "Management", ""),
        ("name:Payments *", "Payments Staging", "Orders Staging"),
        ("name:*Production", "Web Production", "Network"),
        ("tag:env=prod", "Web Production", "Payments Staging"),
        ("*", "Management", ""),
    ] {
        let organisation = Organisation::new();
        let policy = organisation.policy(&rule("r", &[("accounts", &format!("[\"{selector}\"]"))]));
        let code = |account| {
            organisation
                .ask(&policy, "carla.rossi", account, "Billing", "1h")
                .code
        };
        assert_eq!(
            code(covered),
            Code::NeedsApproval,
            "{selector} covers {covered}"
        );
        if !not_covered.is_empty() {
            assert_eq!(code(not_covered), Code::NoRule, "{selector}, {not_covered}");
        }
    }
}

#[test]
fn an_ou_is_matched_whole_never_by_part_of_its_name() {
    for selector in [
        "ou:Prod",
        "ou:production",
        "ou:Production/Pay",
        "ou:Production/Orders",
        "name:payments *",
        "tag:env=pro",
    ] {
        let organisation = Organisation::new();
        let policy = organisation.policy(&rule("r", &[("accounts", &format!("[\"{selector}\"]"))]));
        let verdict = organisation.ask(
            &policy,
            "carla.rossi",
            "Payments Production",
            "Billing",
            "1h",
        );
        assert_eq!(verdict.code, Code::NoRule, "{selector}");
    }
}

#[test]
fn a_rule_covers_permission_sets_by_name_pattern_or_arn() {
    for (selector, covered, not_covered) in [
        ("ReadOnlyAccess", "ReadOnlyAccess", "PowerUserAccess"),
        ("*Access", "PowerUserAccess", "Billing"),
        ("*", "Billing", ""),
        ("Secur?tyAudit", "SecurityAudit", "Billing"),
        (
            "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0000000000000003",
            "Billing",
            "SecurityAudit",
        ),
    ] {
        let organisation = Organisation::new();
        let policy = organisation.policy(&rule(
            "r",
            &[("permission_sets", &format!("[\"{selector}\"]"))],
        ));
        let code = |set| {
            organisation
                .ask(&policy, "carla.rossi", "Network", set, "1h")
                .code
        };
        assert_eq!(
            code(covered),
            Code::NeedsApproval,
            "{selector} covers {covered}"
        );
        if !not_covered.is_empty() {
            assert_eq!(code(not_covered), Code::NoRule, "{selector}, {not_covered}");
        }
    }
}

#[test]
fn people_are_found_by_email_in_any_case_by_user_name_by_id_and_by_group() {
    let organisation = Organisation::new();
    let carla = organisation.user("carla.rossi");
    let payments = organisation.group("Payments");
    for selector in [
        "user:carla.rossi@example.com",
        "user:Carla.Rossi@EXAMPLE.com",
        "user:CARLA.ROSSI",
        &format!("user:{carla}"),
        "group:Payments",
        &format!("group:{payments}"),
        &format!("group:{}", payments.as_str().to_uppercase()),
        "*",
    ] {
        let policy =
            organisation.policy(&rule("r", &[("requesters", &format!("[\"{selector}\"]"))]));
        let verdict = organisation.ask(&policy, "carla.rossi", "Network", "Billing", "1h");
        assert_eq!(verdict.code, Code::NeedsApproval, "{selector}");
        let other = organisation.ask(&policy, "liam.murphy", "Network", "Billing", "1h");
        let expected = if selector == "*" {
            Code::NeedsApproval
        } else {
            Code::RequesterNotAllowed
        };
        assert_eq!(other.code, expected, "{selector}");
    }
}
