//! Voters are added and removed, and what stands against it in Kafka's words.

use protocol::ErrorCode;
use protocol::messages::add_raft_voter_request::Listener;
use protocol::messages::{AddRaftVoterRequest, RemoveRaftVoterRequest};

use super::world::World;
use super::*;
use crate::image::tests::text;

/// Voters of the configuration that lead each other for long enough to have told the leader of
/// themselves.
fn told(voters: &[i32]) -> World {
    let mut world = World::of(voters);
    world.run(6_000);
    world
}

/// The same with the voters in the log, and an observer.
fn raised(voters: &[i32], observer: i32) -> (World, i32) {
    let mut world = told(voters);
    let leader = world.leader().unwrap();
    world.step(leader, Event::KRaftVersionRaised { version: 1 });
    let mut settings = settings_of(observer, voters);
    settings.observers_sync = true;
    world.start_with(settings);
    world.run(1_000);
    (world, leader)
}

fn add(id: i32) -> AddRaftVoterRequest {
    let port = u16::try_from(9000 + id).unwrap();
    let listener = Listener { name: text("CONTROLLER"), host: text("localhost"), port };
    AddRaftVoterRequest {
        cluster_id: Some(text("cluster")),
        voter_id: id,
        voter_directory_id: directory(id),
        listeners: vec![listener],
        ..Default::default()
    }
}

fn remove(id: i32) -> RemoveRaftVoterRequest {
    RemoveRaftVoterRequest::default()
        .with_cluster_id(None)
        .with_voter_id(id)
        .with_voter_directory_id(directory(id))
}

fn adding(request: AddRaftVoterRequest) -> PeerRequest {
    PeerRequest::AddRaftVoter(request)
}

/// What a node answers at once or within a while, and its words.
fn ask(world: &mut World, id: i32, request: PeerRequest) -> Option<(i16, Option<String>)> {
    world.ask(id, request);
    world.run(500);
    let words = |words: &Option<protocol::wire::StrBytes>| words.as_ref().map(ToString::to_string);
    world.answers.pop().map(|answer| match answer {
        PeerResponse::AddRaftVoter(it) => (it.error_code, words(&it.error_message)),
        PeerResponse::RemoveRaftVoter(it) => (it.error_code, words(&it.error_message)),
        other => panic!("{other:?}"),
    })
}

fn voters(world: &World, id: i32) -> Vec<i32> {
    world.nodes[&id].kraft().voters.ids().collect()
}

#[test]
fn the_version_is_raised_when_every_voter_has_told_the_leader_of_itself() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(1_000);
    let leader = world.leader().unwrap();
    let level = |world: &World| world.nodes[&leader].kraft_level();
    assert_eq!(level(&world), KRaftLevel { version: 0, may_rise: false });
    world.run(6_000);
    assert_eq!(level(&world), KRaftLevel { version: 0, may_rise: true });
    world.step(leader, Event::KRaftVersionRaised { version: 1 });
    world.run(1_000);
    for id in 1..=3 {
        let kraft = world.nodes[&id].kraft();
        let keys: Vec<_> =
            (1..=3).map(|id| ReplicaKey { id, directory_id: directory(id) }).collect();
        assert_eq!((kraft.version, kraft.voters.keys().collect::<Vec<_>>()), (1, keys), "{id}");
    }
    assert_eq!(level(&world), KRaftLevel { version: 1, may_rise: false });
}

#[test]
fn an_observer_that_has_caught_up_is_added_and_a_voter_is_removed() {
    let (mut world, leader) = raised(&[1, 2], 3);
    assert_eq!(ask(&mut world, leader, adding(add(3))), Some((0, None)));
    assert_eq!([1, 2, 3].map(|id| voters(&world, id)), [[1, 2, 3]; 3]);
    let other = 3 - leader;
    let request = PeerRequest::RemoveRaftVoter(remove(other));
    assert_eq!(ask(&mut world, leader, request), Some((0, None)));
    assert_eq!(voters(&world, 3), [leader, 3]);
}

#[test]
fn a_leader_that_removes_itself_leads_until_that_is_committed_and_then_another_does() {
    let (mut world, leader) = raised(&[1, 2], 3);
    assert_eq!(ask(&mut world, leader, adding(add(3))), Some((0, None)));
    let request = PeerRequest::RemoveRaftVoter(remove(leader));
    assert_eq!(ask(&mut world, leader, request), Some((0, None)));
    world.run(3_000);
    let next = world.leader().unwrap();
    assert!(next != leader && !world.nodes[&leader].is_voter());
    assert!(!voters(&world, next).contains(&leader));
}

