//! What becomes of a leader's answers: records are appended, logs cut, failures waited out; one
//! partition's failure stops no other.
//!
//! Whether an answer still concerns the replica is the replica's to say, under its lock. Answers to
//! `AbstractFetcherThread.processFetchRequest`, whose log lines these are.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::fetch_response::PartitionData;
use replica::{
    Diverging, FetchPosition, Fetched, Replicated, Verdict, verdict, verdict_on_refusal,
};
use storage::AppendError;

use super::assignment::Key;
use super::fetcher::{Answer, Fetcher, socket_timeout};
use super::leader_offsets::{self, Asked};
use crate::clock::monotonic_ms;
use crate::partitions::HostedPartition;
use client::PeerError;

/// An error that Kafka has no code for.
const UNKNOWN: ErrorCode = ErrorCode::UnknownServerError;

impl Fetcher {
    pub(super) async fn answered(&mut self, (number, answer): (u64, Answer)) {
        let response = match answer {
            Ok(response) => response,
            Err(error) => return self.lost(&error),
        };
        self.context.replicas.metadata.suspects().heard(&self.contact);
        if let Some(code) = ErrorCode::try_from_code(response.error_code) {
            return self.session_failed(number, code);
        }
        if !self.plan.answered(number, response.session_id) {
            return;
        }
        let mut out_of_range = Vec::new();
        for topic in response.responses {
            for data in topic.partitions {
                let key = (topic.topic_id, data.partition_index);
                let Some((partition, position)) = self.plan.asked(&key, number) else { continue };
                let partition = Arc::clone(partition);
                let error = ErrorCode::try_from_code(data.error_code);
                let diverging = &data.diverging_epoch;
                let (epoch, end_offset) = (diverging.epoch, diverging.end_offset);
                match verdict(error, Diverging { epoch, end_offset }) {
                    Verdict::Append => self.replicate(key, &partition, &position, None, data),
                    Verdict::Truncate(diverging) => {
                        self.replicate(key, &partition, &position, Some(diverging), data);
                    }
                    Verdict::FindRange => out_of_range.push((key, partition, position)),
                    Verdict::AwaitElection | Verdict::Behind | Verdict::Failed => {
                        self.refused(key, &partition, &position, error.unwrap_or(UNKNOWN));
                    }
                }
            }
        }
        if !out_of_range.is_empty() {
            self.find_range(out_of_range).await;
        }
    }

    /// The connection is gone; everything is asked for again on the next.
    fn lost(&mut self, error: &PeerError) {
        // One that does not answer is not known to be gone: its session tells.
        if matches!(error, PeerError::Disconnected(_) | PeerError::Unreachable { .. }) {
            self.context.replicas.metadata.lost(self.leader);
        }
        let pause_max_ms = self.pause_max_ms();
        if self.plan.is_first_failure() {
            tracing::info!(
                target: "org.apache.kafka.clients.FetchSessionHandler",
                "{}Error sending fetch request ({}) to node {}:",
                self.prefix, self.plan.session_shown(), self.leader,
            );
            tracing::warn!(
                target: "kafka.server.ReplicaFetcherThread",
                "{}Error in response for fetch request: {error}", self.prefix,
            );
        }
        self.in_flight.clear();
        self.plan.lost(monotonic_ms(), pause_max_ms);
    }

    fn session_failed(&mut self, number: u64, code: ErrorCode) {
        tracing::info!(
            target: "org.apache.kafka.clients.FetchSessionHandler",
            "{}Node {} was unable to process the fetch request: {code:?}.",
            self.prefix, self.leader,
        );
        let pause_max_ms = self.pause_max_ms();
        if self.plan.refused(number, code, monotonic_ms(), pause_max_ms) {
            self.in_flight.clear();
        }
    }

    fn pause_max_ms(&self) -> i64 {
        i64::from(self.context.config.current().replica_fetch_backoff_ms)
    }

    fn replicate(
        &mut self,
        key: Key,
        partition: &Arc<HostedPartition>,
        position: &FetchPosition,
        diverging: Option<Diverging>,
        data: PartitionData,
    ) {
        let bytes = data.records.as_ref().map_or(0, bytes::Bytes::len);
        let done = if let Some(Diverging { epoch, end_offset }) = diverging {
            let parts = Diverging { epoch, end_offset };
            let done = partition.diverged(position, parts, data.log_start_offset);
            if let Ok(Replicated::Truncated(offset)) = done {
                tracing::info!(
                    target: "kafka.server.ReplicaFetcherThread",
                    "{}Truncating partition {}-{} with TruncationState(offset={offset}, \
                     completed=true) due to leader epoch and offset EpochEndOffset(errorCode=0, \
                     partition={}, leaderEpoch={epoch}, endOffset={end_offset})",
                    self.prefix, partition.topic(), partition.partition(), partition.partition(),
                );
            }
            done
        } else {
            let fetched = Fetched {
                records: data.records.unwrap_or_default(),
                high_watermark: data.high_watermark,
                log_start_offset: data.log_start_offset,
            };
            partition.append_from_leader(position, &fetched)
        };
        if partition.is_throttled_as_follower() {
            self.context.replicas.quotas.follower.record(bytes);
            if data.high_watermark <= partition.published().log_end_offset() {
                self.caught_up.insert(key);
            } else {
                self.caught_up.remove(&key);
            }
        }
        self.settle(key, partition, position, done);
    }

