//! Joining, sharing out, letting go, and what is refused.

use protocol::records::group::StreamsEndpoint;

use super::super::super::tests::consumer_bench::Cluster;
use super::super::super::tests::harness::{Bench, text};
use super::super::super::*;
use super::bench::*;

const NOTHING: Option<Vec<i32>> = None;

fn all() -> Option<Vec<i32>> {
    Some(vec![0, 1, 2, 3])
}

fn refused(bench: &mut Bench, request: &StreamsHeartbeatRequest) -> String {
    bench.try_beat_streams(request).unwrap_err().to_string()
}

#[test]
fn the_first_member_gets_everything_and_the_records_are_in_kafkas_order() {
    let mut bench = bench();
    assert_eq!(bench.beat_streams(&joins("a")), (2, all()));
    assert_eq!(bench.types_from(0), [19, 23, 17, 21, 20, 22]);
    let group = bench.described_streams();
    assert_eq!((group.state, group.epoch, group.assignment_epoch), ("Stable", 2, 2));
    let from = bench.log.len();
    assert_eq!(bench.beat_streams(&stays("a", 2)), (2, NOTHING));
    assert_eq!(bench.types_from(from), [0; 0], "nothing new is nothing to write");
}

#[test]
fn a_task_goes_to_the_second_member_only_when_the_first_has_let_go_of_it() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    assert_eq!(bench.beat_streams(&joins("b")), (3, Some(vec![])));
    assert_eq!(bench.described_streams().state, "Reconciling");
    // Told to give up, it stays at its epoch until it has.
    let (epoch, kept) = bench.beat_streams(&has("a", 2, &[0, 1, 2, 3]));
    let kept = kept.unwrap();
    assert_eq!((epoch, kept.len()), (2, 2));
    assert_eq!(bench.beat_streams(&stays("b", 3)), (3, NOTHING));
    assert_eq!(bench.beat_streams(&stays("a", 2)), (2, NOTHING));
    assert_eq!(bench.beat_streams(&has("a", 2, &kept)), (3, NOTHING));
    let (epoch, got) = bench.beat_streams(&stays("b", 3));
    let mut both = [kept, got.unwrap()].concat();
    both.sort_unstable();
    assert_eq!((epoch, both), (3, vec![0, 1, 2, 3]));
    assert_eq!(bench.described_streams().state, "Stable");
}

#[test]
fn a_member_that_comes_back_with_epoch_0_is_told_everything_again() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    assert_eq!(bench.beat_streams(&joins("a")), (2, all()));
    assert_eq!(bench.described_streams().epoch, 2, "nothing of it has changed");
}

#[test]
fn a_lost_answer_is_given_again_and_other_epochs_are_fenced() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    bench.beat_streams(&joins("b"));
    bench.beat_streams(&has("a", 2, &[0, 1, 2, 3]));
    let kept: Vec<i32> = bench.described_streams().members[0]
        .assignment
        .active
        .values()
        .flatten()
        .copied()
        .collect();
    assert_eq!(bench.beat_streams(&has("a", 2, &kept)).0, 3);
    assert_eq!(bench.beat_streams(&has("a", 2, &kept)).0, 3, "as if it had not heard");
    let fenced = |how, epoch| {
        format!(
            "The streams group member has a {how} member epoch ({epoch}) than the one known by \
             the group coordinator (3). The member must abandon all its partitions and rejoin."
        )
    };
    assert_eq!(refused(&mut bench, &has("a", 2, &[0, 1, 2, 3])), fenced("smaller", 2));
    assert_eq!(refused(&mut bench, &stays("a", 2)), fenced("smaller", 2));
    assert_eq!(refused(&mut bench, &stays("a", 9)), fenced("greater", 9));
}

#[test]
fn a_member_that_has_not_heard_what_it_is_to_have_is_told_again() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    assert_eq!(bench.beat_streams(&has("a", 2, &[])), (2, all()));
    bench.beat_streams(&joins("b"));
    let (_, kept) = bench.beat_streams(&has("a", 2, &[0, 1, 2, 3]));
    assert_eq!(bench.beat_streams(&has("a", 2, &[0, 1, 2, 3])), (2, kept));
}

