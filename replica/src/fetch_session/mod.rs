//! Incremental fetch sessions (KIP-227): what a consumer or follower fetches is remembered, so that
//! it sends only what changed and receives only what changed. The leader's side; a follower's is
//! `fetch_plan`.
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
mod epoch;
mod session;

pub use cache::{Opened, SessionCache, SessionHandle};
pub use epoch::{FINAL_EPOCH, INITIAL_EPOCH, NO_SESSION, next_epoch};
pub use session::{Answered, Requested, Session, SessionAnswer};
