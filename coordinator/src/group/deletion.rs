//! How groups and offsets go: DeleteGroups, expiry, topics that were deleted.
//!
//! An offset expires offsets.retention.minutes after its commit, in a group of consumers after the
//! group became empty; a topic that a member subscribes to keeps its offsets. A group without
//! members whose offsets are gone is deleted. Answers to `GroupCoordinatorShard.deleteGroups` and
//! `cleanupGroupMetadata`, `OffsetMetadataManager.cleanupExpiredOffsets` and `onPartitionsDeleted`.

use protocol::records::group::{GroupRecord, OffsetCommitKey};
use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::{DeleteGroupsAnswer, GroupError};
use super::classic::{ClassicGroup, GroupState};
use super::log_event::LogEvent;
use super::offsets::{CommittedOffset, DeletedPartition};
use super::settings::own;
use super::shard::{Group, GroupShard};
use super::timers::{Expiry, TimerKey};
use crate::runtime::{Now, Reply};

/// Tombstones of one write of the clean-up, which may fall apart into several.
const TOMBSTONES_PER_WRITE: usize = 1_000;

/// From when on an offset's retention counts.
enum RetentionStart {
    /// Nothing of the group expires now.
    Never,
    Commit,
    At(i64),
}

impl GroupShard {
    /// DeleteGroups, for the groups that belong to this shard.
    pub fn delete_groups(
        &mut self,
        groups: &[StrBytes],
        reply: Reply<DeleteGroupsAnswer>,
        out: &mut Outputs,
    ) {
        let mut records = Vec::new();
        let mut results = Vec::with_capacity(groups.len());
        let mut deleted: Vec<StrBytes> = Vec::new();
        for id in groups {
            let refusal = match self.group(id) {
                Err(error) => Some(error),
                Ok(group) if !group.is_empty() => Some(GroupError::NonEmptyGroup),
                Ok(_) => None,
            };
            if refusal.is_none() && !deleted.contains(id) {
                records.extend(self.offsets.keys_of(id).into_iter().map(tombstone));
                records.extend(self.group_tombstones(id));
                deleted.push(own(id));
            }
            results.push((own(id), refusal));
        }
        let offsets =
            records.iter().filter(|record| matches!(record, GroupRecord::OffsetCommit { .. }));
        out.log(LogEvent::GroupsDeleted { groups: deleted, offsets: offsets.count() });
        if records.is_empty() {
            out.reply(reply, results);
        } else {
            out.write_and_reply(self, records, reply, results);
        }
    }

    /// What takes a group out of the log, without its offsets.
    pub(super) fn group_tombstones(&self, id: &StrBytes) -> Vec<GroupRecord> {
        match self.groups.latest(id) {
            None => Vec::new(),
            Some(Group::Classic(group)) => {
                vec![GroupRecord::GroupMetadata { group: group.id.clone(), value: None }]
            }
            Some(Group::Consumer(group)) => group.tombstones(),
            Some(Group::Share(group)) => group.tombstones(),
            Some(Group::Streams(group)) => group.tombstones(),
        }
    }

    /// Expires offsets and empty groups, and sets out to do so again.
    pub(super) fn clean_up(&mut self, now: Now, out: &mut Outputs) {
        let interval_ms = self.settings.retention_check_interval_ms;
        self.timers.set(TimerKey::Cleanup, now.monotonic_ms + interval_ms, Expiry::Cleanup);
        // A share group does not expire.
        let expiring = self.groups.iter().filter(|(_, group)| !matches!(group, Group::Share(_)));
        let ids: Vec<StrBytes> = expiring.map(|(id, _)| id.clone()).collect();
        let mut expired = 0;
        let mut records = Vec::new();
        for id in ids {
            let before = records.len();
            let all_gone = self.expire_offsets(&id, now.wall_ms, &mut records);
            expired += records.len() - before;
            if all_gone && self.groups.latest(&id).is_some_and(Group::is_empty) {
                records.extend(self.group_tombstones(&id));
            }
            if records.len() >= TOMBSTONES_PER_WRITE {
                self.write_tombstones(std::mem::take(&mut records), out);
            }
        }
        self.write_tombstones(records, out);
        if expired > 0 {
            out.log(LogEvent::OffsetsExpired { offsets: expired });
        }
    }

