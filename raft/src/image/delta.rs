//! What records change in an image: the image before, the image after, and the names of what
//! differs, so that a publisher looks at no more than it must.
//!
//! Answers to `MetadataDelta` and its parts. The new image grows with every record here:
//! copying is cheap, and nothing has to be merged at the end.

use std::sync::Arc;

use protocol::records::metadata::{BrokerRegistrationChangeRecord, MetadataRecord};
use uuid::Uuid;

use super::changes::Changes;
use super::configs::ConfigResource;
use super::partition::Partition;
use super::topics::Topic;
use super::{MetadataImage, Provenance, ReplayError};

#[derive(Debug, Clone)]
pub struct MetadataDelta {
    before: MetadataImage,
    after: MetadataImage,
    changes: Changes,
}

impl MetadataDelta {
    pub fn new(before: &MetadataImage) -> Self {
        let (before, after) = (before.clone(), before.clone());
        Self { before, after, changes: Changes::default() }
    }

    /// From one image to another that no records lead to.
    pub(super) fn across(before: &MetadataImage, after: &MetadataImage) -> Self {
        let changes = super::difference::between(before, after);
        Self { before: before.clone(), after: after.clone(), changes }
    }

    pub fn before(&self) -> &MetadataImage {
        &self.before
    }

    pub fn after(&self) -> &MetadataImage {
        &self.after
    }

    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The new image, up to `provenance`, and what changed.
    pub fn finish(mut self, provenance: Provenance) -> (MetadataImage, Self) {
        self.after.provenance = provenance;
        (self.after.clone(), self)
    }

    /// Adds the changes of `later`, which starts where this one ends.
    pub(crate) fn append(&mut self, later: Self) {
        self.after = later.after;
        self.changes.append(later.changes);
    }

    /// Every changed partition that exists afterwards: topic, partition id, before, after.
    pub fn partitions(
        &self,
    ) -> impl Iterator<Item = (&Arc<Topic>, i32, Option<&Arc<Partition>>, &Arc<Partition>)> {
        self.changes.topics.iter().flat_map(|(id, change)| {
            change.partitions.iter().filter_map(|partition| {
                let topic = self.after.topics.by_id(*id)?;
                let before = self.before.topics.partition(*id, *partition);
                Some((topic, *partition, before, topic.partition(*partition)?))
            })
        })
    }

    /// Applies one record.
    pub fn replay(&mut self, record: &MetadataRecord) -> Result<(), ReplayError> {
        use MetadataRecord as R;
        match record {
            R::RegisterBroker(_)
            | R::UnregisterBroker(_)
            | R::FenceBroker(_)
            | R::UnfenceBroker(_)
            | R::BrokerRegistrationChange(_)
            | R::RegisterController(_) => self.replay_cluster(record),
            R::Topic(_)
            | R::Partition(_)
            | R::PartitionChange(_)
            | R::RemoveTopic(_)
            | R::ClearElr(_) => self.replay_topics(record),
            R::Config(config) => {
                let resource = Arc::make_mut(&mut self.after.configs).replay(config)?;
                self.changes.configs.insert(resource);
                Ok(())
            }
            R::FeatureLevel(level) => {
                self.changes.features.insert(level.name.clone());
                Arc::make_mut(&mut self.after.features).replay_level(level)
            }
            R::ZkMigrationState(state) => {
                Arc::make_mut(&mut self.after.features).replay_zk_migration(state);
                Ok(())
            }
            R::ProducerIds(ids) => {
                self.changes.producer_ids = true;
                Arc::make_mut(&mut self.after.producer_ids).replay(ids)
            }
            R::NoOp(_) => Ok(()),
            R::BeginTransaction(_) | R::EndTransaction(_) | R::AbortTransaction(_) => {
                Err(ReplayError::Misplaced(record.name()))
            }
            R::AccessControlEntry(_)
            | R::RemoveAccessControlEntry(_)
            | R::UserScramCredential(_)
            | R::RemoveUserScramCredential(_)
            | R::DelegationToken(_)
            | R::RemoveDelegationToken(_)
            | R::ClientQuota(_) => self.replay_security(record),
        }
    }

