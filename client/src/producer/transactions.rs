//! Producer ids and transactions (KIP-98), one step at a time on the caller's thread.
//!
//! Partitions are added by AddPartitionsToTxn before the first record goes to them, as clients did
//! before KIP-890; every broker serves that. Answers to `TransactionManager`.

use std::collections::HashSet;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::ErrorCode;
use protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use protocol::messages::{
    AddPartitionsToTxnRequest, EndTxnRequest, InitProducerIdRequest, ProducerId, TopicName,
    TransactionalId,
};
use protocol::wire::{Request, StrBytes};
use tokio::time::Instant;

use super::error::ProducerError;
use super::handle::{Producer, millis};
use super::settings::ProducerSettings;
use crate::PeerError;
use crate::admin::{Node, known};
use crate::metadata::{Backoff, Cluster, CoordinatorError, CoordinatorKind, Topic};

/// Clients before KIP-890 stop here.
const ADD_PARTITIONS_VERSION: i16 = 3;
const END_TXN_VERSION: i16 = 4;

/// The transaction under way.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    is_open: bool,
    partitions: HashSet<(String, i32)>,
}

/// Gets a producer id: from any node, or from the coordinator of a transactional id.
pub(super) async fn identify(
    cluster: &Cluster,
    settings: &ProducerSettings,
    limit: Option<Duration>,
    current: (i64, i16),
) -> Result<(i64, i16), ProducerError> {
    let id = settings.transactional_id.clone();
    let timeout = match id {
        Some(_) => i32::try_from(millis(settings.transaction_timeout)).unwrap_or(i32::MAX),
        None => i32::MAX,
    };
    let build = move |_| {
        InitProducerIdRequest::default()
            .with_transactional_id(id.clone().map(|id| TransactionalId(text(id))))
            .with_transaction_timeout_ms(timeout)
            .with_producer_id(ProducerId(current.0))
            .with_producer_epoch(current.1)
    };
    let answer = ask(cluster, settings, limit, "InitProducerId", i16::MAX, build, |answer| {
        answer.error_code
    });
    let answer = answer.await?;
    Ok((answer.producer_id.0, answer.producer_epoch))
}

/// Asks whoever is responsible until the answer is no error that passes.
async fn ask<R: Request + Send + 'static>(
    cluster: &Cluster,
    settings: &ProducerSettings,
    limit: Option<Duration>,
    operation: &'static str,
    newest: i16,
    build: impl Fn(i16) -> R + Clone + Send + 'static,
    code: impl Fn(&R::Response) -> i16,
) -> Result<R::Response, ProducerError> {
    let deadline = limit.map(|limit| (Instant::now() + limit, millis(limit)));
    let own = &settings.cluster;
    let backoff = Backoff { first: own.retry_backoff, most: own.retry_backoff_max };
    let mut failures = 0;
    loop {
        let remaining = match deadline {
            None => own.request_timeout,
            Some((deadline, _)) => deadline.saturating_duration_since(Instant::now()),
        };
        if let Some((_, limit_ms)) = deadline.filter(|_| remaining.is_zero()) {
            return Err(ProducerError::TransactionTimeout { limit_ms, operation });
        }
        let node = match &settings.transactional_id {
            None => any_node(cluster, remaining, failures).await,
            Some(id) => {
                let kind = CoordinatorKind::Transaction;
                match cluster.coordinator(kind, id, remaining).await {
                    Ok(node) => Some(node),
                    Err(CoordinatorError::Answer { code, message }) => {
                        return Err(ProducerError::Answer { code, message });
                    }
                    Err(_) => None,
                }
            }
        };
        if let Some(node) = node {
            let peer = cluster.peer_at(&node);
            let limit = own.request_timeout.min(remaining.max(Duration::from_millis(1)));
            match peer.request_with(0..=newest, build.clone(), limit).await {
                Ok(answer) => match code(&answer) {
                    0 => return Ok(answer),
                    code if passes(code) => {}
                    code => return Err(ProducerError::answer(code, None)),
                },
                Err(PeerError::UnsupportedVersion { .. }) => {
                    let code = ErrorCode::UnsupportedVersion.code();
                    return Err(ProducerError::answer(code, None));
                }
                Err(error) => cluster.failed(node.id, &error),
            }
        }
        tokio::time::sleep(backoff.after(failures)).await;
        failures = failures.saturating_add(1);
    }
}

fn passes(code: i16) -> bool {
    known(code).is_retriable || code == ErrorCode::ConcurrentTransactions.code()
}

async fn any_node(cluster: &Cluster, limit: Duration, turn: u32) -> Option<Node> {
    let view = cluster.wait_until(limit, |view| !view.nodes.is_empty()).await?;
    let at = usize::try_from(turn).unwrap_or_default() % view.nodes.len();
    view.nodes.get(at).cloned()
}

