//! What a shard is told from outside: limits from the configuration, who calls.
//!
//! Defaults are those of `GroupCoordinatorConfig`.

use protocol::wire::StrBytes;

use super::modern::assignor::Assignor;
use super::share::ShareGroupSettings;
use super::streams::StreamsSettings;

/// Which way groups with members go between the classic and the consumer protocol
/// (group.consumer.migration.policy). Answers to `ConsumerGroupMigrationPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationPolicy {
    Disabled,
    Upgrade,
    Downgrade,
    Bidirectional,
}

impl MigrationPolicy {
    /// By its name in any case; what is none disables.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name.to_lowercase().as_str() {
            "upgrade" => Self::Upgrade,
            "downgrade" => Self::Downgrade,
            "bidirectional" => Self::Bidirectional,
            _ => Self::Disabled,
        }
    }

    pub(super) fn allows_upgrade(self) -> bool {
        matches!(self, Self::Upgrade | Self::Bidirectional)
    }

    pub(super) fn allows_downgrade(self) -> bool {
        matches!(self, Self::Downgrade | Self::Bidirectional)
    }
}

/// Limits and delays of the coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSettings {
    /// group.min.session.timeout.ms
    pub min_session_timeout_ms: i32,
    /// group.max.session.timeout.ms
    pub max_session_timeout_ms: i32,
    /// group.max.size
    pub max_size: usize,
    /// group.initial.rebalance.delay.ms
    pub initial_rebalance_delay_ms: u64,
    /// How long a new member's parked join holds its place; Kafka has no key for it.
    pub new_member_join_timeout_ms: u64,
    /// offset.metadata.max.bytes
    pub offset_metadata_max_size: usize,
    /// offsets.retention.minutes, in milliseconds
    pub offsets_retention_ms: i64,
    /// offsets.retention.check.interval.ms
    pub retention_check_interval_ms: u64,
    /// group.consumer.assignors, the first of them for members that ask for none
    pub consumer_assignors: Vec<Assignor>,
    /// group.consumer.max.size
    pub consumer_max_size: usize,
    /// group.consumer.migration.policy
    pub migration_policy: MigrationPolicy,
    /// group.consumer.session.timeout.ms
    pub consumer_session_timeout_ms: i32,
    /// group.consumer.heartbeat.interval.ms
    pub consumer_heartbeat_interval_ms: i32,
    /// What a group may set for itself: group.consumer.min and .max.session.timeout.ms
    pub consumer_session_bounds_ms: (i32, i32),
    /// The same: group.consumer.min and .max.heartbeat.interval.ms
    pub consumer_heartbeat_bounds_ms: (i32, i32),
    /// group.consumer.regex.refresh.interval.ms
    pub consumer_regex_refresh_interval_ms: i64,
    /// Between two target assignments of a group: group.consumer.assignment.interval.ms (KIP-1263)
    pub consumer_assignment_interval_ms: i32,
    /// What a group may set for itself: group.consumer.min and .max.assignment.interval.ms
    pub consumer_assignment_bounds_ms: (i32, i32),
    /// group.share.*
    pub share: ShareGroupSettings,
    /// group.streams.*
    pub streams: StreamsSettings,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 1_800_000,
            max_size: i32::MAX as usize,
            initial_rebalance_delay_ms: 3_000,
            new_member_join_timeout_ms: 300_000,
            offset_metadata_max_size: 4_096,
            offsets_retention_ms: 7 * 24 * 60 * 60 * 1000,
            retention_check_interval_ms: 600_000,
            consumer_assignors: vec![Assignor::Uniform, Assignor::Range],
            consumer_max_size: i32::MAX as usize,
            migration_policy: MigrationPolicy::Bidirectional,
            consumer_session_timeout_ms: 45_000,
            consumer_heartbeat_interval_ms: 5_000,
            consumer_session_bounds_ms: (45_000, 60_000),
            consumer_heartbeat_bounds_ms: (5_000, 15_000),
            consumer_regex_refresh_interval_ms: 600_000,
            consumer_assignment_interval_ms: 1_000,
            consumer_assignment_bounds_ms: (0, 15_000),
            share: ShareGroupSettings::default(),
            streams: StreamsSettings::default(),
        }
    }
}

impl GroupSettings {
    /// What members get that ask for no assignor.
    #[must_use]
    pub fn default_assignor(&self) -> Assignor {
        self.consumer_assignors.first().copied().unwrap_or(Assignor::Uniform)
    }
}

/// Who sent a request.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    pub client_id: &'a str,
    /// As Kafka prints it, with a slash in front.
    pub client_host: &'a str,
    pub api_version: i16,
}

/// A copy that does not keep the frame it came in alive.
pub(super) fn own(text: &StrBytes) -> StrBytes {
    StrBytes::from_string(text.as_str().to_owned())
}
