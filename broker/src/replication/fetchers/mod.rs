//! The fetchers: what is followed here is fetched from whoever leads it.
//!
//! ```text
//! publisher ── follow / forget ──▶ Fetchers ── by leader and hash ──▶ fetcher (a task)
//!                                                 │ one connection, one incremental session
//!                            leader ◀── Fetch ────┘──▶ HostedPartition: append, truncate
//! ```
//! A partition is fetched by one fetcher at a time. Nothing here decides what a log takes: that is
//! the replica's, under its lock, and it drops answers to questions that are not its own any more.
//! Answers to `ReplicaFetcherManager`.

mod answers;
mod assignment;
mod fetcher;
mod leader_offsets;
mod plan;
#[cfg(test)]
mod plan_test;
mod requests;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use self::assignment::fetcher_of;
use self::fetcher::{Fetcher, Order};
use self::plan::Key;
use crate::broker::Broker;
use crate::replication::partitions::HostedPartition;
use client::Address;

/// A leader's id and which of the fetchers to it.
type FetcherId = (i32, i32);

/// A fetcher that runs.
#[derive(Debug)]
struct Running {
    address: Address,
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
    followed: usize,
}

#[derive(Debug, Default)]
struct Assigned {
    fetchers: HashMap<FetcherId, Running>,
    partitions: HashMap<Key, (FetcherId, Arc<HostedPartition>)>,
    is_stopped: bool,
}

/// All fetchers of this broker.
#[derive(Debug, Default)]
pub(crate) struct Fetchers {
    assigned: Mutex<Assigned>,
}

impl Fetchers {
    /// This broker follows `partition`, which `leader` leads at `address`; or there is news of it.
    pub(crate) fn follow(
        &self,
        broker: &Arc<Broker>,
        leader: i32,
        address: &Address,
        partition: &Arc<HostedPartition>,
    ) {
        let fetchers = broker.config().num_replica_fetchers;
        let index = fetcher_of(partition.topic(), partition.partition(), fetchers);
        let (id, key) = ((leader, index), key_of(partition));
        let mut assigned = self.assigned.lock();
        if assigned.is_stopped {
            return;
        }
        let elsewhere = assigned.partitions.get(&key).is_some_and(|(at, _)| *at != id);
        if elsewhere {
            assigned.forget(key);
        }
        assigned.move_if_needed(broker, id, address);
        let running =
            assigned.fetchers.entry(id).or_insert_with(|| start(broker, id, address.clone()));
        running.order(Order::Follow(Arc::clone(partition)));
        if assigned.partitions.insert(key, (id, Arc::clone(partition))).is_none()
            && let Some(running) = assigned.fetchers.get_mut(&id)
        {
            running.followed += 1;
        }
    }

    /// This broker follows the partition no longer, or knows of nobody to ask.
    pub(crate) fn forget(&self, partition: &HostedPartition) {
        self.assigned.lock().forget(key_of(partition));
    }

    /// The leader that a fetcher at work fetches the partition from.
    pub(crate) fn leader_of(&self, partition: &HostedPartition) -> Option<i32> {
        let assigned = self.assigned.lock();
        let (id, _) = assigned.partitions.get(&key_of(partition))?;
        let running = assigned.fetchers.get(id)?;
        (!running.task.is_finished()).then_some(id.0)
    }

    /// There is news of this leader: whoever waits for it tries again at once, where it is now.
    pub(crate) fn retry(&self, broker: &Arc<Broker>, leader: i32, address: &Address) {
        let mut assigned = self.assigned.lock();
        let of_leader: Vec<FetcherId> =
            assigned.fetchers.keys().copied().filter(|id| id.0 == leader).collect();
        for id in of_leader {
            assigned.move_if_needed(broker, id, address);
            if let Some(running) = assigned.fetchers.get(&id) {
                running.order(Order::Retry);
            }
        }
    }

    /// num.replica.fetchers changed: each partition goes to the fetcher that has it now.
    pub(crate) fn resize(&self, broker: &Arc<Broker>) {
        let all: Vec<_> = {
            let assigned = self.assigned.lock();
            let addressed = assigned.partitions.values().filter_map(|(id, partition)| {
                let address = assigned.fetchers.get(id)?.address.clone();
                Some((*id, address, Arc::clone(partition)))
            });
            addressed.collect()
        };
        let fetchers = broker.config().num_replica_fetchers;
        for ((leader, index), address, partition) in all {
            if fetcher_of(partition.topic(), partition.partition(), fetchers) != index {
                self.follow(broker, leader, &address, &partition);
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
        let Some((id, _)) = self.partitions.remove(&key) else { return };
        let Some(running) = self.fetchers.get_mut(&id) else { return };
        running.order(Order::Forget(key));
        running.followed -= 1;
        if running.followed == 0 {
            // Its task ends when nobody can order anything any more.
            self.fetchers.remove(&id);
        }
    }

    /// A leader that is reached elsewhere now, or whose fetcher has ended, is asked anew for all
    /// that it leads.
    fn move_if_needed(&mut self, broker: &Arc<Broker>, id: FetcherId, address: &Address) {
        let Some(running) = self.fetchers.get_mut(&id) else { return };
        if running.address == *address && !running.task.is_finished() {
            return;
        }
        let followed = running.followed;
        *running = start(broker, id, address.clone());
        running.followed = followed;
        let moved = self.partitions.values().filter(|(at, _)| *at == id);
        for (_, partition) in moved {
            running.order(Order::Follow(Arc::clone(partition)));
        }
    }
}

fn key_of(partition: &HostedPartition) -> Key {
    (partition.topic_id(), partition.partition())
}

fn start(broker: &Arc<Broker>, (leader, index): FetcherId, address: Address) -> Running {
    let (orders, received) = mpsc::unbounded_channel();
    let fetcher = Fetcher::new(Arc::clone(broker), leader, index, address.clone(), received);
    Running { address, orders, task: tokio::spawn(fetcher.run()), followed: 0 }
}
