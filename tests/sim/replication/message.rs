//! What nodes say to each other.

use std::sync::Arc;

use bytes::Bytes;
use protocol::ErrorCode;
use replica::{Diverging, FetchPosition, IsrAnswer, IsrProposal};

use super::controller::Batch;

/// Who sends and receives: brokers are 1 and up.
pub type NodeId = i32;
pub const CONTROLLER: NodeId = 0;
pub const CLIENTS: NodeId = -1;

/// A leader's answer to a follower.
#[derive(Debug, Clone)]
pub enum FetchAnswer {
    Records { records: Bytes, high_watermark: i64, log_start_offset: i64 },
    Diverging(Diverging),
    OutOfRange { log_start_offset: i64, log_end_offset: i64 },
    Fenced,
    Retry,
}

/// A record that a client wants written.
#[derive(Debug, Clone, Copy)]
pub struct Produce {
    pub client: usize,
    pub request: u64,
    pub partition: usize,
    pub value: u64,
    pub producer: u32,
    pub sequence: u32,
    pub acks: i16,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Produced {
    At(i64),
    Retry,
    OutOfOrder,
}

#[derive(Debug, Clone)]
pub enum Body {
    Fetch { partition: usize, position: FetchPosition, broker_epoch: i64 },
    Fetched { partition: usize, position: FetchPosition, answer: FetchAnswer },
    Register { previous_epoch: i64 },
    Registered { epoch: Option<i64> },
    Heartbeat { epoch: i64, offset: i64, wants_to_go: bool },
    Heard { error: i16, may_go: bool },
    Alter { number: u64, epoch: i64, partition: usize, proposal: IsrProposal },
    Altered { number: u64, result: Result<IsrAnswer, ErrorCode> },
    Metadata { have: usize },
    Records { from: usize, batches: Vec<Arc<Batch>> },
    Produce(Produce),
    Produced { client: usize, request: u64, produced: Produced },
}

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Message {
    pub from: NodeId,
    pub to: NodeId,
    /// Which process sent it.
    pub sender: u64,
    /// Which process it answers; an answer to a dead process reaches nobody. 0: whoever is there.
    pub addressee: u64,
    pub body: Body,
}
