//! Each access pattern, as the server has it.

use domain::event::{Actor, Source, Stream};
use domain::id::AskIndex;
use jiff::SignedDuration;
use server::store::history::{Bound, Search};
use server::store::{Commit, Store, keys, now};

use crate::fill::{self, Live};

/// Something that the server asks of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    Request,
    Timeline,
    Open,
    Mine,
    Holds,
    Tally,
    Key,
    GrantsWithHeads,
    Due,
    Outbox,
    Feed,
    Policy,
    Lease,
    Submit,
    History,
    HistoryOfPerson,
    HistoryOfAccount,
    HistoryOfSet,
    HistoryWithoutMatch,
}

impl Pattern {
    pub(crate) const ALL: [Self; 19] = [
        Self::Request,
        Self::Timeline,
        Self::Open,
        Self::Mine,
        Self::Holds,
        Self::Tally,
        Self::Key,
        Self::GrantsWithHeads,
        Self::Due,
        Self::Outbox,
        Self::Feed,
        Self::Policy,
        Self::Lease,
        Self::Submit,
        Self::History,
        Self::HistoryOfPerson,
        Self::HistoryOfAccount,
        Self::HistoryOfSet,
        Self::HistoryWithoutMatch,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Request => "a request",
            Self::Timeline => "a request's events",
            Self::Open => "what waits for review",
            Self::Mine => "a person's requests, a page",
            Self::Holds => "a person's live grants",
            Self::Tally => "what a person waits for, and asked within the hour",
            Self::Key => "a key",
            Self::GrantsWithHeads => "ten grants and their streams' heads",
            Self::Due => "what is due, four shards",
            Self::Outbox => "what is to be shipped, four shards",
            Self::Feed => "the change feed, two buckets",
            Self::Policy => "the policy in force",
            Self::Lease => "the executor lease",
            Self::Submit => "a submission, written",
            Self::History => "history, a page",
            Self::HistoryOfPerson => "history of a person, a page",
            Self::HistoryOfAccount => "history of an account, a page",
            Self::HistoryOfSet => "history of a permission set, a page",
            Self::HistoryWithoutMatch => "history, a text that nothing has",
        }
    }

    /// Whether it may cost more in a longer history, within history's own bound.
    pub(crate) const fn is_of_history(self) -> bool {
        matches!(
            self,
            Self::History
                | Self::HistoryOfPerson
                | Self::HistoryOfAccount
                | Self::HistoryOfSet
                | Self::HistoryWithoutMatch
        )
    }

    /// Does it once. Limits are the server's own.
    pub(crate) async fn run(self, store: &Store, live: &Live) {
        let person = &live.person;
        match self {
            Self::Request => assert!(store.request(live.request).await.unwrap().is_some()),
            Self::Timeline => {
                let stream = Stream::Request(live.request);
                assert_eq!(store.events(&stream, 200).await.unwrap().len(), 1);
            }
            Self::Open => assert!(!store.open_requests(1_000).await.unwrap().is_empty()),
            Self::Mine => {
                let page = store.requests_of(person, 50, None).await.unwrap();
                assert_eq!(page.requests.len(), 50);
            }
            Self::Holds => assert_eq!(store.live_grants_of(person, 100).await.unwrap().len(), 1),
            Self::Tally => {
                let tally = store.tally(person).await.unwrap();
                let waits = tally.pending.get(&live.pending.to_string());
                assert_eq!(waits, Some(&live.request));
            }
            Self::Key => assert!(store.key(&live.key).await.unwrap().is_some()),
            Self::GrantsWithHeads => {
                let (grants, _) = store.grants_with_heads(&live.grants).await.unwrap();
                assert_eq!(grants.len(), live.grants.len());
            }
            Self::Due => {
                for shard in 0..keys::DUE_SHARDS {
                    store.due_before(shard, now(), 100, None).await.unwrap();
                }
            }
            Self::Outbox => {
                for shard in 0..keys::OUTBOX_SHARDS {
                    store.undelivered(shard, 25).await.unwrap();
                }
            }
            Self::Feed => {
                for before in [1, 0] {
                    // Long ago: the last buckets hold what filling the table told.
                    let long_ago = now() - SignedDuration::from_hours(24);
                    let bucket = keys::feed_bucket(long_ago, before);
                    store.feed(bucket).await.unwrap();
                }
            }
            Self::Policy => assert!(store.policy_in_force().await.unwrap().is_none()),
            Self::Lease => assert!(store.lease().await.unwrap().is_none()),
            Self::Submit => submit(store).await,
            Self::History => self.history(store, Search::default(), "").await,
            Self::HistoryOfPerson => {
                let search = Search {
                    person: Some(person.clone()),
                    ..Search::default()
                };
                self.history(store, search, "").await;
            }
            Self::HistoryOfAccount => {
                let search = Search {
                    account: Some(fill::account(3)),
                    ..Search::default()
                };
                self.history(store, search, "").await;
            }
            Self::HistoryOfSet => {
                let search = Search {
                    permission_set: Some(fill::permission_set(3)),
                    ..Search::default()
                };
                self.history(store, search, "").await;
            }
            Self::HistoryWithoutMatch => {
                self.history(store, Search::default(), "nobody ever wrote this")
                    .await;
            }
        }
    }

    async fn history(self, store: &Store, search: Search, text: &str) {
        let keep = |row: &server::store::item::Summary| row.reason.contains(text);
        let found = store
            .history(&search, Bound::PAGE, now(), keep)
            .await
            .unwrap();
        assert_eq!(found.rows.is_empty(), self == Self::HistoryWithoutMatch);
    }
}

async fn submit(store: &Store) {
    let request = fill::request(900_000, 7, now());
    let actor = Actor::Person(request.requester.clone());
    let mut commit = Commit::new(actor, Source::Portal, request.submitted_at);
    let (kind, details) = request.submitted();
    let stream = Stream::Request(request.id);
    commit.event(&stream, kind, &details).unwrap();
    commit.submit(&request).unwrap();
    assert!(request.ask(AskIndex(0)).is_some());
    store.commit(commit).await.unwrap();
}
