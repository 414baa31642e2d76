//! Where writes to the log meet the runtime: a disk that blocks for seconds must not stop it.
//!
//! A write into the page cache takes microseconds, so it is made right on the connection's task.
//! But it may block when the disk is slow, and a runtime whose workers all sit in write() serves
//! nobody. At most `inline_max` writes are made inline at once, fewer than the runtime
//! has workers; who finds them taken hands its worker's other tasks to another thread first. So
//! some workers always go on serving heartbeats and reads, however many writes hang.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Workers beyond the processors, which go on while inline writes hang.
const SPARE_WORKERS: usize = 2;

/// How many workers the runtime has.
pub(crate) fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from) + SPARE_WORKERS
}

/// How many of them may be in a write: all but one. Fewer would do as well while the disk is fast,
/// but a worker that was preempted in its write holds its place, and moving tasks away costs more.
pub(crate) fn inline_writes_max() -> usize {
    workers() - 1
}

/// Counts the writes that are being made inline.
#[derive(Debug)]
pub(crate) struct DiskGate {
    inline: AtomicUsize,
    inline_max: usize,
}

impl DiskGate {
    /// `inline_max` writes at once may block their worker.
    pub(crate) fn new(inline_max: usize) -> Self {
        Self { inline: AtomicUsize::new(0), inline_max }
    }

    /// Runs something that may write to a log. Call it from a task of a multi-thread runtime.
    pub(crate) fn run<R>(&self, write: impl FnOnce() -> R) -> R {
        let _seat = Seat(&self.inline);
        if self.inline.fetch_add(1, Ordering::Relaxed) < self.inline_max {
            write()
        } else {
            tokio::task::block_in_place(write)
        }
    }
}

/// Takes one off the count, also when the write panics.
struct Seat<'a>(&'a AtomicUsize);

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn however_many_writes_hang_other_tasks_are_served() {
        let gate = Arc::new(DiskGate::new(1));
        let (release, hang) = mpsc::channel::<()>();
        let hang = Arc::new(parking_lot::Mutex::new(hang));
        let writers: Vec<_> = (0..20)
            .map(|_| {
                let (gate, hang) = (Arc::clone(&gate), Arc::clone(&hang));
                tokio::spawn(async move {
                    gate.run(|| hang.lock().recv()).unwrap_err();
                })
            })
            .collect();
        for _ in 0..10 {
            tokio::time::timeout(Duration::from_secs(5), tokio::spawn(async {}))
                .await
                .expect("a worker was free")
                .unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(release);
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(gate.inline.load(Ordering::Relaxed), 0);
    }
}
