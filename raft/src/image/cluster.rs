//! The registered brokers and controllers. Answers to `ClusterImage` and `BrokerRegistration`.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::records::metadata::{
    BrokerRegistrationChangeRecord, MetadataRecord, RegisterBrokerRecord, RegisterControllerRecord,
    UnregisterBrokerRecord,
};
use uuid::Uuid;

use super::ReplayError;
use super::partition::{DIRECTORY_LOST, DIRECTORY_MIGRATING, DIRECTORY_UNASSIGNED};
use crate::feature::MetadataVersion;

/// A broker as it registered, with what changed since.
pub type Broker = RegisterBrokerRecord;
/// A controller as it registered.
pub type RegisteredController = RegisterControllerRecord;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClusterImage {
    brokers: BTreeMap<i32, Arc<Broker>>,
    controllers: BTreeMap<i32, Arc<RegisteredController>>,
}

impl ClusterImage {
    pub fn broker(&self, id: i32) -> Option<&Arc<Broker>> {
        self.brokers.get(&id)
    }

    /// By id.
    pub fn brokers(&self) -> impl ExactSizeIterator<Item = &Arc<Broker>> {
        self.brokers.values()
    }

    pub fn controller(&self, id: i32) -> Option<&Arc<RegisteredController>> {
        self.controllers.get(&id)
    }

    /// By id.
    pub fn controllers(&self) -> impl ExactSizeIterator<Item = &Arc<RegisteredController>> {
        self.controllers.values()
    }

    /// Whether the broker may lead and be in sync: registered, not fenced, not shutting down.
    pub fn is_active(&self, id: i32) -> bool {
        self.broker(id).is_some_and(|broker| !broker.fenced && !broker.in_controlled_shutdown)
    }

    /// Whether `directory` of broker `id` can be used, as far as anybody knows.
    pub fn has_online_directory(&self, id: i32, directory: Uuid) -> bool {
        let Some(broker) = self.broker(id) else {
            return false;
        };
        // A broker of before directories registers none; then all count as online.
        match directory {
            DIRECTORY_UNASSIGNED | DIRECTORY_MIGRATING => true,
            DIRECTORY_LOST => false,
            known => broker.log_dirs.is_empty() || broker.log_dirs.contains(&known),
        }
    }

    /// The directory of a new replica on broker `id`: known at once when there is one only.
    pub fn default_directory(&self, id: i32) -> Uuid {
        match self.broker(id).map(|broker| &broker.log_dirs[..]) {
            None => DIRECTORY_UNASSIGNED,
            Some([]) => DIRECTORY_MIGRATING,
            Some([only]) => *only,
            Some(_) => DIRECTORY_UNASSIGNED,
        }
    }

    /// Whether new replicas may go to broker `id`: not when all of its directories are cordoned
    /// (KIP-1066).
    pub fn has_uncordoned_directory(&self, id: i32) -> bool {
        let Some(broker) = self.broker(id) else { return false };
        match &broker.cordoned_log_dirs {
            Some(cordoned) if !broker.log_dirs.is_empty() => {
                broker.log_dirs.iter().any(|directory| !cordoned.contains(directory))
            }
            _ => true,
        }
    }

    pub(crate) fn replay_registration(&mut self, record: &RegisterBrokerRecord) {
        self.brokers.insert(record.broker_id, Arc::new(record.clone()));
    }

    pub(crate) fn replay_controller(&mut self, record: &RegisterControllerRecord) {
        let mut controller = record.clone();
        controller.features.sort_by(|left, right| left.name.cmp(&right.name));
        self.controllers.insert(record.controller_id, Arc::new(controller));
    }

    pub(crate) fn replay_unregistration(
        &mut self,
        record: &UnregisterBrokerRecord,
    ) -> Result<(), ReplayError> {
        self.registered(record.broker_id, record.broker_epoch)?;
        self.brokers.remove(&record.broker_id);
        Ok(())
    }

    pub(crate) fn replay_change(
        &mut self,
        record: &BrokerRegistrationChangeRecord,
    ) -> Result<(), ReplayError> {
        let broker = self.registered(record.broker_id, record.broker_epoch)?;
        match record.fenced {
            -1 => broker.fenced = false,
            0 => {}
            1 => broker.fenced = true,
            value => {
                return Err(ReplayError::BrokerChange { field: "fenced", value });
            }
        }
        match record.in_controlled_shutdown {
            0 => {}
            1 => broker.in_controlled_shutdown = true,
            value => {
                return Err(ReplayError::BrokerChange { field: "in_controlled_shutdown", value });
            }
        }
        if !record.log_dirs.is_empty() {
            broker.log_dirs.clone_from(&record.log_dirs);
        }
        if record.cordoned_log_dirs.is_some() {
            broker.cordoned_log_dirs.clone_from(&record.cordoned_log_dirs);
        }
        Ok(())
    }

    fn registered(&mut self, id: i32, epoch: i64) -> Result<&mut Broker, ReplayError> {
        let broker = self.brokers.get_mut(&id).ok_or(ReplayError::UnknownBroker(id))?;
        if broker.broker_epoch != epoch {
            let registered = broker.broker_epoch;
            return Err(ReplayError::BrokerEpoch { id, epoch, registered });
        }
        Ok(Arc::make_mut(broker))
    }

    pub(crate) fn write(&self, level: MetadataVersion, out: &mut Vec<MetadataRecord>) {
        for broker in self.brokers() {
            let mut record = Broker::clone(broker);
            if !level.has_directories() {
                record.log_dirs.clear();
            }
            if !level.has_cordoned_log_dirs() {
                record.cordoned_log_dirs = None;
            }
            out.push(record.into());
        }
        if level.has_controller_registration() {
            out.extend(self.controllers().map(|record| RegisteredController::clone(record).into()));
        }
    }
}
