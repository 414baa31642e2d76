//! What a broker does for transactions beside its replicas: it hosts the coordinators that it
//! leads, verifies before it appends, and writes the markers that a coordinator asks for.

use std::collections::BTreeMap;

use coordinator::group::{GroupSettings, GroupShard};
use coordinator::runtime::{Producer, TransactionEnd};
use coordinator::transaction::{
    Markers, ProducerIdAndEpoch, TransactionSettings, TransactionShard,
};
use protocol::ErrorCode;
use replica::{Answer, NotAppended, Origin, Token};
use storage::{Marker, TransactionTerms, VerificationGuard};

use super::messages::{Attempt, Refusal, Reply, Said};
use super::shard_host::{ShardHost, Stage, reply};
use super::shared::{OFFSETS, TRANSACTIONS};
use crate::replication::appending::Taken;
use crate::replication::log::{Entry, LogError};
use crate::replication::log_transactions::Transactional;
use crate::replication::message::{CLIENTS, NodeId};

/// request.timeout.ms
const PATIENCE_US: i64 = 1_500_000;
const APPEND_PATIENCE_US: i64 = 4_000_000;
/// How long a shard that could not be loaded is left alone.
const RELOAD_US: i64 = 200_000;

/// Who waits for something.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Waiter {
    Client(Attempt),
    /// A leader that has partitions added.
    Leader {
        to: NodeId,
        process: u64,
        question: u64,
    },
    /// A transaction coordinator that has a marker written.
    Coordinator {
        to: NodeId,
        process: u64,
        number: u64,
    },
}

/// What a leader does once the transaction is known of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Work {
    Write { who: ProducerIdAndEpoch, partition: usize, sequence: i32, value: u64 },
    Commit { who: ProducerIdAndEpoch, offset: i64 },
}

#[derive(Debug)]
pub(super) struct Verifying {
    pub(super) attempt: Attempt,
    pub(super) work: Work,
    pub(super) guard: VerificationGuard,
    pub(super) since_us: i64,
}

/// A marker on its way to one partition.
#[derive(Debug)]
pub(super) struct Marking {
    pub(super) number: u64,
    pub(super) load: u64,
    pub(super) markers: Markers,
    pub(super) partition: usize,
    pub(super) due_us: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) process: u64,
    pub(crate) transactions: Option<ShardHost<TransactionShard>>,
    pub(crate) groups: Option<ShardHost<GroupShard>>,
    pub(super) parked: BTreeMap<u64, Waiter>,
    pub(super) writes: BTreeMap<Token, (Waiter, i64)>,
    pub(super) verifying: BTreeMap<u64, Verifying>,
    pub(super) markings: Vec<Marking>,
    pub(super) reload_us: i64,
    pub(crate) loads: u64,
}

impl Stage<'_> {
    /// Whom this broker takes for a partition's leader.
    pub(crate) fn leader(&self, partition: usize) -> Option<NodeId> {
        let topic = self.broker.image.topics().by_name("t")?;
        let state = topic.partition(partition as i32)?;
        Some(state.leader).filter(|leader| *leader > 0)
    }

    pub(super) fn tell(&mut self, waiter: Waiter, result: Result<Reply, Refusal>) {
        match waiter {
            Waiter::Client(attempt) => {
                self.said.push((CLIENTS, 0, Said::Answered(attempt, result)));
            }
            Waiter::Leader { to, process, question } => {
                let result = result.map(drop);
                self.said.push((to, process, Said::Verified { question, result }));
            }
            Waiter::Coordinator { .. } => {
                self.tell_marked(
                    waiter,
                    result.map_or(Err(ErrorCode::NotLeaderOrFollower), |_| Ok(())),
                );
            }
        }
    }

    pub(super) fn tell_marked(&mut self, waiter: Waiter, result: Result<(), ErrorCode>) {
        if let Waiter::Coordinator { to, process, number } = waiter {
            self.said.push((to, process, Said::Marked { number, result }));
        }
    }
}

