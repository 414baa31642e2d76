//! What a StreamsGroupHeartbeat asks for, and what is wrong with it whatever the shard's state.
//! Answers to `GroupCoordinatorService.throwIfStreamsGroupHeartbeatRequestIsInvalid` and
//! `throwIfStreamsGroupHeartbeatRequestIsUsingUnsupportedFeatures`.

use protocol::records::group::{StreamsEndpoint, StreamsKeyValue, StreamsTopologyValue};
use protocol::wire::StrBytes;

use super::super::answer::GroupError;
use super::member::{LEFT, LEFT_FOR_NOW};

/// Tasks of one subtopology, as a member names them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskIds {
    pub subtopology: StrBytes,
    pub partitions: Vec<i32>,
}

/// A StreamsGroupHeartbeat. Its texts are copies, which keep no frame alive. What is `None` has not
/// changed since the last one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StreamsHeartbeatRequest {
    pub group_id: StrBytes,
    pub member_id: StrBytes,
    /// 0 joins, -1 leaves.
    pub member_epoch: i32,
    pub endpoint_information_epoch: i32,
    pub instance_id: Option<StrBytes>,
    pub rack_id: Option<StrBytes>,
    /// -1: as before.
    pub rebalance_timeout_ms: i32,
    pub topology: Option<StreamsTopologyValue>,
    pub active_tasks: Option<Vec<TaskIds>>,
    pub standby_tasks: Option<Vec<TaskIds>>,
    pub warmup_tasks: Option<Vec<TaskIds>>,
    pub process_id: Option<StrBytes>,
    pub user_endpoint: Option<StreamsEndpoint>,
    pub client_tags: Option<Vec<StreamsKeyValue>>,
    pub has_task_offsets: bool,
    pub has_task_end_offsets: bool,
    pub shutdown_application: bool,
}

impl StreamsHeartbeatRequest {
    pub(super) fn leaves(&self) -> bool {
        matches!(self.member_epoch, LEFT | LEFT_FOR_NOW)
    }
}

/// Refuses a request that no group can answer.
pub fn refuse_streams_heartbeat(request: &StreamsHeartbeatRequest) -> Result<(), GroupError> {
    match unsupported(request).or_else(|| invalid(request)) {
        Some(why) => Err(GroupError::InvalidRequest(why)),
        None if request.member_epoch == 0 => refuse_changelogs(request),
        None if request.member_epoch < LEFT_FOR_NOW => {
            Err(GroupError::InvalidStreamsRequest(format!(
                "MemberEpoch is {}, but must be greater than or equal to -2.",
                request.member_epoch
            )))
        }
        None => refuse_partial(request),
    }
}

fn unsupported(request: &StreamsHeartbeatRequest) -> Option<&'static str> {
    let subtopologies = request.topology.iter().flat_map(|topology| &topology.subtopologies);
    Some(if request.instance_id.is_some() {
        "Static membership is not yet supported."
    } else if request.has_task_offsets {
        "TaskOffsets are not supported yet."
    } else if request.has_task_end_offsets {
        "TaskEndOffsets are not supported yet."
    } else if request.warmup_tasks.as_ref().is_some_and(|tasks| !tasks.is_empty()) {
        "WarmupTasks are not supported yet."
    } else if subtopologies.into_iter().any(|part| !part.source_topic_regex.is_empty()) {
        "Regular expressions for source topics are not supported yet."
    } else {
        return None;
    })
}

fn invalid(request: &StreamsHeartbeatRequest) -> Option<&'static str> {
    let is_blank = |text: &StrBytes| text.trim().is_empty();
    let has = |tasks: &Option<Vec<TaskIds>>| tasks.as_ref().is_none_or(|tasks| !tasks.is_empty());
    let joins = request.member_epoch == 0;
    Some(if is_blank(&request.member_id) {
        "MemberId can't be empty."
    } else if is_blank(&request.group_id) {
        "GroupId can't be empty."
    } else if request.rack_id.as_ref().is_some_and(is_blank) {
        "RackId can't be empty."
    } else if joins && request.rebalance_timeout_ms == -1 {
        "RebalanceTimeoutMs must be provided in first request."
    } else if joins && has(&request.active_tasks) {
        "ActiveTasks must be empty when (re-)joining."
    } else if joins && has(&request.standby_tasks) {
        "StandbyTasks must be empty when (re-)joining."
    } else if joins && has(&request.warmup_tasks) {
        "WarmupTasks must be empty when (re-)joining."
    } else if joins && request.topology.is_none() {
        "Topology must be non-null when (re-)joining."
    } else if request.member_epoch == LEFT_FOR_NOW {
        "InstanceId can't be null."
    } else {
        return None;
    })
}

/// How many partitions a changelog has is the broker's to say.
fn refuse_changelogs(request: &StreamsHeartbeatRequest) -> Result<(), GroupError> {
    let subtopologies = request.topology.iter().flat_map(|topology| &topology.subtopologies);
    let mut changelogs = subtopologies.flat_map(|part| &part.state_changelog_topics);
    match changelogs.find(|topic| topic.partitions != 0) {
        None => Ok(()),
        Some(topic) => Err(GroupError::InvalidTopology(format!(
            "Changelog topic {} must have an undefined partition count, but it is set to {}.",
            topic.name, topic.partitions
        ))),
    }
}

fn refuse_partial(request: &StreamsHeartbeatRequest) -> Result<(), GroupError> {
    let kinds = [&request.active_tasks, &request.standby_tasks, &request.warmup_tasks];
    let given = kinds.iter().filter(|tasks| tasks.is_some()).count();
    Err(GroupError::InvalidRequest(if given != 0 && given != kinds.len() {
        "If one task-type is non-null, all must be non-null."
    } else if request.topology.is_some() {
        "Topology can only be provided when (re-)joining."
    } else {
        return Ok(());
    }))
}
