//! The partition: role, high watermark, waiters, and the order of the steps between them.
//!
//! `leading` and `following` have the steps of one role each.

use bytes::Bytes;

use crate::effects::Effects;
use crate::fetch::{self, FetchRefused, ReadBounds};
use crate::follower::FollowerState;
use crate::leader::{LeaderState, Measure};
use crate::log::{Appended, Log, Origin};
use crate::planted::{Bug, is_planted};
use crate::registration::Registration;
use crate::step_context::StepContext;
use crate::waiters::{Answer, Token, Waiters};

/// How many acknowledgements a producer asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// 0 or 1: the leader's own write is enough.
    Leader,
    /// -1: every in-sync replica, and at least min.insync.replicas of them.
    All,
}

/// What the configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// This broker.
    pub broker_id: i32,
    /// `replica.lag.time.max.ms`
    pub lag_time_max_ms: i64,
    /// `min.insync.replicas` of the topic
    pub min_in_sync: usize,
}

/// What this broker is for the partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Elected by the controller; takes writes.
    Leader(LeaderState),
    /// Somebody else leads, or nobody does.
    Follower(FollowerState),
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
        /// What the topic asks for, or the number of replicas if that is smaller.
        min_in_sync: usize,
    },
    /// The log refused the records or failed.
    Log(E),
}

/// One replica of one partition.
#[derive(Debug)]
pub struct Partition<L> {
    pub(crate) log: L,
    pub(crate) settings: Settings,
    pub(crate) role: Role,
    pub(crate) leader_epoch: i32,
    pub(crate) partition_epoch: i32,
    pub(crate) high_watermark: i64,
    pub(crate) waiters: Waiters,
    /// DeleteRecords requests that wait for the followers.
    pub(crate) deletions: Waiters,
}

impl<L: Log> Partition<L> {
    /// A replica that follows nobody yet. `high_watermark` is what the checkpoint remembers; it is
    /// brought within the log.
    pub fn new(log: L, high_watermark: i64, settings: Settings) -> Self {
        let high_watermark = high_watermark.clamp(log.log_start_offset(), log.log_end_offset());
        Self {
            log,
            settings,
            role: Role::Follower(FollowerState { leader: -1, halted: false }),
            leader_epoch: -1,
            partition_epoch: -1,
            high_watermark,
            waiters: Waiters::default(),
            deletions: Waiters::default(),
        }
    }

    /// The log, for reads and for its keeping.
    pub fn log(&self) -> &L {
        &self.log
    }

    /// The log, for its keeping (flush, retention, configuration).
    pub fn log_mut(&mut self) -> &mut L {
        &mut self.log
    }

    /// The configuration changed. The waiters are looked at with the next step.
    pub fn configure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// The offset below which everything is committed.
    pub fn high_watermark(&self) -> i64 {
        self.high_watermark
    }

