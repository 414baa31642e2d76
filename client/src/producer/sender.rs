//! The task that sends: what is due goes to its nodes, and answers go where `verdict` says.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use protocol::messages::produce_response::PartitionProduceResponse;
use protocol::messages::{ProduceRequest, ProduceResponse, TopicName, TransactionalId};
use protocol::wire::StrBytes;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::accumulator::{Departing, Drained};
use super::error::ProducerError;
use super::handle::{Delivery, OnDelivery, Outcome, Shared, State, millis};
use super::in_order::{InOrder, Place};
use super::sequences::{Sequences, TopicPartition};
use super::settings::{Acks, ProducerSettings};
use super::transactions::identify;
use super::verdict::{self, Answered, Standing, Verdict};
use crate::PeerError;
use crate::metadata::{Backoff, Cluster, ClusterView};

/// The last version of Produce under which a transaction's partitions are added by their own
/// request (KIP-890).
const LAST_EXPLICIT: i16 = 11;

/// What comes back from the wire.
enum Returned<T> {
    Produced(Place, Produced<T>),
    Identified(Result<(i64, i16), ProducerError>),
}

/// A request that came back.
struct Produced<T> {
    node: i32,
    /// Of the topics of the batches.
    ids: Vec<Uuid>,
    batches: Vec<Departing<T>>,
    answer: Result<ProduceResponse, PeerError>,
}

pub(super) struct Sender<T> {
    shared: Arc<Shared<T>>,
    settings: Arc<ProducerSettings>,
    cluster: Cluster,
    on_delivery: OnDelivery<T>,
    on_wire: JoinSet<Returned<T>>,
    in_order: InOrder<Produced<T>>,
    in_flight: HashMap<i32, usize>,
    /// Nodes that could not be reached: until when they rest, and how often in a row.
    resting: HashMap<i32, (u64, u32)>,
    is_identifying: bool,
}

