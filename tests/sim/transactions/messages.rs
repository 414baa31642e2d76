//! What clients, leaders and coordinators say to each other about transactions.

use coordinator::transaction::{Markers, ProducerIdAndEpoch};
use protocol::ErrorCode;

/// Why a client does not get what it asks for, as far as that decides what it does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It may ask again.
    Again,
    /// Its transaction, or its epoch, is over.
    Fenced,
    /// So says one who may have been replaced without knowing it; it begins anew all the same.
    Lost,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// InitProducerId, of the coordinator.
    Init,
    /// AddPartitionsToTxn or AddOffsetsToTxn, of the coordinator.
    Add { who: ProducerIdAndEpoch, partition: usize },
    /// Produce, of the partition's leader.
    Write { who: ProducerIdAndEpoch, partition: usize, sequence: i32, value: u64 },
    /// TxnOffsetCommit, of the group's coordinator.
    CommitOffset { who: ProducerIdAndEpoch, offset: i64 },
    /// EndTxn, of the coordinator.
    End { who: ProducerIdAndEpoch, is_commit: bool },
    /// OffsetFetch of stable offsets, of the group's coordinator.
    FetchOffset,
}

/// What it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Producer(ProducerIdAndEpoch),
    Done,
    Offset(Option<i64>),
}

/// Which of a client's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) client: usize,
    pub(crate) number: u64,
    /// What came over a connection that is closed is not read.
    pub(crate) connection: u64,
}

#[derive(Debug, Clone)]
pub(crate) enum Said {
    Asked(Attempt, Request),
    Answered(Attempt, Result<Reply, Refusal>),
    /// AddPartitionsToTxn between brokers: whether the partition takes part, or to add it.
    Verify {
        question: u64,
        client: usize,
        who: ProducerIdAndEpoch,
        partition: usize,
    },
    Verified {
        question: u64,
        result: Result<(), Refusal>,
    },
    /// WriteTxnMarkers for one partition.
    Mark {
        number: u64,
        coordinator_epoch: i32,
        markers: Markers,
        partition: usize,
    },
    Marked {
        number: u64,
        result: Result<(), ErrorCode>,
    },
}