#[test]
fn what_kafka_refuses_is_refused_in_its_words() {
    let mut bench = bench();
    assert_eq!(refused(&mut bench, &stays("a", 1)), "Streams group g not found.");
    assert_eq!(refused(&mut bench, &stays("a", -1)), "Group g not found.");
    bench.beat_streams(&joins("a"));
    for request in [stays("b", 1), stays("b", -1)] {
        assert_eq!(refused(&mut bench, &request), "Member b is not a member of group g.");
    }
    let other = joins_with("b", &[part("0", &["words"]), part("1", &["words"])]);
    assert_eq!(refused(&mut bench, &other), "Topology updates are not supported yet.");
    assert_eq!(
        refused(&mut bench, &has("a", 2, &[0, 4])),
        "Task 4 for subtopology 0 is invalid. Number of tasks for this subtopology: 4"
    );
    let mut unknown = has("a", 2, &[0]);
    unknown.active_tasks.as_mut().unwrap()[0].subtopology = text("7");
    assert_eq!(refused(&mut bench, &unknown), "Subtopology 7 does not exist in the topology.");
}

#[test]
fn a_group_has_no_more_members_than_it_may() {
    let mut bench = bench_with(StreamsSettings { max_size: 1, ..StreamsSettings::default() });
    bench.beat_streams(&joins("a"));
    assert_eq!(
        refused(&mut bench, &joins("b")),
        "The streams group has reached its maximum capacity of 1 members."
    );
}

#[test]
fn requests_that_no_group_can_answer_are_refused_before() {
    let refused = |change: &dyn Fn(&mut StreamsHeartbeatRequest)| {
        let mut request = joins("a");
        change(&mut request);
        refuse_streams_heartbeat(&request).unwrap_err().to_string()
    };
    let empty = Some(Vec::new());
    let tasks = Some(vec![TaskIds { subtopology: text("0"), partitions: vec![0] }]);
    assert_eq!(refuse_streams_heartbeat(&joins("a")), Ok(()));
    assert_eq!(
        refused(&|request| request.instance_id = Some(text("i"))),
        "Static membership is not yet supported."
    );
    assert_eq!(
        refused(&|request| request.has_task_offsets = true),
        "TaskOffsets are not supported yet."
    );
    assert_eq!(
        refused(&|request| request.warmup_tasks.clone_from(&tasks)),
        "WarmupTasks are not supported yet."
    );
    assert_eq!(refused(&|request| request.member_id = text(" ")), "MemberId can't be empty.");
    assert_eq!(
        refused(&|request| request.active_tasks.clone_from(&tasks)),
        "ActiveTasks must be empty when (re-)joining."
    );
    assert_eq!(
        refused(&|request| request.topology = None),
        "Topology must be non-null when (re-)joining."
    );
    assert_eq!(
        refused(&|request| request.member_epoch = -3),
        "MemberEpoch is -3, but must be greater than or equal to -2."
    );
    assert_eq!(refused(&|request| request.member_epoch = -2), "InstanceId can't be null.");
    assert_eq!(
        refused(&|request| request.member_epoch = 1),
        "Topology can only be provided when (re-)joining."
    );
    assert_eq!(
        refused(&|request| {
            request.member_epoch = 1;
            request.active_tasks.clone_from(&empty);
            request.standby_tasks = None;
        }),
        "If one task-type is non-null, all must be non-null."
    );
    let changelog = |request: &mut StreamsHeartbeatRequest| {
        let parts = &mut request.topology.as_mut().unwrap().subtopologies;
        parts[0].state_changelog_topics.push(internal("counts", 3));
    };
    assert_eq!(
        refused(&changelog),
        "Changelog topic counts must have an undefined partition count, but it is set to 3."
    );
}

#[test]
fn standbys_go_to_other_processes_and_their_number_may_change_at_any_time() {
    let mut bench = bench();
    let mut stateful = part("0", &["words"]);
    stateful.state_changelog_topics.push(internal("counts", 0));
    bench.cluster = Cluster::of(2, &[("words", 4), ("counts", 4)]);
    for member in ["a", "b"] {
        bench.beat_streams(&joins_with(member, &[stateful.clone()]));
    }
    let (_, kept) = bench.beat_streams(&has("a", 2, &[0, 1, 2, 3]));
    bench.beat_streams(&has("a", 2, &kept.unwrap()));
    bench.beat_streams(&stays("b", 3));
    assert_eq!(bench.described_streams().state, "Stable");
    let mut cluster = Cluster { version: 3, ..Cluster::default() };
    cluster.topics = [("words".to_owned(), 4), ("counts".to_owned(), 4)].into();
    cluster.configs.insert(GroupConfig::StreamsNumStandbyReplicas, 1);
    bench.cluster = std::sync::Arc::new(cluster);
    let answer = bench.try_beat_streams(&stays("a", 3)).unwrap();
    let tasks = answer.tasks.unwrap();
    assert_eq!(answer.member_epoch, 4);
    let other: Vec<i32> = tasks.standby.values().flatten().copied().collect();
    assert_eq!(other.len(), 2);
    assert!(tasks.active[&text("0")].iter().all(|task| !other.contains(task)), "{tasks:?}");
}

