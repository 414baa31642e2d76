//! What a Produce request brings for each partition, as far as it matters before anything is
//! appended: whether it is one whole batch, and which transaction it is part of.
//!
//! Kafka: `ProduceRequest.validateRecords`, `ReplicaManager.handleProduceAppend`.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::batch::{Compression, batches};
use protocol::constant_name;
use protocol::produce::ProduceRequest;
use replica::TransactionSupport;
use storage::VerificationGuard;

use super::produce_topics::{name_of, will_be_refused};
use crate::replication::add_partitions_to_txn::{Place, Transaction};
use crate::replication::replica_manager::ReplicaManager;
use crate::replication::transaction_verification::Verification;
use crate::requests::context::RequestContext;
use crate::requests::error_map::{self, Refusal};

/// First version whose batches may be compressed with zstd.
const FIRST_WITH_ZSTD: i16 = 7;

/// What the records for one partition are. Every partition's are looked at before the first append,
/// because one transactional batch decides about the whole request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offered {
    /// Length of the one batch, or why there is nothing to append.
    pub(super) batch_bytes: Result<usize, ErrorCode>,
    /// Whether any whole batch is.
    pub(super) transactional: bool,
    /// Who wrote the one batch, if it says so.
    producer: Option<Producer>,
    /// What a transaction's batch is appended with, or why it is not.
    pub(super) verified: Result<VerificationGuard, ErrorCode>,
}

#[derive(Debug, Clone, Copy)]
struct Producer {
    id: i64,
    epoch: i16,
    base_sequence: i32,
    is_transactional: bool,
}

pub(super) fn look_at_all(context: &RequestContext, request: &ProduceRequest) -> Vec<Offered> {
    let mut offered = Vec::with_capacity(request.partition_count());
    for produced in request.topics().flat_map(|topic| topic.partitions) {
        offered.push(look_at(context.api_version, &produced.records.unwrap_or_default()));
    }
    offered
}

/// What Kafka checks before it asks the log (`ProduceRequest.validateRecords`).
fn look_at(version: i16, records: &[u8]) -> Offered {
    let mut all = batches(records);
    let batch = match all.next() {
        Some(Ok(batch)) => batch,
        none => {
            let code = match none {
                Some(Err(error)) => error_map::unreadable_batch(error),
                _ => ErrorCode::InvalidRecord,
            };
            let verified = Ok(VerificationGuard::NONE);
            return Offered {
                batch_bytes: Err(code),
                transactional: false,
                producer: None,
                verified,
            };
        }
    };
    let mut transactional = batch.is_transactional();
    let zstd = matches!(batch.compression(), Ok(Compression::Zstd));
    let second = all.next();
    let batch_bytes = match second {
        _ if zstd && version < FIRST_WITH_ZSTD => Err(ErrorCode::UnsupportedCompressionType),
        None => Ok(batch.len()),
        Some(Ok(_)) => Err(ErrorCode::InvalidRecord),
        Some(Err(error)) => Err(error_map::unreadable_batch(error)),
    };
    for further in second.into_iter().chain(all).flatten() {
        transactional |= further.is_transactional();
    }
    let producer = batch.has_producer_id().then(|| Producer {
        id: batch.producer_id(),
        epoch: batch.producer_epoch(),
        base_sequence: batch.base_sequence(),
        is_transactional: batch.is_transactional(),
    });
    Offered { batch_bytes, transactional, producer, verified: Ok(VerificationGuard::NONE) }
}

/// The transaction that the request writes in; none for batches that name no producer.
pub(super) fn transaction_of(
    request: &ProduceRequest,
    offered: &[Offered],
    support: TransactionSupport,
) -> Result<Option<Transaction>, ErrorCode> {
    let mut producers = offered.iter().filter_map(Offered::transactional_producer);
    let (Some(first), Some(id)) = (producers.next(), &request.transactional_id) else {
        return Ok(None);
    };
    if producers.any(|other| (other.id, other.epoch) != (first.id, first.epoch)) {
        return Err(ErrorCode::InvalidProducerIdMapping);
    }
    Ok(Some(Transaction {
        transactional_id: Arc::from(id.as_str()),
        producer_id: first.id,
        producer_epoch: first.epoch,
        support,
    }))
}

impl Offered {
    fn transactional_producer(&self) -> Option<Producer> {
        self.producer.filter(|producer| producer.is_transactional && self.batch_bytes.is_ok())
    }
}

/// Where the transaction writes, each with its first sequence; and the positions of these in the
/// request.
pub(super) fn places(
    replicas: &ReplicaManager,
    context: &RequestContext,
    request: &ProduceRequest,
    offered: &[Offered],
) -> (Vec<usize>, Vec<(Place, i32)>) {
    let mut found = (Vec::new(), Vec::new());
    let mut all = offered.iter().enumerate();
    for topic in request.topics() {
        let name = name_of(replicas, context, &topic);
        let is_refused = will_be_refused(context, &name);
        let name: Arc<str> = Arc::from(name);
        for (data, (position, offered)) in topic.partitions.zip(&mut all) {
            let Some(producer) = offered.transactional_producer().filter(|_| !is_refused) else {
                continue;
            };
            found.0.push(position);
            found.1.push(((Arc::clone(&name), data.index), producer.base_sequence));
        }
    }
    found
}

/// Puts down what is known of the partitions now.
pub(super) fn note(
    offered: &mut [Offered],
    positions: &[usize],
    places: &[(Place, i32)],
    verification: &Verification,
) {
    for (position, (place, _)) in positions.iter().zip(places) {
        if let Some(offered) = offered.get_mut(*position) {
            offered.verified = verification.of(place);
        }
    }
}

/// What a producer is told of a partition that the coordinator does not vouch for.
///
/// Where that may pass, older clients would not try again; NOT_ENOUGH_REPLICAS is what makes them,
/// without asking for metadata first.
pub(super) fn unverified(code: ErrorCode, support: TransactionSupport) -> Refusal {
    match code {
        ErrorCode::InvalidTxnState => {
            Refusal::of(code).with_message("Partition was not added to the transaction")
        }
        ErrorCode::ConcurrentTransactions if support.adds_partitions() => Refusal::of(code),
        ErrorCode::NetworkException
        | ErrorCode::CoordinatorLoadInProgress
        | ErrorCode::CoordinatorNotAvailable
        | ErrorCode::NotCoordinator
        | ErrorCode::ConcurrentTransactions => Refusal::of(ErrorCode::NotEnoughReplicas)
            .with_message(format!(
                "Unable to verify the partition has been added to the transaction. Underlying \
                 error: {}",
                constant_name(&format!("{code:?}")),
            )),
        _ => Refusal::of(code),
    }
}
