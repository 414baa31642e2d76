//! Who keeps the metadata, as the brokers' world sees it; and the simplest that does: the real
//! controller as one reliable state machine, where what is written is committed at once. Its
//! answers are not reliable, and it may be away, or be replaced by one that knows the log alone.

use std::sync::Arc;

use protocol::records::metadata::MetadataRecord;
use raft::controller::{
    Controller, ControllerNow, ControllerResult, ControllerSettings, feature_records,
};
use raft::draws::Draws;
use raft::feature::MetadataVersion;
use raft::image::MetadataImage;

use super::clock::Clock;
pub(crate) use super::committed::{Batch, Committed};
use super::counters::Counters;
use super::message::{Body, CONTROLLER, Message, NodeId};
use super::plan::Plan;
use super::requests::{ControllerCall, NoRules, Served, settings};

/// What comes of the controllers.
#[derive(Debug)]
pub(crate) enum Said {
    /// An answer to a broker's process.
    Answer { from: NodeId, to: NodeId, process: u64, body: Body },
    /// A broker's own node has read the metadata so far.
    Read { broker: NodeId, image: MetadataImage },
}

/// Whoever keeps the metadata.
pub(crate) trait Controllers {
    fn committed(&self) -> &Committed;

    fn counters(&self) -> Counters;

    /// All that requests may be sent to.
    fn nodes(&self) -> Vec<NodeId>;

    /// Whom a broker takes for the active controller, and its process (0: any).
    fn active_for(&self, broker: NodeId) -> Option<(NodeId, u64)>;

    /// Whether brokers ask for the metadata by messages of this world.
    fn is_polled(&self) -> bool;

    /// A broker's message arrives; `Err` says when to try again.
    fn receive(&mut self, message: &Message, now_us: i64) -> Result<(), i64>;

    /// Somebody asks the active controller, if there is one.
    fn call_controller(&mut self, call: &ControllerCall, now_us: i64, seed: u128);

    /// Time has passed.
    fn tick(&mut self, now_us: i64);

    /// Something goes wrong; after how long it is over, if that is not for the controllers to say.
    fn fault(&mut self, draws: &mut Draws) -> Option<i64>;

    /// It is over.
    fn recover(&mut self, draws: &mut Draws, now_us: i64);

    /// A wall clock of a controller jumps.
    fn jump_clock(&mut self, jump_ms: i64);

    /// When something happens by itself next.
    fn next_us(&self) -> Option<i64> {
        None
    }

    fn step(&mut self) {}

    /// What came of it since the last time.
    fn take_said(&mut self) -> Vec<Said>;

    /// Whether there is something that must not be.
    fn is_wrong(&self) -> bool {
        false
    }

    /// What that is.
    fn take_violation(&mut self) -> Option<String> {
        None
    }

    fn broker_starts(&mut self, _: NodeId) {}

    fn broker_ends(&mut self, _: NodeId) {}

    fn broker_freezes(&mut self, _: NodeId, _until_us: i64) {}

    fn cut(&mut self, _from: NodeId, _to: NodeId) {}

    fn mend(&mut self, _from: NodeId, _to: NodeId) {}

    /// All faults are over.
    fn heal(&mut self) {}

    /// The run is over, and long enough ago for all to be alike.
    fn at_the_end(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn trace(&self) -> u64 {
        0
    }
}

/// The one controller's node.
pub(crate) struct SimController {
    plan: Plan,
    controller: Controller,
    settings: ControllerSettings,
    clock: Clock,
    away: bool,
    committed: Committed,
    served: Served,
    said: Vec<Said>,
}

impl SimController {
    pub(crate) fn new(plan: &Plan, clock: Clock, seed: u128) -> Self {
        let settings = settings(plan);
        let image = MetadataImage::default();
        let controller = Controller::new(settings.clone(), Arc::new(NoRules), image);
        let mut node = Self {
            plan: plan.clone(),
            controller,
            settings,
            clock,
            away: false,
            committed: Committed::default(),
            served: Served::default(),
            said: Vec::new(),
        };
        node.controller.activate(0, &node.at(0, seed));
        let bootstrap = feature_records(MetadataVersion::LATEST, &[]);
        let records = node.controller.activation_records(&bootstrap);
        node.write(records);
        node
    }

