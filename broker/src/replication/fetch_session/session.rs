//! One session: the partitions it fetches and what the client last heard of each.

use std::sync::{Arc, Weak};

use indexmap::{IndexMap, IndexSet};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::next_epoch;
use super::watch::{Watch, Watcher};
use crate::replication::partitions::HostedPartition;

/// Names a partition within a session: by topic id from Fetch 13 on, by name before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PartitionKey {
    /// Nil when the request names the topic.
    pub(crate) topic_id: Uuid,
    /// Empty when the request carries a topic id.
    pub(crate) topic: StrBytes,
    pub(crate) partition: i32,
}

/// What a client asks of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requested {
    /// -1 for a client that knows none.
    pub(crate) current_leader_epoch: i32,
    pub(crate) fetch_offset: i64,
    /// -1 for a client that does not ask about divergence.
    pub(crate) last_fetched_epoch: i32,
    pub(crate) log_start_offset: i64,
    pub(crate) max_bytes: i32,
}

/// What a reply tells of a partition, as far as it decides whether it must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) error_code: i16,
    pub(crate) high_watermark: i64,
    pub(crate) log_start_offset: i64,
    pub(crate) records_bytes: usize,
    /// A preferred replica or a diverging epoch is told, which always must be.
    pub(crate) notable: bool,
}

#[derive(Debug)]
struct Remembered {
    requested: Requested,
    high_watermark: i64,
    log_start_offset: i64,
    /// What a follower's session watches under this key.
    watched: Option<Watched>,
    /// The answer in which its records were last sent.
    sent_in: u64,
}

/// A hosted partition that tells the session of its changes.
#[derive(Debug)]
struct Watched {
    partition: Weak<HostedPartition>,
    watcher: Arc<Watcher>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watcher.end();
    }
}

/// A session of one client.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: i32,
    /// Epoch that the next request must carry.
    pub(crate) epoch: i32,
    pub(crate) uses_topic_ids: bool,
    partitions: IndexMap<PartitionKey, Remembered>,
    /// What a follower's session is to look at.
    watch: Arc<Watch>,
    /// When it last looked at everything; `None` for never.
    looked_ms: Option<i64>,
    answers: u64,
}

impl Session {
    pub(crate) fn new(
        id: i32,
        uses_topic_ids: bool,
        partitions: &[(PartitionKey, Requested)],
    ) -> Self {
        let mut session = Self {
            id,
            epoch: 1,
            uses_topic_ids,
            partitions: IndexMap::new(),
            watch: Arc::default(),
            looked_ms: None,
            answers: 0,
        };
        session.change(partitions, &[]);
        session
    }

    /// Adds or changes `partitions`, then drops the `forgotten` ones.
    pub(crate) fn change(
        &mut self,
        partitions: &[(PartitionKey, Requested)],
        forgotten: &[PartitionKey],
    ) {
        for (key, requested) in partitions {
            if let Some(remembered) = self.partitions.get_mut(key) {
                remembered.requested = requested.clone();
            } else {
                let requested = requested.clone();
                let remembered = Remembered {
                    requested,
                    high_watermark: -1,
                    log_start_offset: -1,
                    watched: None,
                    sent_in: 0,
                };
                self.partitions.insert(key.clone(), remembered);
            }
        }
        for key in forgotten {
            self.partitions.shift_remove(key);
        }
    }

    /// The session took a request: the next one carries the next epoch.
    pub(crate) fn advance_epoch(&mut self) {
        self.epoch = next_epoch(self.epoch);
    }

    /// Everything the session fetches, in the order in which it is to be read.
    pub(crate) fn requested(&self) -> Vec<(PartitionKey, Requested)> {
        self.partitions.iter().map(|(key, known)| (key.clone(), known.requested.clone())).collect()
    }

    pub(crate) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// What a follower's session is to look at: what its request changed, what changed here, and
    /// everything when that was last done `every_ms` ago. Those whose records were sent most
    /// recently come last.
    pub(crate) fn look_at(
        &mut self,
        changed: Vec<PartitionKey>,
        now_ms: i64,
        every_ms: i64,
    ) -> Vec<(PartitionKey, Requested)> {
        let mut keys: IndexSet<PartitionKey> = changed.into_iter().collect();
        keys.extend(self.watch.take_changed());
        if self.looked_ms.is_none_or(|looked_ms| now_ms - looked_ms >= every_ms) {
            self.looked_ms = Some(now_ms);
            keys.extend(self.partitions.keys().cloned());
        }
        keys.sort_by_key(|key| self.partitions.get(key).map_or(0, |known| known.sent_in));
        keys.into_iter().filter_map(|key| self.request_of(key)).collect()
    }

    /// What is asked of one partition, if the session has it.
    pub(crate) fn request_of(&self, key: PartitionKey) -> Option<(PartitionKey, Requested)> {
        let requested = self.partitions.get(&key)?.requested.clone();
        Some((key, requested))
    }

    /// Has the partition tell of its changes, if it does not yet.
    pub(crate) fn watch_partition(&mut self, key: &PartitionKey, partition: &Arc<HostedPartition>) {
        let Some(known) = self.partitions.get_mut(key) else { return };
        let this = Arc::as_ptr(partition);
        if known.watched.as_ref().is_some_and(|w| std::ptr::eq(w.partition.as_ptr(), this)) {
            return;
        }
        let watcher = self.watch.watcher(key.clone());
        partition.watch(Arc::clone(&watcher));
        known.watched = Some(Watched { partition: Arc::downgrade(partition), watcher });
    }

