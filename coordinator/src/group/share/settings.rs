//! What share groups take from the configuration. Defaults are those of `GroupCoordinatorConfig`.

/// Limits and delays of share groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareGroupSettings {
    /// group.share.max.size
    pub max_size: usize,
    /// group.share.session.timeout.ms
    pub session_timeout_ms: i32,
    /// group.share.heartbeat.interval.ms
    pub heartbeat_interval_ms: i32,
    /// What a group may set for itself: group.share.min and .max.session.timeout.ms
    pub session_bounds_ms: (i32, i32),
    /// The same: group.share.min and .max.heartbeat.interval.ms
    pub heartbeat_bounds_ms: (i32, i32),
    /// Between two target assignments of a group: group.share.assignment.interval.ms
    pub assignment_interval_ms: i32,
    /// What a group may set for itself: group.share.min and .max.assignment.interval.ms
    pub assignment_interval_bounds_ms: (i32, i32),
    /// After how long a partition that waits for its state is asked for again:
    /// group.share.initialize.retry.interval.ms
    pub initialize_retry_interval_ms: i32,
}

impl Default for ShareGroupSettings {
    fn default() -> Self {
        Self {
            max_size: 200,
            session_timeout_ms: 45_000,
            heartbeat_interval_ms: 5_000,
            session_bounds_ms: (45_000, 60_000),
            heartbeat_bounds_ms: (5_000, 15_000),
            assignment_interval_ms: 1_000,
            assignment_interval_bounds_ms: (0, 15_000),
            initialize_retry_interval_ms: 30_000,
        }
    }
}
