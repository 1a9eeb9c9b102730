//! Stars: on top of Access for the one person who put them there, and telling nobody what there is.

use domain::id::UserId;
use futures::future::join_all;
use server::store::{Favourite, Favourites, Store};

use crate::harness::{Belay, Browser, Page, Sandbox};

const READ: &str = "111122223333/ReadOnlyAccess";

/// What has a star, as the page says, in its order.
fn starred(page: &Page) -> Vec<String> {
    values(page, "drop")
}

/// The offers that a button of this name is for.
fn values(page: &Page, name: &str) -> Vec<String> {
    let start = format!("name=\"{name}\" value=\"");
    let parts = page.body.split(&start).skip(1);
    parts
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

async fn press(browser: &Browser, act: &str, offer: &str, here: &str) -> Page {
    let form = [(act, offer), ("return_to", here)];
    browser.post("/favourites", &form).await
}

/// These, as if they had been starred long ago.
async fn starred_long_ago(sandbox: &Sandbox, user_name: &str, list: Vec<Favourite>) {
    let user = UserId::parse(&sandbox.user_id(user_name).await).unwrap();
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    let none = Favourites::default();
    store.change_favourites(&user, &none, list).await.unwrap();
}

fn old(offer: &str, name: &str, place: &str) -> Favourite {
    Favourite {
        offer: offer.to_owned(),
        name: name.to_owned(),
        place: place.to_owned(),
    }
}

#[tokio::test]
async fn a_star_puts_an_offer_on_top_for_that_person_and_comes_off_again() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let ana = belay.signed_in("ana.silva").await;
    let start = ana.get("/").await;
    assert_eq!(starred(&start), Vec::<String>::new());
    let group = values(&start, "star")
        .into_iter()
        .find(|offer| offer.starts_with("group/"))
        .unwrap();

    for (offer, here) in [(READ, "/?q=pay"), (group.as_str(), "/")] {
        let page = press(&ana, "star", offer, here).await;
        assert_eq!(page.status, 303, "{}", page.text());
        // Back to the very row.
        let row = offer.replace('/', "%2F").replace('-', "%2D");
        assert_eq!(page.location(), format!("{here}#{row}"));
        assert!(start.body.contains(&format!("id=\"{offer}\"")), "{offer}");
    }
    let page = ana.get("/").await;
    assert_eq!(starred(&page), [READ, group.as_str()]);
    assert!(values(&page, "unstar").contains(&READ.to_owned()));
    assert!(!values(&page, "star").contains(&READ.to_owned()));
    let named = "aria-label=\"Take the star off ReadOnlyAccess in Payments Production\"";
    assert_eq!(
        page.body.matches(named).count(),
        2,
        "on top, and in its place"
    );
    let (top, rest) = (
        page.body.find(">Favourites<"),
        page.body.find("class=\"catalogue\""),
    );
    assert!(top.is_some() && top < rest, "{top:?} {rest:?}");
    // Once more changes nothing.
    press(&ana, "star", READ, "/").await;
    assert_eq!(starred(&ana.get("/").await), [READ, group.as_str()]);
    // Where something is looked for, only rows say it.
    assert_eq!(
        starred(&ana.get("/?q=payments").await),
        Vec::<String>::new()
    );

    let carla = belay.signed_in("carla.rossi").await;
    assert_eq!(starred(&carla.get("/").await), Vec::<String>::new());
    let page = press(&carla, "drop", READ, "/").await;
    assert_eq!((page.status, page.location().as_str()), (303, "/"));
    assert_eq!(starred(&ana.get("/").await), [READ, group.as_str()]);

    press(&ana, "drop", READ, "/").await;
    press(&ana, "unstar", &group, "https://evil.example/").await;
    assert_eq!(starred(&ana.get("/").await), Vec::<String>::new());
}

