//! What other nodes are answered, in which role, at which version.

use protocol::ErrorCode;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic, ReplicaState};
use protocol::messages::{
    BeginQuorumEpochRequest, BrokerId, EndQuorumEpochRequest, FetchRequest, FetchResponse,
    FetchSnapshotRequest, TopicName, VoteRequest, begin_quorum_epoch_request as begin,
    end_quorum_epoch_request as end, fetch_snapshot_request as snapshot, vote_request as vote,
};
use protocol::wire::StrBytes;

use super::world::World;
use super::*;

const NONE: i16 = 0;

fn metadata() -> TopicName {
    TopicName(StrBytes::from_static_str(CLUSTER_METADATA_TOPIC))
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Node 1 leads epoch 1 of three voters, whose logs end at 4.
fn led() -> World {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    world.propose(1, 3);
    world.run(1_000);
    world
}

/// The answer, if it comes at once.
fn ask(world: &mut World, id: i32, version: i16, request: PeerRequest) -> Option<PeerResponse> {
    let now = at(world.now_ms);
    let event = Event::Requested { token: 77, version, request };
    let outputs = world.nodes.get_mut(&id).unwrap().step(event, now).unwrap();
    outputs.into_iter().find_map(|output| match output {
        Output::Answer { token: 77, response } => Some(response),
        _ => None,
    })
}

fn vote(epoch: i32, candidate: i32, log: (i32, i64), pre_vote: bool) -> VoteRequest {
    let partition = vote::PartitionData::default()
        .with_replica_epoch(epoch)
        .with_replica_id(BrokerId(candidate))
        .with_replica_directory_id(directory(candidate))
        .with_last_offset_epoch(log.0)
        .with_last_offset(log.1)
        .with_pre_vote(pre_vote);
    let topic =
        vote::TopicData::default().with_topic_name(metadata()).with_partitions(vec![partition]);
    VoteRequest::default()
        .with_cluster_id(Some(text("cluster")))
        .with_voter_id(BrokerId(-1))
        .with_topics(vec![topic])
}

/// Error at the top, error of the partition, and whether it was granted.
fn voted(world: &mut World, id: i32, request: VoteRequest) -> (i16, i16, bool) {
    let Some(PeerResponse::Vote(response)) = ask(world, id, 2, PeerRequest::Vote(request)) else {
        panic!("a vote is answered at once");
    };
    let partition = response.topics.first().map(|topic| &topic.partitions[0]);
    let error = partition.map_or(NONE, |partition| partition.error_code);
    (response.error_code, error, partition.is_some_and(|partition| partition.vote_granted))
}

#[test]
fn a_vote_that_cannot_be_is_refused_with_kafkas_codes() {
    let good = || vote(2, 3, (1, 4), false);
    let with = |change: &dyn Fn(&mut VoteRequest)| {
        let mut request = good();
        change(&mut request);
        request
    };
    let invalid = ErrorCode::InvalidRequest.code();
    for (request, wanted) in [
        (good(), (NONE, NONE, true)),
        (
            with(&|request| request.cluster_id = Some(text("other"))),
            (ErrorCode::InconsistentClusterId.code(), NONE, false),
        ),
        (with(&|request| request.cluster_id = None), (NONE, NONE, true)),
        (with(&|request| request.topics.clear()), (invalid, NONE, false)),
        (with(&|request| request.topics[0].topic_name = TopicName(text("t"))), (invalid, 0, false)),
        (with(&|request| request.topics[0].partitions[0].partition_index = 1), (invalid, 0, false)),
        (vote(0, 3, (0, 0), true), (NONE, ErrorCode::FencedLeaderEpoch.code(), false)),
        (vote(2, -1, (1, 4), false), (NONE, invalid, false)),
        (vote(2, 0, (1, 4), false), (NONE, NONE, true)),
        (vote(2, 3, (2, 4), false), (NONE, invalid, false)),
        (vote(2, 3, (2, 4), true), (NONE, NONE, true)),
        (vote(2, 3, (-1, 4), true), (NONE, invalid, false)),
        (vote(2, 3, (1, -1), true), (NONE, invalid, false)),
        (with(&|request| request.voter_id = BrokerId(2)), (NONE, NONE, true)),
        (
            with(&|request| request.voter_id = BrokerId(3)),
            (NONE, ErrorCode::InvalidVoterKey.code(), false),
        ),
        (
            with(&|request| {
                request.voter_id = BrokerId(2);
                request.topics[0].partitions[0].voter_directory_id = directory(9);
            }),
            (NONE, ErrorCode::InvalidVoterKey.code(), false),
        ),
    ] {
        let mut world = led();
        assert_eq!(voted(&mut world, 2, request.clone()), wanted, "{request:?}");
    }
}

#[test]
fn a_vote_goes_once_an_epoch_to_a_log_that_is_not_behind() {
    for (log, granted) in [((1, 4), true), ((1, 5), true), ((1, 3), false), ((0, 9), false)] {
        assert_eq!(voted(&mut led(), 2, vote(2, 3, log, false)).2, granted, "{log:?}");
    }
    let mut world = led();
    assert!(voted(&mut world, 2, vote(2, 3, (1, 4), false)).2);
    assert!(!voted(&mut world, 2, vote(2, 1, (1, 9), false)).2, "it has voted");
    assert!(voted(&mut world, 2, vote(2, 3, (1, 4), false)).2, "the same answer again");
    world.crash(2);
    world.start(2);
    assert!(!voted(&mut world, 2, vote(2, 1, (1, 9), false)).2, "it remembers");
    assert!(voted(&mut world, 2, vote(2, 3, (1, 4), false)).2);
    assert!(voted(&mut world, 2, vote(3, 1, (1, 9), false)).2, "a new epoch");
}

#[test]
fn a_pre_vote_is_granted_by_who_has_no_healthy_leader_and_changes_nothing() {
    let mut world = led();
    assert_eq!(voted(&mut world, 2, vote(1, 3, (1, 4), true)), (NONE, NONE, false));
    assert_eq!(voted(&mut world, 1, vote(1, 3, (1, 9), true)), (NONE, NONE, false), "it leads");
    world.step(2, Event::PeerGone { id: 1 });
    assert!(voted(&mut world, 2, vote(1, 3, (1, 4), true)).2);
    assert!(!voted(&mut world, 2, vote(1, 3, (1, 3), true)).2, "it is behind");
    assert!(voted(&mut world, 2, vote(1, 1, (1, 4), true)).2, "as many as ask");
    assert_eq!(world.nodes[&2].epoch(), 1);
}

fn fetch(epoch: i32, offset: i64, last_epoch: i32, max_wait_ms: i32) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_current_leader_epoch(epoch)
        .with_fetch_offset(offset)
        .with_last_fetched_epoch(last_epoch)
        .with_replica_directory_id(directory(2));
    let topic = FetchTopic::default()
        .with_topic(metadata())
        .with_topic_id(CLUSTER_METADATA_ID)
        .with_partitions(vec![partition]);
    FetchRequest::default()
        .with_cluster_id(Some(text("cluster")))
        .with_replica_state(ReplicaState::default().with_replica_id(BrokerId(2)))
        .with_max_wait_ms(max_wait_ms)
        .with_max_bytes(1_000_000)
        .with_topics(vec![topic])
}

