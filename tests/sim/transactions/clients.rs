//! Producers and a copy job, each a program that does one thing after another: InitProducerId, then
//! transactions, each of which adds, writes, commits offsets and ends. What is not answered in time
//! is asked again; what is refused for good makes it begin anew.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use coordinator::transaction::{ProducerIdAndEpoch, TransactionVersion};
use raft::draws::Draws;

use super::history::{History, Serial};
use super::messages::{Attempt, Refusal, Reply, Request};
use super::shared::{INPUT, Kind, OFFSETS, OTHER, OUTPUT};

/// request.timeout.ms
const PATIENCE_US: i64 = 1_500_000;
/// How often it asks for the same before it gives its transaction up.
const TRIES: u32 = 30;

#[derive(Debug, Clone, Copy)]
enum Step {
    Write {
        partition: usize,
        copied: Option<i64>,
    },
    Commit(i64),
    End(bool),
    /// The process dies, and another one begins in its place.
    Die,
}

#[derive(Debug)]
struct Out {
    /// The first attempt for this.
    first: u64,
    request: Request,
    since_us: i64,
    /// When it asks again, having been told to.
    again_us: Option<i64>,
    tries: u32,
}

#[derive(Debug)]
pub(crate) struct Client {
    index: usize,
    pub(crate) kind: Kind,
    who: Option<ProducerIdAndEpoch>,
    sequences: BTreeMap<usize, i32>,
    added: BTreeSet<usize>,
    transaction: Option<Serial>,
    steps: VecDeque<Step>,
    out: Option<Out>,
    attempts: u64,
    pub(crate) connection: u64,
    rest_until_us: i64,
    /// When it first asked for its epoch.
    init_us: i64,
    /// Where the copy job is.
    position: Option<i64>,
    /// No more transactions are begun.
    pub(crate) is_done: bool,
    pub(crate) lives: u64,
}

impl Client {
    pub(crate) fn new(index: usize, kind: Kind, begins_us: i64) -> Self {
        Self {
            index,
            kind,
            who: None,
            sequences: BTreeMap::new(),
            added: BTreeSet::new(),
            transaction: None,
            steps: VecDeque::new(),
            out: None,
            attempts: 0,
            connection: 0,
            rest_until_us: begins_us,
            init_us: 0,
            position: None,
            is_done: false,
            lives: 0,
        }
    }

