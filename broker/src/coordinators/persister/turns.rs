//! Who is next: what is asked of one share partition is carried out in the order of asking.

use std::collections::HashMap;
use std::sync::Arc;

use coordinator::share::SharePartitionKey;
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// The newest turn of each share partition that has one.
#[derive(Debug, Default)]
pub(super) struct Turns {
    newest: Mutex<Newest>,
}

#[derive(Debug, Default)]
struct Newest {
    next: u64,
    /// The number of the turn, and its end.
    by_partition: HashMap<SharePartitionKey, (u64, oneshot::Receiver<()>)>,
}

/// One turn, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Arc<Turns>,
    key: SharePartitionKey,
    number: u64,
    before: Option<oneshot::Receiver<()>>,
    /// Whoever comes after hears of its end.
    _end: oneshot::Sender<()>,
}

impl Turns {
    /// Takes the next turn of a share partition.
    pub(super) fn take(self: &Arc<Self>, key: SharePartitionKey) -> Turn {
        let (end, ended) = oneshot::channel();
        let mut newest = self.newest.lock();
        let number = newest.next;
        newest.next += 1;
        let before = newest.by_partition.insert(key.clone(), (number, ended));
        let before = before.map(|(_, ended)| ended);
        Turn { turns: Arc::clone(self), key, number, before, _end: end }
    }
}

impl Turn {
    /// Waits until the turn before has ended.
    pub(super) async fn come(&mut self) {
        if let Some(before) = self.before.take() {
            // Nothing is ever sent: the sender is dropped.
            let _ = before.await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut newest = self.turns.newest.lock();
        if newest.by_partition.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            newest.by_partition.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::wire::StrBytes;
    use uuid::Uuid;

    use super::*;

    fn key(partition: i32) -> SharePartitionKey {
        SharePartitionKey {
            group_id: StrBytes::from_static_str("g"),
            topic_id: Uuid::from_u128(7),
            partition,
        }
    }

    async fn has_come(turn: &mut Turn) -> bool {
        tokio::time::timeout(Duration::from_millis(20), turn.come()).await.is_ok()
    }

    #[tokio::test]
    async fn a_turn_comes_when_the_one_before_has_ended_and_each_partition_has_its_own() {
        let turns = Arc::new(Turns::default());
        let mut first = turns.take(key(0));
        let mut second = turns.take(key(0));
        let mut other = turns.take(key(1));
        assert!(has_come(&mut first).await);
        assert!(has_come(&mut other).await);
        assert!(!has_come(&mut second).await);
    }

    #[tokio::test]
    async fn nothing_is_kept_of_turns_that_have_ended() {
        let turns = Arc::new(Turns::default());
        let first = turns.take(key(0));
        let mut second = turns.take(key(0));
        drop(first);
        assert!(has_come(&mut second).await);
        drop(second);
        assert!(turns.newest.lock().by_partition.is_empty());
        assert!(has_come(&mut turns.take(key(0))).await);
    }
}
