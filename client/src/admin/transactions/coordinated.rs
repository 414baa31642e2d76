//! What the coordinator of a transactional id says of it, and how it is made to end it.
//!
//! Answers to `DescribeTransactionsHandler` and `FenceProducersHandler`.

use protocol::messages::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, InitProducerIdRequest,
    InitProducerIdResponse, TransactionalId,
};
use protocol::wire::StrBytes;

use super::TransactionState;
use crate::admin::keyed::{KeyedCall, Outcome, Results};
use crate::admin::located::TransactionKey;
use crate::admin::{Admin, AdminError, TopicPartition};

const LOAD_IN_PROGRESS: i16 = 14;
const NOT_AVAILABLE: i16 = 15;
const NOT_COORDINATOR: i16 = 16;
const CLUSTER_AUTHORIZATION_FAILED: i16 = 31;
const CONCURRENT_TRANSACTIONS: i16 = 51;
const TRANSACTIONAL_ID_AUTHORIZATION_FAILED: i16 = 53;
const TRANSACTIONAL_ID_NOT_FOUND: i16 = 105;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionDescription {
    pub coordinator: i32,
    pub state: TransactionState,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub timeout_ms: i32,
    /// None where no transaction is under way.
    pub start_time_ms: Option<i64>,
    pub partitions: Vec<TopicPartition>,
}

fn id_of(key: &TransactionKey) -> TransactionalId {
    TransactionalId(StrBytes::from_string(key.0.clone()))
}

fn failed<V>(code: i16, message: String) -> Outcome<V> {
    Outcome::Done(Err(AdminError::Answer { code, message }))
}

struct Describe;

impl KeyedCall for Describe {
    type Key = TransactionKey;
    type Value = TransactionDescription;
    type Request = DescribeTransactionsRequest;

    const NAMES: [&'static str; 2] = [
        "describeTransactions(api=FIND_COORDINATOR)",
        "describeTransactions(api=DESCRIBE_TRANSACTIONS)",
    ];

    fn request(&self, keys: &[TransactionKey], _: i32) -> DescribeTransactionsRequest {
        let ids = keys.iter().map(id_of).collect();
        DescribeTransactionsRequest::default().with_transactional_ids(ids)
    }

    fn read(
        &self,
        node: i32,
        keys: &[TransactionKey],
        answer: DescribeTransactionsResponse,
    ) -> Vec<(TransactionKey, Outcome<TransactionDescription>)> {
        let mut read = Vec::new();
        for state in &answer.transaction_states {
            let key = TransactionKey(state.transactional_id.to_string());
            if !keys.contains(&key) {
                continue;
            }
            let topics = state.topics.iter().flat_map(|topic| {
                let partition = |partition: &i32| TopicPartition {
                    topic: topic.topic.to_string(),
                    partition: *partition,
                };
                topic.partitions.iter().map(partition)
            });
            let outcome = match state.error_code {
                0 => Outcome::Done(Ok(TransactionDescription {
                    coordinator: node,
                    state: TransactionState::parse(&state.transaction_state),
                    producer_id: state.producer_id.0,
                    producer_epoch: state.producer_epoch,
                    timeout_ms: state.transaction_timeout_ms,
                    start_time_ms: Some(state.transaction_start_time_ms).filter(|ms| *ms >= 0),
                    partitions: topics.collect(),
                })),
                code => not_described(&key.0, code),
            };
            read.push((key, outcome));
        }
        read
    }
}

fn not_described<V>(id: &str, code: i16) -> Outcome<V> {
    let why = match code {
        LOAD_IN_PROGRESS => return Outcome::Again,
        NOT_COORDINATOR | NOT_AVAILABLE => return Outcome::Moved,
        TRANSACTIONAL_ID_AUTHORIZATION_FAILED => "due to authorization failure",
        TRANSACTIONAL_ID_NOT_FOUND => "because the ID could not be found",
        _ => "due to unexpected error",
    };
    failed(code, format!("DescribeTransactions request for transactionalId `{id}` failed {why}"))
}