impl<T: Send + 'static> Sender<T> {
    pub(super) fn new(
        shared: Arc<Shared<T>>,
        settings: Arc<ProducerSettings>,
        cluster: Cluster,
        on_delivery: OnDelivery<T>,
    ) -> Self {
        Self {
            shared,
            settings,
            cluster,
            on_delivery,
            on_wire: JoinSet::new(),
            in_order: InOrder::default(),
            in_flight: HashMap::new(),
            resting: HashMap::new(),
            is_identifying: false,
        }
    }

    pub(super) async fn run(mut self) {
        let mut changes = self.cluster.changes();
        loop {
            let wait = self.send_due();
            if wait == 0 {
                continue;
            }
            let is_over = {
                let state = self.shared.lock();
                state.accumulator.is_closed && state.accumulator.incomplete == 0
            };
            if is_over {
                return;
            }
            tokio::select! {
                Some(returned) = self.on_wire.join_next(), if !self.on_wire.is_empty() => {
                    // A task that panicked has said so; its batches are lost with it.
                    if let Ok(returned) = returned {
                        self.take(returned);
                    }
                    while let Some(Ok(returned)) = self.on_wire.try_join_next() {
                        self.take(returned);
                    }
                }
                () = self.shared.work.notified() => {}
                changed = changes.changed() => if changed.is_err() {
                    return;
                },
                () = tokio::time::sleep(Duration::from_millis(wait)) => {}
            }
        }
    }

    /// Sends what is due; how long until something else is, which may be at once: of each partition
    /// one batch goes at a time.
    fn send_due(&mut self) -> u64 {
        let now = self.shared.now();
        let view = self.cluster.view();
        let (expired, drained) = self.collect(&view, now);
        let rests = self.resting.values().map(|(until, _)| until.saturating_sub(now));
        let next = rests.filter(|rest| *rest > 0).fold(drained.next_in, u64::min);
        for departed in expired {
            let Departing { partition: (topic, partition), batch } = &departed;
            let error = ProducerError::Expired {
                records: batch.len(),
                topic: topic.to_string(),
                partition: *partition,
                elapsed_ms: now.saturating_sub(batch.created),
            };
            self.done(departed, Outcome::Failed(error));
        }
        for (departed, error) in drained.failed {
            self.done(departed, Outcome::Failed(error));
        }
        if drained.has_unknown_leader {
            self.cluster.request_update();
        }
        let has_sent = !drained.requests.is_empty();
        for (node, batches) in drained.requests {
            self.produce(&view, node, batches);
        }
        if self.is_anonymous() && !self.is_identifying {
            self.is_identifying = true;
            let (cluster, settings) = (self.cluster.clone(), Arc::clone(&self.settings));
            self.on_wire.spawn(async move {
                Returned::Identified(identify(&cluster, &settings, None, (-1, -1)).await)
            });
        }
        if has_sent { 0 } else { next.max(1) }
    }

    /// Takes out of the accumulator what is too late and what goes now.
    fn collect(&self, view: &ClusterView, now: u64) -> (Vec<Departing<T>>, Drained<T>) {
        let max_in_flight = self.settings.max_in_flight;
        let is_busy = |node: i32| {
            self.in_flight.get(&node).is_some_and(|count| *count >= max_in_flight)
                || self.resting.get(&node).is_some_and(|(until, _)| *until > now)
        };
        let leader = |topic: &str, index: i32| leader(view, topic, index);
        let is_transactional = self.settings.transactional_id.is_some();
        let mut state = self.shared.lock();
        let State { accumulator, sequences, .. } = &mut *state;
        let expired = accumulator.expire(now);
        let drained = accumulator.drain(now, leader, is_busy, sequences.as_mut());
        for Departing { partition, batch } in expired.iter().filter(|_| !is_transactional) {
            if let (Some(own), Some(sequence)) = (sequences.as_mut(), batch.sequence) {
                own.lost(partition, sequence);
            }
        }
        (expired, drained)
    }

    /// Whether a producer id is missing that nobody else gets.
    fn is_anonymous(&self) -> bool {
        let state = self.shared.lock();
        let lacks_id = state.sequences.as_ref().is_some_and(Sequences::needs_producer_id);
        lacks_id && self.settings.transactional_id.is_none() && state.fatal.is_none()
    }

    fn produce(&mut self, view: &Arc<ClusterView>, node: i32, batches: Vec<Departing<T>>) {
        *self.in_flight.entry(node).or_default() += 1;
        let peer = self.cluster.peer(node);
        let acks = self.settings.acks;
        let limit = self.settings.cluster.request_timeout;
        let transactional_id = self.settings.transactional_id.clone();
        let newest = if transactional_id.is_some() { LAST_EXPLICIT } else { i16::MAX };
        let ids: Vec<Uuid> = batches
            .iter()
            .map(|departing| view.topic(&departing.partition.0).map_or(Uuid::nil(), |t| t.id))
            .collect();
        let with_ids = ids.iter().all(|id| !id.is_nil());
        let newest = if with_ids { newest } else { newest.min(12) };
        let topic_data = topic_data(&batches, &ids);
        let build = move |version: i16| {
            let mut topic_data = topic_data;
            for topic in &mut topic_data {
                match version {
                    13.. => topic.name = TopicName::default(),
                    _ => topic.topic_id = Uuid::nil(),
                }
            }
            ProduceRequest::default()
                .with_transactional_id(
                    transactional_id.map(|id| TransactionalId(StrBytes::from_string(id))),
                )
                .with_acks(acks.code())
                .with_timeout_ms(i32::try_from(millis(limit)).unwrap_or(i32::MAX))
                .with_topic_data(topic_data)
        };
        let is_answered = acks != Acks::None;
        // In line now and not when the task runs: tasks run in any order.
        let begun = peer.map(|peer| peer.begin_with(0..=newest, build, limit, is_answered));
        let place = self.in_order.sent(node);
        self.on_wire.spawn(async move {
            let answer = match begun {
                None => Err(PeerError::Stopping),
                Some(begun) => begun.await.map(Option::unwrap_or_default),
            };
            Returned::Produced(place, Produced { node, ids, batches, answer })
        });
    }

    fn take(&mut self, returned: Returned<T>) {
        match returned {
            Returned::Identified(found) => {
                self.is_identifying = false;
                match found {
                    Ok((producer_id, epoch)) => {
                        let mut state = self.shared.lock();
                        if let Some(own) = state.sequences.as_mut() {
                            own.identified(producer_id, epoch);
                        }
                    }
                    Err(error) => self.give_up(&error),
                }
            }
            Returned::Produced(place, produced) => {
                if let Some(count) = self.in_flight.get_mut(&produced.node) {
                    *count = count.saturating_sub(1);
                }
                for produced in self.in_order.returned(place, produced) {
                    self.returned(produced);
                }
            }
        }
    }

    /// Nothing can be sent any more, now or later.
    fn give_up(&self, error: &ProducerError) {
        let all = {
            let mut state = self.shared.lock();
            state.fatal = Some(error.clone());
            state.accumulator.take_all()
        };
        for departed in all {
            self.done(departed, Outcome::Failed(error.clone()));
        }
        self.shared.freed.notify_all();
    }

    fn returned(&mut self, produced: Produced<T>) {
        let Produced { node, ids, batches, answer } = produced;
        if let Err(error) = &answer {
            self.cluster.failed(node, error);
        }
        let refused = match answer {
            Ok(response) => {
                self.resting.remove(&node);
                return self.answered(batches, &ids, &response);
            }
            Err(
                PeerError::Unreachable { .. } | PeerError::Handshake { .. } | PeerError::Stopping,
            ) => {
                return self.unreachable(node, batches);
            }
            Err(PeerError::TimedOut(_)) => Answered::failed(
                ErrorCode::RequestTimedOut,
                Some(format!("Disconnected from node {node} due to timeout")),
            ),
            Err(PeerError::UnsupportedVersion { .. }) => {
                Answered::failed(ErrorCode::UnsupportedVersion, None)
            }
            Err(PeerError::Unencodable(reason)) => {
                Answered::failed(ErrorCode::InvalidRequest, Some(reason))
            }
            Err(PeerError::Unauthenticated { reason, .. }) => {
                Answered::failed(ErrorCode::SaslAuthenticationFailed, Some(reason))
            }
            Err(PeerError::Disconnected(_) | PeerError::Garbage { .. }) => Answered::failed(
                ErrorCode::NetworkException,
                Some(format!("Disconnected from node {node}")),
            ),
        };
        for departed in batches {
            self.judge(departed, refused.clone());
        }
    }

    /// Nothing went out: the batches wait for the node to be there, and no attempt is counted.
    fn unreachable(&mut self, node: i32, batches: Vec<Departing<T>>) {
        let now = self.shared.now();
        let first = self.settings.cluster.reconnect_backoff;
        let backoff = Backoff { first, most: self.settings.cluster.reconnect_backoff_max };
        let (until, failures) = self.resting.entry(node).or_default();
        *until = now + millis(backoff.after(*failures)).max(1);
        *failures += 1;
        let mut state = self.shared.lock();
        for departed in batches {
            if let (Some(own), Some(sequence)) = (state.sequences.as_mut(), departed.batch.sequence)
            {
                own.returned(&departed.partition, sequence);
            }
            state.accumulator.returned(&departed.partition);
            state.accumulator.put_back(departed);
        }
    }

    fn answered(&self, batches: Vec<Departing<T>>, ids: &[Uuid], response: &ProduceResponse) {
        for (departed, id) in batches.into_iter().zip(ids) {
            let answered = match answer_to(response, &departed.partition, *id) {
                Some(answer) => {
                    self.note_leader(&departed, answer);
                    read(answer)
                }
                None if self.settings.acks == Acks::None => {
                    Answered { code: 0, ..Answered::failed(ErrorCode::UnknownServerError, None) }
                }
                None => Answered::failed(ErrorCode::UnknownServerError, None),
            };
            self.judge(departed, answered);
        }
    }

    fn note_leader(&self, departed: &Departing<T>, answer: &PartitionProduceResponse) {
        let leader = &answer.current_leader;
        if answer.error_code != 0 && leader.leader_id.0 >= 0 && leader.leader_epoch >= 0 {
            let (topic, index) = &departed.partition;
            self.cluster.leads(topic, *index, leader.leader_id.0, leader.leader_epoch);
        }
    }

    fn judge(&self, departed: Departing<T>, answered: Answered) {
        let now = self.shared.now();
        if verdict::is_stale(answered.code) {
            self.cluster.request_update();
        }
        let mut state = self.shared.lock();
        let Departing { partition, batch } = &departed;
        let sequence = batch.sequence;
        state.accumulator.returned(partition);
        let standing = Standing {
            records: batch.len(),
            attempts: batch.attempts,
            retries: self.settings.retries,
            is_late: now.saturating_sub(batch.created) >= millis(self.settings.delivery_timeout),
            is_next: state
                .sequences
                .as_ref()
                .zip(sequence)
                .map(|(own, sequence)| own.is_next(partition, sequence)),
            is_transactional: self.settings.transactional_id.is_some(),
        };
        let verdict = verdict::judge(answered.code, &standing);
        let records = i32::try_from(batch.len()).unwrap_or(i32::MAX);
        if let (Some(own), Some(sequence)) = (state.sequences.as_mut(), sequence) {
            own.returned(partition, sequence);
            match verdict {
                Verdict::Done => {
                    let last = answered.base_offset + i64::from(records) - 1;
                    own.acknowledged(partition, sequence, records, last);
                }
                Verdict::Retry => {}
                // A transaction ends with it; its epoch is the coordinator's.
                _ if standing.is_transactional => {}
                Verdict::RetryAfresh | Verdict::Split | Verdict::Fail => {
                    own.lost(partition, sequence);
                }
            }
        }
        let refused = match verdict {
            Verdict::Retry | Verdict::RetryAfresh => {
                state.accumulator.reenqueue(now, departed);
                return;
            }
            Verdict::Split => {
                let (partition, tokens) = (departed.partition.clone(), departed.batch.len());
                match state.accumulator.split(departed) {
                    Ok(()) => return,
                    // What was sealed here can be read here.
                    Err(error) => {
                        tracing::error!(?partition, tokens, "a batch cannot be cut: {error}");
                        return;
                    }
                }
            }
            Verdict::Done => Outcome::Delivered(answered.base_offset),
            Verdict::Fail => Outcome::Answered(answered),
        };
        drop(state);
        self.done(departed, refused);
    }

    /// Tells what became of a batch, then frees its memory.
    fn done(&self, departed: Departing<T>, outcome: Outcome) {
        let Departing { partition: (topic, partition), batch } = departed;
        let (allocated, bytes) = (batch.allocated, batch.bytes());
        let is_failed = !matches!(outcome, Outcome::Delivered(_));
        let delivery = Delivery { topic: &topic, partition, outcome, bytes };
        (self.on_delivery)(batch.tokens, &delivery);
        let mut state = self.shared.lock();
        state.is_transaction_broken |= is_failed;
        state.accumulator.done(allocated);
        let is_wanted = state.accumulator.waiting > 0 || state.accumulator.flushing > 0;
        drop(state);
        if is_wanted {
            self.shared.freed.notify_all();
        }
    }
}

