//! Snapshots of states that nobody writes to: while they stand far back in the log, nothing behind
//! them can be pruned.

use protocol::records::share::ShareRecord;

use super::Outputs;
use super::key::SharePartitionKey;
use super::shard::ShareShard;
use super::state::{ShareState, record_key};
use crate::runtime::Now;

impl ShareShard {
    /// Nothing where every state has such a snapshot already: there all is quiet.
    pub(super) fn snapshot_cold_states(&mut self, now: Now, out: &mut Outputs) {
        let is_cold = |state: &ShareState| state.create_timestamp_ms != state.write_timestamp_ms;
        if self.states.iter().all(|(_, known)| is_cold(&known.state)) {
            return;
        }
        let interval_ms = i64::try_from(self.settings.cold_interval_ms).unwrap_or(i64::MAX);
        let is_old = |state: &ShareState| {
            now.wall_ms.saturating_sub(state.write_timestamp_ms) >= interval_ms
        };
        let old: Vec<(SharePartitionKey, ShareState)> = self
            .states
            .iter()
            .filter(|(_, known)| is_old(&known.state))
            .map(|(key, known)| (key.clone(), known.state.clone()))
            .collect();
        for (key, state) in old {
            let state = ShareState {
                snapshot_epoch: state.snapshot_epoch.wrapping_add(1),
                write_timestamp_ms: now.wall_ms,
                ..state
            };
            let (key, value) = (record_key(&key), Some(state.snapshot_value()));
            out.write(self, vec![ShareRecord::Snapshot { key, value }], None);
        }
    }
}
