//! Which task of a node's upkeep runs when. Pure: the time comes in, runs are begun and reported
//! by `scheduler`.
//!
//! ```text
//! add ─▶ waiting ── begin, when due ─▶ running ── ended ─▶ waiting, due at its next turn
//! ```
//! A task's turns are `delay` after it was added and every `period` from then on. Kept true:
//! - a task does not run twice at a time;
//! - a run is begun at a turn or later, and stands for all turns that have gone by: those that a
//!   long run or a want of threads let pass are not made up;
//! - of those that are due the one whose turn was earliest is begun first, so that even a single
//!   thread comes to all of them;
//! - however a run ended, the task goes on. A run that failed is no run that was done.
//!
//! Kafka: `KafkaScheduler`, `ScheduledThreadPoolExecutor.scheduleAtFixedRate`. Unlike Kafka, where
//! missed turns are made up one straight after the other (docs/decisions/0360).

use std::time::Duration;

/// Between two lines about a task whose runs keep failing.
const SAID_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// A task of a schedule, by the order in which they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskId(pub(super) usize);

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// An error, or a panic.
    Failed,
}

/// What is to be said of a run that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    Nothing,
    /// So many runs in a row have failed.
    Failing {
        runs: u64,
    },
    /// The first that was done after so many failed ones.
    DoneAgain {
        failed: u64,
    },
}

#[derive(Debug)]
struct Task {
    period: Duration,
    /// Its next turn, or the last that its run stands for. Kept true: the period is no zero.
    turn: Duration,
    is_running: bool,
    failed_in_a_row: u64,
    /// When its failures were last told.
    said_at: Option<Duration>,
}

/// The tasks and their turns; times are measured from any fixed moment.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    tasks: Vec<Task>,
}

impl Schedule {
    /// A task that is due first after `delay`.
    pub(super) fn add(&mut self, delay: Duration, period: Duration, now: Duration) -> TaskId {
        self.tasks.push(Task {
            period: period.max(Duration::from_millis(1)),
            turn: now.saturating_add(delay),
            is_running: false,
            failed_in_a_row: 0,
            said_at: None,
        });
        TaskId(self.tasks.len() - 1)
    }

    /// Begins a run, if one is due.
    pub(super) fn begin(&mut self, now: Duration) -> Option<TaskId> {
        let waiting = self.tasks.iter_mut().enumerate().filter(|(_, task)| !task.is_running);
        let (at, task) = waiting.min_by_key(|(_, task)| task.turn)?;
        let over = now.checked_sub(task.turn)?.as_nanos();
        task.turn += nanos(over - over % task.period.as_nanos());
        task.is_running = true;
        Some(TaskId(at))
    }

    /// The earliest turn of those that do not run.
    pub(super) fn next_turn(&self) -> Option<Duration> {
        self.tasks.iter().filter(|task| !task.is_running).map(|task| task.turn).min()
    }

    /// A run that was begun has ended.
    pub(super) fn ended(&mut self, task: TaskId, outcome: Outcome, now: Duration) -> Report {
        let Some(task) = self.tasks.get_mut(task.0) else { return Report::Nothing };
        task.is_running = false;
        task.turn = next_turn(task.turn, task.period, now);
        match outcome {
            Outcome::Done => {
                task.said_at = None;
                match std::mem::take(&mut task.failed_in_a_row) {
                    0 => Report::Nothing,
                    failed => Report::DoneAgain { failed },
                }
            }
            Outcome::Failed => {
                task.failed_in_a_row += 1;
                if task.said_at.is_some_and(|at| now.saturating_sub(at) < SAID_AGAIN_AFTER) {
                    return Report::Nothing;
                }
                task.said_at = Some(now);
                Report::Failing { runs: task.failed_in_a_row }
            }
        }
    }
}

/// The first turn after `turn` that is not over at `now`.
fn next_turn(turn: Duration, period: Duration, now: Duration) -> Duration {
    let next = turn.saturating_add(period);
    match now.checked_sub(next) {
        Some(over) => next + nanos(over.as_nanos().next_multiple_of(period.as_nanos())),
        None => next,
    }
}

/// No node runs for the 584 years that do not fit.
fn nanos(count: u128) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap_or(u64::MAX))
}

#[cfg(test)]
#[path = "schedule_test.rs"]
mod tests;
