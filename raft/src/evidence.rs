//! Which brokers' processes are gone, as a controller can tell before their sessions are over.
//!
//! ```text
//! while it lives    address takes a connection of ours: it *works* ── every 10 s, for 30 s
//! connections end ─▶ look at that very address ─┬ refused ─ 20 ms to be heard ─ refused ─▶ gone
//!                                               └ anything else ─ look again: no evidence
//! ```
//! Kept true: a broker is gone only if a connection between it and this controller worked and all
//! of them have ended, if the address of its inter-broker listener took a connection of this
//! controller's at most 30 s before and refuses now, and if nothing was heard of it since. A
//! controller that is not active holds what it found until it becomes active, for 5 s at most.
//! Names, silence, addresses that clients are told and what this process has run out of say
//! nothing.
//!
//! Unlike Kafka: sessions are its only evidence (docs/decisions/0105, 0320).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::image::{Broker, ClusterImage};

#[cfg(test)]
#[path = "evidence_test.rs"]
mod tests;

/// How often it is tried whether a living broker's address takes connections.
const CHECK_INTERVAL_MS: i64 = 10_000;
/// When an address that took none is tried again.
const RECHECK_MS: i64 = 1_000;
/// Checks that are due at once are begun so far apart.
const CHECK_SPACING_MS: i64 = 2;
/// How long it holds that an address took a connection.
const WORKED_MS: i64 = 30_000;
/// How long a broker has to be heard after its address refused for the first time: one that lives
/// sends a heartbeat when its connection ends.
const HEARING_MS: i64 = 20;
/// What was sent before a broker died may be read after its address refused.
const LATE_MS: i64 = 100;
/// How long a controller that is not active holds what it found: an election, with what may go
/// wrong in it.
const HELD_MS: i64 = 5_000;
/// The first pause before an address that gave up a connection is tried again; it doubles.
const FIRST_PAUSE_MS: i64 = 10;
const MOST_PAUSE_MS: i64 = 500;
/// How long the first attempt may go unanswered; it doubles. A listener that closes may swallow an
/// attempt, and its successor is refused at once.
const FIRST_PATIENCE_MS: i64 = 50;
const MOST_PATIENCE_MS: i64 = 1_000;

/// What an attempt to connect came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The address took the connection. Of a look, which goes on until the connection ends.
    Connected(SocketAddr),
    /// A look's connection ended after it was taken: a listener that closes, or has no room.
    Ended,
    /// ECONNREFUSED
    Refused,
    /// No answer, no way there, no such name.
    Unanswered,
    /// This process has run out of what an attempt takes.
    Untried,
}

/// What the host must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Connect to a living broker's inter-broker listener, and report what came of it.
    Check { broker_id: i32, number: u64, host: String, port: u16 },
    /// After `wait_ms` connect to this address with `patience_ms` for an answer, report what came
    /// of it, and hold the connection until it ends. Takes the place of the broker's former look.
    Look { broker_id: i32, number: u64, address: SocketAddr, wait_ms: i64, patience_ms: i64 },
    /// Look no more.
    StopLooking { broker_id: i32 },
    /// The broker's process of this epoch is gone.
    Fence { broker_id: i32, epoch: i64, address: SocketAddr },
}

/// What one controller knows of the brokers' processes.
#[derive(Debug)]
pub struct Evidence {
    own_id: i32,
    /// The name of the listener that brokers use among themselves.
    listener: Option<String>,
    is_active: bool,
    brokers: BTreeMap<i32, Known>,
    /// Nodes to which the quorum's own connections are open.
    links: BTreeSet<i32>,
    last_number: u64,
}

