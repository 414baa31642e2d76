//! The partition: role, high watermark, waiters, and the order of the steps between them.

use bytes::Bytes;

use crate::leader::LeaderState;
use crate::log::{Log, Origin};
use crate::waiters::{Answer, Token, Waiters};

/// How many acknowledgements a producer asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// 0 or 1: the leader's own write is enough.
    Leader,
    /// -1: every in-sync replica, and at least `min_in_sync` of them.
    All {
        /// The topic's min.insync.replicas.
        min_in_sync: usize,
    },
}

/// What this broker is for the partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Elected by the controller; takes writes.
    Leader(LeaderState),
    /// Somebody else leads, or nobody does.
    Follower {
        /// The leader's broker id, -1 for none.
        leader: i32,
        /// The epoch the controller gave that leadership.
        leader_epoch: i32,
    },
}

/// An append that was taken.
#[derive(Debug)]
pub struct AppendOutcome<A> {
    /// What the log reports of it.
    pub appended: A,
    /// Whether the request may be answered now; otherwise its token waits.
    pub committed: bool,
}

/// Why an append was not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum NotAppended<E> {
    /// This broker does not lead the partition.
    NotLeader,
    /// acks=all, but fewer replicas are in sync than min.insync.replicas asks for (code 19).
    TooFewInSync {
        /// Size of the in-sync set.
        in_sync: usize,
        /// What the topic asks for.
        min_in_sync: usize,
    },
    /// The log refused the records or failed.
    Log(E),
}

/// One replica of one partition.
#[derive(Debug)]
pub struct Partition<L> {
    log: L,
    role: Role,
    high_watermark: i64,
    waiters: Waiters,
}

impl<L: Log> Partition<L> {
    /// A replica that follows nobody yet. `high_watermark` is what the checkpoint remembers; it is
    /// brought within the log.
    pub fn new(log: L, high_watermark: i64) -> Self {
        let high_watermark = high_watermark.clamp(log.log_start_offset(), log.log_end_offset());
        let role = Role::Follower { leader: -1, leader_epoch: -1 };
        Self { log, role, high_watermark, waiters: Waiters::default() }
    }

    /// The log, for reads and for its keeping.
    pub fn log(&self) -> &L {
        &self.log
    }

    /// The log, for its keeping (flush, retention, configuration).
    pub fn log_mut(&mut self) -> &mut L {
        &mut self.log
    }

    /// The offset below which everything is committed.
    pub fn high_watermark(&self) -> i64 {
        self.high_watermark
    }

    /// What this broker is for the partition.
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// The epoch of the present leadership, whoever has it.
    pub fn leader_epoch(&self) -> i32 {
        match &self.role {
            Role::Leader(leader) => leader.leader_epoch(),
            Role::Follower { leader_epoch, .. } => *leader_epoch,
        }
    }

    /// The controller made this broker the leader, or changed the in-sync set of its leadership.
    /// Returns the waiters that the change answers.
    pub fn lead(
        &mut self,
        broker_id: i32,
        leader_epoch: i32,
        replicas: &[i32],
        in_sync: &[i32],
    ) -> Result<Vec<(Token, Answer)>, L::Error> {
        match &mut self.role {
            Role::Leader(leader) if leader.leader_epoch() == leader_epoch => {
                leader.update(replicas, in_sync);
            }
            _ => {
                self.log.begin_leader_epoch(leader_epoch)?;
                self.role =
                    Role::Leader(LeaderState::new(broker_id, leader_epoch, replicas, in_sync));
            }
        }
        Ok(self.advance())
    }

    /// The controller gave the leadership to `leader` (-1: to nobody).
    pub fn follow(&mut self, leader: i32, leader_epoch: i32) -> Vec<(Token, Answer)> {
        self.role = Role::Follower { leader, leader_epoch };
        self.waiters.take_all().into_iter().map(|t| (t, Answer::NoLongerLeader)).collect()
    }

    /// Appends what a producer or a coordinator sent. With [`Acks::All`] and records that are not
    /// committed by the append itself, `token` waits. Also returns waiters that the append answers.
    #[allow(clippy::type_complexity)]
    pub fn append(
        &mut self,
        records: &Bytes,
        acks: Acks,
        now_ms: i64,
        origin: Origin,
        token: Token,
    ) -> Result<(AppendOutcome<L::Appended>, Vec<(Token, Answer)>), NotAppended<L::Error>> {
        let Role::Leader(leader) = &self.role else {
            return Err(NotAppended::NotLeader);
        };
        if let Acks::All { min_in_sync } = acks {
            let in_sync = leader.in_sync().len();
            if in_sync < min_in_sync {
                return Err(NotAppended::TooFewInSync { in_sync, min_in_sync });
            }
        }
        let appended = self
            .log
            .append_as_leader(records, leader.leader_epoch(), now_ms, origin)
            .map_err(NotAppended::Log)?;
        let end_offset = self.log.log_end_offset();
        let answered = self.advance();
        let committed = acks == Acks::Leader || end_offset <= self.high_watermark;
        if !committed {
            self.waiters.push(end_offset, token);
        }
        Ok((AppendOutcome { appended, committed }, answered))
    }

    /// DeleteRecords: moves the log start to `offset` (-1: to the high watermark). Returns the new
    /// log start, or `None` if the offset lies outside of what is committed.
    pub fn delete_records_before(&mut self, offset: i64) -> Result<Option<i64>, L::Error> {
        let target = if offset == -1 { self.high_watermark } else { offset };
        if target < 0 || target > self.high_watermark {
            return Ok(None);
        }
        if target > self.log.log_start_offset() {
            self.log.delete_records_before(target)?;
        }
        self.invariants();
        Ok(Some(self.log.log_start_offset()))
    }

    /// Moves the high watermark as far as the in-sync set allows and answers whom it passes.
    fn advance(&mut self) -> Vec<(Token, Answer)> {
        let Role::Leader(leader) = &self.role else {
            return Vec::new();
        };
        let committed_end = leader.committed_end(self.log.log_end_offset());
        if committed_end > self.high_watermark {
            self.high_watermark = committed_end;
            self.log.high_watermark_moved(committed_end);
        }
        let answered = self.waiters.pass(self.high_watermark);
        self.invariants();
        answered.into_iter().map(|token| (token, Answer::Committed)).collect()
    }

    /// Asserts what must hold between any two steps.
    fn invariants(&self) {
        debug_assert!(self.high_watermark >= self.log.log_start_offset());
        debug_assert!(self.high_watermark <= self.log.log_end_offset());
        debug_assert!(self.waiters.none_passed_at(self.high_watermark));
    }
}

#[cfg(test)]
#[path = "partition_test.rs"]
mod tests;