#[test]
fn who_alone_has_the_record_of_its_removal_brings_it_to_the_others() {
    let (mut world, leader) = raised(&[1, 2], 3);
    let other = 3 - leader;
    world.cut.insert((leader, other));
    world.ask(leader, PeerRequest::RemoveRaftVoter(remove(leader)));
    world.run(100);
    world.crash(leader);
    world.cut.clear();
    world.start(leader);
    world.run(8_000);
    assert_eq!((world.leader(), voters(&world, other)), (Some(other), vec![other]));
}

#[test]
fn a_change_that_cannot_be_is_refused_in_kafkas_words() {
    let timed_out = ErrorCode::RequestTimedOut.code();
    let invalid = ErrorCode::InvalidRequest.code();
    let key = |id: i32| ReplicaKey { id, directory_id: directory(id) }.to_string();
    let both = format!("[{}, {}]", key(1), key(2));
    let other_directory = remove(2).with_voter_directory_id(directory(9));
    let of_other = ReplicaKey { id: 2, directory_id: directory(9) };
    for (request, code, words) in [
        (
            adding(AddRaftVoterRequest { cluster_id: Some(text("x")), ..add(3) }),
            ErrorCode::InconsistentClusterId.code(),
            "The given id \"x\" doesn't match the cluster id \"cluster\"".to_owned(),
        ),
        (
            adding(AddRaftVoterRequest { voter_directory_id: Uuid::nil(), ..add(3) }),
            invalid,
            "Add voter request didn't include a valid voter".to_owned(),
        ),
        (
            adding(AddRaftVoterRequest { listeners: Vec::new(), ..add(3) }),
            invalid,
            "Add voter request didn't include the endpoint (Endpoints(endpoints={})) for the \
             default listener ListenerName(CONTROLLER)"
                .to_owned(),
        ),
        (
            adding(add(2)),
            ErrorCode::DuplicateVoter.code(),
            format!("The voter id for {} is already part of the set of voters {both}.", key(2)),
        ),
        (
            adding(add(7)),
            timed_out,
            "Aborted add voter operation for since API_VERSIONS returned an error \
             BROKER_NOT_AVAILABLE"
                .to_owned(),
        ),
        (
            adding(AddRaftVoterRequest { voter_directory_id: directory(9), ..add(3) }),
            timed_out,
            format!(
                "Aborted add voter operation for {} since it is lagging behind",
                ReplicaKey { id: 3, directory_id: directory(9) }
            ),
        ),
        (
            PeerRequest::RemoveRaftVoter(remove(3)),
            ErrorCode::VoterNotFound.code(),
            format!("Cannot remove voter {} from the set of voters {both}", key(3)),
        ),
        (
            PeerRequest::RemoveRaftVoter(other_directory),
            ErrorCode::VoterNotFound.code(),
            format!("Cannot remove voter {of_other} from the set of voters {both}"),
        ),
        (
            PeerRequest::RemoveRaftVoter(remove(-1)),
            invalid,
            "Remove voter request didn't include a valid voter".to_owned(),
        ),
    ] {
        let (mut world, leader) = raised(&[1, 2], 3);
        let answer = ask(&mut world, leader, request.clone());
        assert_eq!(answer, Some((code, Some(words))), "{request:?}");
        assert_eq!(voters(&world, leader), [1, 2]);
    }
}

#[test]
fn a_change_waits_for_the_version_and_for_the_change_before() {
    let mut world = told(&[1, 2]);
    let leader = world.leader().unwrap();
    let unsupported = ErrorCode::UnsupportedVersion.code();
    let words = |verb| {
        format!("Cluster doesn't support {verb} voter because the kraft.version feature is 0")
    };
    let request = PeerRequest::RemoveRaftVoter(remove(2));
    assert_eq!(ask(&mut world, leader, request), Some((unsupported, Some(words("removing")))));
    assert_eq!(ask(&mut world, leader, adding(add(3))), Some((unsupported, Some(words("adding")))));
    let (mut world, leader) = raised(&[1, 2], 3);
    let other = 3 - leader;
    world.cut.extend([(other, leader), (3, leader)]);
    world.ask(leader, adding(add(3)));
    world.run(100);
    let (timed_out, waits) = (ErrorCode::RequestTimedOut.code(), "Request timed out waiting for ");
    let (code, words) =
        ask(&mut world, leader, PeerRequest::RemoveRaftVoter(remove(other))).unwrap();
    assert_eq!(code, timed_out);
    let words = words.unwrap();
    assert_eq!(words, format!("{waits}leader to handle previous voter change request"));
}

