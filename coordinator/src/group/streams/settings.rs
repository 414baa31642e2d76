//! Limits and delays of streams groups: the broker's, and what a group sets for itself.
//!
//! Defaults are those of `GroupCoordinatorConfig`; the rest answers to `GroupConfig` and
//! `GroupConfigManager`.

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

/// What a group sets for itself; none: the broker's value holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamsOverrides {
    /// streams.session.timeout.ms
    pub session_timeout_ms: Option<i32>,
    /// streams.heartbeat.interval.ms
    pub heartbeat_interval_ms: Option<i32>,
    /// streams.num.standby.replicas
    pub num_standby_replicas: Option<i32>,
    /// streams.initial.rebalance.delay.ms
    pub initial_rebalance_delay_ms: Option<i32>,
    /// streams.assignment.interval.ms
    pub assignment_interval_ms: Option<i32>,
}

/// What was set when the broker's bounds were others counts as the nearest.
fn bounded(own: Option<i32>, (least, most): (i32, i32), otherwise: i32) -> i32 {
    own.map_or(otherwise, |own| own.min(most).max(least))
}

impl GroupShard {
    fn streams_overrides(&self, group: &str) -> StreamsOverrides {
        self.metadata.image().group_overrides(group).streams
    }

    pub(super) fn streams_session_timeout_ms(&self, group: &str) -> i32 {
        let settings = &self.settings.streams;
        let own = self.streams_overrides(group).session_timeout_ms;
        bounded(own, settings.session_bounds_ms, settings.session_timeout_ms)
    }

    pub(super) fn streams_heartbeat_interval_ms(&self, group: &str) -> i32 {
        let settings = &self.settings.streams;
        let own = self.streams_overrides(group).heartbeat_interval_ms;
        bounded(own, settings.heartbeat_bounds_ms, settings.heartbeat_interval_ms)
    }

    pub(super) fn streams_standby_replicas(&self, group: &str) -> i32 {
        let settings = &self.settings.streams;
        let own = self.streams_overrides(group).num_standby_replicas;
        bounded(own, (i32::MIN, settings.max_standby_replicas), settings.num_standby_replicas)
    }

    pub(super) fn streams_initial_rebalance_delay_ms(&self, group: &str) -> i32 {
        let own = self.streams_overrides(group).initial_rebalance_delay_ms;
        own.unwrap_or(self.settings.streams.initial_rebalance_delay_ms)
    }

    pub(super) fn streams_assignment_interval_ms(&self, group: &str) -> i32 {
        let settings = &self.settings.streams;
        let own = self.streams_overrides(group).assignment_interval_ms;
        bounded(own, settings.assignment_bounds_ms, settings.assignment_interval_ms)
    }
}
