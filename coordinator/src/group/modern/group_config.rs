//! What a group may set for itself, and which value counts: its own within the broker's bounds,
//! else the cluster's where that can be changed at run time, else the broker's.
//!
//! Answers to `GroupConfig` and `GroupConfigManager`; the interval between assignments to KIP-1263.

use super::super::shard::GroupShard;
use crate::runtime::Now;

/// Settings of groups that are numbers, and that a coordinator asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupConfig {
    ConsumerSessionTimeoutMs,
    ConsumerHeartbeatIntervalMs,
    ConsumerAssignmentIntervalMs,
    ShareSessionTimeoutMs,
    ShareHeartbeatIntervalMs,
    ShareAssignmentIntervalMs,
    StreamsSessionTimeoutMs,
    StreamsHeartbeatIntervalMs,
    StreamsAssignmentIntervalMs,
    StreamsNumStandbyReplicas,
    StreamsInitialRebalanceDelayMs,
}

impl GroupConfig {
    /// The key of the group's resource.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::ConsumerSessionTimeoutMs => "consumer.session.timeout.ms",
            Self::ConsumerHeartbeatIntervalMs => "consumer.heartbeat.interval.ms",
            Self::ConsumerAssignmentIntervalMs => "consumer.assignment.interval.ms",
            Self::ShareSessionTimeoutMs => "share.session.timeout.ms",
            Self::ShareHeartbeatIntervalMs => "share.heartbeat.interval.ms",
            Self::ShareAssignmentIntervalMs => "share.assignment.interval.ms",
            Self::StreamsSessionTimeoutMs => "streams.session.timeout.ms",
            Self::StreamsHeartbeatIntervalMs => "streams.heartbeat.interval.ms",
            Self::StreamsAssignmentIntervalMs => "streams.assignment.interval.ms",
            Self::StreamsNumStandbyReplicas => "streams.num.standby.replicas",
            Self::StreamsInitialRebalanceDelayMs => "streams.initial.rebalance.delay.ms",
        }
    }

    /// The broker's key where the cluster can change it for all groups at run time.
    #[must_use]
    pub fn cluster_key(self) -> Option<&'static str> {
        match self {
            Self::ConsumerAssignmentIntervalMs => Some("group.consumer.assignment.interval.ms"),
            Self::ShareAssignmentIntervalMs => Some("group.share.assignment.interval.ms"),
            Self::StreamsAssignmentIntervalMs => Some("group.streams.assignment.interval.ms"),
            _ => None,
        }
    }
}

/// A group's own value within the broker's bounds: what was set when they were others counts as the
/// nearest; the broker's where it has none.
#[must_use]
pub fn within_bounds(own: Option<i32>, (least, most): (i32, i32), of_broker: i32) -> i32 {
    own.map_or(of_broker, |own| own.min(most).max(least))
}

impl GroupShard {
    pub(in super::super) fn group_config(
        &self,
        group: &str,
        config: GroupConfig,
        bounds: (i32, i32),
        of_broker: i32,
    ) -> i32 {
        within_bounds(self.metadata.image.group_config(group, config), bounds, of_broker)
    }
}

/// Whether enough time has passed since the last target assignment; 0 where there was none.
pub(in super::super) fn may_assign(assigned_at_ms: i64, interval_ms: i32, now: Now) -> bool {
    assigned_at_ms == 0
        || interval_ms == 0
        || now.wall_ms >= assigned_at_ms + i64::from(interval_ms)
}
