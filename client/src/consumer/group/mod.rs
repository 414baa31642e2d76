//! Membership in a group: joining, heartbeats, commits, leaving.
//!
//! ```text
//! classic:
//! join (a task) ─ JoinGroup ─▶ the leader assigns ─ SyncGroup ─▶ Joined
//! heartbeats (a task per generation) ─▶ nothing while all is well, else what to do
//! consumer (KIP-848) and share (KIP-932):
//! consumer_group (a task) ─ ConsumerGroupHeartbeat: wants, owns ─▶ what it shall own
//!                         ─ ShareGroupHeartbeat: wants ─▶ what it shall read
//! all:
//! commit, committed, leave ─▶ asked of the coordinator, which is looked for again when it moved
//! ```
//! `protocol` decides what codes mean and reads members' bytes. Answers to `AbstractCoordinator`
//! and `ConsumerCoordinator`.

mod consumer_group;
mod join;
mod offsets;
mod protocol;
mod share_group;

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::protocol::messages::leave_group_request::MemberIdentity;
use ::protocol::messages::{GroupId, HeartbeatRequest, LeaveGroupRequest};
use ::protocol::wire::{Request, StrBytes};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::consumer_group::Statement;
pub(crate) use self::consumer_group::{ByTopicId, Told, consumer_group};
pub(super) use self::join::{Joined, join};
pub(super) use self::offsets::{commit, committed};
use self::protocol::{Reaction, reaction};
use super::ConsumerError;
use super::settings::{ConsumerSettings, GroupProtocol};
use crate::metadata::{Cluster, CoordinatorError, CoordinatorKind, Node};

/// Who this consumer is to the group. An empty id and no generation before it has joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) member_id: String,
    pub(crate) generation: i32,
}

impl Identity {
    const NOBODY: Self = Self { member_id: String::new(), generation: -1 };
}

/// What all tasks of a membership share.
pub(crate) struct Group {
    pub(super) cluster: Cluster,
    pub(super) settings: Arc<ConsumerSettings>,
    pub(crate) id: String,
    identity: Mutex<Identity>,
    coordinator: Mutex<Option<Node>>,
    last_poll: Mutex<Instant>,
    /// What heartbeats of the newer protocol say.
    statement: Mutex<Statement>,
    nudge: Notify,
}

/// Why a coordinator's answer did not come; it is asked again.
struct Lost;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

