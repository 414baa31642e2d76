//! The fetches that wait until a partition has more for them, and the sessions of followers.
//!
//! A fetch registers, looks again, then sleeps; whoever moves the partition's offsets wakes all
//! who registered before. Waking is one atomic load when nobody waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::partitions::Watcher;

/// Who waits on one partition.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    any: AtomicBool,
    waiting: Mutex<Vec<Weak<Notify>>>,
}

impl Wakers {
    /// Wakes `sleeper` once, at the next change.
    pub(crate) fn register(&self, sleeper: Weak<Notify>) {
        let mut waiting = self.waiting.lock();
        // Who gave up meanwhile leaves nothing behind but its entry, and who was woken elsewhere
        // registers here again.
        if waiting.len() == waiting.capacity() {
            waiting.retain(|sleeper| sleeper.strong_count() > 0);
            waiting.sort_unstable_by_key(Weak::as_ptr);
            waiting.dedup_by(|one, other| one.ptr_eq(other));
        }
        waiting.push(sleeper);
        self.any.store(true, Ordering::SeqCst);
    }

    /// Wakes everybody who waits.
    pub(crate) fn wake(&self) {
        if !self.any.swap(false, Ordering::SeqCst) {
            return;
        }
        for sleeper in self.waiting.lock().drain(..) {
            if let Some(sleeper) = sleeper.upgrade() {
                sleeper.notify_one();
            }
        }
    }
}

/// The follower sessions that are told of every change.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    any: AtomicBool,
    watching: Mutex<Vec<Arc<Watcher>>>,
}

impl Watchers {
    pub(crate) fn add(&self, watcher: Arc<Watcher>) {
        self.watching.lock().push(watcher);
        self.any.store(true, Ordering::SeqCst);
    }

    /// Tells all of them; sessions that ended are forgotten.
    pub(crate) fn tell(&self, urgent: bool) {
        if self.any.load(Ordering::SeqCst) {
            self.watching.lock().retain(|watcher| watcher.tell(urgent));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_change_between_registering_and_sleeping_is_not_missed() {
        let wakers = Wakers::default();
        let sleeper = Arc::new(Notify::new());
        wakers.register(Arc::downgrade(&sleeper));
        wakers.wake();
        let woken = tokio::time::timeout(Duration::from_secs(5), sleeper.notified()).await;
        assert!(woken.is_ok());
    }

    #[test]
    fn sleepers_that_gave_up_do_not_pile_up() {
        let wakers = Wakers::default();
        for _ in 0..10_000 {
            wakers.register(Arc::downgrade(&Arc::new(Notify::new())));
        }
        assert!(wakers.waiting.lock().len() < 100);
    }

    #[tokio::test]
    async fn a_sleeper_that_is_woken_elsewhere_again_and_again_does_not_pile_up() {
        let wakers = Wakers::default();
        let sleepers = [(); 3].map(|()| Arc::new(Notify::new()));
        for _ in 0..10_000 {
            sleepers.iter().for_each(|sleeper| wakers.register(Arc::downgrade(sleeper)));
        }
        assert!(wakers.waiting.lock().len() < 100);
        wakers.wake();
        for sleeper in sleepers {
            let woken = tokio::time::timeout(Duration::from_secs(5), sleeper.notified()).await;
            assert!(woken.is_ok());
        }
    }
}
