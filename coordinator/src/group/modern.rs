//! What the groups of KIP-848 have in common: what the coordinator knows of topics, assignments,
//! and who shares partitions out. Answers to Kafka's `coordinator.group.modern`.

mod assignment;
pub(super) mod assignor;
mod group_config;
mod java_order;
mod metadata;
mod metadata_hash;

pub use assignment::Assignment;
pub use group_config::{GroupConfig, within_bounds};
pub use metadata::{ClusterMetadata, NoMetadata, TopicMetadata};

pub(super) use group_config::may_assign;
pub(super) use java_order::{
    hash_map_order, hash_set_order, sized_hash_map_order, timeline_map_order,
};
pub(super) use metadata_hash::{MetadataHashes, group_hash};