/// One registration of a broker.
#[derive(Debug)]
struct Known {
    epoch: i64,
    is_fenced: bool,
    endpoint: Option<(String, u16)>,
    /// Which address took a connection, and when last.
    worked: Option<(SocketAddr, i64)>,
    /// When it took none although nothing had ended.
    doubted_ms: Option<i64>,
    check: Option<u64>,
    next_check_ms: i64,
    /// By which connection the newest heartbeat came.
    heartbeats: Option<u64>,
    /// Since when no connection with it is open that was.
    ended_ms: Option<i64>,
    look: Option<Look>,
    /// The verdict, not acted on yet.
    gone_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    number: u64,
    pause_ms: i64,
    patience_ms: i64,
    /// When the address refused for the first time.
    refused_ms: Option<i64>,
}

impl Evidence {
    /// `listener` is what this node's configuration says of the inter-broker listener's name.
    pub fn new(own_id: i32, listener: Option<String>) -> Self {
        Self {
            own_id,
            listener,
            is_active: false,
            brokers: BTreeMap::new(),
            links: BTreeSet::new(),
            last_number: 0,
        }
    }

    /// The registered brokers are these now.
    pub fn registered(&mut self, cluster: &ClusterImage, now_ms: i64) -> Vec<Action> {
        let mut actions = Vec::new();
        let others = |broker: &&std::sync::Arc<Broker>| broker.broker_id != self.own_id;
        let mut known = std::mem::take(&mut self.brokers);
        let mut first_ms = now_ms;
        for broker in cluster.brokers().filter(others) {
            let former = known.remove(&broker.broker_id);
            let same = former.filter(|former| former.epoch == broker.broker_epoch);
            let mut one = same.unwrap_or_else(|| {
                actions.push(Action::StopLooking { broker_id: broker.broker_id });
                Known::new(broker, self.listener.as_deref())
            });
            if one.is_fenced && !broker.fenced {
                one.next_check_ms = first_ms;
                first_ms += CHECK_SPACING_MS;
            } else if broker.fenced && !one.is_fenced {
                one.forget(broker.broker_id, &mut actions);
            }
            one.is_fenced = broker.fenced;
            self.brokers.insert(broker.broker_id, one);
        }
        actions.extend(known.into_keys().map(|broker_id| Action::StopLooking { broker_id }));
        actions.extend(self.time_passed(now_ms));
        actions
    }

    /// Begins the checks that are due.
    pub fn time_passed(&mut self, now_ms: i64) -> Vec<Action> {
        let Self { brokers, last_number, .. } = self;
        let due = brokers.iter_mut().filter(|(_, one)| now_ms >= one.check_due_ms());
        let check = |(broker_id, one): (&i32, &mut Known)| {
            one.next_check_ms = now_ms + CHECK_INTERVAL_MS;
            let (host, port) = one.endpoint.clone()?;
            *last_number += 1;
            one.check = Some(*last_number);
            Some(Action::Check { broker_id: *broker_id, number: *last_number, host, port })
        };
        due.filter_map(check).collect()
    }

    /// When [`Self::time_passed`] has something to do.
    pub fn next_ms(&self) -> i64 {
        self.brokers.values().map(Known::check_due_ms).min().unwrap_or(i64::MAX)
    }

    /// What a [`Action::Check`] came to.
    pub fn checked(
        &mut self,
        broker_id: i32,
        number: u64,
        outcome: Outcome,
        now_ms: i64,
    ) -> Vec<Action> {
        let is_linked = self.links.contains(&broker_id);
        let Some(one) = self.brokers.get_mut(&broker_id) else { return Vec::new() };
        if one.check.take_if(|awaited| *awaited == number).is_none() {
            return Vec::new();
        }
        match outcome {
            Outcome::Connected(address) => {
                one.worked = Some((address, now_ms));
                one.doubted_ms = None;
                return self.look(broker_id, 0);
            }
            Outcome::Refused | Outcome::Unanswered => {
                one.next_check_ms = now_ms + RECHECK_MS;
                let is_connected = is_linked || one.heartbeats.is_some();
                if is_connected && one.doubted_ms.is_some() {
                    one.worked = None;
                }
                one.doubted_ms = one.doubted_ms.or(Some(now_ms));
            }
            Outcome::Ended | Outcome::Untried => {}
        }
        Vec::new()
    }

