//! What records make of streams groups. Answers to the `replay` methods of streams groups in
//! `GroupMetadataManager`.

use std::sync::Arc;

use protocol::records::group::StreamsGroupRecord;

use super::super::shard::{Group, GroupShard};
use super::super::timers::TimerKey;
use super::group::StreamsGroup;
use crate::runtime::RecordPosition;

impl GroupShard {
    /// Below the record there may be a group that only holds offsets; a group of another kind is
    /// not what the record is about: its tombstone came too late.
    pub(in super::super) fn replay_streams(
        &mut self,
        record: StreamsGroupRecord,
        standing: RecordPosition,
    ) {
        let id = record.group().clone();
        match self.groups.latest(&id) {
            Some(Group::Streams(_)) => {}
            Some(Group::Classic(group)) if group.protocol_type.is_some() => return,
            Some(Group::Consumer(_) | Group::Share(_)) => return,
            _ if record.is_tombstone() => return,
            _ => {
                let group = Group::Streams(Arc::new(StreamsGroup::new(id.clone())));
                self.groups.set(standing, id.clone(), Some(group));
            }
        }
        let Some(Group::Streams(group)) = self.groups.edit(standing, &id) else { return };
        let group = Arc::make_mut(group);
        let is_gone = group.apply(record);
        if group.is_empty()
            && let Some(unwritten) = self.streams.get_mut(&id)
        {
            unwritten.shutdown_requested_by = None;
        }
        if is_gone {
            self.groups.set(standing, id.clone(), None);
            self.streams.remove(&id);
            self.timers.cancel(&TimerKey::StreamsAssignment { group: id });
        }
    }
}
