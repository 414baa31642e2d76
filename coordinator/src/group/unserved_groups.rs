//! What happens to groups of a protocol that is not served here (`unserved_group`).

use protocol::wire::StrBytes;

use super::Outputs;
use super::log_event::LogEvent;
use super::shard::{Group, GroupShard};

impl GroupShard {
    /// Nobody can have been heard of: the members go, the group and its offsets stay.
    pub(super) fn unserved_members_expired(&mut self, id: &StrBytes, out: &mut Outputs) {
        let Some(Group::Unserved(group)) = self.groups.latest(id) else {
            return;
        };
        let members = group.members();
        let records = group.tombstones_of_members();
        if records.is_empty() {
            return;
        }
        out.log(LogEvent::UnservedMembersDropped { group: id.clone(), members });
        out.write(self, records, None);
    }
}