    /// A heartbeat of this registration came by this connection. The newest counts: one that a
    /// broker has replaced may stay half open here for long.
    pub fn heard(
        &mut self,
        broker_id: i32,
        epoch: i64,
        connection: u64,
        now_ms: i64,
    ) -> Vec<Action> {
        let known = self.brokers.get_mut(&broker_id);
        let Some(one) = known.filter(|one| one.epoch == epoch && self.is_active) else {
            return Vec::new();
        };
        one.heartbeats = Some(connection);
        if one.doubted_ms.is_some_and(|since| now_ms >= since + LATE_MS) {
            // An address that takes no connection while its broker speaks says nothing of it.
            one.worked = None;
            one.doubted_ms = None;
        }
        let mut actions = Vec::new();
        one.forget(broker_id, &mut actions);
        actions
    }

    /// A connection by which heartbeats of this broker came has ended.
    pub fn heartbeats_ended(
        &mut self,
        broker_id: i32,
        connection: u64,
        now_ms: i64,
    ) -> Vec<Action> {
        let Some(one) = self.brokers.get_mut(&broker_id) else { return Vec::new() };
        if one.heartbeats.take_if(|newest| *newest == connection).is_none() {
            return Vec::new();
        }
        self.ended(broker_id, now_ms)
    }

    /// A connection of the quorum's to this node is open.
    pub fn linked(&mut self, node_id: i32) -> Vec<Action> {
        self.links.insert(node_id);
        let mut actions = Vec::new();
        if let Some(one) = self.brokers.get_mut(&node_id) {
            one.forget(node_id, &mut actions);
        }
        actions
    }

    /// A connection of the quorum's to this node has ended.
    pub fn link_ended(&mut self, node_id: i32, now_ms: i64) -> Vec<Action> {
        if !self.links.remove(&node_id) {
            return Vec::new();
        }
        self.ended(node_id, now_ms)
    }

    fn ended(&mut self, broker_id: i32, now_ms: i64) -> Vec<Action> {
        let is_linked = self.links.contains(&broker_id);
        let Some(one) = self.brokers.get_mut(&broker_id) else { return Vec::new() };
        if is_linked || one.heartbeats.is_some() {
            return Vec::new();
        }
        one.ended_ms = Some(now_ms);
        self.look(broker_id, 0)
    }

    /// Begins to look for a broker that may be gone, where there is an address to look at.
    fn look(&mut self, broker_id: i32, wait_ms: i64) -> Vec<Action> {
        let number = self.last_number + 1;
        let Some(one) = self.brokers.get_mut(&broker_id) else { return Vec::new() };
        let (Some((address, worked_ms)), Some(ended_ms)) = (one.worked, one.ended_ms) else {
            return Vec::new();
        };
        if one.is_fenced || one.look.is_some() || worked_ms + WORKED_MS < ended_ms {
            return Vec::new();
        }
        self.last_number = number;
        let patience_ms = FIRST_PATIENCE_MS;
        let pause_ms = FIRST_PAUSE_MS;
        one.look = Some(Look { number, pause_ms, patience_ms, refused_ms: None });
        vec![Action::Look { broker_id, number, address, wait_ms, patience_ms }]
    }

