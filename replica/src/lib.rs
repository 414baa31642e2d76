//! One partition, whole: who leads it, who is in sync, which offsets are committed, who waits for
//! what, and how a follower's log becomes the leader's.
//!
//! Pure: no runtime, clock, file or socket. The partition owns its log through the [`Log`] trait
//! and keeps the order of the steps that make a record durable:
//!
//! ```text
//! leader     append ──> log end moves ──> high watermark moves ──> waiters that it passed
//!               follower's fetch ──> its end moves ──^   ^── in-sync set <──> controller
//! follower   position ──> leader's answer ──> truncate | append ──> high watermark ──> position
//! ```
//!
//! Every step takes the [`StepContext`] and gives [`Effects`]: answers to waiters, and at most one
//! proposal for the controller. Invariants, checked by `Partition::invariants` in debug builds
//! after every step:
//! - log start <= high watermark <= log end
//! - a leader is a member of its own in-sync set
//! - no waiter remains whose offset the high watermark has passed
//!
//! Answers to Kafka's `kafka.cluster.Partition` and to the replica fetcher.

mod alter_partition;
mod effects;
mod fetch;
mod fetch_answer;
mod fetch_plan;
mod fetch_session;
mod fetchers;
mod follower;
mod following;
mod isr;
mod leader;
mod leading;
mod log;
mod moving;
mod partition;
pub mod planted;
mod progress;
mod read_replica;
mod reconcile;
mod registration;
pub mod share;
mod step_context;
mod verifications;
mod waiters;

#[cfg(test)]
mod tests;

pub use alter_partition::{AlterPartitionQueue, Proposals};
pub use effects::Effects;
pub use fetch::{
    ConsumerFetch, Diverging, FetchGrant, FetchIsolation, FetchRefused, FollowerFetch, ReadBounds,
    check_leadership, consumer_fetch,
};
pub use fetch_answer::{Verdict, verdict, verdict_on_refusal};
pub use fetch_plan::{FetchAsk, FetchPlan, NextFetch};
pub use fetch_session::{
    Answered, FINAL_EPOCH, INITIAL_EPOCH, NO_SESSION, Opened, Requested, Session, SessionAnswer,
    SessionCache, SessionHandle, next_epoch,
};
pub use fetchers::{FetcherTable, Left};
pub use follower::{FetchPosition, Fetched, FollowerState, Replicated};
pub use isr::{IsrAnswer, IsrChange, IsrOutcome, IsrProposal, Member};
pub use leader::LeaderState;
pub use leading::{Deletion, NotDeleted};
pub use log::{Appended, Log, Origin};
pub use moving::{MoveStep, next_step};
pub use partition::{Acks, AppendOutcome, NotAppended, Partition, Role, Settings};
pub use progress::Progress;
pub use reconcile::{Assigned, Presence, Standing, Step, reconcile};
pub use registration::{Recovery, Registration};
pub use step_context::{BrokerView, Brokers, StepContext};
pub use verifications::{Asked, NotAsked, Question, TransactionSupport, Verifications};
pub use waiters::{Answer, Token};