/// Gives the id to a new producer, before which the coordinator ends what is open.
struct Fence {
    timeout_ms: i32,
}

impl KeyedCall for Fence {
    type Key = TransactionKey;
    type Value = ();
    type Request = InitProducerIdRequest;

    const NAMES: [&'static str; 2] =
        ["fenceProducer(api=FIND_COORDINATOR)", "fenceProducer(api=INIT_PRODUCER_ID)"];

    /// Of the only key there is.
    fn request(&self, keys: &[TransactionKey], _: i32) -> InitProducerIdRequest {
        InitProducerIdRequest::default()
            .with_transactional_id(keys.first().map(id_of))
            .with_transaction_timeout_ms(self.timeout_ms)
    }

    fn read(
        &self,
        _: i32,
        keys: &[TransactionKey],
        answer: InitProducerIdResponse,
    ) -> Vec<(TransactionKey, Outcome<()>)> {
        let outcome = |key: &TransactionKey| match answer.error_code {
            0 => Outcome::Done(Ok(())),
            code => not_fenced(&key.0, code),
        };
        keys.iter().map(|key| (key.clone(), outcome(key))).collect()
    }
}

fn not_fenced(id: &str, code: i16) -> Outcome<()> {
    let why = match code {
        LOAD_IN_PROGRESS | CONCURRENT_TRANSACTIONS => return Outcome::Again,
        NOT_COORDINATOR | NOT_AVAILABLE => return Outcome::Moved,
        CLUSTER_AUTHORIZATION_FAILED => "due to cluster authorization failure",
        TRANSACTIONAL_ID_AUTHORIZATION_FAILED => "due to transactional ID authorization failure",
        _ => "due to unexpected error",
    };
    failed(code, format!("InitProducerId request for transactionalId `{id}` failed {why}"))
}

impl Admin {
    /// Describes transactional ids; the result of each.
    pub async fn describe_transactions(
        &mut self,
        ids: &[String],
    ) -> Results<String, TransactionDescription> {
        let keys: Vec<TransactionKey> = ids.iter().cloned().map(TransactionKey).collect();
        let results = self.ask_of_keys(&Describe, &keys).await;
        results.into_iter().map(|(key, result)| (key.0, result)).collect()
    }

    /// Ends the transaction that is open with this id, and shuts its producer out.
    pub async fn force_terminate_transaction(&mut self, id: &str) -> Result<(), AdminError> {
        let timeout = self.settings.request_timeout.as_millis();
        let fence = Fence { timeout_ms: i32::try_from(timeout).unwrap_or(i32::MAX) };
        let results = self.ask_of_keys(&fence, &[TransactionKey(id.to_owned())]).await;
        results.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words<V>(outcome: Outcome<V>) -> String {
        match outcome {
            Outcome::Done(Err(error)) => error.to_string(),
            Outcome::Done(Ok(_)) => "done".to_owned(),
            Outcome::Again => "again".to_owned(),
            Outcome::Moved => "moved".to_owned(),
        }
    }

    #[test]
    fn what_a_coordinator_says_is_done_again_or_worded_as_by_kafka() {
        let of = "request for transactionalId `x` failed";
        for (code, expected) in [
            (14, "again".to_owned()),
            (15, "moved".to_owned()),
            (16, "moved".to_owned()),
            (53, format!("DescribeTransactions {of} due to authorization failure")),
            (105, format!("DescribeTransactions {of} because the ID could not be found")),
            (42, format!("DescribeTransactions {of} due to unexpected error")),
        ] {
            assert_eq!(words(not_described::<()>("x", code)), expected, "{code}");
        }
        for (code, expected) in [
            (14, "again".to_owned()),
            (51, "again".to_owned()),
            (15, "moved".to_owned()),
            (16, "moved".to_owned()),
            (31, format!("InitProducerId {of} due to cluster authorization failure")),
            (53, format!("InitProducerId {of} due to transactional ID authorization failure")),
            (50, format!("InitProducerId {of} due to unexpected error")),
        ] {
            assert_eq!(words(not_fenced("x", code)), expected, "{code}");
        }
    }
}
