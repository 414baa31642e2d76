//! What must hold, one file per invariant; the numbers are those of the project's list.
//!
//! `truth` keeps what is committed. In a run where leaders may be elected out of sync a partition
//! to which that has happened is *excused* until all its replicas are in sync again: what was
//! committed may be lost then, and readers may see it.

mod acknowledged_is_never_lost;
mod acks_mean_what_they_say;
mod batches_stand_once;
mod candidates_are_complete;
mod changes_are_done;
mod clocks_do_not_matter;
mod deletions_reach_everybody;
mod everything_heals;
mod frozen_leaders_are_harmless;
mod in_sync_members_are_alive;
mod leader_isr_covers_the_controllers;
mod logs_match;
mod metadata_converges;
mod reads_are_consistent;
mod sessions_hide_nothing;
mod truth;

use super::broker::{Acknowledged, SimBroker};
use super::clients::Producer;
use super::controller::Committed;
use super::counters::Counters;
use super::deletions::Deleted;
use super::log::{Observed, Why};
use super::message::NodeId;
use super::plan::Plan;
use truth::Truth;

/// What went wrong, in words.
pub(crate) type Verdict = Result<(), String>;

/// How often a check was looked at and not excused, or what went wrong.
pub(crate) type Evaluated = Result<u64, String>;

/// Fails with the words unless the condition holds.
pub(crate) fn ensure(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(what()) }
}

/// A log that starts later than it did.
#[derive(Debug, Clone, Copy)]
struct Started {
    broker: NodeId,
    partition: usize,
    at: i64,
    why: Why,
}

/// The nodes as they are after an event.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) brokers: &'a [SimBroker],
    pub(crate) controller: &'a Committed,
}

impl<'a> Scene<'a> {
    pub(crate) fn broker(&self, id: NodeId) -> Option<&'a SimBroker> {
        self.brokers.get(usize::try_from(id).ok()?.checked_sub(1)?)
    }
}

/// Everybody who watches.
#[derive(Debug)]
pub(crate) struct Checks {
    /// Since the last event.
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// Since the last event.
    pub(crate) deleted: Vec<Deleted>,
    truths: Vec<Truth>,
    logs: Vec<logs_match::LogsMatch>,
    lost: acknowledged_is_never_lost::AcknowledgedIsNeverLost,
    acks: acks_mean_what_they_say::AcksMeanWhatTheySay,
    deletions: deletions_reach_everybody::DeletionsReachEverybody,
    clocks: clocks_do_not_matter::ClocksDoNotMatter,
    heals: everything_heals::EverythingHeals,
    reads: reads_are_consistent::ReadsAreConsistent,
    /// How much of the controller's log has been looked at.
    seen: usize,
    /// Found outside of `after_event`.
    found: Verdict,
    truncations: u64,
    /// How often each check was evaluated.
    evaluated: Counters,
}