fn fetched(world: &mut World, id: i32, version: i16, request: FetchRequest) -> FetchResponse {
    let request = PeerRequest::Fetch(Box::new(request));
    match ask(world, id, version, request) {
        Some(PeerResponse::Fetch(response)) => *response,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fetch_gets_records_or_where_the_logs_part_or_why_not() {
    let mut world = led();
    let mut of = |id, request: FetchRequest| {
        let response = fetched(&mut world, id, 17, request);
        let partition = response.responses.first().map(|topic| topic.partitions[0].clone());
        let partition = partition.unwrap_or_default();
        let records = partition.records.unwrap_or_default();
        let first = decode(&records).unwrap().first().map(|entry| entry.offset);
        (response.error_code, partition.error_code, first, partition.diverging_epoch.end_offset)
    };
    let mut named = fetch(1, 1, 1, 0);
    named.topics[0].topic_id = Uuid::nil();
    let mut foreign = fetch(1, 1, 1, 0);
    foreign.topics[0].topic_id = directory(4);
    let mut other_cluster = fetch(1, 1, 1, 0);
    other_cluster.cluster_id = Some(text("other"));
    let code = |error: ErrorCode| error.code();
    let invalid = code(ErrorCode::InvalidRequest);
    for (id, request, wanted) in [
        (1, fetch(1, 0, 0, 0), (NONE, NONE, Some(0), -1)),
        (1, fetch(1, 1, 1, 500), (NONE, NONE, Some(1), -1)),
        (1, fetch(1, 4, 1, 0), (NONE, NONE, None, -1)),
        (1, fetch(1, 5, 1, 500), (NONE, NONE, None, 4)),
        (1, fetch(1, 2, 0, 500), (NONE, NONE, None, 0)),
        (1, named, (NONE, NONE, Some(1), -1)),
        (1, foreign, (invalid, NONE, None, -1)),
        (1, other_cluster, (code(ErrorCode::InconsistentClusterId), NONE, None, -1)),
        (1, fetch(1, 1, 1, -1), (NONE, invalid, None, -1)),
        (1, fetch(1, -1, 1, 0), (NONE, invalid, None, -1)),
        (1, fetch(1, 1, -1, 0), (NONE, invalid, None, -1)),
        (1, fetch(1, 1, 2, 0), (NONE, invalid, None, -1)),
        (1, fetch(0, 1, 0, 0), (NONE, code(ErrorCode::FencedLeaderEpoch), None, -1)),
        (1, fetch(2, 1, 1, 0), (NONE, code(ErrorCode::UnknownLeaderEpoch), None, -1)),
        (3, fetch(1, 1, 1, 0), (NONE, code(ErrorCode::NotLeaderOrFollower), None, -1)),
    ] {
        assert_eq!(of(id, request.clone()), wanted, "{request:?}");
    }
}

#[test]
fn who_asks_the_wrong_node_is_told_the_right_one_as_far_as_the_version_can() {
    for (version, wanted) in [(16, None), (17, Some((1, 9001))), (18, Some((1, 9001)))] {
        let response = fetched(&mut led(), 3, version, fetch(1, 1, 1, 0));
        let leader = &response.responses[0].partitions[0].current_leader;
        assert_eq!((leader.leader_id.0, leader.leader_epoch), (1, 1));
        let node = response.node_endpoints.first();
        assert_eq!(node.map(|node| (node.node_id.0, node.port)), wanted, "version {version}");
    }
    for (version, wanted) in [(0, None), (1, Some(9001)), (2, Some(9001))] {
        let request = PeerRequest::Vote(vote(1, 3, (1, 4), true));
        let Some(PeerResponse::Vote(response)) = ask(&mut led(), 2, version, request) else {
            panic!();
        };
        let node = response.node_endpoints.first();
        assert_eq!(node.map(|node| node.port), wanted, "version {version}");
        assert_eq!(response.topics[0].partitions[0].leader_id.0, 1);
    }
}

#[test]
fn a_fetch_at_the_end_waits_for_records_for_the_high_watermark_or_its_time() {
    let waits = |world: &mut World| {
        let request = PeerRequest::Fetch(Box::new(fetch(1, 4, 1, 500)));
        assert_eq!(ask(world, 1, 17, request), None);
    };
    let mut world = led();
    world.cut_off(2);
    waits(&mut world);
    let answer_of = |outputs: Vec<Output>| {
        outputs.into_iter().find_map(|output| match output {
            Output::Answer { token: 77, response: PeerResponse::Fetch(response) } => {
                Some(response.responses[0].partitions[0].clone())
            }
            _ => None,
        })
    };
    let node = world.nodes.get_mut(&1).unwrap();
    let records = vec![protocol::records::metadata::NoOpRecord::default().into()];
    let level = crate::feature::MetadataVersion::LATEST;
    let proposed = Event::RecordsProposed { records, level, atomic: false };
    let answered = answer_of(node.step(proposed, at(world.now_ms)).unwrap()).unwrap();
    assert_eq!(decode(&answered.records.unwrap()).unwrap()[0].offset, 4);

    let mut world = led();
    waits(&mut world);
    let node = world.nodes.get_mut(&1).unwrap();
    let later = at(world.now_ms + 499);
    assert_eq!(answer_of(node.step(Event::TimePassed, later).unwrap()), None);
    assert!(node.next_deadline_ms() <= world.now_ms + 500);
    let later = at(world.now_ms + 500);
    let answered = answer_of(node.step(Event::TimePassed, later).unwrap()).unwrap();
    assert_eq!((answered.error_code, answered.high_watermark), (NONE, 4));

    let mut world = led();
    waits(&mut world);
    let node = world.nodes.get_mut(&1).unwrap();
    let stopped = node.step(Event::ShutdownRequested, at(world.now_ms)).unwrap();
    let answered = answer_of(stopped).unwrap();
    assert_eq!(answered.error_code, ErrorCode::NotLeaderOrFollower.code());
}

#[test]
fn a_fetch_that_knows_an_older_high_watermark_is_answered_at_once() {
    let mut world = led();
    let mut request = fetch(1, 4, 1, 500);
    request.topics[0].partitions[0].high_watermark = 3;
    let response = fetched(&mut world, 1, 18, request.clone());
    assert_eq!(response.responses[0].partitions[0].high_watermark, 4);
    request.topics[0].partitions[0].high_watermark = 4;
    assert_eq!(ask(&mut world, 1, 18, PeerRequest::Fetch(Box::new(request))), None);
}

fn begin(epoch: i32, leader: i32) -> BeginQuorumEpochRequest {
    let partition =
        begin::PartitionData::default().with_leader_epoch(epoch).with_leader_id(BrokerId(leader));
    let topic =
        begin::TopicData::default().with_topic_name(metadata()).with_partitions(vec![partition]);
    BeginQuorumEpochRequest::default()
        .with_cluster_id(Some(text("cluster")))
        .with_voter_id(BrokerId(-1))
        .with_topics(vec![topic])
}

#[test]
fn the_beginning_of_an_epoch_is_believed_unless_it_contradicts_what_is_known() {
    let code = |error: ErrorCode| error.code();
    for (id, request, wanted, leader) in [
        (2, begin(2, 3), NONE, Some(3)),
        (2, begin(1, 1), NONE, Some(1)),
        (1, begin(2, 3), NONE, Some(3)),
        (2, begin(0, 3), code(ErrorCode::FencedLeaderEpoch), Some(1)),
        (2, begin(2, -1), code(ErrorCode::InvalidRequest), Some(1)),
        (2, begin(1, 3), code(ErrorCode::UnknownServerError), Some(1)),
        (2, begin(2, 2), code(ErrorCode::UnknownServerError), Some(1)),
        (2, begin(2, 3).with_voter_id(BrokerId(1)), code(ErrorCode::InvalidVoterKey), Some(3)),
    ] {
        let mut world = led();
        let asked = PeerRequest::BeginQuorumEpoch(request.clone());
        let Some(PeerResponse::BeginQuorumEpoch(response)) = ask(&mut world, id, 1, asked) else {
            panic!();
        };
        assert_eq!(response.topics[0].partitions[0].error_code, wanted, "{request:?}");
        assert_eq!(world.nodes[&id].leader_id(), leader, "{request:?}");
    }
    let refused = begin(2, 3).with_cluster_id(Some(text("other")));
    let answer = ask(&mut led(), 2, 1, PeerRequest::BeginQuorumEpoch(refused));
    let Some(PeerResponse::BeginQuorumEpoch(response)) = answer else { panic!() };
    assert_eq!(response.error_code, code(ErrorCode::InconsistentClusterId));
}

#[test]
fn the_end_of_an_epoch_calls_the_successors_one_after_the_other() {
    let end = |candidates: &[i32]| {
        let candidate = |id: &i32| {
            end::ReplicaInfo::default()
                .with_candidate_id(BrokerId(*id))
                .with_candidate_directory_id(directory(*id))
        };
        let partition = end::PartitionData::default()
            .with_leader_epoch(1)
            .with_leader_id(BrokerId(1))
            .with_preferred_candidates(candidates.iter().map(candidate).collect());
        let topic =
            end::TopicData::default().with_topic_name(metadata()).with_partitions(vec![partition]);
        let request = EndQuorumEpochRequest::default().with_cluster_id(Some(text("cluster")));
        PeerRequest::EndQuorumEpoch(request.with_topics(vec![topic]))
    };
    for (candidates, within) in [
        (&[2, 3][..], 0..=0),
        (&[3, 2], 500..=500),
        (&[5, 4, 3, 2], 500..=500),
        (&[5, 4, 2, 3], 250..=250),
        (&[3], 1_000..=1_000),
        (&[], 0..=20),
    ] {
        let mut world = led();
        assert!(ask(&mut world, 2, 1, end(candidates)).is_some());
        let asked = world.now_ms;
        let prospective = |world: &World| matches!(world.nodes[&2].role, Role::Prospective(_));
        let wait_ms = match prospective(&world) {
            true => 0,
            false => world.nodes[&2].next_deadline_ms() - asked,
        };
        assert!(within.contains(&wait_ms), "{candidates:?}: {wait_ms}");
    }
}

#[test]
fn who_begins_is_sent_to_the_snapshot_even_while_the_log_still_has_everything() {
    let mut world = led();
    let id = SnapshotId { end_offset: 3, epoch: 1 };
    world.disks[&1].borrow_mut().add_snapshot(id, Default::default());
    assert_eq!(world.nodes[&1].log().log_start_offset(), 0);
    let response = fetched(&mut world, 1, 17, fetch(1, 0, 0, 500));
    let named = &response.responses[0].partitions[0].snapshot_id;
    assert_eq!((named.end_offset, named.epoch), (3, 1));
}

#[test]
fn a_snapshot_from_below_the_logs_start_keeps_nobody_from_fetching() {
    let mut world = led();
    let stood_on = world.snapshot(1);
    assert_eq!(world.nodes[&1].log().log_start_offset(), stood_on.end_offset);
    // A node that ended before it deleted the older one opens with both.
    let older = SnapshotId { end_offset: stood_on.end_offset - 1, epoch: stood_on.epoch - 1 };
    world.disks[&1].borrow_mut().live.snapshots.insert(0, (older, Default::default()));
    let request = fetch(1, stood_on.end_offset, stood_on.epoch, 0);
    let response = fetched(&mut world, 1, 17, request);
    let partition = &response.responses[0].partitions[0];
    assert_eq!(partition.snapshot_id.epoch, -1, "it has that snapshot");
    assert_eq!((partition.error_code, partition.diverging_epoch.epoch), (NONE, -1));
}

#[test]
fn a_snapshot_is_handed_out_in_pieces() {
    let mut world = led();
    let id = world.snapshot(1);
    let content = world.nodes[&1].log().read_snapshot(id).unwrap();
    let mut ask_for = |epoch, id: SnapshotId, position: i64| {
        let partition = snapshot::PartitionSnapshot::default()
            .with_current_leader_epoch(epoch)
            .with_position(position)
            .with_snapshot_id(
                snapshot::SnapshotId::default().with_end_offset(id.end_offset).with_epoch(id.epoch),
            );
        let topic = snapshot::TopicSnapshot::default()
            .with_name(metadata())
            .with_partitions(vec![partition]);
        let request = FetchSnapshotRequest::default()
            .with_replica_id(BrokerId(2))
            .with_max_bytes(40)
            .with_topics(vec![topic]);
        match ask(&mut world, 1, 1, PeerRequest::FetchSnapshot(request)) {
            Some(PeerResponse::FetchSnapshot(response)) => response.topics[0].partitions[0].clone(),
            other => panic!("{other:?}"),
        }
    };
    let mut got = Vec::new();
    while got.len() < content.len() {
        let piece = ask_for(1, id, got.len() as i64);
        assert_eq!((piece.error_code, piece.size), (NONE, content.len() as i64));
        assert!((1..=40).contains(&piece.unaligned_records.len()));
        got.extend_from_slice(&piece.unaligned_records);
    }
    assert_eq!(got, content);
    let unknown = SnapshotId { end_offset: 2, epoch: 1 };
    for (epoch, id, position, wanted) in [
        (1, id, content.len() as i64, ErrorCode::PositionOutOfRange),
        (1, id, -1, ErrorCode::PositionOutOfRange),
        (1, unknown, 0, ErrorCode::SnapshotNotFound),
        (1, SnapshotId::BOOTSTRAP, 0, ErrorCode::SnapshotNotFound),
        (0, id, 0, ErrorCode::FencedLeaderEpoch),
        (2, id, 0, ErrorCode::UnknownLeaderEpoch),
    ] {
        assert_eq!(ask_for(epoch, id, position).error_code, wanted.code(), "{wanted:?}");
    }
    let response = fetched(&mut world, 1, 17, fetch(1, 0, 0, 500));
    let named = &response.responses[0].partitions[0].snapshot_id;
    assert_eq!((named.end_offset, named.epoch), (id.end_offset, id.epoch));
}

#[test]
fn a_voter_that_tells_of_itself_is_heard_if_it_is_one() {
    use protocol::messages::update_raft_voter_request::{KRaftVersionFeature, Listener};
    let told = || {
        let listener =
            Listener::default().with_name(text("CONTROLLER")).with_host(text("moved")).with_port(7);
        let versions = KRaftVersionFeature::default().with_max_supported_version(1);
        protocol::messages::UpdateRaftVoterRequest::default()
            .with_cluster_id(Some(text("cluster")))
            .with_current_leader_epoch(1)
            .with_voter_id(2)
            .with_voter_directory_id(directory(2))
            .with_listeners(vec![listener])
            .with_k_raft_version_feature(versions)
    };
    let unable =
        KRaftVersionFeature::default().with_min_supported_version(1).with_max_supported_version(1);
    let code = |error: ErrorCode| error.code();
    for (id, request, wanted) in [
        (1, told(), NONE),
        (1, told().with_cluster_id(None), NONE),
        (1, told().with_voter_directory_id(directory(9)), NONE),
        (3, told(), code(ErrorCode::NotLeaderOrFollower)),
        (1, told().with_cluster_id(Some(text("x"))), code(ErrorCode::InconsistentClusterId)),
        (1, told().with_current_leader_epoch(0), code(ErrorCode::FencedLeaderEpoch)),
        (1, told().with_current_leader_epoch(2), code(ErrorCode::UnknownLeaderEpoch)),
        (1, told().with_voter_id(9), code(ErrorCode::VoterNotFound)),
        (1, told().with_voter_id(-1), code(ErrorCode::InvalidRequest)),
        (1, told().with_voter_directory_id(Uuid::nil()), code(ErrorCode::InvalidRequest)),
        (1, told().with_listeners(Vec::new()), code(ErrorCode::InvalidRequest)),
        (1, told().with_k_raft_version_feature(unable), code(ErrorCode::InvalidRequest)),
    ] {
        let asked = PeerRequest::UpdateRaftVoter(request.clone());
        let Some(PeerResponse::UpdateRaftVoter(response)) = ask(&mut led(), id, 0, asked) else {
            panic!();
        };
        assert_eq!(response.error_code, wanted, "{request:?}");
        let leader = &response.current_leader;
        assert_eq!((leader.leader_id.0, leader.leader_epoch, leader.port), (1, 1, 9001));
    }
}
