//! The parts of one server, put together, and the tasks that keep them going.

mod sweep;

use std::sync::Arc;

use domain::id::ServerId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::assignments::{Assignments, Holders};
use crate::audit::Shipper;
use crate::aws::{Clients, RemoteClock};
use crate::config::{Config, Role};
use crate::copy::keep::Copier;
use crate::delays::Counter;
use crate::directory::Reader;
use crate::feed;
use crate::lease::Lease;
use crate::limiter::Limiter;
use crate::live::LiveReadings;
use crate::people::People;
use crate::readiness::{Part, Readiness};
use crate::reconcile::Reconciler;
use crate::service::Service;
use crate::store::Store;
use crate::sweep::Rules;
use crate::worker::Worker;
use crate::world::Keeper;

pub use sweep::Swept;

/// How often readiness is looked at: a load balancer asks every few seconds.
const READINESS_EVERY: std::time::Duration = std::time::Duration::from_secs(2);

/// One server's parts.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The use cases, for the doors.
    pub service: Service,
    store: Store,
    keeper: Arc<Keeper>,
    worker: Worker,
    reconciler: Reconciler,
    shipper: Shipper,
    copier: Copier,
    counter: Counter,
    lease: Lease,
    clock: RemoteClock,
}

impl Engine {
    /// Puts the parts together; nothing runs yet.
    #[must_use]
    pub fn new(config: &Config, clients: &Clients) -> Self {
        let me = ServerId::new(Uuid::now_v7());
        let store = Store::new(clients.dynamodb.clone(), config.table.clone());
        let center = &config.identity_center;
        // One budget for each service's quota, shared by everything in this process.
        let sso = Limiter::new(config.aws_rate);
        let identity = Limiter::new(config.aws_rate);
        let reader = Reader::new(
            clients.clone(),
            center.instance_arn.clone(),
            center.identity_store_id.clone(),
            sso.clone(),
            identity.clone(),
        );
        let lease = Lease::new(me);
        let keeper = Arc::new(Keeper::new(
            (reader, lease.clone()),
            store.clone(),
            clients.s3.clone(),
            config.policy.clone(),
            config.protected_accounts.iter().cloned().collect(),
            me,
        ));
        let people = People::new(
            clients.clone(),
            center.identity_store_id.clone(),
            identity.clone(),
            store.clone(),
        );
        let limiters = (sso.clone(), identity);
        let assignments = Assignments::new(clients.clone(), center, limiters, lease.clone());
        let service = Service::new(
            store.clone(),
            (people.clone(), Holders::new(assignments.clone())),
            Arc::clone(&keeper),
            Rules::of(config),
            me,
        );
        let worker = Worker::new(
            store.clone(),
            service.clone(),
            assignments.clone(),
            people,
            lease.clone(),
            me,
        );
        let live = LiveReadings::new(store.clone());
        let reconciler = Reconciler::new(
            (store.clone(), live.clone()),
            assignments,
            Arc::clone(&keeper),
            worker.clone(),
            (lease.clone(), sso),
            me,
            config,
        );
        let shipper = Shipper::new(store.clone(), clients.s3.clone(), config.audit.clone());
        let copier = Copier::new(
            (store.clone(), live),
            clients.s3.clone(),
            config.audit.clone(),
            config.table.clone(),
            lease.clone(),
            me,
        );
        let counter = Counter::new(store.clone(), lease.clone(), me);
        Self {
            service,
            store,
            keeper,
            worker,
            reconciler,
            shipper,
            copier,
            counter,
            lease,
            clock: clients.clock.clone(),
        }
    }

    /// Starts the tasks of this role. They end when told to stop, each after the step it is in.
    pub fn start(
        &self,
        role: Role,
        readiness: &Readiness,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) {
        let (keeper, token) = (Arc::clone(&self.keeper), stop.clone());
        tasks.spawn(async move { Box::pin(keeper.run(token)).await });
        tasks.spawn(feed::follow(self.store.clone(), stop.clone()));
        if role.works() {
            let keeper = self.lease.clone();
            tasks.spawn(keeper.keep(self.store.clone(), self.clock.clone(), stop.clone()));
            tasks.spawn(supervised(
                self.worker.clone(),
                readiness.clone(),
                stop.clone(),
            ));
            tasks.spawn(self.reconciler.clone().run(stop.clone()));
            let (shipper, token) = (self.shipper.clone(), stop.clone());
            tasks.spawn(async move { shipper.run(token).await });
            let (copier, token) = (self.copier.clone(), stop.clone());
            tasks.spawn(async move { copier.run(token).await });
            let (counter, token) = (self.counter.clone(), stop.clone());
            tasks.spawn(async move { counter.run(token).await });
        }
        let (engine, readiness, token) = (self.clone(), readiness.clone(), stop.clone());
        tasks.spawn(async move { engine.watch(&readiness, &token).await });
    }

    /// Keeps readiness true: what is out of reach is said, and what comes back is picked up.
    async fn watch(&self, readiness: &Readiness, stop: &CancellationToken) {
        loop {
            let table = self.store.policy_in_force().await;
            // Both are asked of the table, and said of it: whoever looks must set the clock.
            let table = table.map(drop).map_err(|error| error.to_string());
            readiness.report(Part::Table, table.and_then(|()| self.clock.is_right()));
            let known = match self.keeper.world() {
                // A failed refresh leaves an older snapshot that serves.
                Some(_) => Ok(()),
                None => Err(self
                    .keeper
                    .trouble()
                    .unwrap_or_else(|| "has not been read yet".to_owned())),
            };
            readiness.report(Part::Policy, known.clone());
            readiness.report(Part::Directory, known);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(READINESS_EVERY) => {}
            }
        }
    }
}

/// A server whose worker is gone would look well while nothing is taken away: it stops instead, so
/// that whatever runs it starts another.
async fn supervised(worker: Worker, readiness: Readiness, stop: CancellationToken) {
    readiness.report(Part::Worker, Ok(()));
    let token = stop.clone();
    let ended = tokio::spawn(async move { worker.run(token).await }).await;
    if !stop.is_cancelled() {
        tracing::error!(
            panicked = ended.is_err(),
            "the worker ended by itself; this server stops"
        );
        readiness.report(Part::Worker, Err("has ended by itself".to_owned()));
        stop.cancel();
    }
}
