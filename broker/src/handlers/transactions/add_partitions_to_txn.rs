//! AddPartitionsToTxn: partitions take part in transactions.
//!
//! Up to version 3 a client asks, for one transaction. From version 4 on a leader asks for all its
//! producers at once, to add partitions or to verify that they take part (KIP-890). One partition
//! that cannot be added keeps all others of its transaction out. Kafka:
//! `KafkaApis.handleAddPartitionsToTxnRequest`.

use std::collections::{BTreeMap, BTreeSet};

use coordinator::transaction::{
    AddPartitions, ProducerIdAndEpoch, TopicPartition, TransactionVersion,
};
use protocol::ErrorCode;
use protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
};
use protocol::messages::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, TopicName, TransactionalId,
};
use protocol::wire::StrBytes;

use crate::coordinators::transactions::{Pending, Transactions};
use crate::metadata::metadata_cache::{MetadataCache, is_internal};
use crate::requests::answer_budget;
use crate::requests::api_error::text;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map::transactions::as_known_before;
use crate::requests::reply::CloseConnection;

const FIRST_WITH_FENCED: i16 = 2;
/// From this version on other brokers ask.
const FIRST_OF_BROKERS: i16 = 4;
/// What one partition costs here, about.
const BYTES_EACH: usize = 256;

/// The code of each partition of one transaction.
type Codes = BTreeMap<TopicPartition, i16>;

/// One transaction of a request.
struct Transaction {
    id: StrBytes,
    producer: ProducerIdAndEpoch,
    partitions: BTreeSet<TopicPartition>,
    is_verification: bool,
}

pub(crate) async fn handle(
    metadata: &MetadataCache,
    transactions: &Transactions,
    context: &RequestContext,
    request: AddPartitionsToTxnRequest,
) -> Result<AddPartitionsToTxnResponse, CloseConnection> {
    let response = AddPartitionsToTxnResponse::default();
    if context.api_version < FIRST_OF_BROKERS {
        let asked = Transaction {
            producer: ProducerIdAndEpoch {
                producer_id: request.v3_and_below_producer_id.0,
                producer_epoch: request.v3_and_below_producer_epoch,
            },
            partitions: partitions(&request.v3_and_below_topics)?,
            id: text(request.v3_and_below_transactional_id.as_str()),
            is_verification: false,
        };
        let codes = begin(metadata, transactions, context, asked).codes(context).await;
        return Ok(response.with_results_by_topic_v3_and_below(results(codes)));
    }
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        return Ok(response.with_error_code(ErrorCode::ClusterAuthorizationFailed.code()));
    }
    let mut answered = Vec::with_capacity(request.transactions.len());
    for transaction in &request.transactions {
        let asked = Transaction {
            producer: ProducerIdAndEpoch {
                producer_id: transaction.producer_id.0,
                producer_epoch: transaction.producer_epoch,
            },
            partitions: partitions(&transaction.topics)?,
            id: text(transaction.transactional_id.as_str()),
            is_verification: transaction.verify_only,
        };
        // All are asked before one is waited for.
        answered.push((asked.id.clone(), begin(metadata, transactions, context, asked)));
    }
    let mut by_transaction = Vec::with_capacity(answered.len());
    for (id, added) in answered {
        let result = AddPartitionsToTxnResult::default()
            .with_transactional_id(TransactionalId(id))
            .with_topic_results(results(added.codes(context).await));
        by_transaction.push(result);
    }
    Ok(response.with_results_by_transaction(by_transaction))
}

/// What comes of one transaction.
enum Added {
    Codes(Codes),
    Waiting(BTreeSet<TopicPartition>, Pending<(), ErrorCode>),
}

impl Added {
    async fn codes(self, context: &RequestContext) -> Codes {
        match self {
            Self::Codes(codes) => codes,
            Self::Waiting(partitions, added) => match added.await {
                Ok(()) => partitions.into_iter().map(|partition| (partition, 0)).collect(),
                Err(code) => {
                    all(&partitions, as_known_before(code, context.api_version, FIRST_WITH_FENCED))
                }
            },
        }
    }
}

