//! Makes one partition after the other what the metadata says of it: its log opened, its role told.
//!
//! Runs on threads that may wait for the disk, and as often as anybody likes: what is so already is
//! left alone. One partition's failure is no other's.

use protocol::Base64Uuid;
use std::sync::Arc;

use raft::image::{DIRECTORY_UNASSIGNED, LeaderRecovery, MetadataImage, Partition};
pub(super) use raft::replica_steps::Assigned as Change;
use replica::{Recovery, Registration};
use storage::{AppendError, StorageError};
use uuid::Uuid;

use crate::broker::Broker;
use crate::clock::wall_ms;
use crate::log_dirs::{LogDirs, Opening, Wanted};
use crate::partitions::HostedPartition;
use crate::publisher::state_changes::{self, Before};
use crate::replication::log_dir_failures::take_offline;
use crate::replication::topic_settings::TopicSettings;

/// Why a partition is not what the metadata says.
#[derive(Debug)]
pub(super) enum NotHosted {
    Storage(StorageError),
    /// Its log may be in a directory that is offline, so none begins.
    Skipped {
        assigned: Uuid,
    },
}

impl NotHosted {
    /// Whether it may be otherwise in a moment: something ran out, or the log of a topic that was
    /// deleted has not been put aside yet.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Storage(error) => {
                error.is_exhaustion() || matches!(error, StorageError::OtherTopic { .. })
            }
            Self::Skipped { .. } => false,
        }
    }
}

impl From<StorageError> for NotHosted {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// Hosts them one after the other; those that could not be.
pub(super) fn host_all(
    broker: &Arc<Broker>,
    image: &MetadataImage,
    changes: &[Change],
) -> Vec<(Change, NotHosted)> {
    let config = broker.config.current();
    let mut settings: Option<(Uuid, TopicSettings)> = None;
    let mut failed = Vec::new();
    for change in changes {
        let settings = match &settings {
            Some((id, settings)) if *id == change.topic.id => settings,
            _ => {
                let of = TopicSettings::of(&change.topic.name, image, &config);
                &settings.insert((change.topic.id, of)).1
            }
        };
        if let Err(why) = host_one(broker, settings, image, change) {
            failed.push((change.clone(), why));
        }
    }
    failed
}

fn host_one(
    broker: &Arc<Broker>,
    settings: &TopicSettings,
    image: &MetadataImage,
    change: &Change,
) -> Result<(), NotHosted> {
    let log_dirs = &broker.replicas.log_dirs;
    let existing = broker.replicas.partitions.topic_by_id(change.topic.id);
    if existing.as_ref().is_some_and(|topic| topic.is_offline(change.partition)) {
        say_offline(change);
        return Ok(());
    }
    let assigned = change.state.directory(broker.config.node_id()).unwrap_or(DIRECTORY_UNASSIGNED);
    let (hosted, before) = match existing.and_then(|topic| topic.partition(change.partition)) {
        Some(hosted) => {
            let before = hosted.with_replica_here(|replica| replica.standing(None, None));
            outlive(log_dirs, lead_or_follow(&hosted, &change.state))?;
            (hosted, Before::as_hosted(&before, broker.config.node_id()))
        }
        None => match open(broker, settings, image, change, assigned)? {
            Some(hosted) => (hosted, Before::nothing()),
            None => return Ok(()),
        },
    };
    state_changes::began(broker.config.node_id(), &hosted, &change.state, before);
    if !log_dirs.is_online(hosted.directory_id()) {
        // It failed meanwhile, perhaps before the partition was in the table.
        take_offline(&broker.replicas, &broker.fetchers, &hosted);
    } else if image.metadata_version().has_directories()
        && assigned != hosted.directory_id()
        // The metadata names the directory of a move before the move ends.
        && hosted.future_directory() != Some(assigned)
        && hosted.damage().is_none()
    {
        log_dirs.report(&hosted);
    }
    Ok(())
}

/// Opens a partition's log, tells it its role, and puts it into the table; `None` when its
/// directory is offline.
fn open(
    broker: &Arc<Broker>,
    settings: &TopicSettings,
    image: &MetadataImage,
    change: &Change,
    assigned: Uuid,
) -> Result<Option<Arc<HostedPartition>>, NotHosted> {
    let log_dirs = &broker.replicas.log_dirs;
    let settings = settings.of_replica(change.partition, broker.config.node_id());
    let wanted = Wanted {
        topic: change.topic.name.as_str(),
        topic_id: change.topic.id,
        partition: change.partition,
        assigned,
    };
    let around = &broker.replicas.context;
    let hosted = match log_dirs.open_partition(&wanted, &settings, around, wall_ms())? {
        Opening::Online(hosted) => hosted,
        Opening::Begun(hosted, directory) => {
            state_changes::created(&change.topic, change.partition, &directory, image);
            hosted
        }
        Opening::Skipped => return Err(NotHosted::Skipped { assigned }),
        Opening::Offline => {
            let name = Arc::from(change.topic.name.as_str());
            broker.replicas.partitions.set_offline(&name, change.topic.id, change.partition);
            return Ok(None);
        }
    };
    outlive(log_dirs, lead_or_follow(&hosted, &change.state))?;
    broker.replicas.partitions.insert(Arc::clone(&hosted));
    Ok(Some(hosted))
}

fn outlive(log_dirs: &LogDirs, done: Result<(), StorageError>) -> Result<(), StorageError> {
    done.or_else(|error| log_dirs.outlive(error))
}

pub(super) fn say_skipped(change: &Change, assigned: Uuid) {
    tracing::warn!(
        target: "kafka.cluster.Partition",
        "[Partition {}-{}] Skipping creation of log because there are potentially offline log \
         directories and log may already exist there. directoryId={}",
        change.topic.name, change.partition, Base64Uuid(assigned),
    );
}

fn say_offline(change: &Change) {
    tracing::warn!(
        target: "state.change.logger",
        "Unable to bring up new local replica {}-{} with topic id {} because it resides in an \
         offline log directory.",
        change.topic.name, change.partition, Base64Uuid(change.topic.id),
    );
}

fn lead_or_follow(hosted: &HostedPartition, state: &Partition) -> Result<(), StorageError> {
    let registration = Registration {
        leader: state.leader,
        leader_epoch: state.leader_epoch,
        partition_epoch: state.partition_epoch,
        replicas: state.replicas.clone(),
        adding: state.adding_replicas.clone(),
        removing: state.removing_replicas.clone(),
        isr: state.isr.clone(),
        recovery: match state.leader_recovery {
            LeaderRecovery::Recovered => Recovery::Recovered,
            LeaderRecovery::Recovering => Recovery::Recovering,
        },
    };
    match hosted.apply(&registration) {
        Ok(()) => Ok(()),
        Err(AppendError::Storage(error)) => Err(error),
        // Nothing is appended here, so the log has no other reason to refuse.
        Err(other) => {
            tracing::error!(target: "state.change.logger", "Cannot lead: {other}");
            Ok(())
        }
    }
}
