//! Requests of clients and of other brokers on the node that they were sent to.

use std::collections::BTreeSet;

use coordinator::group::{Answer as GroupAnswer, GroupError, GroupShard};
use coordinator::runtime::{Now, Producer, WriteFailure};
use coordinator::transaction::{
    AddPartitions, Answer, Command, EndTransaction, InitProducerId, Outputs, ProducerIdAndEpoch,
    TransactionError, TransactionShard, TransactionVersion,
};
use protocol::ErrorCode;
use protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use protocol::messages::{GroupId, ProducerId, TopicName, TransactionalId, TxnOffsetCommitRequest};
use storage::VerificationGuard;

use super::messages::{Attempt, Refusal, Reply, Request, Said};
use super::node::{Marking, Node, Verifying, Waiter, Work};
use super::shard_host::{Did, Stage, reply};
use super::shared::{GROUP, INPUT, OFFSETS, TIMEOUT_MS, TOPIC, TRANSACTIONS, place, text};

/// How long what could not be sent or written waits.
const PAUSE_US: i64 = 50_000;
const REQUEST_US: i64 = 1_500_000;
/// In the coordinator's log nothing is in sequence.
const NO_SEQUENCE: i32 = -1;

fn refusal(error: TransactionError) -> Refusal {
    match error {
        TransactionError::ConcurrentTransactions
        | TransactionError::WriteFailed(_)
        | TransactionError::NotCoordinator
        | TransactionError::LoadInProgress => Refusal::Again,
        _ => Refusal::Fenced,
    }
}

fn told(answer: Answer) -> Result<Reply, Refusal> {
    match answer {
        Answer::Producer(answer) => answer.map(Reply::Producer).map_err(refusal),
        Answer::AddPartitions(answer) => answer.map(|()| Reply::Done).map_err(refusal),
    }
}

fn marker_code(error: &GroupError) -> ErrorCode {
    match error {
        GroupError::WriteFailed(WriteFailure::InvalidProducerEpoch) => {
            ErrorCode::InvalidProducerEpoch
        }
        GroupError::WriteFailed(WriteFailure::CoordinatorFenced) => {
            ErrorCode::TransactionCoordinatorFenced
        }
        _ => ErrorCode::NotLeaderOrFollower,
    }
}

impl Node {
    pub(crate) fn asked(&mut self, attempt: Attempt, request: Request, stage: &mut Stage<'_>) {
        let kind = stage.shared.kinds[attempt.client];
        let transactional_id = text(kind.transactional_id);
        let waiter = Waiter::Client(attempt);
        match request {
            Request::Init => self.coordinate(waiter, stage, |shard, new_id, number, now, out| {
                let asked = InitProducerId {
                    transactional_id: transactional_id.clone(),
                    timeout_ms: TIMEOUT_MS,
                    expected: None,
                    new_producer_id: new_id,
                };
                shard.init_producer_id(&asked, reply(number), now, out);
            }),
            Request::Add { who, partition } => {
                self.add((attempt.client, who, partition), waiter, stage);
            }
            Request::End { who, is_commit } => {
                self.coordinate(waiter, stage, |shard, new_id, number, now, out| {
                    let asked = EndTransaction {
                        transactional_id: transactional_id.clone(),
                        producer: who,
                        is_commit,
                        client: kind.version,
                        new_producer_id: new_id,
                    };
                    shard.end(&asked, reply(number), now, out);
                });
            }
            Request::Write { who, partition, sequence, value } => {
                let work = Work::Write { who, partition, sequence, value };
                self.verify(attempt, work, (who, partition, sequence), stage);
            }
            Request::CommitOffset { who, offset } => {
                let work = Work::Commit { who, offset };
                self.verify(attempt, work, (who, OFFSETS, NO_SEQUENCE), stage);
            }
            Request::FetchOffset => self.fetch_offset(waiter, stage),
        }
    }

    /// Asks the shard of transactional ids; with a new producer id where one is needed.
    fn coordinate(
        &mut self,
        waiter: Waiter,
        stage: &mut Stage<'_>,
        ask: impl Fn(&mut TransactionShard, Option<i64>, u64, Now, &mut Outputs),
    ) {
        let mut new_id = None;
        loop {
            let Some(host) = self.transactions.as_mut().filter(|host| host.serves()) else {
                return stage.tell(waiter, Err(Refusal::Again));
            };
            let number = stage.shared.number();
            let mut did = host.step(stage, |shard, now, out| ask(shard, new_id, number, now, out));
            let needed = Answer::Producer(Err(TransactionError::ProducerIdNeeded));
            let asks = did.answers.iter().position(|(id, said)| id.0 == number && *said == needed);
            if let Some(at) = asks.filter(|_| new_id.is_none()) {
                did.answers.remove(at);
                new_id = Some(stage.shared.producer_id());
                self.transactions_did(did, stage);
                continue;
            }
            self.parked.insert(number, waiter);
            return self.transactions_did(did, stage);
        }
    }

