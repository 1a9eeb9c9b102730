use proptest::prelude::*;

use super::{Text, Words, fold};

fn account() -> Text {
    Text::of_account(
        "111122223333",
        "Payments Production",
        "Root / Production / Zürich",
        ["env=prod", "owner=Zoë"],
    )
}

fn score(typed: &str, text: &Text) -> Option<u32> {
    let words = Words::of(typed);
    words.score(words.found(text))
}

#[test]
fn every_word_has_to_be_found_in_whatever_case_and_with_whatever_accents() {
    for typed in [
        "",
        "  ",
        "PAY prod",
        "zurich",
        "ZÜRICH zoe",
        "Zu\u{308}rich",
        "3333",
        "1111-2222-3333",
        "env=prod pay",
    ] {
        assert!(score(typed, &account()).is_some(), "{typed}");
    }
    for typed in ["pay staging", "zurych", "1111-2222-3334", "productionpay"] {
        assert_eq!(score(typed, &account()), None, "{typed}");
    }
    assert_eq!(fold("Straße Ærø ĄĘŁŻ"), "strasse aero aelz");
}

#[test]
fn the_better_a_word_is_found_the_higher_it_stands() {
    let named = |name: &str| Text::of_account("222233334444", name, "Root / Web", ["team=logs"]);
    let by_score = [
        score("222233334444", &named("x")),
        score("logs", &named("Logs")),
        score("logs", &named("Logs Archive")),
        score("logs", &named("Old Logs")),
        score("logs", &named("Catalogs")),
        score("logs", &named("x")),
        score("ogs", &named("x")),
    ];
    assert!(by_score.is_sorted_by(|a, b| a > b), "{by_score:?}");
}

#[test]
fn a_word_may_be_found_in_the_account_and_another_in_the_permission_set() {
    let set = Text::of_set("ReadOnlyAccess", "Looks, and changes nothing");
    let words = Words::of("payments nothing");
    let both = words.found(&account()).or(words.found(&set));
    assert!(words.score(both).is_some());
    assert_eq!(words.score(words.found(&set)), None);
}

#[test]
fn what_was_pasted_by_accident_finds_nothing() {
    let many: Vec<String> = (0..13).map(|n| format!("w{n}")).collect();
    let text = Text::of_set("x", &many.join(" "));
    assert!(score(&many[..12].join(" "), &text).is_some());
    assert_eq!(score(&many.join(" "), &text), None);
}

fn word() -> impl Strategy<Value = String> {
    // Few letters, so that words are found now and then; some with what folding is about.
    "[abÄ é1-]{1,4}"
}

fn text() -> impl Strategy<Value = Text> {
    (
        "[0-9]{12}",
        "[aAbÄ é1-]{0,12}",
        "[abÄ/]{0,8}",
        proptest::collection::vec("[abé=]{1,6}", 0..4),
    )
        .prop_map(|(id, name, path, tags)| {
            Text::of_account(&id, &name, &path, tags.iter().map(String::as_str))
        })
}

proptest! {
    #[test]
    fn taking_a_word_away_never_narrows(
        words in proptest::collection::vec(word(), 1..14),
        at in any::<prop::sample::Index>(),
        text in text(),
    ) {
        let mut fewer = words.clone();
        fewer.remove(at.index(words.len()));
        if score(&words.join(" "), &text).is_some() {
            prop_assert!(score(&fewer.join(" "), &text).is_some());
        }
    }

    #[test]
    fn whoever_types_a_whole_account_number_has_that_account_first(
        others in proptest::collection::vec("[a-k]", 0..11),
        id in "[0-9]{12}",
        other_id in "[0-9]{12}",
        before in any::<bool>(),
    ) {
        prop_assume!(id != other_id);
        // The one has the other words just somewhere; others are named like all of what is typed, or like the number.
        let words = others.join(" ");
        let wanted = Text::of_account(&id, "x", "zabcdefghijk", []);
        let like_all = Text::of_account(&other_id, &format!("{id} {words}"), &words, []);
        let like_the_number = Text::of_account(&other_id, &id, &words, []);
        let typed = if before { format!("{id} {words}") } else { format!("{words} {id}") };
        let own = score(&typed, &wanted);
        prop_assert!(own.is_some());
        prop_assert!(own > score(&typed, &like_all));
        prop_assert!(own > score(&typed, &like_the_number));
    }

    #[test]
    fn the_order_of_words_and_their_case_do_not_matter(
        words in proptest::collection::vec(word(), 1..6),
        text in text(),
    ) {
        let typed = words.join(" ");
        let turned: Vec<String> = words.iter().rev().map(|word| word.to_uppercase()).collect();
        prop_assert_eq!(score(&typed, &text), score(&turned.join(" "), &text));
    }

    #[test]
    fn folding_twice_is_folding_once(text in "\\PC{0,20}") {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }
}