    /// What a [`Action::Look`] came to.
    pub fn looked(
        &mut self,
        broker_id: i32,
        number: u64,
        outcome: Outcome,
        now_ms: i64,
    ) -> Vec<Action> {
        let Some(one) = self.brokers.get_mut(&broker_id) else { return Vec::new() };
        let Some(look) = one.look.as_mut().filter(|look| look.number == number) else {
            return Vec::new();
        };
        let Some((address, worked_ms)) = &mut one.worked else { return Vec::new() };
        let address = *address;
        if let Outcome::Connected(_) = outcome {
            *worked_ms = now_ms;
            look.refused_ms = None;
            look.patience_ms = FIRST_PATIENCE_MS;
            one.gone_ms = None;
            return Vec::new();
        }
        let wait_ms = match outcome {
            Outcome::Unanswered => {
                look.patience_ms = (look.patience_ms * 2).min(MOST_PATIENCE_MS);
                0
            }
            Outcome::Refused if look.refused_ms.is_none() => {
                look.refused_ms = Some(now_ms);
                HEARING_MS
            }
            _ => {
                let pause_ms = look.pause_ms;
                look.pause_ms = (pause_ms * 2).min(MOST_PAUSE_MS);
                pause_ms
            }
        };
        if outcome == Outcome::Ended {
            *worked_ms = now_ms;
        }
        let is_gone = look.refused_ms.is_some_and(|since| now_ms >= since + HEARING_MS);
        if is_gone && self.is_active {
            one.look = None;
            one.ended_ms = None;
            return vec![Action::Fence { broker_id, epoch: one.epoch, address }];
        }
        if is_gone {
            one.gone_ms = one.gone_ms.or(Some(now_ms));
        }
        self.last_number += 1;
        look.number = self.last_number;
        let (number, patience_ms) = (look.number, look.patience_ms);
        vec![Action::Look { broker_id, number, address, wait_ms, patience_ms }]
    }

    /// This node's controller decides from now on. It acts on what it saw itself, and on nothing
    /// else: who has not spoken to it yet is not missed.
    pub fn became_active(&mut self, now_ms: i64) -> Vec<Action> {
        self.is_active = true;
        let mut actions = Vec::new();
        for (broker_id, one) in &mut self.brokers {
            let gone = one.gone_ms.take().filter(|since| now_ms <= since + HELD_MS);
            let (Some(_), Some((address, _))) = (gone, one.worked) else { continue };
            let (broker_id, epoch) = (*broker_id, one.epoch);
            one.forget(broker_id, &mut actions);
            actions.push(Action::Fence { broker_id, epoch, address });
        }
        actions
    }

    /// Heartbeats go elsewhere from now on.
    pub fn became_inactive(&mut self) -> Vec<Action> {
        self.is_active = false;
        let mut actions = Vec::new();
        for (broker_id, one) in &mut self.brokers {
            one.heartbeats = None;
            one.forget(*broker_id, &mut actions);
        }
        actions
    }
}

impl Known {
    fn new(broker: &Broker, listener: Option<&str>) -> Self {
        Self {
            epoch: broker.broker_epoch,
            // What is not known yet counts as a change.
            is_fenced: true,
            endpoint: inter_broker(broker, listener),
            worked: None,
            doubted_ms: None,
            check: None,
            next_check_ms: i64::MAX,
            heartbeats: None,
            ended_ms: None,
            look: None,
            gone_ms: None,
        }
    }

    fn check_due_ms(&self) -> i64 {
        let is_checked = !self.is_fenced && self.endpoint.is_some() && self.look.is_none();
        if is_checked { self.next_check_ms } else { i64::MAX }
    }

    /// It lives, or is missed already: what ended says nothing any more.
    fn forget(&mut self, broker_id: i32, actions: &mut Vec<Action>) {
        self.ended_ms = None;
        self.gone_ms = None;
        if self.look.take().is_some() {
            actions.push(Action::StopLooking { broker_id });
        }
    }
}

/// Where brokers reach this one: the listener of that name, or the only one that it has.
fn inter_broker(broker: &Broker, listener: Option<&str>) -> Option<(String, u16)> {
    let named = broker.end_points.iter().find(|one| Some(&*one.name) == listener);
    let only = || (broker.end_points.len() == 1).then(|| &broker.end_points[0]);
    named.or_else(only).map(|one| (one.host.to_string(), one.port))
}