fn leader(view: &ClusterView, topic: &str, index: i32) -> Option<i32> {
    let leader = view.partition(topic, index)?.leader_id?;
    view.node(leader).map(|node| node.id)
}

fn topic_data<T>(batches: &[Departing<T>], ids: &[Uuid]) -> Vec<TopicProduceData> {
    let mut topics: Vec<TopicProduceData> = Vec::new();
    for (Departing { partition: (name, index), batch }, id) in batches.iter().zip(ids) {
        let data =
            PartitionProduceData::default().with_index(*index).with_records(Some(batch.bytes()));
        match topics.last_mut().filter(|topic| topic.name.as_str() == &**name) {
            Some(topic) => topic.partition_data.push(data),
            None => topics.push(
                TopicProduceData::default()
                    .with_name(TopicName(StrBytes::from_string(name.to_string())))
                    .with_topic_id(*id)
                    .with_partition_data(vec![data]),
            ),
        }
    }
    topics
}

/// What is answered of a partition, which was asked by the topic's name or by this id: what became
/// of the topic since is of no importance.
fn answer_to<'r>(
    response: &'r ProduceResponse,
    (topic, index): &TopicPartition,
    id: Uuid,
) -> Option<&'r PartitionProduceResponse> {
    let of_topic = response.responses.iter().filter(|answer| match answer.topic_id.is_nil() {
        true => answer.name.as_str() == &**topic,
        false => answer.topic_id == id,
    });
    of_topic.flat_map(|answer| &answer.partition_responses).find(|answer| answer.index == *index)
}

