//! A replica on its way to another log directory of its broker: what its future log lacks, and when
//! it takes the place of the current one (KIP-113, KIP-858).
//!
//! ```text
//! StartAt, TruncateTo, Copy … until level ─▶ Assign ─▶ the metadata names the directory ─▶ Promote
//! ```
//! Kept true: what is promoted ends where the current log does and has its epochs, so that it has
//! its records (a record is known by its offset and epoch); and the controller knew the directory
//! before, so that a broker that fails there is taken at its word.
//! Pure: the host asks for a step, does it, and asks again; for a promotion it asks under the
//! partition's lock. Kafka: `ReplicaAlterLogDirsThread`,
//! `Partition.maybeReplaceCurrentWithFutureReplica`.

use crate::Log;

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveStep {
    /// The current log begins above the future one's end: it begins anew at this offset.
    StartAt(i64),
    /// The future log has something else from this offset on.
    TruncateTo(i64),
    /// Records are missing from this offset on.
    Copy(i64),
    /// Nothing is missing; the controller is to be told of the directory.
    Assign,
    /// Nothing is missing, and the controller has named the directory.
    Promote,
}

/// The next step of a move, whose directory the metadata names or does not name yet.
pub fn next_step<L: Log>(current: &L, future: &L, is_assigned: bool) -> MoveStep {
    let (start, end) = (current.log_start_offset(), current.log_end_offset());
    let copied = future.log_end_offset();
    if copied < start {
        return MoveStep::StartAt(start);
    }
    let shared = shared_end(current, future);
    if shared < copied {
        return if shared < start.max(future.log_start_offset()) {
            MoveStep::StartAt(start)
        } else {
            MoveStep::TruncateTo(shared)
        };
    }
    match (copied < end, is_assigned) {
        (true, _) => MoveStep::Copy(copied),
        (false, false) => MoveStep::Assign,
        (false, true) => MoveStep::Promote,
    }
}

/// Up to where both logs have the same records.
fn shared_end<L: Log>(current: &L, future: &L) -> i64 {
    let mut end = future.log_end_offset().min(current.log_end_offset());
    let nothing = future.log_start_offset().min(end);
    let Some(mut asked) = future.latest_epoch() else { return end };
    let Some(newest) = current.latest_epoch() else { return nothing };
    loop {
        let found = if asked > newest {
            newest
        } else {
            // Where nothing is known of so old an epoch, nothing is shared.
            let Some((found, found_end)) = current.end_offset_for_epoch(asked) else {
                return nothing;
            };
            end = end.min(found_end);
            if found == asked {
                return end;
            }
            found
        };
        let Some((own, own_end)) = future.end_offset_for_epoch(found) else { return nothing };
        end = end.min(own_end);
        asked = own;
    }
}