/// Asks for all of it or, if some of it cannot be, for nothing.
fn begin(
    metadata: &MetadataCache,
    transactions: &Transactions,
    context: &RequestContext,
    asked: Transaction,
) -> Added {
    let Transaction { id, producer, partitions, is_verification } = asked;
    let is_of_client = context.api_version < FIRST_OF_BROKERS;
    if is_of_client && !context.authorize(Operation::Write, Resource::TransactionalId(&id)) {
        let denied = ErrorCode::TransactionalIdAuthorizationFailed;
        return Added::Codes(all(&partitions, denied));
    }
    if let Some(refused) = refused(metadata, context, &partitions, is_of_client) {
        return Added::Codes(refused);
    }
    if is_verification {
        let verified = transactions.verify_partitions(&id, producer, &partitions);
        return Added::Codes(match verified {
            Ok(verified) => {
                let absent = ErrorCode::TransactionAbortable.code();
                let code = |takes_part| if takes_part { 0 } else { absent };
                let told = verified.into_iter();
                told.map(|(partition, takes_part)| (partition, code(takes_part))).collect()
            }
            Err(code) => all(&partitions, code),
        });
    }
    let client = match is_of_client {
        true => TransactionVersion::V0,
        false => TransactionVersion::V2,
    };
    let asked = AddPartitions { transactional_id: id, producer, partitions, client };
    let added = transactions.add_partitions(&asked);
    Added::Waiting(asked.partitions, added)
}

/// What is wrong with the partitions of a transaction, if any of them cannot be added.
fn refused(
    metadata: &MetadataCache,
    context: &RequestContext,
    partitions: &BTreeSet<TopicPartition>,
    is_of_client: bool,
) -> Option<Codes> {
    let mut topics: BTreeMap<&StrBytes, usize> = BTreeMap::new();
    for partition in partitions {
        *topics.entry(&partition.topic).or_default() += 1;
    }
    let is_denied = |(topic, references): &(&StrBytes, usize)| {
        let resource = Resource::Topic(topic);
        let may = || context.authorize_all(Operation::Write, resource, *references);
        is_of_client && (is_internal(topic) || !may())
    };
    let denied: BTreeSet<&StrBytes> =
        topics.into_iter().filter(is_denied).map(|(topic, _)| topic).collect();
    let image = metadata.image();
    let code = |partition: &TopicPartition| {
        if denied.contains(&partition.topic) {
            return Some(ErrorCode::TopicAuthorizationFailed);
        }
        let topic = image.topics().by_name(&partition.topic);
        let is_there = topic.is_some_and(|topic| topic.partition(partition.partition).is_some());
        (!is_there).then_some(ErrorCode::UnknownTopicOrPartition)
    };
    let codes: Vec<_> = partitions.iter().map(|partition| (partition, code(partition))).collect();
    codes.iter().any(|(_, code)| code.is_some()).then(|| {
        let untried = ErrorCode::OperationNotAttempted;
        let told = codes
            .into_iter()
            .map(|(partition, code)| (partition.clone(), code.unwrap_or(untried).code()));
        told.collect()
    })
}

fn all(partitions: &BTreeSet<TopicPartition>, code: ErrorCode) -> Codes {
    partitions.iter().map(|partition| (partition.clone(), code.code())).collect()
}

fn partitions(
    topics: &[AddPartitionsToTxnTopic],
) -> Result<BTreeSet<TopicPartition>, CloseConnection> {
    let asked: usize = topics.iter().map(|topic| topic.partitions.len()).sum();
    answer_budget::check(asked, BYTES_EACH)?;
    let each = topics.iter().flat_map(|topic| {
        // A copy for all partitions: the request's would keep its frame.
        let name = text(topic.name.as_str());
        let partition =
            move |partition: &i32| TopicPartition { topic: name.clone(), partition: *partition };
        topic.partitions.iter().map(partition)
    });
    Ok(each.collect())
}

fn results(codes: Codes) -> Vec<AddPartitionsToTxnTopicResult> {
    let mut results: Vec<AddPartitionsToTxnTopicResult> = Vec::new();
    for (TopicPartition { topic, partition }, code) in codes {
        let result = AddPartitionsToTxnPartitionResult::default()
            .with_partition_index(partition)
            .with_partition_error_code(code);
        match results.last_mut() {
            Some(last) if last.name.0 == topic => last.results_by_partition.push(result),
            _ => results.push(
                AddPartitionsToTxnTopicResult::default()
                    .with_name(TopicName(topic))
                    .with_results_by_partition(vec![result]),
            ),
        }
    }
    results
}