fn read(answer: &PartitionProduceResponse) -> Answered {
    let words = |text: &Option<StrBytes>| text.as_ref().map(ToString::to_string);
    let errors = answer.record_errors.iter();
    Answered {
        code: answer.error_code,
        base_offset: answer.base_offset,
        append_time: answer.log_append_time_ms,
        message: words(&answer.error_message),
        record_errors: errors
            .map(|error| (error.batch_index, words(&error.batch_index_error_message)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use protocol::messages::produce_response::TopicProduceResponse;

    use super::*;

    #[test]
    fn an_answer_is_found_by_what_was_asked_with() {
        let (id, other) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let answered =
            |code| PartitionProduceResponse::default().with_index(3).with_error_code(code);
        let by_name = TopicProduceResponse::default()
            .with_name(TopicName(StrBytes::from_static_str("orders")))
            .with_partition_responses(vec![answered(1)]);
        let by_id = TopicProduceResponse::default()
            .with_topic_id(id)
            .with_partition_responses(vec![answered(2)]);
        let found = |response: TopicProduceResponse, topic: &str, index, id| {
            let response = ProduceResponse::default().with_responses(vec![response]);
            answer_to(&response, &(Arc::from(topic), index), id).map(|answer| answer.error_code)
        };
        assert_eq!(found(by_name.clone(), "orders", 3, Uuid::nil()), Some(1));
        assert_eq!(found(by_name.clone(), "orders", 4, Uuid::nil()), None);
        assert_eq!(found(by_name, "others", 3, Uuid::nil()), None);
        assert_eq!(found(by_id.clone(), "orders", 3, id), Some(2), "the topic may be gone by now");
        assert_eq!(found(by_id, "orders", 3, other), None);
    }
}
