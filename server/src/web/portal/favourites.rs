//! What a person starred, as the page of Access has it: in today's words where it is offered today, and
//! otherwise in those that it had when they starred it, so that nothing is told of what is out of reach.

use app::view::{FavouriteView, StarredOfferView};
use domain::id::UserId;

use crate::service::Wanted;
use crate::store::Favourite;
use crate::world::World;

use super::access::{self, Current};

/// All of them, in the order in which they were starred.
pub(super) fn views(
    world: &World,
    user: &UserId,
    favourites: Vec<Favourite>,
    current: &Current,
) -> Vec<FavouriteView> {
    favourites
        .into_iter()
        .map(|favourite| view(world, user, favourite, current))
        .collect()
}

fn view(world: &World, user: &UserId, favourite: Favourite, current: &Current) -> FavouriteView {
    match today(world, user, &favourite, current) {
        Some((name, place, offered)) => FavouriteView {
            offer: favourite.offer,
            name,
            place,
            offered: Some(offered),
        },
        None => FavouriteView {
            offer: favourite.offer,
            name: favourite.name,
            place: favourite.place,
            offered: None,
        },
    }
}

fn today(
    world: &World,
    user: &UserId,
    favourite: &Favourite,
    current: &Current,
) -> Option<(String, String, StarredOfferView)> {
    let (first, second) = favourite.offer.split_once('/')?;
    let target = Wanted::parse(first, second)?.target(world)?;
    let terms = world.catalogue.offer(user, &target, &world.facts())?;
    let (name, place) = world.called(&target)?;
    let offered = StarredOfferView {
        max_duration_seconds: terms.max_duration.get(),
        approval: access::approval(&terms),
        current: current.on(&target),
    };
    Some((name, place, offered))
}
