//! Limits and delays of streams groups: the broker's, and what counts for a group.
//!
//! Defaults are those of `GroupCoordinatorConfig`.

use super::super::modern::GroupConfig;
use super::super::shard::GroupShard;

/// Of the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamsSettings {
    /// group.streams.max.size
    pub max_size: usize,
    /// group.streams.session.timeout.ms
    pub session_timeout_ms: i32,
    /// group.streams.heartbeat.interval.ms
    pub heartbeat_interval_ms: i32,
    /// group.streams.num.standby.replicas
    pub num_standby_replicas: i32,
    /// group.streams.initial.rebalance.delay.ms
    pub initial_rebalance_delay_ms: i32,
    /// group.streams.assignment.interval.ms
    pub assignment_interval_ms: i32,
    /// What a group may set for itself: group.streams.min and .max.session.timeout.ms
    pub session_bounds_ms: (i32, i32),
    /// The same: group.streams.min and .max.heartbeat.interval.ms
    pub heartbeat_bounds_ms: (i32, i32),
    /// The same: group.streams.min and .max.assignment.interval.ms
    pub assignment_bounds_ms: (i32, i32),
    /// The same: group.streams.max.standby.replicas
    pub max_standby_replicas: i32,
}

impl Default for StreamsSettings {
    fn default() -> Self {
        Self {
            max_size: i32::MAX as usize,
            session_timeout_ms: 45_000,
            heartbeat_interval_ms: 5_000,
            num_standby_replicas: 0,
            initial_rebalance_delay_ms: 3_000,
            assignment_interval_ms: 1_000,
            session_bounds_ms: (45_000, 60_000),
            heartbeat_bounds_ms: (5_000, 15_000),
            assignment_bounds_ms: (0, 15_000),
            max_standby_replicas: 2,
        }
    }
}

impl GroupShard {
    pub(super) fn streams_session_timeout_ms(&self, group: &str) -> i32 {
        let of = &self.settings.streams;
        let config = GroupConfig::StreamsSessionTimeoutMs;
        self.group_config(group, config, of.session_bounds_ms, of.session_timeout_ms)
    }

    pub(super) fn streams_heartbeat_interval_ms(&self, group: &str) -> i32 {
        let of = &self.settings.streams;
        let config = GroupConfig::StreamsHeartbeatIntervalMs;
        self.group_config(group, config, of.heartbeat_bounds_ms, of.heartbeat_interval_ms)
    }

    pub(super) fn streams_standby_replicas(&self, group: &str) -> i32 {
        let of = &self.settings.streams;
        let (config, bounds) =
            (GroupConfig::StreamsNumStandbyReplicas, (i32::MIN, of.max_standby_replicas));
        self.group_config(group, config, bounds, of.num_standby_replicas)
    }

    pub(super) fn streams_initial_rebalance_delay_ms(&self, group: &str) -> i32 {
        let of = &self.settings.streams;
        let (config, bounds) = (GroupConfig::StreamsInitialRebalanceDelayMs, (i32::MIN, i32::MAX));
        self.group_config(group, config, bounds, of.initial_rebalance_delay_ms)
    }

    pub(super) fn streams_assignment_interval_ms(&self, group: &str) -> i32 {
        let of = &self.settings.streams;
        let config = GroupConfig::StreamsAssignmentIntervalMs;
        self.group_config(group, config, of.assignment_bounds_ms, of.assignment_interval_ms)
    }
}
