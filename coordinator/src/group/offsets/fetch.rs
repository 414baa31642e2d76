//! OffsetFetch: what a group has committed. Answers to `OffsetMetadataManager.fetchOffsets` and
//! `fetchAllOffsets`.

use protocol::records::group::OffsetCommitKey;
use protocol::wire::StrBytes;

use super::super::answer::GroupError;
use super::super::shard::{Group, GroupShard};
use super::{CommittedOffset, Slot};

/// One topic's committed offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedTopic {
    pub topic: StrBytes,
    pub partitions: Vec<FetchedPartition>,
}

/// One partition's committed offset, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPartition {
    pub partition: i32,
    pub offset: Result<Option<CommittedOffset>, GroupError>,
}

impl GroupShard {
    /// OffsetFetch for these partitions. A client that requires stable offsets is told which
    /// partitions open transactions hold; it asks when the newest write under way is written.
    pub fn fetch_offsets(
        &self,
        group: &StrBytes,
        member: Option<(&StrBytes, i32)>,
        topics: &[(StrBytes, Vec<i32>)],
        require_stable: bool,
    ) -> Result<Vec<FetchedTopic>, GroupError> {
        self.validate_fetch(group, member)?;
        let fetched = topics.iter().map(|(topic, partitions)| FetchedTopic {
            topic: topic.clone(),
            partitions: partitions
                .iter()
                .map(|partition| self.fetch_one(group, topic, *partition, require_stable))
                .collect(),
        });
        Ok(fetched.collect())
    }

    /// OffsetFetch for all that the group has committed.
    pub fn fetch_all_offsets(
        &self,
        group: &StrBytes,
        member: Option<(&StrBytes, i32)>,
        require_stable: bool,
    ) -> Result<Vec<FetchedTopic>, GroupError> {
        self.validate_fetch(group, member)?;
        let topics = self.offsets.topics_of(group).into_iter().flatten();
        let fetched = topics.filter_map(|(topic, slots)| {
            let written = |(_, slot): &(&i32, &Slot)| slot.committed().is_some();
            let partitions: Vec<FetchedPartition> = slots
                .iter()
                .filter(written)
                .map(|(partition, _)| self.fetch_one(group, topic, *partition, require_stable))
                .collect();
            let topic = topic.clone();
            (!partitions.is_empty()).then_some(FetchedTopic { topic, partitions })
        });
        Ok(fetched.collect())
    }

    /// A classic group answers anybody, a consumer group its members by what stands in the log; a
    /// member of another protocol is not known here.
    fn validate_fetch(
        &self,
        group: &StrBytes,
        member: Option<(&StrBytes, i32)>,
    ) -> Result<(), GroupError> {
        match self.groups.committed(group) {
            Some(Group::Consumer(group)) => {
                let (member, epoch) = member.unzip();
                group.validate_fetch(member, epoch.unwrap_or(-1))
            }
            Some(Group::Streams(group)) => {
                let (member, epoch) = member.unzip();
                group.validate_fetch(member, epoch.unwrap_or(-1))
            }
            _ => Ok(()),
        }
    }

    fn fetch_one(
        &self,
        group: &StrBytes,
        topic: &StrBytes,
        partition: i32,
        require_stable: bool,
    ) -> FetchedPartition {
        let key = OffsetCommitKey { group: group.clone(), topic: topic.clone(), partition };
        let offset = if require_stable && self.offsets.is_unstable(&key) {
            Err(GroupError::UnstableOffset)
        } else {
            let topics = self.offsets.topics_of(group);
            let slot = topics.and_then(|topics| topics.get(topic)?.get(&partition));
            Ok(slot.and_then(|slot| slot.committed().cloned()))
        };
        FetchedPartition { partition, offset }
    }
}
