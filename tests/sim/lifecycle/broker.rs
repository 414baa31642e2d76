//! A broker's process as far as its life in the cluster goes: `raft::lifecycle` says what to ask;
//! this carries it, applies images, and does what the host does when it notices something in them.

use raft::image::MetadataImage;
use raft::lifecycle::{Leaving, Lifecycle, LifecycleAsk, Turn};

use super::controller::Answer;

/// `broker.heartbeat.interval.ms`
const HEARTBEAT_MS: i64 = 700;
const REQUEST_TIMEOUT_MS: i64 = 1_000;

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    GoesOn,
    /// The process ends: by consent, or because nobody answers any more.
    Leaves {
        by_consent: bool,
    },
}

pub(crate) struct SimBroker {
    pub(crate) id: i32,
    pub(crate) up: bool,
    /// Names the process; a new one with every start.
    pub(crate) process: u64,
    pub(crate) frozen_until_ms: i64,
    pub(crate) life: Lifecycle,
    /// How much of the controller's log is applied, and up to which offset.
    pub(crate) have: usize,
    offset: i64,
    image: MetadataImage,
    /// How long its logs take to be recovered, once it has caught up, and when they will be.
    recovery_ms: i64,
    recovered_ms: Option<i64>,
    pub(crate) is_ready: bool,
    pub(crate) is_serving: bool,
    /// Since when it wants to stop.
    pub(crate) leaving_since_ms: Option<i64>,
    /// The request under way, and when it was sent.
    asked: Option<(u64, i64)>,
    requests: u64,
    pub(crate) refused: u64,
}

impl SimBroker {
    pub(crate) fn new(id: i32, process: u64, recovery_ms: i64) -> Self {
        Self {
            id,
            up: true,
            process,
            frozen_until_ms: 0,
            life: Lifecycle::new(true, HEARTBEAT_MS, true),
            have: 0,
            offset: -1,
            image: MetadataImage::default(),
            recovery_ms,
            recovered_ms: None,
            is_ready: false,
            is_serving: false,
            leaving_since_ms: None,
            asked: None,
            requests: 0,
            refused: 0,
        }
    }

    /// Applies the next image.
    pub(crate) fn apply(&mut self, offset: i64, image: &MetadataImage) {
        let before = std::mem::replace(&mut self.image, image.clone());
        (self.have, self.offset) = (self.have + 1, offset);
        let changed = |id| before.cluster().broker(id) != self.image.cluster().broker(id);
        let others_leave = self.image.cluster().brokers().any(|other| {
            other.broker_id != self.id && other.in_controlled_shutdown && changed(other.broker_id)
        });
        let own = self.image.cluster().broker(self.id).filter(|_| changed(self.id));
        let is_wronged =
            own.is_some_and(|own| own.fenced && self.life.epoch() == Some(own.broker_epoch));
        if others_leave || is_wronged {
            self.life.ask_at_once();
        }
        self.note_unfenced();
        self.life.applied();
    }

    /// Clients may come when this broker has applied its own unfencing.
    fn note_unfenced(&mut self) {
        let own = self.image.cluster().broker(self.id);
        let is_unfenced =
            own.is_some_and(|own| !own.fenced && Some(own.broker_epoch) == self.life.epoch());
        if is_unfenced && self.life.is_unfencing() {
            self.is_serving |= self.life.unfenced() == Some(Turn::Unfenced);
        }
    }

    /// What is to be asked now, with the request's number and the offset that was applied.
    pub(crate) fn step(&mut self, now_ms: i64) -> (Fate, Option<(u64, i64, LifecycleAsk)>) {
        if self.life.has_caught_up() && !self.is_ready {
            let recovered_ms = *self.recovered_ms.get_or_insert(now_ms + self.recovery_ms);
            if now_ms >= recovered_ms {
                self.is_ready = true;
                self.life.serve();
            }
        }
        if self.asked.is_some_and(|(_, sent_ms)| now_ms >= sent_ms + REQUEST_TIMEOUT_MS) {
            self.asked = None;
            self.life.unanswered(now_ms);
        }
        if self.life.abandoned(now_ms).is_some() {
            return (Fate::Leaves { by_consent: false }, None);
        }
        let due = self.life.due(now_ms).map(|ask| {
            self.requests += 1;
            self.asked = Some((self.requests, now_ms));
            (self.requests, self.offset, ask)
        });
        (Fate::GoesOn, due)
    }

    pub(crate) fn answered(&mut self, number: u64, answer: Answer, now_ms: i64) -> Fate {
        if self.asked.take_if(|(asked, _)| *asked == number).is_none() {
            return Fate::GoesOn;
        }
        let turn = match answer {
            Answer::Registered(answer) => Some(self.life.registered(answer, now_ms)),
            Answer::Heard(heard) => self.life.heard(heard, now_ms),
        };
        self.refused += u64::from(matches!(turn, Some(Turn::Refused { .. })));
        self.note_unfenced();
        if turn == Some(Turn::MayExit) {
            return Fate::Leaves { by_consent: true };
        }
        Fate::GoesOn
    }

    /// Somebody stops the process in peace.
    pub(crate) fn leave(&mut self, now_ms: i64) -> Fate {
        self.leaving_since_ms.get_or_insert(now_ms);
        match self.life.leave(now_ms) {
            Leaving::AtOnce => Fate::Leaves { by_consent: false },
            Leaving::Asks(_) => Fate::GoesOn,
        }
    }
}
