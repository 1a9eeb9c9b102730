//! A page of what somebody may ask for: found, put in order, and cut to what a page holds.
//!
//! However much there is, only what is on the page is ever written out: counting goes by the blocks of
//! the catalogue, and by how well words are found, of which there are few. Deliberately absent: the
//! matching itself, which browsers share.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use app::search::{Found, Words};
use app::view::{
    AccessFilter, AccessView, AccountView, GROUPS, GroupOfferView, OfferView, PermissionSetView,
    UnitView,
};
use domain::catalogue::{Block, Offer as Terms, PersonCatalogue};
use domain::directory::{Account, PermissionSet};
use domain::id::GroupId;
use domain::target::Target;
use jiff::{SignedDuration, Timestamp};

use crate::world::{World, tags};

use super::access::{self, Current};
use super::names;

/// The directory is read every five minutes; at three missed times it is old, and the page says so.
const STALE_AFTER: SignedDuration = SignedDuration::from_secs(15 * 60);

/// Offers of one account, or groups, where others stand beside them: the first to look at, with the
/// rest a click away.
const OFFERS_A_CARD: usize = 8;

/// Offers on a page: with the longest names that AWS allows, these stay below 200 kB of HTML.
const OFFERS_A_PAGE: usize = 100;

/// Accounts on a page; a heading is as long as an offer.
const CARDS_A_PAGE: usize = 40;

/// Tags that an account shows; all of them are searched. AWS allows 50.
const TAGS_A_CARD: usize = 8;

/// As much of a description, or a tag, as a line has room for.
const LINE_MAX_CHARS: usize = 120;

/// What a group gives stands in one line, and so names no more than these.
const GIVEN_A_LINE: usize = 3;

/// What one person may ask for.
pub(super) struct Offers<'a> {
    pub(super) world: &'a World,
    pub(super) catalogue: &'a PersonCatalogue<'a>,
    pub(super) groups: &'a [(GroupId, Terms)],
    pub(super) current: &'a Current,
}

/// What is shown in one piece.
struct Card {
    what: What,
    score: u32,
    /// How many offers are found there.
    count: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Groups,
    /// An account by its place, in a unit by its place.
    Account {
        unit: u32,
        at: u32,
    },
}

impl What {
    /// What stands under the same heading has the same.
    const fn unit(self) -> Option<u32> {
        match self {
            Self::Groups => None,
            Self::Account { unit, .. } => Some(unit),
        }
    }
}

/// A person's offers, searched for some words.
struct Search<'a> {
    offers: &'a Offers<'a>,
    words: Words,
    /// How well the words are found in each permission set.
    in_sets: Vec<Found>,
    /// The blocks that each account is in.
    blocks_of: Vec<Vec<u32>>,
}

impl Offers<'_> {
    /// One page.
    pub(super) fn page(&self, filter: &AccessFilter) -> AccessView {
        let search = Search::new(self, &filter.q);
        let cards = search.cards(&filter.within);
        let total: usize = cards.iter().map(|card| card.count).sum();
        let is_alone = !filter.within.is_empty();
        let pages = if is_alone {
            one_list(&cards)
        } else {
            packed(&cards)
        };
        let wanted = filter.page.clamp(1, names::count(pages.len().max(1)));
        let mut view = AccessView {
            filter: AccessFilter {
                page: wanted,
                ..filter.clone()
            },
            total: names::count(total),
            pages: names::count(pages.len().max(1)),
            is_whole: pages.len() <= 1 && !is_alone && filter.q.is_empty(),
            ..self.empty()
        };
        if let Some(page) = pages.get(wanted as usize - 1) {
            let mut sets = BTreeMap::new();
            for card in cards.get(page.cards.clone()).unwrap_or_default() {
                let rows = page.rows.clone();
                search.add(card, rows, &mut view, &mut sets);
            }
            view.permission_sets = sets.into_values().collect();
        }
        if is_alone {
            shorten_groups(&mut view);
        }
        view
    }

    fn empty(&self) -> AccessView {
        let read_at = self.world.directory.read_at;
        let read_at = read_at.unwrap_or(Timestamp::UNIX_EPOCH);
        AccessView {
            directory_at: names::ms(read_at),
            directory_is_stale: read_at
                .saturating_add(STALE_AFTER)
                .is_ok_and(|stale| stale < Timestamp::now()),
            ..AccessView::default()
        }
    }
}