fn text(text: String) -> StrBytes {
    StrBytes::from_string(text)
}

impl<T: Send + 'static> Producer<T> {
    fn transaction(&self) -> Option<MutexGuard<'_, Transactions>> {
        let transactions = self.transactions.as_ref()?;
        Some(transactions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn identity(&self) -> (i64, i16) {
        let state = self.shared.lock();
        state.sequences.as_ref().map_or((-1, -1), super::sequences::Sequences::identity)
    }

    /// Registers the transactional id: what an earlier producer of it left open is ended.
    pub fn init_transactions(&self) -> Result<(), ProducerError> {
        let limit = Some(self.settings.max_block);
        let asked = identify(&self.cluster, &self.settings, limit, (-1, -1));
        let (producer_id, epoch) = self.runtime.block_on(asked).map_err(|error| match error {
            ProducerError::TransactionTimeout { limit_ms, .. } => {
                let operation = "InitProducerId";
                ProducerError::TransactionTimeout { limit_ms, operation }
            }
            other => other,
        })?;
        if let Some(own) = self.shared.lock().sequences.as_mut() {
            own.identified(producer_id, epoch);
        }
        Ok(())
    }

    pub fn begin_transaction(&self) {
        if let Some(mut transaction) = self.transaction() {
            *transaction = Transactions { is_open: true, partitions: HashSet::new() };
        }
        self.shared.lock().is_transaction_broken = false;
    }

    /// Waits for all records of the transaction, then makes them visible.
    pub fn commit_transaction(&self) -> Result<(), ProducerError> {
        self.flush();
        if self.shared.lock().is_transaction_broken {
            return Err(ProducerError::TransactionFailed);
        }
        self.end_transaction(true)
    }

    /// Waits for all records of the transaction, then takes them back.
    pub fn abort_transaction(&self) -> Result<(), ProducerError> {
        self.flush();
        self.end_transaction(false)
    }

    fn end_transaction(&self, is_committed: bool) -> Result<(), ProducerError> {
        let Some(mut transaction) = self.transaction() else { return Ok(()) };
        let is_empty = transaction.partitions.is_empty();
        *transaction = Transactions::default();
        drop(transaction);
        if is_empty {
            return Ok(());
        }
        let (producer_id, epoch) = self.identity();
        let id = self.settings.transactional_id.clone().unwrap_or_default();
        let build = move |_| {
            EndTxnRequest::default()
                .with_transactional_id(TransactionalId(text(id.clone())))
                .with_producer_id(ProducerId(producer_id))
                .with_producer_epoch(epoch)
                .with_committed(is_committed)
        };
        let limit = Some(self.settings.max_block);
        let (cluster, settings) = (&self.cluster, &self.settings);
        let asked = ask(cluster, settings, limit, "EndTxn", END_TXN_VERSION, build, |answer| {
            answer.error_code
        });
        self.runtime.block_on(asked).map(|_| ())
    }

    /// Before a record goes to a partition that the transaction does not know.
    pub(super) fn add_to_transaction(
        &self,
        topic: &Topic,
        partition: i32,
    ) -> Result<(), ProducerError> {
        let Some(mut transaction) = self.transaction() else { return Ok(()) };
        if !transaction.is_open {
            return Err(ProducerError::TransactionFailed);
        }
        let added = (topic.name.clone(), partition);
        if transaction.partitions.contains(&added) {
            return Ok(());
        }
        let (producer_id, epoch) = self.identity();
        let id = self.settings.transactional_id.clone().unwrap_or_default();
        let name: Arc<str> = topic.name.as_str().into();
        let build = move |_| {
            let topic = AddPartitionsToTxnTopic::default()
                .with_name(TopicName(text(name.to_string())))
                .with_partitions(vec![partition]);
            AddPartitionsToTxnRequest::default()
                .with_v3_and_below_transactional_id(TransactionalId(text(id.clone())))
                .with_v3_and_below_producer_id(ProducerId(producer_id))
                .with_v3_and_below_producer_epoch(epoch)
                .with_v3_and_below_topics(vec![topic])
        };
        let limit = Some(self.settings.max_block);
        let (cluster, settings, newest) = (&self.cluster, &self.settings, ADD_PARTITIONS_VERSION);
        let operation = "AddPartitionsToTxn";
        let asked = ask(cluster, settings, limit, operation, newest, build, |answer| {
            let results = answer.results_by_topic_v3_and_below.iter();
            let codes = results.flat_map(|topic| &topic.results_by_partition);
            codes.map(|result| result.partition_error_code).find(|code| *code != 0).unwrap_or(0)
        });
        self.runtime.block_on(asked)?;
        transaction.partitions.insert(added);
        Ok(())
    }
}
