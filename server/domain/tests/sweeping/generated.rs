//! What holds of any plan.

use super::*;

/// Everything that a plan is made of, at random; small, so that things meet.
#[derive(Debug, Clone)]
struct Case {
    mode: Sweep,
    findings: Vec<(Finding, Ours, Agreed)>,
    allowed: bool,
    protected: bool,
    beyond: Option<Beyond>,
    baseline: Option<Vec<Key>>,
    looks: Vec<(i64, u32, u32)>,
    pass: Pass,
}

fn any_finding(number: u16) -> impl Strategy<Value = (Finding, Ours, Agreed)> {
    let ours = prop_oneof![
        6 => Just(Ours::Nothing),
        1 => Just(Ours::Promised),
        1 => Just(Ours::Standing),
        1 => Just(Ours::UnderWay),
        1 => Just(Ours::Lately),
    ];
    let agreed = prop_oneof![6 => Just(Agreed::No), 1 => Just(Agreed::Yes)];
    let kind = prop_oneof![
        6 => Just(Difference::Unmanaged),
        1 => Just(Difference::Missing),
        1 => Just(Difference::NoLongerAllowed),
    ];
    let opened = prop_oneof![NOW - 200_000..NOW, Just(OLD)];
    let of = prop_oneof![5 => Just(1_u8), 1 => 2..5_u8];
    (ours, agreed, kind, opened, of, 0..8_u8).prop_map(
        move |(ours, agreed, difference, opened, of, odd)| {
            let mut one = finding(number, of, opened);
            one.difference = difference;
            if odd == 0 {
                one.key.target = Target::Group {
                    group: "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b"
                        .parse()
                        .expect("an id"),
                };
            }
            (one, ours, agreed)
        },
    )
}

fn any_case() -> impl Strategy<Value = Case> {
    let findings =
        (0..40_u16).prop_flat_map(|count| (0..count).map(any_finding).collect::<Vec<_>>());
    let mode = prop_oneof![
        1 => Just(Sweep::Off),
        1 => Just(Sweep::Warn),
        8 => Just(Sweep::Enforce),
    ];
    let beyond = prop_oneof![
        1 => Just(None),
        6 => Just(Some(Beyond::default())),
        1 => Just(Some(Beyond { account: Some(account(1)), ..Beyond::default() })),
    ];
    let keys = prop::collection::vec((0..40_u16).prop_map(|user| key(user, 1)), 0..10);
    let baseline = prop_oneof![1 => Just(None), 8 => keys.prop_map(Some)];
    let looks = prop::collection::vec(
        (
            0..200_000_i64,
            900..1_300_u32,
            prop_oneof![9 => Just(0_u32), 1 => Just(1)],
        ),
        0..8,
    );
    let pass = prop_oneof![8 => Just(Pass::Complete), 1 => Just(Pass::Incomplete)];
    let lists = (any::<bool>(), any::<bool>());
    (mode, findings, lists, beyond, baseline, looks, pass).prop_map(
        |(mode, findings, (allowed, protected), beyond, baseline, mut looks, pass)| {
            looks.sort_unstable();
            Case {
                mode,
                findings,
                allowed,
                protected,
                beyond,
                baseline,
                looks,
                pass,
            }
        },
    )
}

impl Case {
    fn world(&self) -> World {
        let looks: Vec<Look> = self
            .looks
            .iter()
            .map(|(ago, seen, untold)| Look {
                untold: *untold,
                ..look(NOW - 200_000 + ago - 60, *seen)
            })
            .collect();
        World {
            mode: self.mode,
            allowed: if self.allowed {
                "111122223302/*/*".parse().expect("a list")
            } else {
                AllowList::default()
            },
            protected: self.protected.then(|| account(3)).into_iter().collect(),
            beyond: self.beyond.clone(),
            baseline: self.baseline.as_deref().map(baseline),
            looks: self::looks(&looks),
        }
    }

    fn plan(&self, world: &World, backwards: bool, confirmed: Option<&Confirmation>) -> Plan {
        let mut all: Vec<_> = self.findings.iter().collect();
        if backwards {
            all.reverse();
        }
        let all = all.into_iter().map(|(finding, ours, agreed)| Candidate {
            finding,
            ours: *ours,
            agreed: *agreed,
        });
        plan(all, &world.setting(), self.pass, confirmed, at(NOW))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Said again, in other words than the plan's own.
    #[test]
    fn nothing_is_ever_removed_that_anything_speaks_for(case in any_case(), confirms in any::<bool>()) {
        let world = case.world();
        let waits = case.plan(&world, false, None);
        let confirmed = confirmation(&waits);
        let plan = case.plan(&world, false, confirms.then_some(&confirmed));
        let removed = plan.removals();
        prop_assert_eq!(&plan, &case.plan(&world, true, confirms.then_some(&confirmed)));
        if removed.is_empty() {
            return Ok(());
        }
        prop_assert_eq!(case.mode, Sweep::Enforce);
        prop_assert_eq!(case.pass, Pass::Complete);
        let baseline = case.baseline.clone().expect("a baseline");
        let last = world.looks.last().expect("a look");
        prop_assert!(last.seen > 0 && last.untold == 0 && case.looks.len() > 1);
        let most = (last.seen as usize * 2).div_ceil(100).min(REMOVALS_MAX);
        prop_assert!(removed.len() <= most || confirms);
        for one in removed {
            let (finding, ours, agreed) = case
                .findings
                .iter()
                .find(|(finding, ..)| *finding == one.finding)
                .expect("an open finding");
            prop_assert_eq!((*ours, *agreed), (Ours::Nothing, Agreed::No));
            prop_assert_eq!(finding.difference, Difference::Unmanaged);
            prop_assert!(!baseline.contains(&finding.key));
            let Target::Account { account: of, .. } = &finding.key.target else {
                return Err(TestCaseError::fail("a membership"));
            };
            prop_assert!(!(case.allowed && *of == account(2)));
            prop_assert!(!(case.protected && *of == account(3)));
            let beyond = case.beyond.as_ref().expect("a directory");
            prop_assert_ne!(beyond.account.as_ref(), Some(of));
            // A look that began after it was found ended a grace ago.
            let is_known = case.looks.iter().any(|(ago, ..)| {
                let began = NOW - 200_000 + ago - 60;
                at(began) > finding.opened_at && at(began + 60) + GRACE <= at(NOW)
            });
            prop_assert!(is_known);
        }
    }

    /// Whatever is found is either ripe or left for a reason, and once.
    #[test]
    fn everything_that_is_found_is_accounted_for(case in any_case()) {
        let plan = case.plan(&case.world(), false, None);
        let ripe: BTreeSet<FindingId> = plan.ripe.iter().map(|one| one.finding.id).collect();
        prop_assert_eq!(ripe.len() + plan.left.len(), case.findings.len());
        prop_assert!(plan.left.keys().all(|id| !ripe.contains(id)));
        prop_assert!(plan.removals().len() <= plan.cap);
    }
}
