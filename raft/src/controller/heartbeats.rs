//! Which brokers are alive: the soft state of the active controller.
//!
//! A broker is fenced, unfenced, or in controlled shutdown; `contact` keeps its session, and who
//! stays silent for the session timeout is fenced. Answers to `BrokerHeartbeatManager` and
//! `BrokerHeartbeatTracker`.

use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct Heartbeats {
    session_timeout_ms: i64,
    brokers: BTreeMap<i32, Heartbeat>,
    /// When each broker was last heard of, in its epoch.
    contacts: BTreeMap<(i32, i64), Contact>,
}

#[derive(Debug, Clone, Copy)]
struct Contact {
    ends_ms: i64,
    /// It was prolonged since the broker was heard of.
    prolonged: bool,
}

#[derive(Debug)]
struct Heartbeat {
    fenced: bool,
    /// How far the broker has read the metadata.
    metadata_offset: i64,
    /// What all others must have read before this one may go; `None` when it does not want to.
    shutdown_offset: Option<i64>,
}

/// Where a broker stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BrokerPhase {
    Fenced,
    Unfenced,
    ControlledShutdown,
    ShutdownNow,
}

impl BrokerPhase {
    pub(crate) fn is_fenced(self) -> bool {
        matches!(self, Self::Fenced | Self::ShutdownNow)
    }
}

impl Heartbeats {
    pub(crate) fn new(session_timeout_ms: i64) -> Self {
        Self { session_timeout_ms, brokers: BTreeMap::new(), contacts: BTreeMap::new() }
    }

    /// The broker registered: whatever was known of it is no longer.
    pub(crate) fn register(&mut self, id: i32, fenced: bool) {
        let broker = Heartbeat { fenced, metadata_offset: -1, shutdown_offset: None };
        self.brokers.insert(id, broker);
    }

    /// What is registered of the broker changed. How far it has read is asked anew, unless the
    /// change came of its telling so.
    pub(crate) fn change(&mut self, id: i32, fenced: bool) {
        let Some(broker) = self.brokers.get_mut(&id) else { return };
        if broker.fenced == fenced {
            broker.metadata_offset = -1;
        }
        broker.fenced = fenced;
        if fenced {
            broker.shutdown_offset = None;
        }
    }

    pub(crate) fn remove(&mut self, id: i32) {
        self.brokers.remove(&id);
        self.end_session(id);
    }

    pub(crate) fn contact(&mut self, id: i32, epoch: i64, now_ms: i64) {
        self.contacts.retain(|(contact, known), _| *contact != id || *known == epoch);
        let ends_ms = now_ms + self.session_timeout_ms;
        self.contacts.insert((id, epoch), Contact { ends_ms, prolonged: false });
    }

    /// Whoever was heard of under this id is gone.
    pub(crate) fn end_session(&mut self, id: i32) {
        self.contacts.retain(|(contact, _), _| *contact != id);
    }

    pub(crate) fn has_valid_session(&self, id: i32, epoch: i64, now_ms: i64) -> bool {
        let contact = self.contacts.get(&(id, epoch));
        contact.is_some_and(|contact| now_ms < contact.ends_ms)
    }

    pub(crate) fn touch(&mut self, id: i32, fenced: bool, metadata_offset: i64) {
        if let Some(broker) = self.brokers.get_mut(&id) {
            broker.fenced = fenced;
            broker.metadata_offset = metadata_offset;
            if fenced {
                broker.shutdown_offset = None;
            }
        }
    }

    pub(crate) fn begin_shutdown(&mut self, id: i32, offset: i64) {
        if let Some(broker) = self.brokers.get_mut(&id) {
            broker.shutdown_offset.get_or_insert(offset);
        }
    }

    pub(crate) fn phase(&self, id: i32) -> BrokerPhase {
        match self.brokers.get(&id) {
            Some(Heartbeat { fenced: false, shutdown_offset: Some(_), .. }) => {
                BrokerPhase::ControlledShutdown
            }
            Some(Heartbeat { fenced: false, .. }) => BrokerPhase::Unfenced,
            _ => BrokerPhase::Fenced,
        }
    }

    /// Whether every broker that goes on has read what the one that leaves gave up.
    pub(crate) fn may_shut_down(&self, id: i32) -> bool {
        let active =
            self.brokers.values().filter(|other| !other.fenced && other.shutdown_offset.is_none());
        let lowest = active.map(|other| other.metadata_offset).min().unwrap_or(i64::MAX);
        let offset = self.brokers.get(&id).and_then(|broker| broker.shutdown_offset);
        offset.is_none_or(|offset| offset <= lowest)
    }

    /// A broker whose session ended, with the epoch in which it was heard of; each is told once.
    pub(crate) fn take_expired(&mut self, now_ms: i64) -> Option<(i32, i64)> {
        let expired = self.contacts.iter().find(|(_, contact)| now_ms >= contact.ends_ms);
        let session = expired.map(|(session, _)| *session)?;
        self.contacts.remove(&session);
        Some(session)
    }

    /// When the next session ends if nobody is heard of.
    pub(crate) fn next_expiry_ms(&self) -> Option<i64> {
        self.contacts.values().map(|contact| contact.ends_ms).min()
    }

    /// Nobody looked at sessions for a while, and so nobody heard of brokers either: each that
    /// would end now may go on for half its time, once.
    pub(crate) fn prolong(&mut self, now_ms: i64) {
        for contact in self.contacts.values_mut().filter(|contact| !contact.prolonged) {
            if now_ms >= contact.ends_ms {
                contact.ends_ms = now_ms + self.session_timeout_ms / 2;
                contact.prolonged = true;
            }
        }
    }
}