    fn at(&self, now_us: i64, seed: u128) -> ControllerNow {
        ControllerNow {
            monotonic_ms: self.clock.monotonic_ms(now_us),
            wall_ms: self.clock.wall_ms(now_us),
            seed,
        }
    }

    fn write(&mut self, records: Vec<MetadataRecord>) {
        if records.is_empty() {
            return;
        }
        self.controller.append(&records).expect("the controller replays what it wrote");
        let image = self.controller.image().clone();
        let offset = self.controller.next_offset() - 1;
        self.committed.push(Batch { records, offset, image });
    }

    fn apply<R>(&mut self, result: ControllerResult<R>) -> R {
        self.write(result.records);
        result.response
    }
}

impl Controllers for SimController {
    fn committed(&self) -> &Committed {
        &self.committed
    }

    fn counters(&self) -> Counters {
        let mut all = self.committed.counters;
        all += self.served.counters;
        all
    }

    fn nodes(&self) -> Vec<NodeId> {
        vec![CONTROLLER]
    }

    fn active_for(&self, _: NodeId) -> Option<(NodeId, u64)> {
        Some((CONTROLLER, 0))
    }

    fn is_polled(&self) -> bool {
        true
    }

    fn receive(&mut self, message: &Message, now_us: i64) -> Result<(), i64> {
        if self.away {
            return Ok(());
        }
        let (to, process) = (message.from, message.sender);
        let answer = if let Body::Metadata { have } = message.body {
            let batches = self.committed.log.iter().skip(have).take(20).cloned().collect();
            Some(Body::Records { from: have, batches })
        } else if self.served.is_awaited(to, process, &message.body) {
            let at = self.at(now_us, 0);
            let asker = (to, process);
            let result = self.served.put(asker, &message.body, &mut self.controller, 0, &at);
            self.apply(result)
        } else {
            None
        };
        let answer = answer.map(|body| Said::Answer { from: CONTROLLER, to, process, body });
        self.said.extend(answer);
        Ok(())
    }

    fn call_controller(&mut self, call: &ControllerCall, now_us: i64, seed: u128) {
        if self.away {
            return;
        }
        let at = self.at(now_us, seed);
        let result = call.put(&self.plan, &mut self.controller, &at);
        let begun = matches!(call, ControllerCall::Reassign { .. }) && !result.records.is_empty();
        self.served.counters.reassignments += u64::from(begun);
        self.apply(result);
    }

    /// What it does by itself.
    fn tick(&mut self, now_us: i64) {
        let at = self.at(now_us, 0);
        while !self.away {
            let result = self.controller.tick(&at);
            if !self.apply(result) {
                break;
            }
        }
    }

    fn fault(&mut self, draws: &mut Draws) -> Option<i64> {
        self.away = true;
        Some(1_000 * (100 + draws.below(7_000) as i64))
    }

    /// It is back, or another one takes over, which knows the log and nothing else.
    fn recover(&mut self, draws: &mut Draws, now_us: i64) {
        if !std::mem::take(&mut self.away) {
            return;
        }
        let seed = u128::from(draws.next_u64());
        if draws.below(3) != 0 {
            let image = self.controller.image().clone();
            let next_offset = self.controller.next_offset();
            self.controller = Controller::new(self.settings.clone(), Arc::new(NoRules), image);
            self.controller.activate(next_offset, &self.at(now_us, seed));
        }
    }

    fn jump_clock(&mut self, jump_ms: i64) {
        self.clock.wall_error_ms = jump_ms;
    }

    fn take_said(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }
}