#[test]
fn a_group_waits_for_members_before_it_shares_anything_out() {
    let mut bench = bench();
    let mut settings = bench.shard().settings.clone();
    settings.streams.initial_rebalance_delay_ms = 3_000;
    bench = Bench::with(settings);
    bench.cluster = Cluster::of(1, &[("words", 4)]);
    let delayed = "Assignment delayed due to the configured initial rebalance delay.";
    assert_eq!(bench.streams_statuses(&joins("a")), [(5, delayed.to_owned())]);
    bench.pass(1_000);
    assert_eq!(bench.beat_streams(&joins("b")), (1, Some(vec![])));
    assert_eq!(bench.beat_streams(&stays("a", 1)), (1, NOTHING));
    let from = bench.log.len();
    bench.pass(2_000);
    assert_eq!(bench.types_from(from), [21, 21, 20]);
    let shares = [bench.beat_streams(&stays("a", 1)), bench.beat_streams(&stays("b", 1))];
    assert!(shares.iter().all(|(epoch, tasks)| (*epoch, tasks.as_ref().unwrap().len()) == (3, 2)));
}

#[test]
fn two_assignments_stand_some_time_apart() {
    let mut settings = bench().shard().settings.clone();
    settings.streams.assignment_interval_ms = 1_000;
    let mut bench = Bench::with(settings);
    bench.cluster = Cluster::of(1, &[("words", 4)]);
    bench.beat_streams(&joins("a"));
    let delayed = "Assignment delayed due to the configured assignment interval.";
    assert_eq!(bench.streams_statuses(&joins("b")), [(5, delayed.to_owned())]);
    assert_eq!(bench.described_streams().state, "Assigning");
    bench.pass(1_000);
    assert_eq!(bench.streams_statuses(&stays("b", 2)), []);
    assert_eq!(bench.described_streams().assignment_epoch, 3);
}

#[test]
fn one_member_s_wish_ends_the_whole_application() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    bench.beat_streams(&joins("b"));
    let mut wish = stays("a", 2);
    wish.shutdown_application = true;
    let why = "Streams group member a encountered a fatal error and requested a shutdown for the \
               entire application.";
    let told = vec![(4, why.to_owned())];
    assert_eq!(bench.streams_statuses(&wish), told);
    bench.beat_streams(&stays("a", -1));
    assert_eq!(bench.streams_statuses(&stays("b", 3)), told);
    bench.beat_streams(&stays("b", -1));
    assert_eq!(bench.streams_statuses(&joins("c")), [], "an empty group has forgotten it");
}

#[test]
fn members_are_told_where_interactive_queries_are_answered() {
    let mut bench = bench();
    let with_endpoint = |member: &str, port| {
        let host = text("host");
        let endpoint = StreamsEndpoint { host, port, ..StreamsEndpoint::default() };
        StreamsHeartbeatRequest { user_endpoint: Some(endpoint), ..joins(member) }
    };
    let first = bench.try_beat_streams(&with_endpoint("a", 1)).unwrap();
    assert_eq!(first.endpoint_information_epoch, 0, "that of a new group is not kept");
    let of_first = &first.endpoints.unwrap()[0];
    assert_eq!(of_first.endpoint.port, 1);
    assert_eq!(of_first.active[0].topic.as_str(), "words");
    assert_eq!(of_first.active[0].partitions, [0, 1, 2, 3]);
    let second = bench.try_beat_streams(&with_endpoint("b", 2)).unwrap();
    let ports = second.endpoints.unwrap();
    let ports: Vec<u16> = ports.iter().map(|of| of.endpoint.port).collect();
    assert_eq!((second.endpoint_information_epoch, ports), (1, vec![1, 2]));
    let knows =
        |epoch| StreamsHeartbeatRequest { endpoint_information_epoch: epoch, ..stays("b", 3) };
    assert_eq!(bench.try_beat_streams(&knows(1)).unwrap().endpoints, None);
    assert!(bench.try_beat_streams(&knows(0)).unwrap().endpoints.is_some());
}

#[test]
fn an_endpoint_of_a_group_without_topics_is_no_reason_to_fail() {
    let mut bench = bench();
    let endpoint = StreamsEndpoint { host: text("h"), port: 1, ..StreamsEndpoint::default() };
    let mut request = joins_with("a", &[part("0", &["absent"])]);
    request.user_endpoint = Some(endpoint);
    let answer = bench.try_beat_streams(&request).unwrap();
    assert_eq!(answer.endpoints.unwrap()[0].active, []);
    assert_eq!(answer.statuses[0].code(), 1);
}