#[test]
fn who_does_not_lead_changes_nothing() {
    let (mut world, leader) = raised(&[1, 2], 3);
    let not_leader = ErrorCode::NotLeaderOrFollower.code();
    for request in [adding(add(3)), PeerRequest::RemoveRaftVoter(remove(leader))] {
        let answer = ask(&mut world, 3 - leader, request);
        assert_eq!(answer, Some((not_leader, Some(String::new()))), "Kafka has no words for it");
    }
}

/// What a node asked others for, of changes of the voters.
fn asked_for(world: &World, id: i32) -> Vec<ReplicaKey> {
    let of_node = world.sent.iter().filter(|(from, ..)| *from == id);
    let keys = of_node.filter_map(|(.., request)| match request {
        PeerRequest::AddRaftVoter(add) => {
            assert!(!add.ack_when_committed, "it must fetch for that");
            Some(ReplicaKey { id: add.voter_id, directory_id: add.voter_directory_id })
        }
        PeerRequest::RemoveRaftVoter(remove) => {
            Some(ReplicaKey { id: remove.voter_id, directory_id: remove.voter_directory_id })
        }
        _ => None,
    });
    keys.collect()
}

/// A controller that joins by itself, and knows of the quorum what others tell it.
fn joining(id: i32, directory_id: Uuid) -> QuorumSettings {
    let mut settings = settings_of(id, &[]);
    settings.own.directory_id = directory_id;
    settings.bootstrap_servers =
        (1..=3).map(|id| ("localhost".to_owned(), u16::try_from(9000 + id).unwrap())).collect();
    settings.observers_sync = true;
    settings.auto_join = true;
    settings
}

#[test]
fn a_controller_that_joins_by_itself_reads_the_log_first_and_then_asks_for_a_vote() {
    let mut world = told(&[1, 2]);
    let leader = world.leader().unwrap();
    world.start_with(joining(3, directory(3)));
    world.run(5_000);
    assert_eq!(asked_for(&world, 3), [], "voters cannot change yet");
    world.crash(3);
    world.step(leader, Event::KRaftVersionRaised { version: 1 });
    world.start_with(joining(3, directory(3)));
    world.run(1_500);
    assert_eq!((asked_for(&world, 3), voters(&world, leader)), (vec![], vec![1, 2]));
    world.run(4_000);
    let own = ReplicaKey { id: 3, directory_id: directory(3) };
    assert_eq!(asked_for(&world, 3), [own], "once");
    assert_eq!([1, 2, 3].map(|id| voters(&world, id)), [[1, 2, 3]; 3]);
}

#[test]
fn a_controller_with_a_new_disk_has_its_former_self_removed_before_it_joins() {
    let mut world = told(&[1, 2, 3]);
    let leader = world.leader().unwrap();
    world.step(leader, Event::KRaftVersionRaised { version: 1 });
    world.run(1_000);
    let lost = if leader == 3 { 2 } else { 3 };
    world.crash(lost);
    world.disks.remove(&lost);
    world.sent.clear();
    world.start_with(joining(lost, directory(30)));
    world.run(9_000);
    let key = |directory_id| ReplicaKey { id: lost, directory_id };
    assert_eq!(asked_for(&world, lost), [key(directory(lost)), key(directory(30))]);
    let known = |id: i32| world.nodes[&id].kraft().voters.key(lost);
    assert_eq!((known(leader), known(lost)), (Some(key(directory(30))), Some(key(directory(30)))));
}

#[test]
fn who_cannot_join_now_asks_again_after_a_while() {
    let (mut world, leader) = raised(&[1, 2], 4);
    world.start_with(joining(3, directory(3)));
    world.run(1_900);
    // A change is under way: the newcomer does not answer.
    world.cut.insert((4, leader));
    world.ask(leader, adding(add(4)));
    world.run(600);
    let own = ReplicaKey { id: 3, directory_id: directory(3) };
    assert_eq!(asked_for(&world, 3), [own]);
    assert!(!world.nodes[&3].is_voter(), "the leader was busy");
    world.cut.clear();
    world.run(9_000);
    assert_eq!((asked_for(&world, 3), voters(&world, 3)), (vec![own; 2], vec![1, 2, 3]));
}
