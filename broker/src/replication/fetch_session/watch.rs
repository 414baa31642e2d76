//! Which partitions of a follower's session changed since it last looked: a leader of thousands of
//! partitions looks at those few when the follower fetches, not at all.
//!
//! A partition tells its watchers when its marks move. Only a move of the log's end or of the
//! leadership wakes the fetch that waits; the others are told with the next answer. Kept true: a
//! watcher that was told is in `changed` until it is taken out, and who takes it out looks at the
//! partition after that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::session::PartitionKey;

/// What one session has to look at.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    changed: Mutex<Vec<Arc<Watcher>>>,
    urgent: Notify,
}

/// One partition of it, as the partition knows it.
#[derive(Debug)]
pub(crate) struct Watcher {
    key: PartitionKey,
    watch: Weak<Watch>,
    told: AtomicBool,
    ended: AtomicBool,
}

impl Watch {
    pub(crate) fn watcher(self: &Arc<Self>, key: PartitionKey) -> Arc<Watcher> {
        Arc::new(Watcher {
            key,
            watch: Arc::downgrade(self),
            told: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        })
    }

    /// The partitions that changed; they are looked at now.
    pub(crate) fn take_changed(&self) -> Vec<PartitionKey> {
        let changed = std::mem::take(&mut *self.changed.lock());
        let taken = changed.into_iter().map(|watcher| {
            watcher.told.store(false, Ordering::SeqCst);
            watcher.key.clone()
        });
        taken.collect()
    }

    /// Resolves when something urgent has changed, perhaps a while ago.
    pub(crate) async fn urgent(&self) {
        self.urgent.notified().await;
    }
}

impl Watcher {
    /// The session has this partition no longer.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    /// The partition changed. `false` when nobody watches any more.
    pub(crate) fn tell(self: &Arc<Self>, urgent: bool) -> bool {
        if self.ended.load(Ordering::SeqCst) {
            return false;
        }
        let Some(watch) = self.watch.upgrade() else { return false };
        if !self.told.swap(true, Ordering::SeqCst) {
            watch.changed.lock().push(Arc::clone(self));
        }
        if urgent {
            watch.urgent.notify_one();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::wire::StrBytes;
    use uuid::Uuid;

    use super::*;

    fn key(partition: i32) -> PartitionKey {
        PartitionKey { topic_id: Uuid::nil(), topic: StrBytes::from_static_str("t"), partition }
    }

    #[test]
    fn a_partition_that_changes_often_is_looked_at_once() {
        let watch = Arc::new(Watch::default());
        let (one, two) = (watch.watcher(key(1)), watch.watcher(key(2)));
        assert!(one.tell(true) && one.tell(false) && two.tell(false) && one.tell(true));
        assert_eq!(watch.take_changed(), [key(1), key(2)]);
        assert!(watch.take_changed().is_empty());
        one.tell(false);
        assert_eq!(watch.take_changed(), [key(1)]);
    }

    #[tokio::test]
    async fn only_what_is_urgent_wakes_and_a_wake_before_the_wait_counts() {
        let watch = Arc::new(Watch::default());
        let watcher = watch.watcher(key(1));
        let soon = Duration::from_millis(20);
        watcher.tell(false);
        assert!(tokio::time::timeout(soon, watch.urgent()).await.is_err());
        watcher.tell(true);
        assert!(tokio::time::timeout(Duration::from_secs(5), watch.urgent()).await.is_ok());
    }

    #[test]
    fn who_watches_no_longer_is_told_nothing() {
        let watch = Arc::new(Watch::default());
        let (left, gone) = (watch.watcher(key(1)), watch.watcher(key(2)));
        left.end();
        assert!(!left.tell(true));
        drop(watch);
        assert!(!gone.tell(true));
    }
}