    fn add(
        &mut self,
        (client, who, partition): (usize, ProducerIdAndEpoch, usize),
        waiter: Waiter,
        stage: &mut Stage<'_>,
    ) {
        let kind = stage.shared.kinds[client];
        let asked = AddPartitions {
            transactional_id: text(kind.transactional_id),
            producer: who,
            partitions: [place(partition)].into(),
            client: kind.version,
        };
        self.coordinate(waiter, stage, |shard, _, number, now, out| {
            shard.add_partitions(&asked, reply(number), now, out);
        });
    }

    /// Before the first records of a transaction its coordinator is asked.
    fn verify(
        &mut self,
        attempt: Attempt,
        work: Work,
        (who, partition, sequence): (ProducerIdAndEpoch, usize, i32),
        stage: &mut Stage<'_>,
    ) {
        let waiter = Waiter::Client(attempt);
        let now_ms = stage.now().wall_ms;
        let adds = stage.shared.kinds[attempt.client].version == TransactionVersion::V2;
        let leads = stage.broker.leads(partition);
        let log = stage.broker.log_mut(partition).filter(|_| leads);
        let Some(log) = log else { return stage.tell(waiter, Err(Refusal::Again)) };
        let producer = (who.producer_id, who.producer_epoch);
        let guard = match log.transactions.begin_verification(producer, sequence, adds, now_ms) {
            Err(_) => return stage.tell(waiter, Err(Refusal::Fenced)),
            Ok(VerificationGuard::NONE) => {
                return self.work(attempt, work, VerificationGuard::NONE, stage);
            }
            Ok(guard) => guard,
        };
        let Some(coordinator) = stage.leader(TRANSACTIONS) else {
            return stage.tell(waiter, Err(Refusal::Again));
        };
        let question = stage.shared.number();
        let since_us = stage.now_us;
        self.verifying.insert(question, Verifying { attempt, work, guard, since_us });
        let client = attempt.client;
        stage.said.push((coordinator, 0, Said::Verify { question, client, who, partition }));
    }

    /// A leader asks whether a partition takes part, or has it added.
    pub(crate) fn asked_to_verify(
        &mut self,
        waiter: Waiter,
        (client, who, partition): (usize, ProducerIdAndEpoch, usize),
        stage: &mut Stage<'_>,
    ) {
        let kind = stage.shared.kinds[client];
        if kind.version == TransactionVersion::V2 {
            return self.add((client, who, partition), waiter, stage);
        }
        let Some(host) = self.transactions.as_ref().filter(|host| host.serves()) else {
            return stage.tell(waiter, Err(Refusal::Again));
        };
        let asked = BTreeSet::from([place(partition)]);
        let verified = host.shard().verify_partitions(&text(kind.transactional_id), who, &asked);
        let result = match verified {
            Ok(all) if all.iter().all(|(_, takes_part)| *takes_part) => Ok(Reply::Done),
            Ok(_) => Err(Refusal::Fenced),
            Err(error) => Err(refusal(error)),
        };
        stage.tell(waiter, result);
    }

    pub(crate) fn verified(
        &mut self,
        question: u64,
        result: Result<(), Refusal>,
        stage: &mut Stage<'_>,
    ) {
        let Some(Verifying { attempt, work, guard, .. }) = self.verifying.remove(&question) else {
            return;
        };
        match result {
            Ok(()) => self.work(attempt, work, guard, stage),
            Err(refusal) => stage.tell(Waiter::Client(attempt), Err(refusal)),
        }
    }

    pub(super) fn commit(
        &mut self,
        attempt: Attempt,
        who: ProducerIdAndEpoch,
        offset: i64,
        guard: VerificationGuard,
        stage: &mut Stage<'_>,
    ) {
        let waiter = Waiter::Client(attempt);
        let Some(host) = self.groups.as_mut().filter(|host| host.serves()) else {
            return stage.tell(waiter, Err(Refusal::Again));
        };
        let partition = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(INPUT as i32)
            .with_committed_offset(offset)
            .with_committed_metadata(Some(text("")));
        let topic = TxnOffsetCommitRequestTopic::default()
            .with_name(TopicName(text(TOPIC)))
            .with_partitions(vec![partition]);
        let id = stage.shared.kinds[attempt.client].transactional_id;
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(TransactionalId(text(id)))
            .with_group_id(GroupId(text(GROUP)))
            .with_producer_id(ProducerId(who.producer_id))
            .with_producer_epoch(who.producer_epoch)
            .with_generation_id(-1)
            .with_topics(vec![topic]);
        let number = stage.shared.number();
        self.parked.insert(number, waiter);
        let producer = Producer { id: who.producer_id, epoch: who.producer_epoch };
        let did = host.run(guard, stage, |runtime, now, effects| {
            runtime.step_in_transaction(producer, now, effects, |shard, now, out| {
                shard.commit_offsets_in_transaction(&request, reply(number), now, out);
            });
        });
        self.groups_did(did, stage);
    }

