//! Incremental fetch sessions (KIP-227): what a consumer or follower fetches is remembered, so that
//! it sends only what changed and receives only what changed.
//!
//! ```text
//! epoch 0   the whole list; the reply makes a session of it if the cache has room
//! epoch n   changes to the list of that session; each request must carry the next epoch
//! epoch -1  the whole list, no session; ends the one that is named
//! ```
//!
//! Invariant: a session's epoch goes up by one with each request it takes. A partition whose reply
//! carried records moves behind the others, so that none starves.
//! Answers to Kafka's `FetchManager`, `FetchSession` and `FetchSessionCache`.

mod cache;
mod session;
mod watch;

pub(crate) use cache::{FetchSessions, Opened};
pub(crate) use session::{Answered, PartitionKey, Requested, Session};
pub(crate) use watch::{Watch, Watcher};

/// A session id nobody has.
pub(crate) const NO_SESSION: i32 = 0;
/// Epoch of a request that begins a session.
pub(crate) const INITIAL_EPOCH: i32 = 0;
/// Epoch of a request that wants none.
pub(crate) const FINAL_EPOCH: i32 = -1;

/// The epoch the request after this one carries; zero and below are never reached again.
pub(crate) fn next_epoch(epoch: i32) -> i32 {
    match epoch {
        epoch if epoch < 0 => FINAL_EPOCH,
        i32::MAX => 1,
        epoch => epoch + 1,
    }
}