    /// Whether nothing of it is under way.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.out.is_none() && self.transaction.is_none()
    }

    /// It begins anew, not knowing what becomes of its transaction.
    fn begin_anew(&mut self, rest_until_us: i64) {
        self.who = None;
        self.sequences.clear();
        self.added.clear();
        self.transaction = None;
        self.steps.clear();
        self.out = None;
        self.position = None;
        self.connection += 1;
        self.rest_until_us = rest_until_us;
        self.lives += 1;
    }

    /// What it asks now, if anything; `input` is what a reader of committed records sees from its
    /// position on.
    pub(crate) fn turn(
        &mut self,
        history: &mut History,
        draws: &mut Draws,
        now_us: i64,
        input: impl FnOnce(i64) -> Vec<i64>,
    ) -> Option<(Attempt, Request)> {
        if let Some(out) = &self.out {
            let is_late = now_us > out.since_us + PATIENCE_US;
            if !is_late && out.again_us.is_none_or(|again_us| now_us < again_us) {
                return None;
            }
            if out.tries >= TRIES && !matches!(out.request, Request::Init | Request::End { .. }) {
                self.begin_anew(now_us + 500_000);
                return None;
            }
            // A connection on which nothing comes back is closed.
            self.connection += u64::from(is_late);
            return self.send(now_us);
        }
        if now_us < self.rest_until_us {
            return None;
        }
        let request = self.next_request(history, draws, now_us, input)?;
        if request == Request::Init {
            self.init_us = now_us;
        }
        let first = self.attempts + 1;
        self.out = Some(Out { first, request, since_us: now_us, again_us: None, tries: 0 });
        self.send(now_us)
    }

    fn send(&mut self, now_us: i64) -> Option<(Attempt, Request)> {
        let out = self.out.as_mut()?;
        self.attempts += 1;
        out.since_us = now_us;
        out.again_us = None;
        out.tries += 1;
        let (client, number, connection) = (self.index, self.attempts, self.connection);
        Some((Attempt { client, number, connection }, out.request.clone()))
    }

    fn next_request(
        &mut self,
        history: &mut History,
        draws: &mut Draws,
        now_us: i64,
        input: impl FnOnce(i64) -> Vec<i64>,
    ) -> Option<Request> {
        let Some(who) = self.who else {
            return (!self.is_done).then_some(Request::Init);
        };
        let serial = match self.transaction {
            Some(serial) => serial,
            None if self.is_done => return None,
            None if self.kind.copies && self.position.is_none() => {
                return Some(Request::FetchOffset);
            }
            None => {
                let seen = self.position.map(input).unwrap_or_default();
                if self.kind.copies && seen.is_empty() {
                    self.rest_until_us = now_us + 200_000;
                    return None;
                }
                self.plan(seen, draws);
                let serial = history.begin(self.kind.transactional_id, now_us);
                self.transaction = Some(serial);
                serial
            }
        };
        let step = *self.steps.front()?;
        let partition = match step {
            Step::Write { partition, .. } => Some(partition),
            Step::Commit(_) => Some(OFFSETS),
            Step::End(_) | Step::Die => None,
        };
        if let Some(partition) = partition.filter(|partition| !self.added.contains(partition))
            && self.kind.version != TransactionVersion::V2
        {
            return Some(Request::Add { who, partition });
        }
        self.steps.pop_front();
        match step {
            Step::Write { partition, copied } => {
                let value = history.write(serial, partition, copied);
                let sequence = *self.sequences.entry(partition).or_default();
                Some(Request::Write { who, partition, sequence, value })
            }
            Step::Commit(offset) => {
                history.transactions[serial].offset = Some(offset);
                Some(Request::CommitOffset { who, offset })
            }
            Step::End(is_commit) => {
                history.asked(serial, is_commit);
                Some(Request::End { who, is_commit })
            }
            Step::Die => {
                self.begin_anew(now_us + 200_000 + draws.below(3_000_000) as i64);
                None
            }
        }
    }

    /// What a transaction will do; a copy job's copies these.
    fn plan(&mut self, seen: Vec<i64>, draws: &mut Draws) {
        let last = seen.last().copied();
        if self.kind.copies {
            let copies = seen.into_iter();
            self.steps.extend(copies.map(|at| Step::Write { partition: OUTPUT, copied: Some(at) }));
            self.steps.extend(last.map(|last| Step::Commit(last + 1)));
        } else {
            for _ in 0..1 + draws.below(4) {
                let partition = if draws.below(2) == 0 { INPUT } else { OTHER };
                self.steps.push_back(Step::Write { partition, copied: None });
            }
        }
        self.steps.push_back(match draws.below(16) {
            0 => Step::Die,
            1..=4 => Step::End(false),
            _ => Step::End(true),
        });
    }

    pub(crate) fn answered(
        &mut self,
        attempt: Attempt,
        result: Result<Reply, Refusal>,
        history: &mut History,
        draws: &mut Draws,
        now_us: i64,
    ) {
        let Some(out) = self.out.as_mut().filter(|out| attempt.number >= out.first) else {
            return;
        };
        match result {
            Ok(reply) => {
                let request = out.request.clone();
                self.out = None;
                self.done(request, reply, history, now_us, draws);
            }
            Err(Refusal::Again) => {
                out.again_us = Some(now_us + 40_000 + draws.below(120_000) as i64);
            }
            Err(Refusal::Fenced) => {
                if let Some(serial) = self.transaction {
                    history.refused(serial, self.init_us, now_us);
                }
                self.begin_anew(now_us + 300_000 + draws.below(6_000_000) as i64);
            }
            Err(Refusal::Lost) => self.begin_anew(now_us + 300_000),
        }
    }

    fn done(
        &mut self,
        request: Request,
        reply: Reply,
        history: &mut History,
        now_us: i64,
        draws: &mut Draws,
    ) {
        match (request, reply) {
            (Request::Init, Reply::Producer(who)) => self.who = Some(who),
            (Request::Add { partition, .. }, _) => drop(self.added.insert(partition)),
            (Request::Write { partition, value, .. }, _) => {
                *self.sequences.entry(partition).or_default() += 1;
                if let Some(serial) = self.transaction {
                    history.acknowledged(serial, value);
                }
            }
            (Request::End { is_commit, .. }, Reply::Producer(next)) => {
                if let Some(serial) = self.transaction.take() {
                    history.told(serial, is_commit);
                }
                self.added.clear();
                if next != ProducerIdAndEpoch::NONE && self.who != Some(next) {
                    self.who = Some(next);
                    self.sequences.clear();
                }
                self.position = None;
                self.rest_until_us = now_us + draws.below(400_000) as i64;
            }
            (Request::FetchOffset, Reply::Offset(offset)) => {
                history.fetched(offset);
                self.position = Some(offset.unwrap_or(0));
            }
            (Request::CommitOffset { .. }, Reply::Done) => {}
            (request, reply) => panic!("{reply:?} does not answer {request:?}"),
        }
    }
}
