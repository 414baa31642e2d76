//! What background work asks before it reads or writes much: a wait on a thread that may wait,
//! which ends at once when the node stops. `io_budget` decides.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::io_budget::IoBudget;
use crate::clock::monotonic;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;

/// How soon somebody who waits hears of another rate.
const RATE_CHECK: Duration = Duration::from_secs(1);

/// The node stops: nothing more is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stopping;

/// The budget of a node, log.cleaner.io.max.bytes.per.second.
#[derive(Debug)]
pub(super) struct BackgroundIo {
    config: Arc<DynamicBrokerConfig>,
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug)]
struct State {
    budget: IoBudget,
    is_stopping: bool,
}

impl BackgroundIo {
    pub(super) fn new(config: Arc<DynamicBrokerConfig>) -> Self {
        let budget = IoBudget::new(config.background_bytes_per_second(), monotonic());
        let state = Mutex::new(State { budget, is_stopping: false });
        Self { config, state, stopped: Condvar::new() }
    }

    /// Returns when so many bytes may be read or written.
    pub(super) fn acquire(&self, bytes: u64) -> Result<(), Stopping> {
        let mut state = self.state.lock();
        while !state.is_stopping {
            let now = monotonic();
            state.budget.set_rate(self.config.background_bytes_per_second(), now);
            match state.budget.take(bytes, now) {
                Ok(()) => return Ok(()),
                // Whether it is told or has waited long enough is seen above.
                Err(wait) => drop(self.stopped.wait_for(&mut state, wait.min(RATE_CHECK))),
            }
        }
        Err(Stopping)
    }

    /// Whoever waits or comes later is told that the node stops.
    pub(super) fn stop(&self) {
        self.state.lock().is_stopping = true;
        self.stopped.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use config::BrokerConfig;
    use config::broker::zero_properties;

    use super::*;

    fn io(bytes_per_second: &str) -> (Arc<DynamicBrokerConfig>, BackgroundIo) {
        let config = Arc::new(DynamicBrokerConfig::new(with_rate(bytes_per_second)));
        (Arc::clone(&config), BackgroundIo::new(config))
    }

    fn with_rate(bytes_per_second: &str) -> BrokerConfig {
        let mut properties = zero_properties();
        properties.set("log.cleaner.io.max.bytes.per.second", bytes_per_second);
        BrokerConfig::from_properties(&properties).unwrap().0
    }

    #[test]
    fn whoever_waits_ends_with_the_node() {
        let (_, io) = io("1");
        assert_eq!(io.acquire(1_000_000), Ok(()));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| io.acquire(1));
            io.stop();
            assert_eq!(waiting.join().unwrap(), Err(Stopping));
        });
        assert_eq!(io.acquire(0), Err(Stopping));
    }

    #[test]
    fn a_rate_that_is_raised_is_noticed_by_those_who_wait() {
        let (config, io) = io("1");
        assert_eq!(io.acquire(1_000_000), Ok(()));
        config.set(with_rate("1e12"));
        assert_eq!(io.acquire(1), Ok(()), "eleven days before");
    }
}
