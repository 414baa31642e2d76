//! The fetchers: what is followed here is fetched from whoever leads it.
//!
//! ```text
//! publisher ── follow / forget ──▶ Fetchers ── by leader and hash ──▶ fetcher (a task)
//!                                                 │ one connection, one incremental session
//!                            leader ◀── Fetch ────┘──▶ HostedPartition: append, truncate
//! ```
//! A partition is fetched by one fetcher at a time (`replica::FetcherTable`), which asks what
//! `replica::FetchPlan` says. Nothing here decides what a log takes: that is the replica's, under
//! its lock, and it drops answers to questions that are not its own any more.
//! Answers to `ReplicaFetcherManager`.

mod answers;
mod assignment;
mod fetcher;
mod leader_offsets;
mod requests;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use replica::{FetcherTable, Left};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use self::assignment::{Key, fetcher_of};
use self::fetcher::{Fetcher, FetcherContext, Order};
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::quorum::QuorumHandle;
use crate::partitions::HostedPartition;
use crate::replication::replica_manager::ReplicaManager;
use client::Address;

/// A leader's id and which of the fetchers to it.
type FetcherId = (i32, i32);

/// A fetcher that runs.
#[derive(Debug)]
struct Running {
    address: Address,
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Assigned {
    fetchers: HashMap<FetcherId, Running>,
    table: FetcherTable<Key, FetcherId>,
    partitions: HashMap<Key, Arc<HostedPartition>>,
    is_stopped: bool,
}

/// All fetchers of this broker.
#[derive(Debug)]
pub(crate) struct Fetchers {
    context: Arc<FetcherContext>,
    assigned: Mutex<Assigned>,
}

impl Fetchers {
    pub(crate) fn new(
        config: Arc<DynamicBrokerConfig>,
        quorum: Arc<QuorumHandle>,
        replicas: Arc<ReplicaManager>,
    ) -> Self {
        let context = Arc::new(FetcherContext { config, quorum, replicas });
        Self { context, assigned: Mutex::default() }
    }

    /// This broker follows `partition`, which `leader` leads at `address`; or there is news of it.
    pub(crate) fn follow(&self, leader: i32, address: &Address, partition: &Arc<HostedPartition>) {
        let fetchers = self.context.config.current().num_replica_fetchers;
        let index = fetcher_of(partition.topic(), partition.partition(), fetchers);
        let (id, key) = ((leader, index), key_of(partition));
        let mut assigned = self.assigned.lock();
        if assigned.is_stopped {
            return;
        }
        let (left, id) = assigned.table.follow(key, id);
        if let Some(left) = left {
            assigned.leave(key, left);
        }
        assigned.move_if_needed(&self.context, id, address);
        let running = assigned
            .fetchers
            .entry(id)
            .or_insert_with(|| start(&self.context, id, address.clone()));
        running.order(Order::Follow(Arc::clone(partition)));
        assigned.partitions.insert(key, Arc::clone(partition));
    }

    /// This broker follows the partition no longer, or knows of nobody to ask.
    pub(crate) fn forget(&self, partition: &HostedPartition) {
        self.assigned.lock().forget(key_of(partition));
    }

    /// The leader that a fetcher at work fetches the partition from.
    pub(crate) fn leader_of(&self, partition: &HostedPartition) -> Option<i32> {
        let assigned = self.assigned.lock();
        let id = assigned.table.of(&key_of(partition))?;
        let running = assigned.fetchers.get(&id)?;
        (!running.task.is_finished()).then_some(id.0)
    }

    /// There is news of this leader: whoever waits for it tries again at once, where it is now.
    pub(crate) fn retry(&self, leader: i32, address: &Address) {
        let mut assigned = self.assigned.lock();
        let of_leader: Vec<FetcherId> =
            assigned.fetchers.keys().copied().filter(|id| id.0 == leader).collect();
        for id in of_leader {
            assigned.move_if_needed(&self.context, id, address);
            if let Some(running) = assigned.fetchers.get(&id) {
                running.order(Order::Retry);
            }
        }
    }

    /// num.replica.fetchers changed: each partition goes to the fetcher that has it now.
    pub(crate) fn resize(&self) {
        let all: Vec<_> = {
            let assigned = self.assigned.lock();
            let addressed = assigned.partitions.iter().filter_map(|(key, partition)| {
                let id = assigned.table.of(key)?;
                let address = assigned.fetchers.get(&id)?.address.clone();
                Some((id, address, Arc::clone(partition)))
            });
            addressed.collect()
        };
        let fetchers = self.context.config.current().num_replica_fetchers;
        for ((leader, index), address, partition) in all {
            if fetcher_of(partition.topic(), partition.partition(), fetchers) != index {
                self.follow(leader, &address, &partition);
            }
        }
    }

    /// The broker stops: when this resolves nothing is fetched or appended any more.
    pub(crate) async fn stop(&self) {
        let stopped = Assigned { is_stopped: true, ..Assigned::default() };
        let assigned = std::mem::replace(&mut *self.assigned.lock(), stopped);
        for running in assigned.fetchers.into_values() {
            running.task.abort();
            // Ended by that, or before.
            let _ = running.task.await;
        }
    }
}

impl Running {
    fn order(&self, order: Order) {
        // A task that ended has said why; another one is started when it is noticed.
        let _ = self.orders.send(order);
    }
}

impl Assigned {
    fn forget(&mut self, key: Key) {
        if let Some(left) = self.table.forget(&key) {
            self.partitions.remove(&key);
            self.leave(key, left);
        }
    }

    fn leave(&mut self, key: Key, Left { fetcher, is_idle }: Left<FetcherId>) {
        if let Some(running) = self.fetchers.get(&fetcher) {
            running.order(Order::Forget(key));
        }
        if is_idle {
            // Its task ends when nobody can order anything any more.
            self.fetchers.remove(&fetcher);
        }
    }

    /// A leader that is reached elsewhere now, or whose fetcher has ended, is asked anew for all
    /// that it leads.
    fn move_if_needed(&mut self, context: &Arc<FetcherContext>, id: FetcherId, address: &Address) {
        let Some(running) = self.fetchers.get_mut(&id) else { return };
        if running.address == *address && !running.task.is_finished() {
            return;
        }
        *running = start(context, id, address.clone());
        let moved = self.partitions.iter().filter(|(key, _)| self.table.of(key) == Some(id));
        for (_, partition) in moved {
            running.order(Order::Follow(Arc::clone(partition)));
        }
    }
}

fn key_of(partition: &HostedPartition) -> Key {
    (partition.topic_id(), partition.partition())
}

fn start(context: &Arc<FetcherContext>, (leader, index): FetcherId, address: Address) -> Running {
    // Bound: two orders for each partition of a change of the metadata, of which the next is
    // applied when this one is; one to try again for each change of the leader's registration.
    let (orders, received) = mpsc::unbounded_channel();
    let fetcher = Fetcher::new(Arc::clone(context), leader, index, address.clone(), received);
    Running { address, orders, task: tokio::spawn(fetcher.run()) }
}