    fn fetch_offset(&self, waiter: Waiter, stage: &mut Stage<'_>) {
        let host = self.groups.as_ref().filter(|host| host.serves() && host.is_settled());
        let Some(host) = host else { return stage.tell(waiter, Err(Refusal::Again)) };
        let topics = [(text(TOPIC), vec![INPUT as i32])];
        let fetched = host.shard().fetch_offsets(&text(GROUP), None, &topics, true);
        let result = match fetched.as_deref() {
            Ok([topic]) => match &topic.partitions[0].offset {
                Ok(offset) => Ok(Reply::Offset(offset.as_ref().map(|offset| offset.offset))),
                Err(_) => Err(Refusal::Again),
            },
            _ => Ok(Reply::Offset(None)),
        };
        stage.tell(waiter, result);
    }

    pub(super) fn groups_did(&mut self, did: Did<GroupShard>, stage: &mut Stage<'_>) {
        for (id, answer) in did.answers {
            let Some(waiter) = self.parked.remove(&id.0) else { continue };
            match answer {
                GroupAnswer::Completed(done) => {
                    stage.tell_marked(waiter, done.map_err(|error| marker_code(&error)));
                }
                GroupAnswer::Commit(Ok(_)) => stage.tell(waiter, Ok(Reply::Done)),
                GroupAnswer::Commit(Err(GroupError::WriteFailed(
                    WriteFailure::InvalidProducerEpoch | WriteFailure::InvalidTransactionState,
                ))) => stage.tell(waiter, Err(Refusal::Fenced)),
                _ => stage.tell(waiter, Err(Refusal::Again)),
            }
        }
    }

    pub(super) fn transactions_did(&mut self, did: Did<TransactionShard>, stage: &mut Stage<'_>) {
        for (id, answer) in did.answers {
            if let Some(waiter) = self.parked.remove(&id.0) {
                stage.tell(waiter, told(answer));
            }
        }
        let load = self.transactions.as_ref().map_or(0, |host| host.load);
        for command in did.commands {
            let Command::SendMarkers(markers) = command else { panic!("no epochs are used up") };
            for partition in &markers.partitions {
                self.markings.push(Marking {
                    number: stage.shared.number(),
                    load,
                    markers: markers.clone(),
                    partition: partition.partition as usize,
                    due_us: stage.now_us,
                });
            }
        }
        self.send_markers(stage);
    }

    /// Sends the markers that are due to whoever leads their partitions; those of a load that has
    /// ended are dropped.
    pub(super) fn send_markers(&mut self, stage: &mut Stage<'_>) {
        let host = self.transactions.as_ref().filter(|host| host.serves());
        let Some(host) = host else { return self.markings.clear() };
        self.markings.retain(|marking| marking.load == host.load);
        for marking in self.markings.iter_mut().filter(|m| m.due_us <= stage.now_us) {
            let Some(leader) = stage.leader(marking.partition) else {
                marking.due_us = stage.now_us + PAUSE_US;
                continue;
            };
            marking.due_us = stage.now_us + REQUEST_US;
            let mark = Said::Mark {
                number: marking.number,
                coordinator_epoch: host.leader_epoch,
                markers: marking.markers.clone(),
                partition: marking.partition,
            };
            stage.said.push((leader, 0, mark));
        }
    }

    /// As `broker`'s `marker_answer` judges.
    pub(crate) fn marked(
        &mut self,
        number: u64,
        result: Result<(), ErrorCode>,
        stage: &mut Stage<'_>,
    ) {
        let Some(at) = self.markings.iter().position(|marking| marking.number == number) else {
            return;
        };
        match result {
            Err(ErrorCode::InvalidProducerEpoch | ErrorCode::TransactionCoordinatorFenced) => {
                drop(self.markings.remove(at))
            }
            Err(_) => self.markings[at].due_us = stage.now_us + PAUSE_US,
            Ok(()) => {
                let Marking { load, markers, partition, .. } = self.markings.remove(at);
                let host = self.transactions.as_mut().filter(|host| host.serves());
                let Some(host) = host.filter(|host| host.load == load) else { return };
                let did = host.step(stage, |shard, now, out| {
                    let (id, producer) = (&markers.transactional_id, markers.producer);
                    shard.markers_written(id, producer, &[place(partition)], now, out);
                });
                self.transactions_did(did, stage);
            }
        }
    }
}