impl<'a> Search<'a> {
    fn new(offers: &'a Offers<'a>, typed: &str) -> Self {
        let texts = &offers.world.texts;
        let words = Words::of(typed);
        let in_sets = texts.sets.iter().map(|text| words.found(text)).collect();
        let mut blocks_of = vec![Vec::new(); texts.accounts.len()];
        for (number, block) in (0..).zip(offers.catalogue.blocks()) {
            for account in block.accounts.iter() {
                if let Some(blocks) = blocks_of.get_mut(*account as usize) {
                    blocks.push(number);
                }
            }
        }
        Self {
            offers,
            words,
            in_sets,
            blocks_of,
        }
    }

    /// Everything that is found, the best unit first, and in it the best account.
    fn cards(&self, within: &str) -> Vec<Card> {
        let mut cards = Vec::new();
        if within.is_empty() || within == GROUPS {
            cards.extend(self.groups_card());
        }
        if within != GROUPS {
            self.add_accounts(within, &mut cards);
        }
        if !self.words.is_empty() {
            let mut best: HashMap<Option<u32>, u32> = HashMap::new();
            for card in &cards {
                let best = best.entry(card.what.unit()).or_default();
                *best = card.score.max(*best);
            }
            // Stable: what is found equally well stays in the order of names.
            cards.sort_by_key(|card| {
                let unit = card.what.unit();
                (Reverse(best.get(&unit).copied()), unit, Reverse(card.score))
            });
        }
        cards
    }

    fn groups_card(&self) -> Option<Card> {
        let found = self.groups();
        Some(Card {
            what: What::Groups,
            score: found.first()?.0,
            count: found.len(),
        })
    }

    /// The groups that are found, the best first.
    fn groups(&self) -> Vec<(u32, &'a GroupId, &'a Terms)> {
        let world = self.offers.world;
        let mut found: Vec<(u32, &str, &GroupId, &Terms)> = self
            .offers
            .groups
            .iter()
            .filter_map(|(id, terms)| {
                let text = world.texts.groups.get(id)?;
                let score = self.words.score(self.words.found(text))?;
                let name = world.directory.groups.get(id)?.name.as_str();
                Some((score, name, id, terms))
            })
            .collect();
        found.sort_unstable_by_key(|(score, name, id, _)| (Reverse(*score), *name, *id));
        found
            .into_iter()
            .map(|(score, _, id, terms)| (score, id, terms))
            .collect()
    }

    fn add_accounts(&self, within: &str, cards: &mut Vec<Card>) {
        let world = self.offers.world;
        let mut seen = Seen::default();
        for at in &world.texts.by_unit {
            let place = *at as usize;
            let (Some(account), Some(blocks)) =
                (world.texts.accounts.get(place), self.blocks_of.get(place))
            else {
                continue;
            };
            let id = world.catalogue.accounts().get(place);
            let is_wanted = within.is_empty() || id.is_some_and(|id| id.as_str() == within);
            if blocks.is_empty() || !is_wanted {
                continue;
            }
            let here = self.words.found(&account.text);
            let (mut score, mut count) = (0, 0);
            for block in self.blocks(blocks) {
                let found = seen.in_block(self, block, here);
                score = score.max(found.best);
                count += found.count;
            }
            if count > 0 {
                let unit = account.unit;
                cards.push(Card {
                    what: What::Account { unit, at: *at },
                    score,
                    count,
                });
            }
        }
    }

