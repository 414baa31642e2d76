//! What a request costs that quotas count: how long it had a thread, and the debt of its sender for
//! partitions that it made or deleted.
//!
//! Kafka: `RequestChannel.Request.requestThreadTimeNanos`, which is the time of a thread that does
//! nothing else meanwhile; here a handler has a thread while it is polled. Nothing is measured
//! where nothing is counted.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::throttle::ThrottleTime;
use crate::clock::{monotonic, monotonic_ms};

/// Time on threads; one task at a time counts it.
#[derive(Debug, Default)]
pub(crate) struct ThreadTime {
    spent_ns: AtomicU64,
    /// When the present turn began; 0 between turns.
    since_ns: AtomicU64,
}

impl ThreadTime {
    /// What becomes of a task, the turns that it has on a thread counted.
    pub(crate) async fn of<Task: Future>(&self, task: Task) -> Task::Output {
        let mut task = pin!(task);
        let turn = poll_fn(|context| {
            self.begin();
            let polled = task.as_mut().poll(context);
            self.pause();
            polled
        });
        turn.await
    }

    /// A turn on a thread begins.
    pub(crate) fn begin(&self) {
        self.since_ns.store(now_ns(), Ordering::Relaxed);
    }

    /// The turn is over.
    pub(crate) fn pause(&self) {
        let turn = self.turn_ns();
        self.since_ns.store(0, Ordering::Relaxed);
        self.spent_ns.fetch_add(turn, Ordering::Relaxed);
    }

    pub(crate) fn so_far(&self) -> Duration {
        Duration::from_nanos(self.spent_ns.load(Ordering::Relaxed) + self.turn_ns())
    }

    /// What was spent since this was asked last.
    pub(crate) fn take(&self) -> Duration {
        Duration::from_nanos(self.spent_ns.swap(0, Ordering::Relaxed))
    }

    fn turn_ns(&self) -> u64 {
        match self.since_ns.load(Ordering::Relaxed) {
            0 => 0,
            since => now_ns().saturating_sub(since),
        }
    }
}

fn now_ns() -> u64 {
    u64::try_from(monotonic().as_nanos()).unwrap_or(u64::MAX).max(1)
}

/// The cost of one request.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    pub(crate) time: ThreadTime,
    /// Until when its sender is in debt.
    in_debt_until_ms: AtomicI64,
}

impl Spent {
    /// The sender is in debt for so long from now on.
    pub(crate) fn owes(&self, time_ms: i64) {
        let until_ms = monotonic_ms().saturating_add(time_ms);
        self.in_debt_until_ms.fetch_max(until_ms, Ordering::Relaxed);
    }

    /// How much longer the sender is in debt: it may have waited for the answer meanwhile.
    pub(crate) fn debt(&self) -> ThrottleTime {
        let until_ms = self.in_debt_until_ms.load(Ordering::Relaxed);
        if until_ms == 0 {
            return ThrottleTime::NONE;
        }
        ThrottleTime::of_long_ms(until_ms - monotonic_ms())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_time_on_a_thread_counts_and_not_what_a_request_waits_for() {
        let time = ThreadTime::default();
        let task = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            std::thread::sleep(Duration::from_millis(20));
            assert!(time.so_far() >= Duration::from_millis(20));
        };
        time.of(task).await;
        let took = time.so_far();
        assert!(took >= Duration::from_millis(20) && took < Duration::from_millis(280), "{took:?}");
        assert_eq!(time.take(), took);
        assert_eq!(time.so_far(), Duration::ZERO);
    }

    #[test]
    fn a_debt_is_as_long_as_the_longest_and_wanes() {
        let spent = Spent::default();
        assert_eq!(spent.debt(), ThrottleTime::NONE);
        spent.owes(60_000);
        spent.owes(5);
        let debt = spent.debt().as_ms();
        assert!((59_000..=60_000).contains(&debt), "{debt}");
    }
}
