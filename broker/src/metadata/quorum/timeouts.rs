//! Durations that the configuration has in milliseconds.

use std::time::Duration;

use config::BrokerConfig;

/// broker.heartbeat.interval.ms, and controller.socket.timeout.ms at most.
pub(super) fn heartbeat_timeout(config: &BrokerConfig) -> Duration {
    let interval_ms = config.broker_heartbeat_interval_ms;
    ms(i64::from(interval_ms.min(config.controller_socket_timeout_ms)))
}

pub(super) fn ms(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
