//! Star, and take the star off: what a person wants to see on top of what they may ask for.
//!
//! It is a preference and not access: it decides nothing, gives nothing, and makes no event, so the
//! audit log does not have it. Only what is offered to a person at that moment can be starred by
//! them, so that starring tells nobody what there is.

use super::again::again;
use super::{Caller, Service, ServiceError, Wanted};
use crate::store::Favourite;
use crate::world::World;

/// More than this is a second catalogue, and no help to anyone.
pub const FAVOURITES_MAX: usize = 50;

/// What starring came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starred {
    /// It has its star, or had it already.
    Yes,
    /// There are [`FAVOURITES_MAX`] already.
    Full,
}

impl Service {
    /// What they starred, the first first, whether or not it is still offered.
    pub async fn favourites(&self, caller: &Caller) -> Result<Vec<Favourite>, ServiceError> {
        Ok(self.store.favourites(&caller.who.id).await?.favourites)
    }

    /// Stars it. [`ServiceError::NotFound`] for everything that they may not ask for, known or not.
    pub async fn star(&self, caller: &Caller, wanted: &Wanted) -> Result<Starred, ServiceError> {
        let world = self.world()?;
        let favourite = offered(&world, caller, wanted).ok_or(ServiceError::NotFound)?;
        again(|| self.try_star(caller, &favourite)).await
    }

    async fn try_star(
        &self,
        caller: &Caller,
        favourite: &Favourite,
    ) -> Result<Starred, ServiceError> {
        let user = &caller.who.id;
        let read = self.store.favourites(user).await?;
        if read.favourites.iter().any(|it| it.offer == favourite.offer) {
            return Ok(Starred::Yes);
        }
        if read.favourites.len() >= FAVOURITES_MAX {
            return Ok(Starred::Full);
        }
        let mut list = read.favourites.clone();
        list.push(favourite.clone());
        self.store.change_favourites(user, &read, list).await?;
        Ok(Starred::Yes)
    }

    /// Takes its star off; that it has none is fine, whatever it is.
    pub async fn unstar(&self, caller: &Caller, wanted: &Wanted) -> Result<(), ServiceError> {
        let offer = wanted.to_string();
        again(|| self.try_unstar(caller, &offer)).await
    }

    async fn try_unstar(&self, caller: &Caller, offer: &str) -> Result<(), ServiceError> {
        let user = &caller.who.id;
        let read = self.store.favourites(user).await?;
        let mut list = read.favourites.clone();
        list.retain(|it| it.offer != offer);
        if list.len() == read.favourites.len() {
            return Ok(());
        }
        Ok(self.store.change_favourites(user, &read, list).await?)
    }
}

/// It, in today's words; `None` if it is not offered to them.
fn offered(world: &World, caller: &Caller, wanted: &Wanted) -> Option<Favourite> {
    let target = wanted.target(world)?;
    let facts = world.facts();
    world.catalogue.offer(&caller.who.id, &target, &facts)?;
    let (name, place) = world.called(&target)?;
    Some(Favourite {
        offer: wanted.to_string(),
        name,
        place,
    })
}