#[tokio::test]
async fn only_what_is_offered_can_be_starred_and_nothing_else_tells_itself_apart() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let ines = belay.signed_in("ines.costa").await;
    let mut answers = Vec::new();
    for offer in [
        // There, and not hers.
        READ,
        "666677778888/AdministratorAccess",
        // Not there.
        "123123123123/ReadOnlyAccess",
        "111122223333/NoSuchSet",
        "group/93a4c8d2-0000-70e2-3a5b-1c2d3e4f5a6b",
        "nonsense",
        "1/2",
    ] {
        let page = press(&ines, "star", offer, "/").await;
        assert_eq!(page.status, 404, "{offer}");
        answers.push(page.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let user = sandbox.user_id("ines.costa").await;
    let item = sandbox.item(&format!("person#{user}"), "favourites").await;
    assert!(item.is_null(), "{item}");
    assert_eq!(ines.post("/favourites", &[]).await.status, 400);
}

#[tokio::test]
async fn tabs_that_star_at_once_do_not_lose_each_others_stars() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let ana = belay.signed_in("ana.silva").await;
    let mut offers = values(&ana.get("/").await, "star");
    offers.truncate(4);
    assert_eq!(offers.len(), 4);
    let pages = join_all(offers.iter().map(|offer| press(&ana, "star", offer, "/"))).await;
    for page in pages {
        assert_eq!(page.status, 303, "{}", page.text());
    }
    let mut found = starred(&ana.get("/").await);
    found.sort();
    offers.sort();
    assert_eq!(found, offers);
}

#[tokio::test]
async fn fifty_is_all_there_is_room_for_and_that_is_said() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let list = (0..50)
        .map(|n| old(&format!("1000000001{n:02}/Old"), "Old", "Somewhere"))
        .collect();
    starred_long_ago(&sandbox, "ana.silva", list).await;
    let ana = belay.signed_in("ana.silva").await;
    for (here, back) in [
        ("/", "/?done=favourites-full"),
        ("/?q=pay", "/?q=pay&done=favourites-full"),
    ] {
        let page = press(&ana, "star", READ, here).await;
        assert_eq!((page.status, page.location().as_str()), (303, back));
    }
    let page = ana.get("/?done=favourites-full").await;
    assert!(
        page.body.contains("You have 50 favourites"),
        "{}",
        page.text()
    );
    assert_eq!(starred(&page).len(), 50);
    press(&ana, "drop", "100000000107/Old", "/").await;
    press(&ana, "star", READ, "/").await;
    let found = starred(&ana.get("/").await);
    assert_eq!(
        (found.len(), found.last().map(String::as_str)),
        (50, Some(READ))
    );
}

#[tokio::test]
async fn what_is_not_offered_any_more_says_so_in_its_old_words_and_no_more() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    // One that is there under another name and out of her reach, and one that is nowhere.
    let list = vec![
        old(
            "666677778888/AdministratorAccess",
            "AdministratorAccess",
            "As It Was",
        ),
        old("123123123123/Nothing", "Nothing", "As It Was"),
    ];
    starred_long_ago(&sandbox, "ana.silva", list).await;
    let ana = belay.signed_in("ana.silva").await;
    let page = ana.get("/").await;
    let rows: Vec<String> = page
        .body
        .split("<li class=\"offer\"")
        .filter(|row| row.contains("not offered to you any more"))
        .map(|row| {
            let row = row.split("</li>").next().unwrap();
            row.replace("666677778888/", "")
                .replace("123123123123/", "")
        })
        .collect();
    assert_eq!(rows.len(), 2, "{}", page.text());
    assert!(
        rows.iter()
            .all(|row| row.contains("As It Was") && !row.contains("<a "))
    );
    assert_eq!(rows[0].replace("AdministratorAccess", "Nothing"), rows[1]);
    press(&ana, "drop", "666677778888/AdministratorAccess", "/").await;
    assert_eq!(starred(&ana.get("/").await), ["123123123123/Nothing"]);
}