    /// If any part fails, what it took away is back, and the next clean-up tries again.
    fn write_tombstones(&mut self, records: Vec<GroupRecord>, out: &mut Outputs) {
        let mut records = records.into_iter().peekable();
        while records.peek().is_some() {
            let part = records.by_ref().take(TOMBSTONES_PER_WRITE).collect();
            out.write(self, part, None);
        }
    }

    /// Adds tombstones for a group's expired offsets; true when none is left.
    fn expire_offsets(&self, id: &StrBytes, wall_ms: i64, records: &mut Vec<GroupRecord>) -> bool {
        let has_open_transaction = self.offsets.has_open_transaction(id);
        let Some(topics) = self.offsets.topics_of(id) else {
            return !has_open_transaction;
        };
        let Some(group) = self.groups.latest(id) else {
            return false;
        };
        let start = retention_start(group);
        if matches!(start, RetentionStart::Never) {
            return false;
        }
        let mut all_expired = true;
        for (topic, partitions) in topics {
            let is_subscribed = match group {
                Group::Classic(group) => group.is_subscribed_to(topic),
                Group::Consumer(group) => group.is_subscribed_to(topic),
                Group::Streams(group) => group.is_subscribed_to(topic),
                Group::Share(_) => false,
            };
            for (partition, offset) in partitions {
                let key = OffsetCommitKey {
                    group: id.clone(),
                    topic: topic.clone(),
                    partition: *partition,
                };
                let Some(offset) = offset.latest() else {
                    continue;
                };
                let expires = !is_subscribed
                    && self.is_expired(offset, &start, wall_ms)
                    && !self.offsets.is_unstable(&key);
                if expires {
                    records.push(tombstone(key));
                } else {
                    all_expired = false;
                }
            }
        }
        all_expired && !has_open_transaction
    }

    fn is_expired(&self, offset: &CommittedOffset, start: &RetentionStart, wall_ms: i64) -> bool {
        if let Some(expire_ms) = offset.expire_timestamp_ms {
            return wall_ms >= expire_ms;
        }
        let since_ms = match start {
            RetentionStart::Never => return false,
            RetentionStart::Commit => offset.commit_timestamp_ms,
            RetentionStart::At(since_ms) => *since_ms,
        };
        wall_ms.saturating_sub(since_ms) >= self.settings.offsets_retention_ms
    }

    /// Forgets the offsets of partitions that are no more.
    pub fn partitions_deleted(&mut self, partitions: &[DeletedPartition], out: &mut Outputs) {
        let records: Vec<GroupRecord> =
            self.offsets.keys_of_partitions(partitions).into_iter().map(tombstone).collect();
        self.write_tombstones(records, out);
    }
}

fn retention_start(group: &Group) -> RetentionStart {
    match group {
        Group::Classic(group) => classic_retention_start(group),
        Group::Consumer(_) | Group::Streams(_) => RetentionStart::Commit,
        Group::Share(_) => RetentionStart::Never,
    }
}

fn classic_retention_start(group: &ClassicGroup) -> RetentionStart {
    if group.protocol_type.is_none() {
        return RetentionStart::Commit;
    }
    match group.state {
        GroupState::Empty => {
            group.state_since_ms.map_or(RetentionStart::Commit, RetentionStart::At)
        }
        GroupState::Stable
            if group.uses_consumer_protocol() && group.subscribed_topics.is_some() =>
        {
            RetentionStart::Commit
        }
        _ => RetentionStart::Never,
    }
}

pub(super) fn tombstone(key: OffsetCommitKey) -> GroupRecord {
    GroupRecord::OffsetCommit { key, value: None }
}
