//! Records about topics and their partitions (keys 2, 3, 5, 9, 28 of `common/metadata`).
//!
//! Versions: 1 of the partition records adds directories (KIP-858), 2 the eligible leader replicas
//! (KIP-966). In a change record "unchanged" is null, -1 or -2, never an absent meaning.

use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use crate::records::fields::record;

/// `leader` of a change record that leaves the leader as it is.
pub const NO_LEADER_CHANGE: i32 = -2;
/// `leader` when a partition has none.
pub const NO_LEADER: i32 = -1;

record! {
    /// A topic exists.
    TopicRecord {
        name: StrBytes = StrBytes::default(), since 0;
        topic_id: Uuid = Uuid::nil(), since 0;
    }

    /// A topic and all its partitions are gone.
    RemoveTopicRecord {
        topic_id: Uuid = Uuid::nil(), since 0;
    }

    /// A partition, whole.
    PartitionRecord {
        partition_id: i32 = -1, since 0;
        topic_id: Uuid = Uuid::nil(), since 0;
        /// In the order of preference.
        replicas: Vec<i32> = Vec::new(), since 0;
        isr: Vec<i32> = Vec::new(), since 0;
        removing_replicas: Vec<i32> = Vec::new(), since 0;
        adding_replicas: Vec<i32> = Vec::new(), since 0;
        leader: i32 = NO_LEADER, since 0;
        /// 1 while the partition recovers from an unclean election.
        leader_recovery_state: i8 = 0, since 0, tag 0;
        leader_epoch: i32 = -1, since 0;
        partition_epoch: i32 = -1, since 0;
        /// One for each replica, in the same order.
        directories: Vec<Uuid> = Vec::new(), since 1;
        eligible_leader_replicas: Option<Vec<i32>> = None, since 2, tag 1;
        last_known_elr: Option<Vec<i32>> = None, since 2, tag 2;
    }

    /// What changed in a partition.
    PartitionChangeRecord {
        partition_id: i32 = -1, since 0;
        topic_id: Uuid = Uuid::nil(), since 0;
        isr: Option<Vec<i32>> = None, since 0, tag 0;
        leader: i32 = NO_LEADER_CHANGE, since 0, tag 1;
        replicas: Option<Vec<i32>> = None, since 0, tag 2;
        removing_replicas: Option<Vec<i32>> = None, since 0, tag 3;
        adding_replicas: Option<Vec<i32>> = None, since 0, tag 4;
        leader_recovery_state: i8 = -1, since 0, tag 5;
        eligible_leader_replicas: Option<Vec<i32>> = None, since 2, tag 6;
        last_known_elr: Option<Vec<i32>> = None, since 2, tag 7;
        directories: Option<Vec<Uuid>> = None, since 1, tag 8;
    }

    /// The eligible leader replicas of a topic, or of all when the name is empty, are forgotten.
    ClearElrRecord {
        topic_name: StrBytes = StrBytes::default(), since 0;
    }
}
