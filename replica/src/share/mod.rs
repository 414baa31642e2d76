//! A share partition: one partition as a share group consumes it (KIP-932), record by record.
//!
//! Pure: no runtime, clock, file or socket. Who hosts it reads the log and the persisted state,
//! hands both in with the time, and carries out what comes back.
//!
//! ```text
//!            acquire                 acknowledge: accept ─────────▶ acknowledged ─┐
//! available ─────────▶ acquired ──┬─ acknowledge: reject, gap ────▶ archived ─────┤ start offset
//!     ▲                  │  ▲ │   └─ delivered as often as may be ▶ archived ─────┘ passes them
//!     └──────────────────┘  └─┘ renew
//!   release, lock's timeout, member gone
//! ```
//! What an acknowledgement makes of records is a *transition*: it counts when the persister has it,
//! and is taken back when the persister refuses. `next_write` gives what is to be persisted, one
//! write at a time, in the order in which it came about; `written` says what became of it.
//!
//! Kept true, and checked by the simulation in `tests`:
//! - a record is acquired by one member at most
//! - a record in transition is not acquired
//! - what the persister has acknowledged is never acquired again
//! - a record's delivery count grows by one with each acquisition, up to the limit
//! - the start offset never goes back
//!
//! Kafka: `SharePartition`, `InFlightBatch`, `InFlightState`; sessions: `ShareSessionCache`.

mod aborted;
mod acknowledge;
mod acquire;
mod acquisition;
mod archive;
mod in_flight;
mod load;
mod locks;
mod max_bytes;
mod next_fetch;
mod partition;
pub mod planted;
mod record_state;
mod release;
mod session;
mod start_offset;
mod writes;

#[cfg(test)]
mod tests;

pub use aborted::{AbortedTransaction, BatchKind, FetchedBatch};
pub use acknowledge::{AcknowledgeError, AcknowledgeType, AcknowledgementBatch};
pub use acquisition::{AcquireMode, AcquiredRecords, Fetched, Wanted};
pub use load::{InvalidState, PersistedState};
pub use max_bytes::{rotate, uniform_max_bytes};
pub use partition::{Limits, SharePartition, Token};
pub use record_state::RecordState;
pub use session::{
    SharePartitionId, ShareSessionError, ShareSessionKey, ShareSessions, ShareSessionsLimits,
};
pub use writes::{StateBatch, StateWrite, Written};