impl Node {
    /// Hosts the shards whose partitions are led here, and no others.
    pub(crate) fn follow_leaders(&mut self, stage: &mut Stage<'_>) {
        let epoch_of = |stage: &Stage<'_>, partition| {
            let leads = stage.broker.leads(partition);
            leads.then(|| stage.broker.hosted[&partition].replica.leader_epoch())
        };
        let may_load = stage.now_us >= self.reload_us;
        match (epoch_of(stage, TRANSACTIONS), &mut self.transactions) {
            (Some(epoch), Some(host)) if !host.has_ended => {
                host.leader_epoch = host.leader_epoch.max(epoch);
            }
            (Some(epoch), _) if may_load => {
                self.loads += 1;
                let number = stage.shared.number();
                let version = stage.shared.version;
                let settings = TransactionSettings {
                    abort_interval_ms: 1_000,
                    ..TransactionSettings::default()
                };
                let shard = TransactionShard::new(settings, version);
                self.transactions = ShardHost::load(TRANSACTIONS, epoch, number, shard, stage);
                self.reload_us = stage.now_us + RELOAD_US;
            }
            (None, Some(_)) => {
                let mut did = Default::default();
                if let Some(mut host) = self.transactions.take() {
                    host.close(stage.now(), &mut did);
                }
                self.transactions_did(did, stage);
            }
            _ => {}
        }
        match (epoch_of(stage, OFFSETS), &mut self.groups) {
            (Some(epoch), Some(host)) if !host.has_ended => {
                host.leader_epoch = host.leader_epoch.max(epoch);
            }
            (Some(epoch), _) if may_load => {
                self.loads += 1;
                let number = stage.shared.number();
                let shard = GroupShard::new(GroupSettings::default());
                self.groups = ShardHost::load(OFFSETS, epoch, number, shard, stage);
                self.reload_us = stage.now_us + RELOAD_US;
            }
            (None, Some(_)) => {
                let mut did = Default::default();
                if let Some(mut host) = self.groups.take() {
                    host.close(stage.now(), &mut did);
                }
                self.groups_did(did, stage);
            }
            _ => {}
        }
    }

    /// What is due.
    pub(crate) fn tick(&mut self, stage: &mut Stage<'_>) {
        if let Some(host) = &mut self.transactions {
            let begun = host.begin(stage);
            let ticked = host.tick(stage);
            for did in begun.into_iter().chain([ticked]) {
                self.transactions_did(did, stage);
            }
        }
        if let Some(host) = &mut self.groups {
            let begun = host.begin(stage);
            let ticked = host.tick(stage);
            for did in begun.into_iter().chain([ticked]) {
                self.groups_did(did, stage);
            }
        }
        let now_us = stage.now_us;
        let late = self.verifying.extract_if(.., |_, v| now_us > v.since_us + PATIENCE_US);
        for (_, Verifying { attempt, .. }) in late.collect::<Vec<_>>() {
            stage.tell(Waiter::Client(attempt), Err(Refusal::Again));
        }
        let late = self.writes.extract_if(.., |_, (_, at)| now_us > *at + APPEND_PATIENCE_US);
        for (token, (waiter, _)) in late.collect::<Vec<_>>() {
            stage.broker.hosted.values_mut().for_each(|hosted| hosted.replica.forget(token));
            stage.tell(waiter, Err(Refusal::Again));
        }
        self.send_markers(stage);
    }

    /// An append that waited has its fate.
    pub(crate) fn answered(&mut self, token: Token, answer: Answer, stage: &mut Stage<'_>) {
        if let Some((waiter, _)) = self.writes.remove(&token) {
            let result = match answer {
                Answer::Committed => Ok(Reply::Done),
                Answer::TooFewInSync | Answer::NoLongerLeader => Err(Refusal::Again),
            };
            return stage.tell(waiter, result);
        }
        let host = self.transactions.as_mut();
        if let Some(did) = host.and_then(|host| host.answered(token, answer, stage)) {
            return self.transactions_did(did, stage);
        }
        let host = self.groups.as_mut();
        if let Some(did) = host.and_then(|host| host.answered(token, answer, stage)) {
            self.groups_did(did, stage);
        }
    }

    /// Appends for somebody who is told when it is committed.
    fn append(
        &mut self,
        partition: usize,
        first: &Entry,
        origin: (Origin, TransactionTerms),
        waiter: Waiter,
        stage: &mut Stage<'_>,
    ) {
        let appended = stage.broker.append(partition, first, origin, stage.now_us, &mut stage.out);
        match appended {
            Some(Ok(Taken { token: Some(token), .. })) => {
                self.writes.insert(token, (waiter, stage.now_us));
            }
            Some(Ok(Taken { token: None, .. })) => stage.tell(waiter, Ok(Reply::Done)),
            Some(Err(NotAppended::Log(LogError::Refused(code)))) => match waiter {
                Waiter::Coordinator { .. } => stage.tell_marked(waiter, Err(code)),
                _ if code == ErrorCode::InvalidProducerEpoch => {
                    stage.tell(waiter, Err(Refusal::Fenced));
                }
                _ => stage.tell(waiter, Err(Refusal::Lost)),
            },
            _ => stage.tell(waiter, Err(Refusal::Again)),
        }
    }

    /// Records of a client, whose transaction is known of where it has to be.
    pub(super) fn work(
        &mut self,
        attempt: Attempt,
        work: Work,
        guard: VerificationGuard,
        stage: &mut Stage<'_>,
    ) {
        match work {
            Work::Write { who, partition, sequence, value } => {
                let transactional = Transactional {
                    producer_id: who.producer_id,
                    producer_epoch: who.producer_epoch,
                    sequence,
                    marker: None,
                };
                let first = Entry { transactional: Some(transactional), ..Entry::plain(value, 1) };
                let terms = TransactionTerms { guard, version: 0 };
                let waiter = Waiter::Client(attempt);
                self.append(partition, &first, (Origin::Client, terms), waiter, stage);
            }
            Work::Commit { who, offset } => self.commit(attempt, who, offset, guard, stage),
        }
    }

    /// WriteTxnMarkers: in the coordinator's own partition its shard writes it.
    pub(crate) fn mark(
        &mut self,
        waiter: Waiter,
        (markers, coordinator_epoch): (&Markers, i32),
        partition: usize,
        stage: &mut Stage<'_>,
    ) {
        let ProducerIdAndEpoch { producer_id, producer_epoch } = markers.producer;
        let version = markers.transaction_version.level() as i8;
        if partition == OFFSETS {
            let producer = Producer { id: producer_id, epoch: producer_epoch };
            let is_commit = markers.is_commit;
            let end = TransactionEnd { is_commit, coordinator_epoch, transaction_version: version };
            let Some(host) = self.groups.as_mut().filter(|host| host.serves()) else {
                return stage.tell(waiter, Err(Refusal::Again));
            };
            let number = stage.shared.number();
            self.parked.insert(number, waiter);
            let done: coordinator::group::CompletionAnswer = Ok(());
            let did = host.run(VerificationGuard::NONE, stage, |runtime, _, effects| {
                runtime.end_transaction(producer, end, reply(number), done, effects);
            });
            return self.groups_did(did, stage);
        }
        let marker = Marker { aborted: !markers.is_commit, coordinator_epoch };
        let transactional =
            Transactional { producer_id, producer_epoch, sequence: -1, marker: Some(marker) };
        let value = stage.shared.payloads.values(1);
        let first = Entry { transactional: Some(transactional), ..Entry::plain(value, 1) };
        let terms = TransactionTerms { version, ..TransactionTerms::default() };
        self.append(partition, &first, (Origin::Coordinator, terms), waiter, stage);
    }
}

impl Node {
    /// Whether a shard is hosted whose partition is not led here.
    pub(crate) fn is_at_odds(&self, broker: &crate::replication::broker::SimBroker) -> bool {
        let is_lost = |partition, is_hosted| is_hosted && !broker.leads(partition);
        is_lost(TRANSACTIONS, self.transactions.is_some())
            || is_lost(OFFSETS, self.groups.is_some())
    }
}