    fn blocks(&self, numbers: &'a [u32]) -> impl Iterator<Item = &'a Block> {
        let blocks = self.offers.catalogue.blocks();
        numbers
            .iter()
            .filter_map(|number| blocks.get(*number as usize))
    }

    /// How well all words are found where they are found so well in an account, and in that set.
    fn score(&self, here: Found, set: u32) -> Option<u32> {
        let in_set = self.in_sets.get(set as usize).copied().unwrap_or_default();
        self.words.score(here.or(in_set))
    }

    /// Writes a card out.
    fn add(
        &self,
        card: &Card,
        rows: Range<usize>,
        view: &mut AccessView,
        sets: &mut BTreeMap<String, PermissionSetView>,
    ) {
        match card.what {
            What::Groups => {
                let found = self.groups();
                let listed = found.iter().skip(rows.start).take(rows.len());
                let offers: Vec<_> = listed
                    .filter_map(|(_, id, terms)| self.group(id, terms))
                    .collect();
                let more = more(card.count, &rows);
                view.is_whole &= more == 0;
                view.is_whole &= offers
                    .iter()
                    .all(|group| group.gives.total as usize == group.gives.held.len());
                view.units.push(UnitView::Groups { offers, more });
            }
            What::Account { unit, at } => {
                let Some(account) = self.account(at, rows, card.count, view, sets) else {
                    return;
                };
                let path = self.offers.world.texts.units.get(unit as usize);
                let path = path.cloned().unwrap_or_default();
                match view.units.last_mut() {
                    Some(UnitView::Accounts {
                        path: last,
                        accounts,
                    }) if *last == path => accounts.push(account),
                    _ => view.units.push(UnitView::Accounts {
                        path,
                        accounts: vec![account],
                    }),
                }
            }
        }
    }

    fn group(&self, id: &GroupId, terms: &Terms) -> Option<GroupOfferView> {
        let world = self.offers.world;
        let target = Target::Group { group: id.clone() };
        Some(GroupOfferView {
            id: id.to_string(),
            name: world.directory.groups.get(id)?.name.clone(),
            gives: names::gives(world, id),
            max_duration_seconds: terms.max_duration.get(),
            approval: access::approval(terms),
            current: self.offers.current.on(&target),
        })
    }

    fn account(
        &self,
        at: u32,
        rows: Range<usize>,
        count: usize,
        view: &mut AccessView,
        sets: &mut BTreeMap<String, PermissionSetView>,
    ) -> Option<AccountView> {
        let world = self.offers.world;
        let id = world.catalogue.accounts().get(at as usize)?;
        let account = world.directory.accounts.get(id)?;
        let here = self
            .words
            .found(&world.texts.accounts.get(at as usize)?.text);
        let blocks = self.blocks_of.get(at as usize)?;
        let mut found: Vec<(Reverse<u32>, u32, &Terms)> = Vec::new();
        for block in self
            .offers
            .catalogue
            .blocks()
            .iter()
            .enumerate()
            .filter_map(|(number, block)| {
                let number = u32::try_from(number).ok()?;
                blocks.binary_search(&number).is_ok().then_some(block)
            })
        {
            found.extend(block.sets.iter().filter_map(|set| {
                let score = self.score(here, *set)?;
                Some((Reverse(score), *set, &*block.offer))
            }));
        }
        found.sort_unstable_by_key(|(score, set, _)| (*score, *set));
        let mut shown = account_view(account);
        shown.more = more(count, &rows);
        view.is_whole &= shown.more == 0 && shown.tags == tags(account);
        for (_, set, terms) in found.into_iter().skip(rows.start).take(rows.len()) {
            let arn = world.catalogue.permission_sets().get(set as usize)?;
            let set = world.directory.permission_sets.get(arn)?;
            let described = sets
                .entry(set.name.to_string())
                .or_insert_with(|| permission_set(set));
            view.is_whole &= described.description == set.description.as_deref().unwrap_or("");
            let target = Target::Account {
                account: id.clone(),
                permission_set: arn.clone(),
            };
            shown.offers.push(OfferView {
                permission_set: set.name.to_string(),
                max_duration_seconds: terms.max_duration.get(),
                approval: access::approval(terms),
                current: self.offers.current.on(&target),
            });
        }
        Some(shown)
    }
}

/// What is found in the permission sets of a block.
#[derive(Clone, Copy, Default)]
struct InBlock {
    best: u32,
    count: usize,
}

/// What was looked at already: accounts and sets are many, and ways in which words are found in them
/// few.
#[derive(Default)]
struct Seen {
    /// How often words are found in which way in the sets of a block. By where the sets are kept,
    /// since blocks share them.
    ways: HashMap<usize, Vec<(Found, usize)>>,
    /// By that, and by how words are found in an account.
    found: HashMap<(usize, Found), InBlock>,
}

impl Seen {
    fn in_block(&mut self, search: &Search<'_>, block: &Block, here: Found) -> InBlock {
        let sets = block.sets.as_ptr().addr();
        let ways = self.ways.entry(sets).or_insert_with(|| {
            let mut ways: HashMap<Found, usize> = HashMap::new();
            for set in block.sets.iter() {
                let found = search.in_sets.get(*set as usize).copied();
                *ways.entry(found.unwrap_or_default()).or_default() += 1;
            }
            ways.into_iter().collect()
        });
        *self.found.entry((sets, here)).or_insert_with(|| {
            let mut all = InBlock::default();
            for (way, count) in ways {
                if let Some(score) = search.words.score(here.or(*way)) {
                    all.best = all.best.max(score);
                    all.count += *count;
                }
            }
            all
        })
    }
}

/// Which cards are on a page, and which rows of each.
struct Page {
    cards: Range<usize>,
    rows: Range<usize>,
}

/// As many cards on each page as it holds.
fn packed(cards: &[Card]) -> Vec<Page> {
    let mut pages = Vec::new();
    let (mut first, mut rows) = (0, 0);
    let page = |cards: Range<usize>| Page {
        cards,
        rows: 0..OFFERS_A_CARD,
    };
    for (at, card) in cards.iter().enumerate() {
        let listed = card.count.min(OFFERS_A_CARD);
        let is_full = rows + listed > OFFERS_A_PAGE || at - first == CARDS_A_PAGE;
        if at > first && is_full {
            pages.push(page(first..at));
            (first, rows) = (at, 0);
        }
        rows += listed;
    }
    if first < cards.len() {
        pages.push(page(first..cards.len()));
    }
    pages
}

/// All of one card, page after page.
fn one_list(cards: &[Card]) -> Vec<Page> {
    let count = cards.first().map_or(0, |card| card.count);
    (0..count)
        .step_by(OFFERS_A_PAGE)
        .map(|from| Page {
            cards: 0..1,
            rows: from..from + OFFERS_A_PAGE,
        })
        .collect()
}

/// How many a card has that no page before has shown, nor this one. Pages of one list say how many
/// there are in all.
fn more(count: usize, rows: &Range<usize>) -> u32 {
    if rows.len() == OFFERS_A_PAGE {
        return 0;
    }
    names::count(count.saturating_sub(rows.end))
}

fn shorten_groups(view: &mut AccessView) {
    for unit in &mut view.units {
        if let UnitView::Groups { offers, .. } = unit {
            for group in offers {
                group.gives.held.truncate(GIVEN_A_LINE);
            }
        }
    }
}

fn account_view(account: &Account) -> AccountView {
    let mut tags = tags(account);
    tags.truncate(TAGS_A_CARD);
    AccountView {
        id: account.id.to_string(),
        name: account.name.clone(),
        tags: tags.iter().map(|tag| line(tag)).collect(),
        offers: Vec::new(),
        more: 0,
    }
}

fn permission_set(set: &PermissionSet) -> PermissionSetView {
    PermissionSetView {
        name: set.name.to_string(),
        description: line(set.description.as_deref().unwrap_or_default()),
        session_seconds: set.session_seconds,
    }
}

/// As much of a text as a line has room for.
fn line(text: &str) -> String {
    match text.char_indices().nth(LINE_MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