impl Checks {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            acknowledged: Vec::new(),
            deleted: Vec::new(),
            truths: (0..plan.partitions).map(|_| Truth::default()).collect(),
            logs: (0..plan.partitions).map(|_| logs_match::LogsMatch::default()).collect(),
            lost: acknowledged_is_never_lost::AcknowledgedIsNeverLost::new(plan.partitions),
            acks: acks_mean_what_they_say::AcksMeanWhatTheySay::default(),
            deletions: deletions_reach_everybody::DeletionsReachEverybody::default(),
            clocks: clocks_do_not_matter::ClocksDoNotMatter::default(),
            heals: everything_heals::EverythingHeals::default(),
            reads: reads_are_consistent::ReadsAreConsistent::default(),
            seen: 0,
            found: Ok(()),
            truncations: 0,
            evaluated: Counters::default(),
        }
    }

    /// How much of the controller's log has been looked at.
    pub(crate) fn seen(&self) -> usize {
        self.seen
    }

    /// Up to where records of a partition are committed.
    pub(crate) fn committed_end(&self, partition: usize) -> i64 {
        self.truths[partition].end()
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            acknowledged: self.acks.acknowledged,
            reads: self.reads.reads,
            truncations: self.truncations,
            lost_where_allowed: self.truths.iter().map(|truth| truth.lost).sum(),
            logs_match: self.logs.iter().map(|logs| logs.looked).sum(),
            deletions: self.deletions.deletions,
            ..self.evaluated
        }
    }

    /// Looks at everything; the first finding ends the run.
    pub(crate) fn after_event(
        &mut self,
        plan: &Plan,
        brokers: &mut [SimBroker],
        controller: &Committed,
    ) -> Verdict {
        std::mem::replace(&mut self.found, Ok(()))?;
        let started = self.observe(brokers)?;
        self.evaluated.changes_done += changes_are_done::check(brokers)?;
        let scene = Scene { plan, brokers, controller };
        let evaluated = &mut self.evaluated;
        if controller.log.len() != self.seen {
            evaluated.members_alive += in_sync_members_are_alive::check(&scene)?;
            // One by one: an election may be overtaken at once.
            for batch in &controller.log[self.seen..] {
                let Some(topic) = batch.image.topics().by_name("t") else { continue };
                for (state, truth) in topic.partitions().zip(&mut self.truths) {
                    truth.heard(&scene, state.1);
                }
            }
            self.seen = controller.log.len();
        }
        for (partition, truth) in self.truths.iter_mut().enumerate() {
            evaluated.commits += truth.grow(&scene, partition)?;
        }
        for Started { broker, partition, at, why } in started {
            let hosted = scene.broker(broker).and_then(|broker| broker.hosted.get(&partition));
            let Some(hosted) = hosted else { continue };
            let leader_epoch = hosted.replica.leader_epoch();
            let began = self.truths[partition].started(leader_epoch, at, why);
            let began = began.map_err(|what| format!("{partition} of broker {broker}: {what}"))?;
            evaluated.starts += began;
            self.deletions.started(broker, partition, at);
        }
        for deleted in self.deleted.drain(..) {
            let truth = &self.truths[deleted.partition];
            evaluated.deletions_reach += self.deletions.check(&scene, truth, &deleted)?;
        }
        for acknowledged in self.acknowledged.drain(..) {
            let truth = &mut self.truths[acknowledged.partition];
            evaluated.acks += self.acks.check(truth, &acknowledged)?;
            evaluated.frozen += frozen_leaders_are_harmless::check(&scene, truth, &acknowledged)?;
            self.lost.note(truth, &acknowledged);
        }
        for (partition, truth) in self.truths.iter_mut().enumerate() {
            evaluated.candidates += candidates_are_complete::check(&scene, truth, partition)?;
            evaluated.isr_covers += leader_isr_covers_the_controllers::check(&scene, partition)?;
            evaluated.never_lost += self.lost.check(&scene, truth, partition)?;
            truth.forgive(&scene, partition);
        }
        Ok(())
    }

    /// What happened to the logs.
    fn observe(&mut self, brokers: &mut [SimBroker]) -> Result<Vec<Started>, String> {
        let mut started = Vec::new();
        for broker in brokers {
            for (partition, logs) in self.logs.iter_mut().enumerate() {
                let (id, up) = (broker.id, broker.up);
                let Some(log) = broker.log_mut(partition) else { continue };
                for observed in log.observed.drain(..) {
                    if let Observed::Started { at, why } = observed {
                        started.push(Started { broker: id, partition, at, why });
                    }
                    let cut = up && logs.observe(partition, id, observed)?;
                    self.truncations += u64::from(cut);
                }
            }
        }
        Ok(started)
    }

    /// Keeps what a look outside of `after_event` came to.
    fn keep(&mut self, looked: Evaluated) -> u64 {
        match looked {
            Ok(evaluated) => evaluated,
            Err(what) => {
                if self.found.is_ok() {
                    self.found = Err(what);
                }
                0
            }
        }
    }

    /// A broker has replayed metadata.
    pub(crate) fn replayed(&mut self, broker: &SimBroker, controller: &Committed) {
        self.evaluated.metadata += self.keep(metadata_converges::check(broker, controller));
    }

    /// A consumer reads from any replica up to its high watermark.
    pub(crate) fn consumer_reads(&mut self, broker: &SimBroker, partition: usize, draw: u64) {
        let looked = self.reads.check(&self.truths[partition], broker, partition, draw);
        self.keep(looked);
    }

    /// A machine went down and lost what was not synced.
    pub(crate) fn lost_power(&mut self, id: NodeId, broker: &SimBroker) {
        for (partition, truth) in self.truths.iter_mut().enumerate() {
            truth.lost_power(id, broker.log(partition));
        }
    }

    pub(crate) fn healed(&mut self, now_us: i64, producers: &[Producer]) {
        self.clocks.healed(now_us);
        self.heals.healed(producers);
    }

    pub(crate) fn settled(&mut self, producers: &[Producer]) {
        self.heals.settled(producers);
    }

    pub(crate) fn served_without(&mut self, producers: &[Producer]) {
        self.evaluated.served_without += self.keep(self.heals.served_without(producers));
    }

    /// Faults are over, and so is the time to recover.
    pub(crate) fn at_the_end(
        &mut self,
        plan: &Plan,
        brokers: &[SimBroker],
        controller: &Committed,
        producers: &[Producer],
    ) -> Verdict {
        let scene = Scene { plan, brokers, controller };
        self.evaluated.clocks += self.clocks.check(&scene)?;
        self.evaluated.heals += self.heals.check(&scene, producers)?;
        self.evaluated.sessions_hide += sessions_hide_nothing::check(&scene)?;
        for (partition, truth) in self.truths.iter().enumerate() {
            ensure(!truth.excused, || format!("partition {partition} never recovered"))?;
            self.evaluated.stand_once += batches_stand_once::check(&scene, truth, partition)?;
            self.evaluated.never_lost += self.lost.check_all(&scene, truth, partition)?;
        }
        Ok(())
    }

    /// For those who need to know how the time goes.
    pub(crate) fn tick(&mut self, now_us: i64, controller: &Committed) {
        self.clocks.tick(now_us, controller);
    }
}
