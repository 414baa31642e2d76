//! Which seeds a run has, and what it came to.
//!
//! `GREGOR_SEEDS=n` runs so many, `GREGOR_FIRST_SEED=n` begins there; `tests/run --long` has
//! 20,000 of each world.
#![allow(dead_code, reason = "not every run is told of, nor has one seed alone")]

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

const LONG: u64 = 20_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// A range of seeds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seeds {
    pub(crate) first: u64,
    pub(crate) count: u64,
}

impl Seeds {
    /// The usual number from 0 on, unless the environment asks for others.
    pub(crate) fn chosen(usual: u64) -> Self {
        let long = std::env::var_os("GREGOR_LONG").is_some();
        let count = number("GREGOR_SEEDS").unwrap_or(if long { LONG } else { usual });
        Self { first: number("GREGOR_FIRST_SEED").unwrap_or(0), count }
    }

    /// The one to run alone and tell of.
    pub(crate) fn sole() -> Option<u64> {
        number("GREGOR_SEED")
    }

    /// Runs each on as many threads as there are processors. `take` gets what came of them, one at
    /// a time and in no order, and says whether there is need of more.
    pub(crate) fn run_each<R>(
        self,
        run: impl Fn(u64) -> R + Sync,
        take: impl FnMut(u64, R) -> ControlFlow<()> + Send,
    ) {
        let (next, end) = (AtomicU64::new(self.first), self.first + self.count);
        let take = Mutex::new(take);
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= end {
                            return;
                        }
                        let ran = run(seed);
                        let mut take = take.lock().expect("no thread panics while it takes");
                        if take(seed, ran).is_break() {
                            next.store(end, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
    }

    /// Straight to the log of the run: what passes prints nothing otherwise.
    pub(crate) fn say(self, simulated_ms: u64) {
        let used = clock_gettime(ClockId::ProcessCPUTime);
        let used = Duration::new(used.tv_sec as u64, used.tv_nsec as u32).as_secs_f64() / 3_600.0;
        let simulated = simulated_ms as f64 / 3_600_000.0;
        let _ = writeln!(
            std::io::stderr(),
            "seeds {} … {}: {simulated:.0} simulated hours in {used:.3} CPU hours, {:.0} in one",
            self.first,
            self.first + self.count - 1,
            simulated / used,
        );
    }
}
