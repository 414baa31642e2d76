//! The host of `raft::suspects`: who lost a broker says so here, and answers that would name it
//! wait here for the controller's word.
//!
//! A loss is known from the tasks that had a connection, and from those connections themselves: a
//! client that lost the same broker asks at once, and may be heard before those tasks. While nobody
//! is lost or fenced an answer costs a look at a flag of each such connection, and no system call.
//! Kept true: an answer waits as long as the core says and no longer than the node runs, at most
//! [`WAITING_MAX`] of them at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use client::Liveness;
use parking_lot::Mutex;
use raft::image::{ClusterImage, MetadataImage};
use raft::suspects::{Suspects, WORD_WAIT_MS};
use tokio::sync::Notify;

use crate::clock::monotonic_ms;

/// Answers that wait at once; those beyond it are given as it is known.
const WAITING_MAX: usize = 10_000;

/// A broker that was never heard.
const NEVER: i64 = i64::MIN;

/// Brokers that are gone or may be, as this node sees it.
#[derive(Debug)]
pub(crate) struct SuspectedBrokers {
    core: Mutex<Suspects>,
    /// Whether the core holds anybody.
    is_any: AtomicBool,
    contacts: Mutex<BTreeMap<i32, Arc<AtomicI64>>>,
    /// The connections by which brokers are asked.
    connections: ArcSwap<Vec<(i32, Liveness)>>,
    /// Something happened that an answer may wait for.
    news: Notify,
    waiting: AtomicUsize,
    is_stopping: AtomicBool,
}

/// When a broker last answered; held by those who ask it.
#[derive(Debug, Clone)]
pub(crate) struct Contact {
    id: i32,
    heard_ms: Arc<AtomicI64>,
}

impl SuspectedBrokers {
    pub(crate) fn new(session_timeout_ms: i32) -> Self {
        Self {
            core: Mutex::new(Suspects::new(i64::from(session_timeout_ms))),
            is_any: AtomicBool::new(false),
            contacts: Mutex::default(),
            connections: ArcSwap::default(),
            news: Notify::new(),
            waiting: AtomicUsize::new(0),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// The broker is asked things by this connection from now on.
    pub(crate) fn contact(&self, id: i32, connection: Liveness) -> Contact {
        let mut contacts = self.contacts.lock();
        let known = self.connections.load();
        let mut connections: Vec<_> =
            known.iter().filter(|(_, each)| !each.is_orphan()).cloned().collect();
        connections.push((id, connection));
        self.connections.store(Arc::new(connections));
        let heard_ms = contacts.entry(id).or_insert_with(|| Arc::new(AtomicI64::new(NEVER)));
        Contact { id, heard_ms: Arc::clone(heard_ms) }
    }

    /// The broker answered.
    pub(crate) fn heard(&self, contact: &Contact) {
        contact.heard_ms.fetch_max(monotonic_ms(), Ordering::Relaxed);
        if self.is_any.load(Ordering::Acquire) {
            self.change(|core| core.heard(contact.id));
        }
    }

    /// A connection to the broker was closed, reset or refused.
    pub(crate) fn lost(&self, id: i32, cluster: &ClusterImage) {
        let now_ms = monotonic_ms();
        self.change(|core| core.lost(id, cluster, now_ms));
    }

    /// Registrations of brokers change; told before anybody can see that, and before those who ask
    /// the brokers go elsewhere. Who is asked nothing by this node is not known to be silent.
    pub(crate) fn moving_on(&self, before: &ClusterImage, after: &ClusterImage) {
        let now_ms = monotonic_ms();
        let contacts = self.contacts.lock();
        let heard_ms = |id| {
            let contact = contacts.get(&id).filter(|contact| Arc::strong_count(contact) > 1)?;
            let heard_ms = contact.load(Ordering::Relaxed);
            (heard_ms != NEVER).then_some(heard_ms)
        };
        self.change(|core| core.moving_on(before, after, heard_ms, now_ms));
    }

    /// Everybody can see an image with these brokers.
    pub(crate) fn moved_on(&self, cluster: &ClusterImage) {
        if self.is_any.load(Ordering::Acquire) {
            self.change(|core| core.moved_on(cluster));
        } else {
            self.news.notify_waiters();
        }
    }

    /// Whether the broker is listed though it is fenced.
    pub(crate) fn is_listed(&self, id: i32) -> bool {
        self.is_any.load(Ordering::Acquire) && self.core.lock().is_listed(id, monotonic_ms())
    }

    /// The image to answer from: the present one, unless the answer would name a leader (`leaders`
    /// of an image) whose going is looked into.
    pub(crate) async fn settled<Leaders: IntoIterator<Item = i32>>(
        &self,
        image: impl Fn() -> Arc<MetadataImage>,
        leaders: impl Fn(&MetadataImage) -> Leaders,
    ) -> Arc<MetadataImage> {
        for (id, connection) in self.connections.load().iter() {
            if connection.has_ended() {
                self.lost(*id, image().cluster());
            }
        }
        if !self.is_any.load(Ordering::Acquire) {
            return image();
        }
        let asked_ms = monotonic_ms();
        let Some(_place) = self.place() else { return image() };
        loop {
            // Registered before the look, so that no news is missed.
            let news = self.news.notified();
            let mut news = std::pin::pin!(news);
            news.as_mut().enable();
            let known = image();
            let now_ms = monotonic_ms();
            // Gathered before the lock is taken: an answer may name every partition there is.
            let named = leaders(&known);
            let waits = self.core.lock().waits_until(named, asked_ms, now_ms);
            let Some(until_ms) = waits.filter(|_| !self.is_stopping.load(Ordering::Acquire)) else {
                return known;
            };
            let pause = Duration::from_millis(u64::try_from(until_ms - now_ms).unwrap_or(0));
            tokio::select! {
                () = news => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Waits until `is_there`, which news may bring about; as long as for the controller's word.
    pub(crate) async fn until(&self, is_there: impl Fn() -> bool) {
        if is_there() {
            return;
        }
        let Some(_place) = self.place() else { return };
        let coming = async {
            loop {
                let news = self.news.notified();
                let mut news = std::pin::pin!(news);
                news.as_mut().enable();
                if is_there() || self.is_stopping.load(Ordering::Acquire) {
                    return;
                }
                news.await;
            }
        };
        let patience = Duration::from_millis(WORD_WAIT_MS.unsigned_abs());
        // Who comes too late is told what is known.
        let _ = tokio::time::timeout(patience, coming).await;
    }

    /// The node stops: nothing is waited for any more.
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
        self.news.notify_waiters();
    }

    fn change(&self, change: impl FnOnce(&mut Suspects)) {
        let mut core = self.core.lock();
        change(&mut core);
        self.is_any.store(!core.is_empty(), Ordering::Release);
        drop(core);
        self.news.notify_waiters();
    }

    fn place(&self) -> Option<Place<'_>> {
        let place = Place(&self.waiting);
        (self.waiting.fetch_add(1, Ordering::AcqRel) < WAITING_MAX).then_some(place)
    }
}

/// One of the answers that wait; its place is free when it is dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
#[path = "suspects_test.rs"]
mod tests;
