//! What the replicas of each partition sent, against each other, batch by batch up to the high
//! watermark.
//!
//! Pure. Answers to `ReplicaVerificationTool.ReplicaBuffer`. An offset moves on when all replicas
//! of its partition have the same batch there.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use client::admin::TopicPartition;
use protocol::batch::{BatchError, batches};

use crate::java_order::{partition_hash, sort_by_hash};

/// What one replica of one partition sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FetchedReplica {
    /// -1 where the replica said nothing.
    pub(super) high_watermark: i64,
    pub(super) records: Bytes,
}

impl FetchedReplica {
    pub(super) const NONE: Self = Self { high_watermark: -1, records: Bytes::new() };
}

/// What the replicas sent in a round, by broker.
pub(super) type Round = BTreeMap<TopicPartition, BTreeMap<i32, FetchedReplica>>;

/// A difference between two replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// They go on at different offsets: nothing further can be compared.
    Offset { partition: TopicPartition, first: (i32, i64), other: (i32, i64) },
    /// The same offsets, other bytes.
    Checksum { partition: TopicPartition, offset: i64, first: (i32, u32), other: (i32, u32) },
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Offset { partition, first, other } => write!(
                f,
                "partition {partition}: replica {}'s offset {} doesn't match replica {}'s \
                 offset {}",
                first.0, first.1, other.0, other.1
            ),
            Self::Checksum { partition, offset, first, other } => write!(
                f,
                "partition {partition} has unmatched checksum at offset {offset}; replica {}'s \
                 checksum {}; replica {}'s checksum {}",
                first.0, first.1, other.0, other.1
            ),
        }
    }
}

/// A batch that a replica sent and that is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Error in processing replica {replica} in partition {partition} at offset {offset}: {cause}"
)]
pub(super) struct UnreadableBatch {
    replica: i32,
    partition: TopicPartition,
    offset: i64,
    cause: BatchError,
}

/// The offsets up to which replicas were found to be the same.
pub(super) struct ReplicaBuffer {
    /// In the order of Java's map.
    partitions: Vec<TopicPartition>,
    offsets: HashMap<TopicPartition, i64>,
    /// Of the last round: lag and offset, and whose they are.
    max_lag: Option<(i64, i64, TopicPartition)>,
}

impl ReplicaBuffer {
    pub(super) fn new(offsets: Vec<(TopicPartition, i64)>) -> Self {
        let mut partitions: Vec<_> =
            offsets.iter().map(|(partition, _)| partition.clone()).collect();
        sort_by_hash(&mut partitions, partition_hash);
        Self { partitions, offsets: offsets.into_iter().collect(), max_lag: None }
    }

    /// Where the next fetch of a partition begins.
    pub(super) fn offset(&self, partition: &TopicPartition) -> i64 {
        self.offsets.get(partition).copied().unwrap_or_default()
    }

    /// Compares what a round brought; replicas that go on at different offsets end it.
    pub(super) fn verify(&mut self, round: Round) -> Result<Vec<Finding>, UnreadableBatch> {
        let mut findings = Vec::new();
        self.max_lag = None;
        for partition in self.partitions.clone() {
            let Some(replicas) = round.get(&partition) else { continue };
            let offset = self.compare(&partition, replicas, &mut findings)?;
            if let Some(Finding::Offset { .. }) = findings.last() {
                break;
            }
            let highest = replicas.values().map(|replica| replica.high_watermark).max();
            let lag = highest.unwrap_or(-1) - offset;
            self.offsets.insert(partition.clone(), offset);
            if lag > self.max_lag.as_ref().map_or(-1, |(lag, _, _)| *lag) {
                self.max_lag = Some((lag, offset, partition));
            }
        }
        Ok(findings)
    }

    /// The offset behind the last batch that all replicas have.
    fn compare(
        &self,
        partition: &TopicPartition,
        replicas: &BTreeMap<i32, FetchedReplica>,
        findings: &mut Vec<Finding>,
    ) -> Result<i64, UnreadableBatch> {
        let mut offset = self.offset(partition);
        let mut sent: Vec<_> = replicas
            .iter()
            .map(|(id, data)| (*id, data.high_watermark, batches(&data.records)))
            .collect();
        loop {
            // Of the first replica: its id, the last and the next offset, the checksum.
            let mut first: Option<(i32, i64, i64, u32)> = None;
            let mut is_in_all = true;
            for (id, high_watermark, batches) in &mut sent {
                let unreadable = |cause| UnreadableBatch {
                    replica: *id,
                    partition: partition.clone(),
                    offset,
                    cause,
                };
                let batch = batches.next().transpose().map_err(unreadable)?;
                let Some(batch) = batch.filter(|batch| batch.last_offset() < *high_watermark)
                else {
                    is_in_all = false;
                    continue;
                };
                let own = (*id, batch.last_offset(), batch.next_offset(), batch.stored_crc());
                let Some(first) = first else {
                    first = Some(own);
                    continue;
                };
                if first.1 != own.1 {
                    findings.push(Finding::Offset {
                        partition: partition.clone(),
                        first: (first.0, first.1),
                        other: (own.0, own.1),
                    });
                    return Ok(offset);
                }
                if first.3 != own.3 {
                    findings.push(Finding::Checksum {
                        partition: partition.clone(),
                        offset: own.1,
                        first: (first.0, first.3),
                        other: (own.0, own.3),
                    });
                }
            }
            match first {
                Some((_, _, next, _)) if is_in_all => offset = next,
                _ => return Ok(offset),
            }
        }
    }