    fn settle(
        &mut self,
        key: Key,
        partition: &Arc<HostedPartition>,
        position: &FetchPosition,
        done: Result<Replicated, AppendError>,
    ) {
        match done {
            Ok(Replicated::Outdated | Replicated::Nothing | Replicated::Appended) => {
                self.plan.moved(key);
            }
            Ok(Replicated::StartedAt(offset)) => {
                tracing::warn!(
                    target: "kafka.server.ReplicaFetcherThread",
                    "{}Truncate fully and reset fetch offset for partition {}-{} from {} to the \
                     current leader's start offset {offset} because the local replica has nothing \
                     that the current leader has as well.",
                    self.prefix, partition.topic(), partition.partition(), position.fetch_offset,
                );
                self.plan.moved(key);
            }
            Ok(Replicated::Truncated(_)) => self.plan.moved(key),
            // What ran out may be there again in a moment.
            Err(AppendError::Storage(error)) if error.is_exhaustion() => {
                self.context.replicas.note_storage_failure(&error);
                self.plan.failed(key, monotonic_ms(), self.pause_max_ms());
            }
            Err(AppendError::Storage(error)) => {
                self.context.replicas.note_storage_failure(&error);
                self.mark_failed(key, partition, &error);
            }
            // As in Kafka: broken on the way or in the leader's memory, it may be whole next time.
            Err(error @ (AppendError::Corrupt(_) | AppendError::InvalidBatch(_))) => {
                tracing::error!(
                    target: "kafka.server.ReplicaFetcherThread",
                    "{}Found invalid messages during fetch for partition {}-{} offset {}: {error}",
                    self.prefix, partition.topic(), partition.partition(), position.fetch_offset,
                );
                self.plan.failed(key, monotonic_ms(), self.pause_max_ms());
            }
            Err(error) => self.mark_failed(key, partition, &error),
        }
    }

    fn mark_failed(
        &mut self,
        key: Key,
        partition: &HostedPartition,
        error: &dyn std::fmt::Display,
    ) {
        tracing::error!(
            target: "kafka.server.ReplicaFetcherThread",
            "{}Partition {}-{} marked as failed: {error}",
            self.prefix, partition.topic(), partition.partition(),
        );
        partition.halt(error.to_string());
        self.plan.moved(key);
    }

    fn refused(
        &mut self,
        key: Key,
        partition: &Arc<HostedPartition>,
        position: &FetchPosition,
        code: ErrorCode,
    ) {
        let name = || format!("{}-{}", partition.topic(), partition.partition());
        match verdict_on_refusal(code) {
            Verdict::AwaitElection => {
                tracing::info!(
                    target: "kafka.server.ReplicaFetcherThread",
                    "{}Partition {} has an older epoch ({}) than the current leader. Will await \
                     the new LeaderAndIsr state before resuming fetching.",
                    self.prefix, name(), position.leader_epoch,
                );
                partition.leader_fenced_us(position);
                self.plan.moved(key);
            }
            Verdict::Behind => {
                tracing::debug!(
                    target: "kafka.server.ReplicaFetcherThread",
                    "{}The leader answered {code:?} for partition {}", self.prefix, name(),
                );
                self.plan.failed(key, monotonic_ms(), self.pause_max_ms());
            }
            _ => {
                tracing::error!(
                    target: "kafka.server.ReplicaFetcherThread",
                    "{}Error for partition {} at offset {}: {code:?}",
                    self.prefix, name(), position.fetch_offset,
                );
                self.plan.failed(key, monotonic_ms(), self.pause_max_ms());
            }
        }
    }

    /// The leader has nothing at these positions: asks where its logs begin and end.
    async fn find_range(&mut self, out: Vec<(Key, Arc<HostedPartition>, FetchPosition)>) {
        let asked: Vec<Asked> = out
            .iter()
            .map(|(_, partition, position)| Asked {
                topic: partition.topic().to_string(),
                partition: partition.partition(),
                leader_epoch: position.leader_epoch,
            })
            .collect();
        let config = self.context.config.current();
        let timeout = socket_timeout(&config);
        let ends = leader_offsets::ends(&self.peer, config.node_id, &asked, timeout).await;
        let ends = match ends {
            Ok(ends) => ends,
            Err(error) => return self.lost(&error),
        };
        for (key, partition, position) in out {
            let at = (partition.topic().to_string(), partition.partition());
            match ends.get(&at) {
                Some(Ok((start, end))) => {
                    let done = partition.out_of_range(&position, *start, *end);
                    if let Ok(Replicated::Truncated(offset)) = done {
                        tracing::warn!(
                            target: "kafka.server.ReplicaFetcherThread",
                            "{}Reset fetch offset for partition {}-{} from {} to current leader's \
                             latest offset {offset}",
                            self.prefix, partition.topic(), partition.partition(),
                            position.fetch_offset,
                        );
                    }
                    self.settle(key, &partition, &position, done);
                }
                Some(Err(code)) => {
                    let code = ErrorCode::try_from_code(*code);
                    let code = code.unwrap_or(UNKNOWN);
                    self.refused(key, &partition, &position, code);
                }
                None => self.plan.failed(key, monotonic_ms(), self.pause_max_ms()),
            }
        }
    }
}