impl Group {
    pub(crate) fn new(cluster: Cluster, settings: Arc<ConsumerSettings>, id: String) -> Self {
        Self {
            cluster,
            settings,
            id,
            identity: Mutex::new(Identity::NOBODY),
            coordinator: Mutex::default(),
            last_poll: Mutex::new(Instant::now()),
            statement: Mutex::default(),
            nudge: Notify::new(),
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        locked(&self.identity).clone()
    }

    fn set_identity(&self, identity: Identity) {
        *locked(&self.identity) = identity;
    }

    /// The application asked for records.
    pub(crate) fn polled(&self) {
        *locked(&self.last_poll) = Instant::now();
    }

    fn group_id(&self) -> GroupId {
        GroupId(text(&self.id))
    }

    fn instance_id(&self) -> Option<StrBytes> {
        self.settings.group_instance_id.as_deref().map(text)
    }

    fn forget_coordinator(&self) {
        *locked(&self.coordinator) = None;
    }

    /// The coordinator, looked for until somebody knows it.
    async fn coordinator(&self) -> Result<Node, ConsumerError> {
        if let Some(node) = locked(&self.coordinator).clone() {
            return Ok(node);
        }
        loop {
            let limit = self.settings.cluster.request_timeout;
            match self.cluster.coordinator(CoordinatorKind::Group, &self.id, limit).await {
                Ok(node) => {
                    *locked(&self.coordinator) = Some(node.clone());
                    return Ok(node);
                }
                Err(CoordinatorError::TimedOut { .. }) => {}
                Err(CoordinatorError::Answer { code, .. }) => {
                    return Err(ConsumerError::of_group(code, &self.id));
                }
                Err(CoordinatorError::UnsupportedVersion) => {
                    return Err(ConsumerError::UnsupportedVersion { api: "FIND_COORDINATOR" });
                }
            }
        }
    }

    /// Asks the coordinator once. After an answer that did not come another one may be found.
    async fn ask<R>(
        &self,
        versions: RangeInclusive<i16>,
        request: R,
        limit: Duration,
    ) -> Result<Result<R::Response, Lost>, ConsumerError>
    where
        R: Request + Send + 'static,
    {
        let node = self.coordinator().await?;
        let peer = self.cluster.peer_at(&node);
        match peer.request_with(versions, move |_| request, limit).await {
            Ok(answer) => Ok(Ok(answer)),
            Err(crate::PeerError::UnsupportedVersion { api, .. }) => {
                Err(ConsumerError::UnsupportedVersion { api })
            }
            Err(error) => {
                self.forget_coordinator();
                self.cluster.failed(node.id, &error);
                self.pause().await;
                Ok(Err(Lost))
            }
        }
    }

    async fn pause(&self) {
        tokio::time::sleep(self.settings.cluster.retry_backoff).await;
    }

    /// Does what a code says of the coordinator and of the own identity.
    async fn react(&self, code: i16) -> Reaction {
        let reaction = reaction(code);
        match reaction {
            Reaction::FindCoordinator => {
                self.forget_coordinator();
                self.pause().await;
            }
            Reaction::Retry => self.pause().await,
            Reaction::RejoinAsNew => self.set_identity(Identity::NOBODY),
            Reaction::Fine | Reaction::Rejoin | Reaction::Fail => {}
        }
        reaction
    }

    /// Leaves, as far as the coordinator can be reached in time. A static member stays: it comes
    /// back before its session ends, or not.
    pub(crate) async fn leave(&self) {
        if self.settings.protocol != GroupProtocol::Classic {
            return self.leave_consumer_group().await;
        }
        let Identity { member_id, .. } = self.identity();
        if member_id.is_empty() || self.settings.group_instance_id.is_some() {
            return;
        }
        let member = MemberIdentity::default()
            .with_member_id(text(&member_id))
            .with_reason(Some(text("the consumer is being closed")));
        let request =
            LeaveGroupRequest::default().with_group_id(self.group_id()).with_members(vec![member]);
        self.set_identity(Identity::NOBODY);
        let limit = self.settings.cluster.request_timeout;
        let _ = self.ask(5..=i16::MAX, request, limit).await;
    }
}

/// Why heartbeats ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// The group rebalances, or does not know the member any more.
    Rejoin,
    /// The application took too long between two polls, so the member left.
    TooSlow,
    Failed(ConsumerError),
}

/// Tells the coordinator that this generation's member lives, until it says something else.
pub(super) async fn heartbeats(group: Arc<Group>) -> Ended {
    loop {
        tokio::time::sleep(group.settings.heartbeat_interval).await;
        let idle = locked(&group.last_poll).elapsed();
        if idle > group.settings.max_poll_interval {
            group.leave().await;
            return Ended::TooSlow;
        }
        let Identity { member_id, generation } = group.identity();
        let request = HeartbeatRequest::default()
            .with_group_id(group.group_id())
            .with_generation_id(generation)
            .with_member_id(text(&member_id))
            .with_group_instance_id(group.instance_id());
        let limit = group.settings.session_timeout.min(group.settings.cluster.request_timeout);
        let code = match group.ask(3..=i16::MAX, request, limit).await {
            Ok(Ok(answer)) => answer.error_code,
            Ok(Err(Lost)) => continue,
            Err(error) => return Ended::Failed(error),
        };
        match group.react(code).await {
            Reaction::Fine | Reaction::Retry | Reaction::FindCoordinator => {}
            Reaction::Rejoin | Reaction::RejoinAsNew => return Ended::Rejoin,
            Reaction::Fail => return Ended::Failed(ConsumerError::of_group(code, &group.id)),
        }
    }
}