    /// What is said of the last round.
    pub(super) fn report(&self) -> String {
        let count = self.partitions.len();
        let (lag, offset, partition) = match &self.max_lag {
            Some((lag, offset, partition)) => (*lag, *offset, partition.to_string()),
            None => (-1, -1, "null".to_owned()),
        };
        format!(
            "max lag is {lag} for partition {partition} at offset {offset} among {count} partitions"
        )
    }
}

#[cfg(test)]
mod tests {
    use protocol::batch::BatchBuilder;

    use super::*;

    fn partition(index: i32) -> TopicPartition {
        TopicPartition { topic: "t".to_owned(), partition: index }
    }

    fn data(high_watermark: i64, values: &[(i64, &[u8])]) -> FetchedReplica {
        let batch = |(offset, value): &(i64, &[u8])| {
            let mut builder = BatchBuilder::new(*offset);
            builder.append(1, None, Some(value));
            builder.build().to_vec()
        };
        let records: Vec<u8> = values.iter().flat_map(batch).collect();
        FetchedReplica { high_watermark, records: records.into() }
    }

    fn round(replicas: &[(i32, FetchedReplica)]) -> Round {
        BTreeMap::from([(partition(0), replicas.iter().cloned().collect())])
    }

    fn buffer() -> ReplicaBuffer {
        ReplicaBuffer::new(vec![(partition(0), 0)])
    }

    #[test]
    fn an_offset_moves_on_while_all_replicas_have_the_same_below_the_high_watermark() {
        let all: [(i64, &[u8]); 3] = [(0, b"a"), (1, b"b"), (2, b"c")];
        let mut buffer = buffer();
        let same = [(1, data(3, &all)), (2, data(2, &all)), (3, data(3, &all))];
        assert_eq!(buffer.verify(round(&same)), Ok(Vec::new()));
        assert_eq!(buffer.offset(&partition(0)), 2, "replica 2 knows of two records");
        let said = "max lag is 1 for partition t-0 at offset 2 among 1 partitions";
        assert_eq!(buffer.report(), said);
        let behind = [(1, data(3, &all[2..])), (2, FetchedReplica::NONE), (3, data(3, &all[2..]))];
        assert_eq!(buffer.verify(round(&behind)), Ok(Vec::new()));
        assert_eq!(buffer.offset(&partition(0)), 2, "one that says nothing holds all back");
    }

    #[test]
    fn other_bytes_at_the_same_offset_are_told_and_passed() {
        let mut buffer = buffer();
        let (one, other) = (data(2, &[(0, b"a"), (1, b"b")]), data(2, &[(0, b"x"), (1, b"b")]));
        let findings = buffer.verify(round(&[(1, one), (4, other)])).unwrap();
        let [Finding::Checksum { offset: 0, first: (1, _), other: (4, _), .. }] = &findings[..]
        else {
            panic!("{findings:?}")
        };
        let said = findings[0].to_string();
        assert!(said.starts_with("partition t-0 has unmatched checksum at offset 0; replica 1's"));
        assert_eq!(buffer.offset(&partition(0)), 2);
    }

    #[test]
    fn replicas_that_go_on_elsewhere_end_the_comparison() {
        let mut buffer = buffer();
        let (one, other) = (data(9, &[(0, b"a")]), data(9, &[(1, b"a")]));
        let findings = buffer.verify(round(&[(1, one), (2, other)])).unwrap();
        let said = "partition t-0: replica 1's offset 0 doesn't match replica 2's offset 1";
        assert_eq!(findings.last().unwrap().to_string(), said);
    }

    #[test]
    fn a_batch_cut_short_is_the_end_and_a_wrong_one_is_told() {
        let whole = data(9, &[(0, b"a"), (1, b"b")]);
        let cut = whole.records.slice(..whole.records.len() - 3);
        let mut buffer = buffer();
        let short = FetchedReplica { high_watermark: 9, records: cut };
        assert_eq!(buffer.verify(round(&[(1, whole.clone()), (2, short)])), Ok(Vec::new()));
        assert_eq!(buffer.offset(&partition(0)), 1);
        let mut bytes = whole.records.to_vec();
        bytes[16] = 9;
        let wrong = FetchedReplica { high_watermark: 9, records: bytes.into() };
        let error = buffer.verify(round(&[(1, whole), (2, wrong)])).unwrap_err().to_string();
        let said = "Error in processing replica 2 in partition t-0 at offset 1: ";
        assert!(error.starts_with(said), "{error}");
    }
}