    fn replay_cluster(&mut self, record: &MetadataRecord) -> Result<(), ReplayError> {
        use MetadataRecord as R;
        let cluster = Arc::make_mut(&mut self.after.cluster);
        let fencing = |id, epoch, fenced| BrokerRegistrationChangeRecord {
            broker_id: id,
            broker_epoch: epoch,
            fenced,
            ..Default::default()
        };
        let broker = match record {
            R::RegisterBroker(broker) => {
                cluster.replay_registration(broker);
                broker.broker_id
            }
            R::UnregisterBroker(broker) => {
                cluster.replay_unregistration(broker)?;
                broker.broker_id
            }
            R::FenceBroker(fence) => {
                cluster.replay_change(&fencing(fence.id, fence.epoch, 1))?;
                fence.id
            }
            R::UnfenceBroker(unfence) => {
                cluster.replay_change(&fencing(unfence.id, unfence.epoch, -1))?;
                unfence.id
            }
            R::BrokerRegistrationChange(change) => {
                cluster.replay_change(change)?;
                change.broker_id
            }
            R::RegisterController(controller) => {
                cluster.replay_controller(controller);
                self.changes.controllers.insert(controller.controller_id);
                return Ok(());
            }
            other => return Err(ReplayError::Misplaced(other.name())),
        };
        self.changes.brokers.insert(broker);
        Ok(())
    }

    fn replay_topics(&mut self, record: &MetadataRecord) -> Result<(), ReplayError> {
        use MetadataRecord as R;
        let topics = Arc::make_mut(&mut self.after.topics);
        match record {
            R::Topic(topic) => {
                topics.replay_topic(topic)?;
                self.changes.topics.entry(topic.topic_id).or_default().created = true;
            }
            R::Partition(partition) => {
                topics.replay_partition(partition)?;
                self.changes.partition(partition.topic_id, partition.partition_id);
            }
            R::PartitionChange(change) => {
                topics.replay_change(change)?;
                self.changes.partition(change.topic_id, change.partition_id);
            }
            R::ClearElr(clear) => {
                for (topic, partition) in topics.replay_clear_elr(clear)? {
                    self.changes.partition(topic, partition);
                }
            }
            R::RemoveTopic(removal) => {
                let topic = topics.replay_removal(removal.topic_id)?;
                let created = self.changes.topics.remove(&topic.id).is_some_and(|c| c.created);
                if !created {
                    self.changes.deleted_topics.insert(topic.id, topic.name.clone());
                }
                let resource = ConfigResource::topic(&topic.name);
                if Arc::make_mut(&mut self.after.configs).remove(&resource) {
                    self.changes.configs.insert(resource);
                }
            }
            other => return Err(ReplayError::Misplaced(other.name())),
        }
        Ok(())
    }

    fn replay_security(&mut self, record: &MetadataRecord) -> Result<(), ReplayError> {
        use MetadataRecord as R;
        let (after, changes) = (&mut self.after, &mut self.changes);
        match record {
            R::AccessControlEntry(entry) => {
                Arc::make_mut(&mut after.acls).replay(entry);
                changes.acls.insert(entry.id);
            }
            R::RemoveAccessControlEntry(entry) => {
                Arc::make_mut(&mut after.acls).replay_removal(entry.id)?;
                changes.acls.insert(entry.id);
            }
            R::UserScramCredential(credential) => {
                Arc::make_mut(&mut after.scram).replay(credential);
                changes.scram.insert((credential.mechanism, credential.name.clone()));
            }
            R::RemoveUserScramCredential(credential) => {
                let (mechanism, name) = (credential.mechanism, &credential.name);
                Arc::make_mut(&mut after.scram).replay_removal(mechanism, name)?;
                changes.scram.insert((mechanism, name.clone()));
            }
            R::DelegationToken(token) => {
                Arc::make_mut(&mut after.delegation_tokens).replay(token);
                changes.delegation_tokens.insert(token.token_id.clone());
            }
            R::RemoveDelegationToken(token) => {
                Arc::make_mut(&mut after.delegation_tokens).replay_removal(&token.token_id);
                changes.delegation_tokens.insert(token.token_id.clone());
            }
            R::ClientQuota(quota) => {
                let entity = Arc::make_mut(&mut after.client_quotas).replay(quota);
                changes.client_quotas.insert(entity);
            }
            other => return Err(ReplayError::Misplaced(other.name())),
        }
        Ok(())
    }
}

impl Changes {
    fn append(&mut self, later: Self) {
        self.features.extend(later.features);
        self.brokers.extend(later.brokers);
        self.controllers.extend(later.controllers);
        for (id, name) in later.deleted_topics {
            if !self.topics.remove(&id).is_some_and(|change| change.created) {
                self.deleted_topics.insert(id, name);
            }
        }
        for (id, change) in later.topics {
            let topic = self.topics.entry(id).or_default();
            topic.created |= change.created;
            topic.partitions.extend(change.partitions);
        }
        self.configs.extend(later.configs);
        self.client_quotas.extend(later.client_quotas);
        self.producer_ids |= later.producer_ids;
        self.acls.extend(later.acls);
        self.scram.extend(later.scram);
        self.delegation_tokens.extend(later.delegation_tokens);
    }

    fn partition(&mut self, topic: Uuid, partition: i32) {
        self.topics.entry(topic).or_default().partitions.insert(partition);
    }
}
