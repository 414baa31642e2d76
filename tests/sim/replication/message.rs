//! What nodes say to each other.

use std::sync::Arc;

use bytes::Bytes;
use protocol::ErrorCode;
use replica::{Diverging, FetchPosition, IsrAnswer, Proposals};

use super::controller::Batch;

/// Who sends and receives: brokers are 1 and up.
pub(crate) type NodeId = i32;
pub(crate) const CONTROLLER: NodeId = 0;
pub(crate) const CLIENTS: NodeId = -1;

/// A leader's answer to a follower.
#[derive(Debug, Clone)]
pub(crate) enum FetchAnswer {
    Records { records: Bytes, high_watermark: i64, log_start_offset: i64 },
    Diverging(Diverging),
    OutOfRange { log_start_offset: i64, log_end_offset: i64 },
    Fenced,
    Retry,
}

/// A batch that a client wants written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Produce {
    pub(crate) client: usize,
    pub(crate) request: u64,
    pub(crate) partition: usize,
    /// Of the first record; the others' ascend by one.
    pub(crate) value: u64,
    pub(crate) records: u32,
    pub(crate) producer: u32,
    pub(crate) sequence: u32,
    pub(crate) acks: i16,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Produced {
    At(i64),
    Retry,
    OutOfOrder,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Fetch {
        partition: usize,
        position: FetchPosition,
        broker_epoch: i64,
    },
    Fetched {
        partition: usize,
        position: FetchPosition,
        answer: FetchAnswer,
    },
    Register {
        previous_epoch: i64,
    },
    Registered {
        epoch: Option<i64>,
    },
    Heartbeat {
        epoch: i64,
        offset: i64,
        wants_to_go: bool,
    },
    Heard {
        may_go: bool,
    },
    Alter {
        number: u64,
        epoch: i64,
        proposals: Proposals<usize>,
    },
    Altered {
        number: u64,
        result: Result<Vec<(usize, IsrAnswer)>, ErrorCode>,
    },
    /// Where a replica is (AssignReplicasToDirs).
    Located {
        epoch: i64,
        partition: usize,
        lost: bool,
    },
    Metadata {
        have: usize,
    },
    Records {
        from: usize,
        batches: Vec<Arc<Batch>>,
    },
    /// What a client wants deleted: everything before the offset, -1 for all that is committed.
    DeleteRecords {
        partition: usize,
        offset: i64,
    },
    Produce(Produce),
    Produced {
        client: usize,
        request: u64,
        produced: Produced,
    },
}

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    /// Which process sent it.
    pub(crate) sender: u64,
    /// Which process it answers; an answer to a dead process reaches nobody. 0: whoever is there.
    pub(crate) addressee: u64,
    pub(crate) body: Body,
}
