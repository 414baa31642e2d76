//! What the configuration says of a share group: its own settings, else the broker's.
//! Kafka: `ShareGroupConfigProvider`, `GroupConfig`, `ShareGroupAutoOffsetResetStrategy`.

use config::BrokerConfig;
use config::group::ShareOffsetReset;
use coordinator::group::within_bounds;
use raft::image::{ConfigResource, MetadataImage, ResourceType};
use replica::FetchIsolation;
use replica::share::Limits;

/// The settings of one share group as they are now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupSettings {
    pub(crate) limits: Limits,
    pub(crate) isolation: FetchIsolation,
    pub(crate) reset: ShareOffsetReset,
}

impl GroupSettings {
    pub(crate) fn of(config: &BrokerConfig, image: &MetadataImage, group: &str) -> Self {
        let resource = ConfigResource::new(ResourceType::Group, group.to_owned());
        let own = |key: &str| image.configs().value(&resource, key).map(|text| text.trim());
        let number = |key: &str, bounds: (i32, i32), of_broker: i32| {
            within_bounds(own(key).and_then(|text| text.parse().ok()), bounds, of_broker)
        };
        let lock_ms = number(
            "share.record.lock.duration.ms",
            (
                config.group_share_min_record_lock_duration_ms,
                config.group_share_max_record_lock_duration_ms,
            ),
            config.group_share_record_lock_duration_ms,
        );
        let in_flight = number(
            "share.partition.max.record.locks",
            (
                config.group_share_min_partition_max_record_locks,
                config.group_share_max_partition_max_record_locks,
            ),
            config.group_share_partition_max_record_locks,
        );
        let delivery_count = number(
            "share.delivery.count.limit",
            (
                config.group_share_min_delivery_count_limit,
                config.group_share_max_delivery_count_limit,
            ),
            config.group_share_delivery_count_limit,
        );
        Self {
            limits: Limits {
                delivery_count,
                in_flight: in_flight.into(),
                record_lock_duration_ms: lock_ms.into(),
                renew: own("share.renew.acknowledge.enable") != Some("false"),
            },
            isolation: match own("share.isolation.level") {
                Some("read_committed") => FetchIsolation::TxnCommitted,
                _ => FetchIsolation::HighWatermark,
            },
            reset: own("share.auto.offset.reset")
                .and_then(ShareOffsetReset::parse)
                .unwrap_or(ShareOffsetReset::Latest),
        }
    }

    /// For how long members are told that they have what they acquired.
    pub(crate) fn lock_duration_ms(&self) -> i32 {
        i32::try_from(self.limits.record_lock_duration_ms).unwrap_or(i32::MAX)
    }
}
