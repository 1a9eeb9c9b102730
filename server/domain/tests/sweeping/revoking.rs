//! What two admins may agree to take away.

use super::*;

/// Of what two admins agreed on.
fn revoked(finding: &Finding, ours: Ours, protected: &[&str], beyond: &Beyond) -> Option<Left> {
    let ids = protected.iter().map(|id| AccountId::parse(id));
    let protected = ids.map(|id| id.expect("an account id")).collect();
    judge_revocation(finding, ours, &protected, Some(beyond)).err()
}

#[test]
fn two_admins_decide_what_the_sweep_would_leave_and_nothing_else() {
    let nowhere = Beyond::default();
    let finding = finding(1, 1, NOW);
    // Neither a baseline, nor a look, nor how long it is known is asked about, nor our own last word.
    for ours in [Ours::Nothing, Ours::Lately] {
        assert_eq!(revoked(&finding, ours, &[], &nowhere), None);
    }
    for (ours, left) in [
        (Ours::Promised, Left::Promised),
        (Ours::Standing, Left::Standing),
        (Ours::UnderWay, Left::UnderWay),
    ] {
        assert_eq!(revoked(&finding, ours, &[], &nowhere), Some(left));
        assert_eq!(left.passes(), ours == Ours::UnderWay);
    }
    let Target::Account {
        account,
        permission_set,
    } = &finding.key.target
    else {
        panic!("{finding:?}");
    };
    let of_it = [account.as_str()];
    let protected = revoked(&finding, Ours::Nothing, &of_it, &nowhere);
    assert_eq!(protected, Some(Left::Protected));
    for beyond in [
        Beyond {
            account: Some(account.clone()),
            ..Beyond::default()
        },
        Beyond {
            permission_sets: [permission_set.clone()].into(),
            ..Beyond::default()
        },
    ] {
        let left = revoked(&finding, Ours::Nothing, &[], &beyond);
        assert_eq!(left, Some(Left::BeyondReach));
    }
    let unread = judge_revocation(&finding, Ours::Nothing, &BTreeSet::new(), None);
    assert_eq!(unread, Err(Left::BeyondReach), "what is not known is left");
    for difference in [
        Difference::Missing,
        Difference::Overdue,
        Difference::NoLongerAllowed,
    ] {
        let other = Finding {
            difference,
            ..finding.clone()
        };
        let left = revoked(&other, Ours::Nothing, &[], &nowhere);
        assert_eq!(left, Some(Left::OtherKind));
    }
}