    /// What this broker is for the partition.
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// Whether this broker leads.
    pub fn leads(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// The epoch of the present leadership, whoever has it.
    pub fn leader_epoch(&self) -> i32 {
        self.leader_epoch
    }

    /// The epoch of the state as this broker knows it.
    pub fn partition_epoch(&self) -> i32 {
        self.partition_epoch
    }

    /// Takes what the controller says: this broker leads, or somebody else, or nobody.
    pub fn apply(
        &mut self,
        registration: &Registration,
        at: &StepContext<'_>,
    ) -> Result<Effects, L::Error> {
        if registration.leader == self.settings.broker_id {
            self.lead(registration, at)
        } else {
            Ok(self.follow(registration))
        }
    }

    /// The controller made this broker the leader, or changed something of its leadership.
    pub fn lead(
        &mut self,
        registration: &Registration,
        at: &StepContext<'_>,
    ) -> Result<Effects, L::Error> {
        if registration.partition_epoch < self.partition_epoch {
            return Ok(Effects::default());
        }
        let measure = self.measure(at);
        let elected = registration.leader_epoch > self.leader_epoch;
        if elected {
            // Also without a record of it: a follower must be able to tell that its own epochs are
            // not those of this leader.
            let begun = self.log.begin_leader_epoch(registration.leader_epoch);
            self.within_log(begun)?;
        }
        match &mut self.role {
            Role::Leader(leader) if registration.leader_epoch == self.leader_epoch + 1 => {
                leader.renew(registration, measure);
            }
            // Unlike Kafka: the same state again leaves the proposal that is out where it is, since
            // the controller may still apply it (docs/decisions/0110).
            Role::Leader(leader)
                if registration.partition_epoch == self.partition_epoch
                    && !is_planted(Bug::SameStateEndsProposal) =>
            {
                leader.assign(registration);
            }
            // Unlike Kafka: between two leaderships of ours somebody else may have led, and the
            // followers cut their logs; nothing is known of them any more (docs/decisions/0111).
            role if elected => {
                let id = self.settings.broker_id;
                *role = Role::Leader(LeaderState::new(id, registration, measure));
            }
            Role::Leader(leader) => leader.update(registration),
            Role::Follower(_) => {
                let id = self.settings.broker_id;
                self.role = Role::Leader(LeaderState::new(id, registration, measure));
            }
        }
        self.leader_epoch = registration.leader_epoch;
        self.partition_epoch = registration.partition_epoch;
        Ok(self.advance(at))
    }

    /// The controller gave the leadership to somebody else, or to nobody (-1).
    pub fn follow(&mut self, registration: &Registration) -> Effects {
        if registration.partition_epoch < self.partition_epoch {
            return Effects::default();
        }
        let elected = registration.leader_epoch > self.leader_epoch;
        let leader = registration.leader;
        match &mut self.role {
            Role::Follower(follower) if !elected => follower.leader = leader,
            role => *role = Role::Follower(FollowerState { leader, halted: false }),
        }
        self.leader_epoch = registration.leader_epoch;
        self.partition_epoch = registration.partition_epoch;
        self.invariants();
        self.give_up()
    }

    /// Nobody waits here any more: the leadership is over, or the replica goes away.
    pub fn give_up(&mut self) -> Effects {
        if is_planted(Bug::KeepWaitersOnFollow) {
            return Effects::default();
        }
        let answered = self.waiters.take_all().into_iter();
        let deleted = self.deletions.take_all().into_iter();
        Effects {
            answered: answered.map(|token| (token, Answer::NoLongerLeader)).collect(),
            deleted: deleted.map(|token| (token, None)).collect(),
            ..Effects::default()
        }
    }

    /// Appends what a producer or a coordinator sent. With [`Acks::All`] and records that are not
    /// committed by the append itself, `token` waits.
    #[allow(clippy::type_complexity)]
    pub fn append(
        &mut self,
        records: &Bytes,
        acks: Acks,
        (origin, transaction): (Origin, L::Transaction),
        token: Token,
        at: &StepContext<'_>,
    ) -> Result<(AppendOutcome<L::Appended>, Effects), NotAppended<L::Error>> {
        let Role::Leader(leader) = &self.role else {
            return Err(NotAppended::NotLeader);
        };
        if acks == Acks::All && leader.is_under_min_in_sync(self.settings.min_in_sync) {
            return Err(NotAppended::TooFewInSync {
                in_sync: leader.in_sync().len(),
                min_in_sync: leader.effective_min_in_sync(self.settings.min_in_sync),
            });
        }
        let appended = self
            .log
            .append_as_leader(records, self.leader_epoch, at.wall_ms, origin, transaction)
            .map_err(NotAppended::Log)?;
        let effects = self.advance(at);
        let end_offset = appended.end_offset();
        let committed = acks == Acks::Leader
            || end_offset <= self.high_watermark
            || is_planted(Bug::AckBeforeIsr);
        if !committed {
            self.waiters.push(end_offset, token);
        }
        Ok((AppendOutcome { appended, committed }, effects))
    }

    /// Forgets a produce request that has waited for too long; its records stay.
    pub fn forget(&mut self, token: Token) {
        self.waiters.forget(token);
        self.deletions.forget(token);
    }

    /// What may be read now.
    pub fn bounds(&self) -> ReadBounds {
        ReadBounds {
            log_start_offset: self.log.log_start_offset(),
            high_watermark: self.high_watermark,
            last_stable_offset: self.log.last_stable_offset(self.high_watermark),
            log_end_offset: self.log.log_end_offset(),
        }
    }

    /// Whether a request that knows the leadership under `asked_epoch` (-1: under none) may be
    /// served here. Kafka: `Partition.localLogWithEpochOrThrow`.
    pub fn check_leadership(
        &self,
        asked_epoch: i32,
        leader_only: bool,
    ) -> Result<(), FetchRefused> {
        fetch::check_leadership(self.leads(), self.leader_epoch, asked_epoch, leader_only)
    }

    pub(crate) fn measure(&self, at: &StepContext<'_>) -> Measure {
        Measure {
            log_end: self.log.log_end_offset(),
            now_ms: at.monotonic_ms,
            lag_max_ms: self.settings.lag_time_max_ms,
        }
    }

    /// Moves the high watermark as far as the in-sync set allows and answers whom it passes.
    /// Kafka: `Partition.maybeIncrementLeaderHW`, `checkEnoughReplicasReachOffset`.
    pub(crate) fn advance(&mut self, at: &StepContext<'_>) -> Effects {
        let measure = self.measure(at);
        let Role::Leader(leader) = &self.role else {
            return Effects::default();
        };
        let min_in_sync = self.settings.min_in_sync;
        let held_back = leader.is_under_min_in_sync(min_in_sync);
        if !held_back || is_planted(Bug::HwIgnoresMinIsr) {
            let committed_end = leader.committed_end(measure, at);
            if committed_end > self.high_watermark {
                self.high_watermark = committed_end;
                self.log.high_watermark_moved(committed_end);
            }
        }
        let enough = leader.has_enough_in_sync(min_in_sync);
        let answer = if enough { Answer::Committed } else { Answer::TooFewInSync };
        let answered = self.waiters.pass(self.high_watermark);
        self.invariants();
        Effects {
            answered: answered.into_iter().map(|token| (token, answer)).collect(),
            ..Effects::default()
        }
    }

    /// Asserts what must hold between any two steps.
    pub(crate) fn invariants(&self) {
        debug_assert!(self.high_watermark >= self.log.log_start_offset());
        debug_assert!(self.high_watermark <= self.log.log_end_offset());
        debug_assert!(!self.leads() || self.waiters.none_passed_at(self.high_watermark));
    }
}
