//! What the budget promises, in paused time.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;

use super::*;

fn limiter(ceiling: u32) -> Limiter {
    Limiter::new(NonZeroU32::new(ceiling).unwrap())
}

/// Keeps a class busy: as soon as one call is made, the next waits.
fn flood(limiter: &Limiter, class: Class, attempt: Try, made: &Made) {
    // Several at a time: one that comes back for more would never find others behind it.
    for _ in 0..4 {
        let (limiter, made) = (limiter.clone(), made.clone());
        tokio::spawn(async move {
            loop {
                limiter.acquire(class, attempt).await.spend();
                made.count(class, attempt);
            }
        });
    }
}

#[derive(Debug, Clone, Default)]
struct Made(Arc<Mutex<HashMap<String, u32>>>);

impl Made {
    fn count(&self, class: Class, attempt: Try) {
        let name = format!("{class:?} {attempt:?}");
        *self.0.lock().unwrap().entry(name).or_default() += 1;
    }

    fn of(&self, class: Class, attempt: Try) -> u32 {
        let name = format!("{class:?} {attempt:?}");
        self.0.lock().unwrap().get(&name).copied().unwrap_or(0)
    }

    fn forget(&self) {
        self.0.lock().unwrap().clear();
    }
}

/// Ten seconds take the budget to its ceiling.
async fn warm() {
    tokio::time::sleep(Duration::from_secs(10)).await;
}

#[tokio::test(start_paused = true)]
async fn it_begins_at_twelve_and_grows_to_its_ceiling() {
    let limiter = limiter(15);
    assert!((limiter.allowed() - 12.0).abs() < 0.01);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let halfway = limiter.allowed();
    assert!(halfway > 13.0 && halfway < 14.0, "{halfway}");
    warm().await;
    assert!((limiter.allowed() - 15.0).abs() < 0.01);
}

#[tokio::test(start_paused = true)]
async fn a_lower_ceiling_is_kept_from_the_beginning() {
    assert!((limiter(7).allowed() - 7.0).abs() < 0.01);
}

#[tokio::test(start_paused = true)]
async fn a_second_gives_no_more_than_the_rate_and_what_has_gathered() {
    let limiter = limiter(15);
    warm().await;
    let made = Made::default();
    flood(&limiter, Class::Revoke, Try::First, &made);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let calls = made.of(Class::Revoke, Try::First);
    assert!((150..=156).contains(&calls), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn a_submission_and_its_review_wait_for_none_of_their_look_ups_twice_a_second() {
    let limiter = limiter(15);
    warm().await;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let asked = Instant::now();
        for _ in 0..6 {
            limiter.pass(Class::Grant).await;
        }
        assert_eq!(asked.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn being_throttled_halves_it_once_for_one_burst() {
    let limiter = limiter(16);
    warm().await;
    limiter.throttled();
    limiter.throttled();
    assert!((limiter.allowed() - 8.0).abs() < 0.01);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let grown = limiter.allowed();
    limiter.throttled();
    assert!((limiter.allowed() - grown / 2.0).abs() < 0.01);
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        limiter.throttled();
    }
    assert!(limiter.allowed() >= 1.0, "something always goes on");
}

#[tokio::test(start_paused = true)]
async fn a_click_waits_neither_for_a_refresh_nor_for_polls() {
    for class in [
        Class::Refresh,
        Class::Reconcile,
        Class::Follow,
        Class::Proof,
    ] {
        let limiter = limiter(15);
        warm().await;
        flood(&limiter, class, Try::First, &Made::default());
        tokio::time::sleep(Duration::from_millis(5_020)).await;
        let clicked = Instant::now();
        // A grant makes two calls, one after the other.
        limiter.pass(Class::Grant).await;
        limiter.pass(Class::Grant).await;
        let waited = clicked.elapsed();
        assert!(waited <= Duration::from_millis(1), "{class:?}: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn ends_go_before_grants_and_grants_still_get_a_fifth() {
    let limiter = limiter(15);
    warm().await;
    let made = Made::default();
    flood(&limiter, Class::Revoke, Try::First, &made);
    flood(&limiter, Class::Grant, Try::First, &made);
    tokio::time::sleep(Duration::from_secs(20)).await;
    let (ends, grants) = (
        made.of(Class::Revoke, Try::First),
        made.of(Class::Grant, Try::First),
    );
    assert!(grants * 10 >= (ends + grants) * 16 / 10, "{ends}, {grants}");
    assert!(ends > grants * 3, "{ends}, {grants}");
}

#[tokio::test(start_paused = true)]
async fn under_every_load_each_class_goes_on() {
    let limiter = limiter(15);
    warm().await;
    let made = Made::default();
    for class in [
        Class::Revoke,
        Class::Grant,
        Class::Poll,
        Class::Proof,
        Class::Follow,
        Class::Reconcile,
        Class::Refresh,
    ] {
        flood(&limiter, class, Try::First, &made);
    }
    tokio::time::sleep(Duration::from_secs(20)).await;
    let calls = |class| made.of(class, Try::First);
    // 300 calls in all.
    assert!(calls(Class::Grant) >= 45, "{made:?}");
    assert!(calls(Class::Poll) >= 45, "{made:?}");
    assert!(calls(Class::Proof) >= 12, "{made:?}");
    assert!(calls(Class::Follow) >= 20, "{made:?}");
    assert!(calls(Class::Reconcile) >= 18, "{made:?}");
    assert!(calls(Class::Refresh) >= 9, "{made:?}");
    assert!(calls(Class::Revoke) > calls(Class::Grant), "{made:?}");
}

#[tokio::test(start_paused = true)]
async fn retries_of_all_kinds_take_at_most_a_fifth_and_keep_nobody_waiting() {
    let limiter = limiter(15);
    warm().await;
    let made = Made::default();
    for class in [Class::Revoke, Class::Grant, Class::Proof] {
        flood(&limiter, class, Try::Again, &made);
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    made.forget();
    // Something new of a low class is not behind them.
    let asked = Instant::now();
    limiter.pass(Class::Reconcile).await;
    assert!(asked.elapsed() <= Duration::from_millis(250));
    tokio::time::sleep(Duration::from_secs(20)).await;
    let retries: u32 = [Class::Revoke, Class::Grant, Class::Proof]
        .iter()
        .map(|class| made.of(*class, Try::Again))
        .sum();
    assert!((55..=62).contains(&retries), "{retries} of 300");
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_not_used_goes_back_and_who_left_is_passed_over() {
    let limiter = limiter(1);
    // All that has gathered, but one.
    for _ in 0..3 {
        limiter.pass(Class::Revoke).await;
    }
    drop(limiter.acquire(Class::Revoke, Try::First).await);
    let at = Instant::now();
    limiter.pass(Class::Revoke).await;
    assert_eq!(at.elapsed(), Duration::ZERO, "it went back");
    let gone = {
        let limiter = limiter.clone();
        tokio::spawn(async move { limiter.pass(Class::Revoke).await })
    };
    tokio::time::sleep(Duration::from_millis(1)).await;
    gone.abort();
    let at = Instant::now();
    limiter.pass(Class::Refresh).await;
    assert!(at.elapsed() < Duration::from_millis(4_100));
}
