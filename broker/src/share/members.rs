//! What members do with share partitions: fetch from them, say what became of their records, leave.
//! Kafka: `SharePartitionManager.acknowledge`, `releaseSession`, `ShareGroupListenerImpl`.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::wire::StrBytes;
use replica::share::{
    AcknowledgeError, AcknowledgementBatch, SharePartition, SharePartitionId, ShareSessionKey,
};

use super::hosted_share_partition::{HostedSharePartition, Persisted};
use super::loading::load;
use super::persisting::persist;
use super::share_partitions::SharePartitions;
use crate::clock::monotonic_ms;
use crate::requests::api_error::{ApiError, worded};

/// What a member said of one partition's records, until it counts.
#[derive(Debug)]
pub(crate) enum Acknowledging {
    Ended(Result<(), ApiError>),
    Waits(Persisted),
}

impl Acknowledging {
    pub(crate) async fn outcome(self) -> Result<(), ApiError> {
        match self {
            Self::Ended(outcome) => outcome,
            // Who was to answer is gone with the share partition.
            Self::Waits(persisted) => {
                persisted.await.unwrap_or_else(|_| Err(ErrorCode::NotLeaderOrFollower.into()))
            }
        }
    }
}

impl SharePartitions {
    /// The share partition of a group; one that is new begins to read its state. To be called on
    /// the runtime.
    pub(super) fn find_or_load(
        self: &Arc<Self>,
        group: &StrBytes,
        id: SharePartitionId,
        topic: &Arc<str>,
    ) -> Result<Arc<HostedSharePartition>, ApiError> {
        let (hosted, is_new) = self.find_or_add(group, id, topic)?;
        if is_new {
            tokio::spawn(load(Arc::clone(self), Arc::clone(&hosted)));
        }
        Ok(hosted)
    }

    /// Takes what a member says of a partition's records. To be called on the runtime.
    pub(crate) fn acknowledge(
        self: &Arc<Self>,
        group: &StrBytes,
        member: &str,
        id: SharePartitionId,
        batches: &[AcknowledgementBatch],
    ) -> Acknowledging {
        let unknown = || Acknowledging::Ended(Err(worded(ErrorCode::UnknownTopicOrPartition)));
        let Some(hosted) = self.find(group, id) else { return unknown() };
        let limits = self.settings(group).limits;
        let now_ms = monotonic_ms();
        let begun =
            hosted.begin(|partition| partition.acknowledge(member, batches, &limits, now_ms));
        persist(self, &hosted);
        match begun {
            None => unknown(),
            Some(Ok(Some(persisted))) => Acknowledging::Waits(persisted),
            Some(Ok(None)) => Acknowledging::Ended(Ok(())),
            Some(Err(refused)) => Acknowledging::Ended(Err(of_acknowledgement(refused))),
        }
    }

    /// A member's session ends, and what it has acquired is available again. `false` if it has no
    /// session.
    pub(crate) fn end_session(self: &Arc<Self>, key: &ShareSessionKey) -> bool {
        let Some(partitions) = self.sessions().lock().end(key) else { return false };
        let group = StrBytes::from_string(key.group.to_string());
        let limits = self.settings(&group).limits;
        for id in partitions {
            let Some(hosted) = self.find(&group, id) else { continue };
            let release = |partition: &mut SharePartition| partition.release(&key.member, &limits);
            if hosted.with(release).is_some() {
                persist(self, &hosted);
                hosted.waiting_fetches().wake();
            }
        }
        true
    }

    /// A connection is gone, and with it the session that was opened over it.
    pub(crate) fn connection_closed(self: &Arc<Self>, connection_id: u64) {
        let gone = self.sessions().lock().disconnected(connection_id);
        if let Some(key) = gone {
            self.end_session(&key);
        }
        let emptied = self.sessions().lock().emptied(connection_id);
        if let Some(group) = emptied {
            self.drop_where(|hosted| *hosted.key.group == *group);
        }
    }
}

fn of_acknowledgement(refused: AcknowledgeError) -> ApiError {
    let code = match refused.is_invalid_request() {
        true => ErrorCode::InvalidRequest,
        false => ErrorCode::InvalidRecordState,
    };
    ApiError::new(code, refused.to_string())
}
