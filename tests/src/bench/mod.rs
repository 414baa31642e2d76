//! The benchmark: stock Kafka, Gregor and a floor under the same load on the same machine.
//!
//! Nothing of Gregor's own code takes part but the generated message types (over TLS the native
//! tools do): batches, latency and
//! processor time are made and measured here, so that the yardstick can't flatter what it measures.
//! What counts is a ratio within one run; the figures themselves move with the machine.
//!
//! ```text
//! bench (orchestrator) ── starts ──> floor | stock Kafka | Gregor      process.rs, brokers.rs
//!        │ plan.rs: cases in turn, each subject under the same load
//!        └─ produce.rs  rate.rs  consume.rs  groups.rs  start.rs  many.rs ──> wire.rs
//!   coordinators/ groups, transactions, share groups and the log cleaner
//!   several/ the same for clusters of three and more, and what happens when nodes go
//!   tools.rs: command-line tools, native and stock's; sink.rs acknowledges what they produce
//!   secured.rs: what TLS costs; its load are the native tools, for both kinds the same
//!   pairs.rs: an earlier build of Gregor against this one
//!        report.rs <── figures: payload, seconds, broker's processor seconds, latencies
//! ```

pub mod batches;
pub mod brokers;
pub mod consume;
pub mod coordinators;
pub mod floor;
pub mod frames;
pub mod groups;
pub mod latency;
pub mod many;
pub mod pairs;
pub mod plan;
pub mod process;
pub mod produce;
pub mod rate;
pub mod report;
pub mod secured;
pub mod session;
pub mod several;
pub mod sink;
pub mod start;
pub mod tools;
pub mod wire;

/// Why a measurement could not be taken. A run that fails is reported, never counted.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{api} answered error code {code}")]
    Refused { api: &'static str, code: i16 },
    #[error("an answer to {api} could not be read: {why}")]
    Garbled { api: &'static str, why: String },
    #[error("{0} took longer than the run allows")]
    TooSlow(&'static str),
    #[error("{what} ended: {status}")]
    Ended { what: String, status: String },
    #[error("{0}")]
    Setup(String),
}