    /// A follower's answer leaves: those whose records it carries have had their turn, and those
    /// that have more than it had room for are looked at with the next request.
    pub(crate) fn answer_leaves(&mut self, sent: &[PartitionKey], left: &[PartitionKey]) {
        self.answers += 1;
        for key in sent {
            if let Some(known) = self.partitions.get_mut(key) {
                known.sent_in = self.answers;
            }
        }
        for key in left {
            if let Some(watched) = self.partitions.get(key).and_then(|k| k.watched.as_ref()) {
                watched.watcher.tell(false);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.partitions.len()
    }

    /// Whether the client must hear this of the partition; remembers that it did.
    pub(crate) fn must_tell(&mut self, key: &PartitionKey, answered: Answered) -> bool {
        let Some(known) = self.partitions.get_mut(key) else { return true };
        let failed = answered.error_code != 0;
        let must_tell = failed
            || answered.notable
            || answered.records_bytes > 0
            || known.high_watermark != answered.high_watermark
            || known.log_start_offset != answered.log_start_offset;
        // After an error the client hears the high watermark again, whatever it is.
        known.high_watermark = if failed { -1 } else { answered.high_watermark };
        known.log_start_offset = answered.log_start_offset;
        must_tell
    }

    /// Moves partitions whose records were just sent behind the others.
    pub(crate) fn move_to_end(&mut self, keys: &[PartitionKey]) {
        if keys.is_empty() || keys.len() == self.partitions.len() {
            return;
        }
        let sent: std::collections::HashSet<&PartitionKey> = keys.iter().collect();
        // Stable, so that those that had nothing keep their order and so do those that had.
        self.partitions.sort_by_cached_key(|key, _| sent.contains(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(partition: i32) -> PartitionKey {
        PartitionKey { topic_id: Uuid::nil(), topic: StrBytes::from_static_str("t"), partition }
    }

    fn at(fetch_offset: i64) -> Requested {
        Requested {
            current_leader_epoch: -1,
            fetch_offset,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            max_bytes: 100,
        }
    }

    const QUIET: Answered = Answered {
        error_code: 0,
        high_watermark: 5,
        log_start_offset: 0,
        records_bytes: 0,
        notable: false,
    };

    #[test]
    fn a_partition_is_told_only_when_something_about_it_changed() {
        let mut session = Session::new(1, false, &[(key(0), at(5))]);
        assert!(session.must_tell(&key(0), QUIET), "nothing was told so far");
        assert!(!session.must_tell(&key(0), QUIET));
        assert!(session.must_tell(&key(0), Answered { records_bytes: 1, ..QUIET }));
        assert!(session.must_tell(&key(0), Answered { high_watermark: 6, ..QUIET }));
        assert!(session.must_tell(&key(0), QUIET), "it went back to what it was");
        assert!(session.must_tell(&key(0), Answered { log_start_offset: 2, ..QUIET }));
        assert!(session.must_tell(&key(0), Answered { notable: true, ..QUIET }));
        assert!(session.must_tell(&key(0), Answered { error_code: 3, ..QUIET }));
        assert!(session.must_tell(&key(0), QUIET), "an error was told before");
    }

    #[test]
    fn a_followers_session_looks_at_what_changed_and_now_and_then_at_everything() {
        let partitions: Vec<_> = (0..3).map(|n| (key(n), at(0))).collect();
        let mut session = Session::new(1, true, &partitions);
        let look = |session: &mut Session, changed: &[i32], now_ms| -> Vec<i32> {
            let changed = changed.iter().map(|partition| key(*partition)).collect();
            let looked = session.look_at(changed, now_ms, 1000);
            looked.iter().map(|(key, _)| key.partition).collect()
        };
        assert_eq!(look(&mut session, &[], 0), [0, 1, 2]);
        assert_eq!(look(&mut session, &[], 999), [] as [i32; 0]);
        assert_eq!(look(&mut session, &[2, 1], 999), [2, 1]);
        // Who had its turn comes last; what the session does not have is not looked at.
        session.answer_leaves(&[key(0)], &[]);
        assert_eq!(look(&mut session, &[0, 7], 1000), [1, 2, 0]);
    }

    #[test]
    fn changes_add_replace_and_forget_and_keep_the_order() {
        let mut session = Session::new(1, false, &[(key(0), at(0)), (key(1), at(1))]);
        session.change(&[(key(2), at(2)), (key(1), at(9))], &[key(0)]);
        let offsets: Vec<_> =
            session.requested().iter().map(|(k, r)| (k.partition, r.fetch_offset)).collect();
        assert_eq!(offsets, [(1, 9), (2, 2)]);
    }

    #[test]
    fn partitions_that_were_sent_go_behind_those_that_were_not() {
        let partitions: Vec<_> = (0..4).map(|n| (key(n), at(0))).collect();
        let mut session = Session::new(1, false, &partitions);
        session.move_to_end(&[key(0), key(2)]);
        let order: Vec<_> = session.requested().iter().map(|(k, _)| k.partition).collect();
        assert_eq!(order, [1, 3, 0, 2]);
    }
}
