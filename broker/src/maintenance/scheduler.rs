//! Runs the tasks of a schedule on threads that may block, at most background.threads of them at a
//! time. `schedule` decides when.
//!
//! A run that panics is said with its task's name and is no end of it. Kafka: `KafkaScheduler`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::schedule::{Outcome, Report, Schedule, TaskId};
use crate::clock::monotonic;

/// How long runs under way may take to end when the node stops. One that hangs on its disk does
/// not keep the node from closing what it can.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(5);
/// How soon it is noticed that there may be more threads while all of them are busy.
const THREADS_CHECK: Duration = Duration::from_secs(1);

/// Work that is done again and again.
pub(super) struct ScheduledTask {
    /// Kafka's name of it.
    pub(super) name: &'static str,
    pub(super) delay: Duration,
    pub(super) period: Duration,
    /// Whether it was done.
    pub(super) work: Arc<dyn Fn() -> Outcome + Send + Sync>,
}

/// Tasks that run until this is stopped or dropped.
#[derive(Debug)]
pub(super) struct Scheduler {
    /// How long is waited for runs under way, once the node stops.
    stopping: watch::Sender<Option<Duration>>,
    driver: JoinHandle<()>,
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Scheduler {
    /// `threads` is asked before each run how many may be under way.
    pub(super) fn start(
        tasks: Vec<ScheduledTask>,
        threads: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Self {
        let (stopping, stopped) = watch::channel(None);
        Self { stopping, driver: tokio::spawn(drive(tasks, threads, stopped)) }
    }

    /// Begins nothing more, and waits [`STOP_GRACE`] at most for what is under way.
    pub(super) async fn stop(&mut self) {
        self.stop_within(STOP_GRACE).await;
    }

    async fn stop_within(&mut self, grace: Duration) {
        // A driver that is gone has nothing under way.
        let _ = self.stopping.send(Some(grace));
        let _ = (&mut self.driver).await;
    }
}

/// The end of one run: of which task, and whether it came to its end.
type Ended = (TaskId, Result<Outcome, Box<dyn Any + Send>>);

async fn drive(
    tasks: Vec<ScheduledTask>,
    threads: impl Fn() -> usize,
    mut stopping: watch::Receiver<Option<Duration>>,
) {
    let mut schedule = Schedule::default();
    for task in &tasks {
        schedule.add(task.delay, task.period, monotonic());
    }
    let mut runs: JoinSet<Ended> = JoinSet::new();
    let grace = loop {
        while runs.len() < threads()
            && let Some(id) = schedule.begin(monotonic())
            && let Some(task) = tasks.get(id.0)
        {
            let work = Arc::clone(&task.work);
            runs.spawn_blocking(move || (id, catch_unwind(AssertUnwindSafe(|| work()))));
        }
        let pause = match schedule.next_turn() {
            Some(turn) if runs.len() < threads() => turn.saturating_sub(monotonic()),
            _ => THREADS_CHECK,
        };
        tokio::select! {
            Some(Ok((id, ended))) = runs.join_next() => {
                let Some(task) = tasks.get(id.0) else { continue };
                let (outcome, panic) = match ended {
                    Ok(outcome) => (outcome, None),
                    Err(panic) => (Outcome::Failed, Some(panic)),
                };
                say(task.name, schedule.ended(id, outcome, monotonic()), panic.as_deref());
            }
            () = tokio::time::sleep(pause) => {}
            grace = stopping.wait_for(Option::is_some) => break grace.ok().and_then(|grace| *grace),
        }
    };
    let all = async { while runs.join_next().await.is_some() {} };
    if tokio::time::timeout(grace.unwrap_or_default(), all).await.is_err() {
        tracing::warn!(
            target: "org.apache.kafka.server.util.KafkaScheduler",
            "{} tasks are under way still and are not waited for", runs.len(),
        );
    }
}

/// A failure of storage is said by whoever keeps the directories; here is how often there were any.
fn say(name: &str, report: Report, panic: Option<&(dyn Any + Send)>) {
    let why = match panic {
        None => String::new(),
        Some(panic) => {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            format!(": panicked: {}", text.unwrap_or("no reason given"))
        }
    };
    match report {
        Report::Nothing => {}
        Report::Failing { runs } => tracing::error!(
            target: "org.apache.kafka.server.util.KafkaScheduler",
            "Uncaught exception in scheduled task '{name}', {runs} in a row{why}",
        ),
        Report::DoneAgain { failed } => tracing::info!(
            target: "org.apache.kafka.server.util.KafkaScheduler",
            "Scheduled task '{name}' is done again after {failed} runs that failed",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use parking_lot::Mutex;

    use super::*;

    fn task(
        name: &'static str,
        work: impl Fn() -> Outcome + Send + Sync + 'static,
    ) -> ScheduledTask {
        let period = Duration::from_millis(2);
        ScheduledTask { name, delay: Duration::ZERO, period, work: Arc::new(work) }
    }

    async fn until(done: impl Fn() -> bool) {
        while !done() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn a_run_that_panics_or_fails_is_no_end_of_its_task_nor_of_others() {
        let counts: Arc<[AtomicUsize; 3]> = Arc::default();
        let counted = |at: usize, end: fn() -> Outcome| {
            let counts = Arc::clone(&counts);
            task("test", move || {
                counts[at].fetch_add(1, Ordering::Relaxed);
                end()
            })
        };
        let tasks = vec![
            counted(0, || panic!("on purpose")),
            counted(1, || Outcome::Failed),
            counted(2, || Outcome::Done),
        ];
        let mut scheduler = Scheduler::start(tasks, || 2);
        until(|| counts.iter().all(|count| count.load(Ordering::Relaxed) >= 5)).await;
        scheduler.stop().await;
        let at_stop: Vec<usize> =
            counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let later: Vec<usize> = counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        assert_eq!(at_stop, later, "nothing is begun after the stop");
    }

    #[tokio::test]
    async fn no_more_run_at_a_time_than_there_may_be_and_more_when_that_is_raised() {
        let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let threads = Arc::new(AtomicUsize::new(2));
        let busy = |_| {
            let (under_way, most) = (Arc::clone(&under_way), Arc::clone(&most));
            task("busy", move || {
                let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(3));
                under_way.fetch_sub(1, Ordering::SeqCst);
                Outcome::Done
            })
        };
        let asked = Arc::clone(&threads);
        let mut scheduler =
            Scheduler::start((0..5).map(busy).collect(), move || asked.load(Ordering::Relaxed));
        until(|| most.load(Ordering::SeqCst) >= 2).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(most.load(Ordering::SeqCst), 2);
        threads.store(4, Ordering::Relaxed);
        until(|| most.load(Ordering::SeqCst) >= 4).await;
        scheduler.stop().await;
        assert_eq!(most.load(Ordering::SeqCst), 4);
        assert_eq!(under_way.load(Ordering::SeqCst), 0, "a stop waits for what is under way");
    }

    #[tokio::test]
    async fn a_stop_waits_for_a_run_that_hangs_so_long_and_no_longer() {
        let (free, freed) = std::sync::mpsc::channel::<()>();
        let (freed, hanging) = (Mutex::new(freed), Arc::new(AtomicUsize::new(0)));
        let hung = Arc::clone(&hanging);
        let stuck = task("stuck", move || {
            hung.fetch_add(1, Ordering::Relaxed);
            assert!(freed.lock().recv().is_err(), "the test ends");
            Outcome::Done
        });
        let mut scheduler = Scheduler::start(vec![stuck], || 1);
        until(|| hanging.load(Ordering::Relaxed) == 1).await;
        let (begun, grace) = (std::time::Instant::now(), Duration::from_millis(30));
        scheduler.stop_within(grace).await;
        assert!((grace..STOP_GRACE).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        drop(free);
    }
}
