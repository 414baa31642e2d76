//! The rows of what nodes ask the controller for: only the cluster itself may (ClusterAction), and
//! who administers it.

use protocol::ErrorCode;
use protocol::api::ApiKey;
use protocol::messages::*;

use super::cases::{CLUSTER, topic};
use super::{Case, case};

const UNKNOWN: i16 = ErrorCode::UnknownTopicOrPartition.code();
const NO_PRINCIPAL: i16 = ErrorCode::PrincipalDeserializationFailure.code();

pub(super) fn node_cases() -> Vec<Case> {
    let mut cases = of_nodes();
    cases.extend(of_administrators());
    cases
}

fn of_nodes() -> Vec<Case> {
    let cases = vec![
        case(
            ApiKey::BrokerRegistration,
            |_, _| BrokerRegistrationRequest::default(),
            |_, response: BrokerRegistrationResponse| vec![response.error_code],
        ),
        case(
            ApiKey::BrokerHeartbeat,
            |_, _| BrokerHeartbeatRequest::default(),
            |_, response: BrokerHeartbeatResponse| vec![response.error_code],
        ),
        case(
            ApiKey::ControllerRegistration,
            |_, _| ControllerRegistrationRequest::default(),
            |_, response: ControllerRegistrationResponse| vec![response.error_code],
        ),
        case(
            ApiKey::AlterPartition,
            |_, _| AlterPartitionRequest::default(),
            |_, response: AlterPartitionResponse| vec![response.error_code],
        ),
        case(
            ApiKey::AllocateProducerIds,
            |_, _| AllocateProducerIdsRequest::default(),
            |_, response: AllocateProducerIdsResponse| vec![response.error_code],
        ),
        case(
            ApiKey::AssignReplicasToDirs,
            |_, _| AssignReplicasToDirsRequest::default(),
            |_, response: AssignReplicasToDirsResponse| vec![response.error_code],
        ),
        envelope(),
    ];
    let denied =
        |case: Case| case.on_controller().asks(&["ClusterAction cluster"]).gets(&[CLUSTER]);
    let cannot_be_opened = envelope()
        .on_controller()
        .granted(&["ClusterAction cluster"])
        .asks(&["ClusterAction cluster"])
        .gets(&[NO_PRINCIPAL]);
    cases.into_iter().map(denied).chain([cannot_be_opened]).collect()
}

/// With nothing in it.
fn envelope() -> Case {
    case(
        ApiKey::Envelope,
        |_, _| EnvelopeRequest::default(),
        |_, response: EnvelopeResponse| vec![response.error_code],
    )
}

fn of_administrators() -> Vec<Case> {
    vec![
        case(
            ApiKey::AddRaftVoter,
            |_, _| AddRaftVoterRequest { voter_id: 2, ..Default::default() },
            |_, response: AddRaftVoterResponse| vec![response.error_code],
        )
        .asks(&["Alter cluster"])
        .gets(&[CLUSTER]),
        case(
            ApiKey::RemoveRaftVoter,
            |_, _| RemoveRaftVoterRequest::default().with_voter_id(1),
            |_, response: RemoveRaftVoterResponse| vec![response.error_code],
        )
        .asks(&["Alter cluster"])
        .gets(&[CLUSTER]),
        case(
            ApiKey::UnregisterBroker,
            |_, _| UnregisterBrokerRequest::default().with_broker_id(BrokerId(1)),
            |_, response: UnregisterBrokerResponse| vec![response.error_code],
        )
        .asks(&["Alter cluster"])
        .gets(&[CLUSTER]),
        alter_replica_log_dirs().asks(&["Alter cluster"]).gets(&[CLUSTER]),
        alter_partition_reassignments().asks(&["Alter cluster"]).gets(&[CLUSTER, CLUSTER]),
        write_txn_markers().asks(&["Alter cluster", "ClusterAction cluster"]).gets(&[CLUSTER]),
        write_txn_markers().granted(&["Alter cluster"]).asks(&["Alter cluster"]).gets(&[UNKNOWN]),
    ]
}

/// Of a partition that is not there.
fn write_txn_markers() -> Case {
    use write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
    let request = |_, _: &_| {
        let nowhere = WritableTxnMarkerTopic { name: topic(), partition_indexes: vec![i32::MAX] };
        let marker = WritableTxnMarker { topics: vec![nowhere], ..Default::default() };
        WriteTxnMarkersRequest { markers: vec![marker] }
    };
    case(ApiKey::WriteTxnMarkers, request, |_, response: WriteTxnMarkersResponse| {
        let topics = response.markers.into_iter().flat_map(|marker| marker.topics);
        let partitions = topics.flat_map(|topic| topic.partitions);
        partitions.map(|partition| partition.error_code).collect()
    })
}

fn alter_replica_log_dirs() -> Case {
    use alter_replica_log_dirs_request::{AlterReplicaLogDir, AlterReplicaLogDirTopic};
    let request = |_, _: &_| {
        let moved = AlterReplicaLogDirTopic::default().with_name(topic()).with_partitions(vec![0]);
        let directory = AlterReplicaLogDir::default().with_topics(vec![moved]);
        AlterReplicaLogDirsRequest::default().with_dirs(vec![directory])
    };
    let codes = |_, response: AlterReplicaLogDirsResponse| {
        let partitions = response.results.into_iter().flat_map(|topic| topic.partitions);
        partitions.map(|partition| partition.error_code).collect()
    };
    case(ApiKey::AlterReplicaLogDirs, request, codes)
}

fn alter_partition_reassignments() -> Case {
    use alter_partition_reassignments_request::{ReassignablePartition, ReassignableTopic};
    let request = |_, _: &_| {
        let partition =
            ReassignablePartition::default().with_replicas(Some(vec![BrokerId(1), BrokerId(2)]));
        let moved =
            ReassignableTopic::default().with_name(topic()).with_partitions(vec![partition]);
        AlterPartitionReassignmentsRequest::default().with_topics(vec![moved])
    };
    let codes = |_, response: AlterPartitionReassignmentsResponse| {
        let partitions = response.responses.into_iter().flat_map(|topic| topic.partitions);
        let each = partitions.map(|partition| partition.error_code);
        std::iter::once(response.error_code).chain(each).collect()
    };
    case(ApiKey::AlterPartitionReassignments, request, codes)
}
