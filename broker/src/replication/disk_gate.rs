//! Where writes to the log meet the runtime: a disk that blocks for seconds must not stop it.
//!
//! A write into the page cache takes microseconds, so it is made right on the connection's task.
//! But it may block when the disk is slow, and a runtime whose workers all sit in write() serves
//! nobody. At most `inline_max` writes are made inline at once, fewer than the runtime
//! has workers; who finds them taken hands its worker's other tasks to another thread first. So
//! some workers always go on serving heartbeats and reads, however many writes hang.
//!
//! A worker that hangs polls no sockets, and an idle one sleeps until somebody hands it a task: so
//! while a write is under way, a thread of its own hands the runtime an empty one every few
//! milliseconds, and whoever takes it looks after the sockets.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

/// Workers beyond the processors, which go on while inline writes hang.
const SPARE_WORKERS: usize = 2;

/// How long sockets may go unwatched while a write hangs.
const WATCH_INTERVAL: Duration = Duration::from_millis(20);

pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// How many workers the runtime has.
pub(crate) fn workers() -> usize {
    processors() + SPARE_WORKERS
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

    /// Sees to it that sockets are watched while writes hang, for as long as the gate is used.
    pub(crate) fn watch(self: &Arc<Self>, runtime: Handle) -> std::io::Result<()> {
        let gate = Arc::downgrade(self);
        let thread = std::thread::Builder::new().name("gregor-disk-watch".to_owned());
        thread.spawn(move || keep_awake(&gate, &runtime)).map(drop)
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

fn keep_awake(gate: &Weak<DiskGate>, runtime: &Handle) {
    loop {
        std::thread::sleep(WATCH_INTERVAL);
        let Some(gate) = gate.upgrade() else { return };
        if gate.inline.load(Ordering::Relaxed) > 0 {
            runtime.spawn(std::future::ready(()));
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
    use std::sync::mpsc;

    use super::*;

    /// What a client of a runtime whose only busy worker hangs in a write gets to hear.
    #[test]
    fn sockets_are_served_while_a_write_hangs() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let gate = Arc::new(DiskGate::new(1));
        gate.watch(runtime.handle().clone()).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let (release, hang) = mpsc::channel::<()>();
        let writer = Arc::clone(&gate);
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let (_first, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let (second, _) = listener.accept().await.unwrap();
                second.writable().await.unwrap();
                second.try_write(b"served").unwrap();
            });
            tokio::time::sleep(Duration::from_millis(50)).await;
            writer.run(|| hang.recv()).unwrap_err();
        });
        let _first = std::net::TcpStream::connect(address).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let mut second = std::net::TcpStream::connect(address).unwrap();
        second.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut heard = [0; 6];
        std::io::Read::read_exact(&mut second, &mut heard).expect("served while the write hangs");
        drop(release);
    }

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
