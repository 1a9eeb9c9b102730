//! A baseline that shrinks with what it lists, two servers that sweep, and the plan as people read it.

use domain::sweep::baseline::Baseline;

use super::*;

async fn baseline(sandbox: &Sandbox) -> Baseline {
    store(sandbox).baseline().await.unwrap().unwrap()
}

#[tokio::test]
async fn what_leaves_the_baseline_for_good_is_not_let_in_by_it_again() {
    let sandbox = Sandbox::start();
    let known = by_hand(&sandbox, "mia.novak").await;
    let setup = enforcing(&sandbox);
    let belay = Belay::launch(&setup).ready().await;
    look(&sandbox).await;
    let finding = open(&sandbox, &known).await.unwrap();
    agree_baseline(&sandbox).await;
    let agreed = baseline(&sandbox).await;
    assert!(agreed.covers(&finding.key));

    // Somebody takes it away by hand. One look may miss something, so it takes two.
    sandbox.unassign(&known).await;
    look(&sandbox).await;
    look(&sandbox).await;
    until("it has left the baseline", || async {
        (!baseline(&sandbox).await.covers(&finding.key)).then_some(())
    })
    .await;
    let rest = baseline(&sandbox).await;
    assert_eq!(rest.keys.len() + 1, agreed.keys.len());
    assert!(rest.keys.is_subset(&agreed.keys));

    // And when it comes back, nobody has agreed to it.
    sandbox.assign(&known).await;
    look(&sandbox).await;
    look(&sandbox).await;
    until("it is gone", || async {
        (!sandbox.has(&known).await).then_some(())
    })
    .await;
    assert_eq!(sandbox.calls(DELETE).await.len(), 1);
    drop(belay);
}

#[tokio::test]
async fn of_two_servers_one_sweeps() {
    let sandbox = Sandbox::start();
    let setup = enforcing(&sandbox);
    let first = Belay::launch(&setup).ready().await;
    let second = Belay::launch(&setup).ready().await;
    look(&sandbox).await;
    agree_baseline(&sandbox).await;
    let before = rows(&sandbox).await;
    let bad = by_hand(&sandbox, "mia.novak").await;
    look(&sandbox).await;
    let found = open(&sandbox, &bad).await.unwrap();
    look(&sandbox).await;
    until("it is proved gone", || async {
        let kinds = kinds_of(&sandbox, &found).await;
        (kinds.last().unwrap() == "finding.removed").then_some(())
    })
    .await;
    look(&sandbox).await;
    assert_eq!(rows(&sandbox).await, before);
    assert_eq!(sandbox.calls(DELETE).await.len(), 1);
    assert_eq!(
        kinds_of(&sandbox, &found).await,
        ["finding.opened", "finding.removing", "finding.removed"]
    );
    drop((first, second));
}

#[tokio::test]
async fn a_plan_is_told_in_lines() {
    let sandbox = Sandbox::start();
    let setup = enforcing(&sandbox);
    let said = || {
        let setup = setup.clone();
        async move {
            let run = move || setup.run(&["sweep", "--dry-run"]);
            let ran = tokio::task::spawn_blocking(run).await.unwrap();
            let out = String::from_utf8(ran.stdout).unwrap();
            let err = String::from_utf8(ran.stderr).unwrap();
            (ran.status.code().unwrap(), out, err)
        }
    };
    let (code, out, err) = said().await;
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(
        err.contains("nobody has looked at the whole organisation yet"),
        "{err}"
    );

    let belay = Belay::launch(&setup).ready().await;
    look(&sandbox).await;
    let (code, out, _) = said().await;
    assert_eq!(code, 0, "{out}");
    assert!(
        out.contains("the next pass takes nothing away: no-baseline"),
        "{out}"
    );
    agree_baseline(&sandbox).await;
    // More than may go by itself, so that it waits for whoever reads this.
    let mut bad = Vec::new();
    for who in ["mia.novak", "carla.rossi"] {
        bad.push(by_hand(&sandbox, who).await);
    }
    look(&sandbox).await;
    look(&sandbox).await;
    let (code, out, _) = said().await;
    assert_eq!(code, 1, "{out}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines[0],
        "BELAY_SWEEP=enforce after 0 s; 1 may go by itself"
    );
    let waits = lines[1].strip_prefix("the next pass waits for an admin: ");
    assert_eq!(
        waits,
        Some(dry_run(&setup).await.1["digest"].as_str().unwrap())
    );
    for row in &bad {
        let of = format!("ripe {}/{PAYMENTS}/", row["principal_id"].as_str().unwrap());
        let told = lines.iter().filter(|line| line.starts_with(&of)).count();
        assert_eq!(told, 1, "{of}: {out}");
    }
    assert!(lines.iter().any(|line| line.starts_with("left ")), "{out}");
    drop(belay);
}
