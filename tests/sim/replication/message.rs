//! What nodes say to each other.

use std::sync::Arc;

use bytes::Bytes;
use protocol::ErrorCode;
use replica::{Answered, Diverging, FetchAsk, IsrAnswer, Proposals};

use super::controller::Batch;

/// Who sends and receives: brokers are 1 and up.
pub(crate) type NodeId = i32;
pub(crate) const CONTROLLER: NodeId = 0;
pub(crate) const CLIENTS: NodeId = -1;

/// What a follower asks.
#[derive(Debug, Clone)]
pub(crate) struct FetchMessage {
    /// Which of the follower's fetchers asks.
    pub(crate) connection: u64,
    pub(crate) broker_epoch: i64,
    pub(crate) ask: FetchAsk<usize>,
    /// By which the leader calls a session that it makes of it.
    pub(crate) random_id: i32,
}

/// What a leader says of one partition.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) error: Option<ErrorCode>,
    /// Epoch and offset -1 for none.
    pub(crate) diverging: Diverging,
    pub(crate) records: Bytes,
    pub(crate) high_watermark: i64,
    /// Where the leader's log begins and ends: what ListOffsets would say.
    pub(crate) ends: (i64, i64),
    /// There are records that the answer has no room for.
    pub(crate) has_more: bool,
}

impl Told {
    pub(crate) const NOT_DIVERGING: Diverging = Diverging { epoch: -1, end_offset: -1 };

    /// Nothing but an error; `ends` as far as they are known.
    pub(crate) fn failed(code: ErrorCode, ends: (i64, i64)) -> Self {
        Self {
            error: Some(code),
            diverging: Self::NOT_DIVERGING,
            records: Bytes::new(),
            high_watermark: -1,
            ends,
            has_more: false,
        }
    }
}

impl Told {
    /// As far as it decides whether it must be told.
    pub(crate) fn answered(&self) -> Answered {
        let marks =
            if self.error.is_some() { (-1, -1) } else { (self.high_watermark, self.ends.0) };
        Answered {
            error_code: self.error.map_or(0, |code| code.code()),
            high_watermark: marks.0,
            log_start_offset: marks.1,
            records_bytes: self.records.len(),
            notable: self.diverging != Self::NOT_DIVERGING,
            has_more: self.has_more,
        }
    }
}

/// A leader's answer to a follower: the session that goes on and what is told, or why nothing is.
pub(crate) type FetchAnswer = Result<(i32, Vec<(usize, Told)>), ErrorCode>;

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
    Fetch(FetchMessage),
    Fetched {
        connection: u64,
        number: u64,
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
    /// What a service says; it knows by the number what.
    OfService(u64),
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
