//! The decisions of this folder, by tables.

use std::time::Duration;

use protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use protocol::messages::{
    BrokerId, FindCoordinatorResponse, MetadataResponse, TopicName, find_coordinator_response,
};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::coordinator::{self, CoordinatorError, CoordinatorKind, Found};
use super::nodes::{Choice, Nodes};
use super::refresh::{Backoff, Refresh};
use super::view::ClusterView;
use super::{ClusterSettings, Node};
use crate::Address;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn topic(name: &str, id: u128, leaders: &[(i32, i32)]) -> MetadataResponseTopic {
    let partitions = (0..).zip(leaders).map(|(index, (leader, epoch))| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(BrokerId(*leader))
            .with_leader_epoch(*epoch)
    });
    let mut partitions: Vec<_> = partitions.collect();
    // Nodes answer in any order.
    partitions.reverse();
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(text(name))))
        .with_topic_id(Uuid::from_u128(id))
        .with_partitions(partitions)
}

fn failed(name: &str, code: i16) -> MetadataResponseTopic {
    topic(name, 0, &[]).with_error_code(code)
}

fn answer(topics: Vec<MetadataResponseTopic>) -> MetadataResponse {
    let broker = |id: i32| {
        MetadataResponseBroker::default()
            .with_node_id(BrokerId(id))
            .with_host(text("h"))
            .with_port(9090 + id)
    };
    MetadataResponse::default().with_brokers(vec![broker(1), broker(2)]).with_topics(topics)
}

fn leader(view: &ClusterView, topic: &str, index: i32) -> Option<(Option<i32>, Option<i32>)> {
    view.partition(topic, index).map(|partition| (partition.leader_id, partition.leader_epoch))
}

#[test]
fn a_partition_never_goes_back_to_an_older_epoch_of_its_topic() {
    let table = [
        // topic id, leader and epoch of the second answer, what is known then
        (7, (2, 6), (Some(2), Some(6))),
        (7, (2, 5), (Some(2), Some(5))),
        (7, (2, 4), (Some(1), Some(5))),
        (7, (-1, 6), (None, Some(6))),
        (8, (2, 0), (Some(2), Some(0))),
        (7, (2, -1), (Some(2), None)),
    ];
    for (id, second, expected) in table {
        let mut view = ClusterView::default();
        view.apply(&answer(vec![topic("t", 7, &[(1, 5)])]), true, |_| true);
        view.apply(&answer(vec![topic("t", id, &[second])]), true, |_| true);
        assert_eq!(leader(&view, "t", 0), Some(expected), "{id} {second:?}");
    }
}

#[test]
fn what_a_partial_answer_does_not_name_stays_and_what_a_full_one_leaves_out_goes() {
    let mut view = ClusterView::default();
    view.apply(&answer(vec![topic("a", 1, &[(1, 0)]), topic("b", 2, &[(2, 0)])]), true, |_| true);
    view.apply(&answer(vec![topic("c", 3, &[(1, 0), (2, 3)])]), false, |_| true);
    let names: Vec<&str> = view.topics().map(|topic| topic.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(leader(&view, "c", 1), Some((Some(2), Some(3))));
    assert_eq!(view.topic_by_id(Uuid::from_u128(2)).map(|topic| topic.name.as_str()), Some("b"));
    view.apply(&answer(vec![topic("b", 2, &[(2, 0)])]), true, |name| name != "a");
    assert_eq!(view.topics().count(), 1);
    assert_eq!(view.version, 3);
}

#[test]
fn errors_of_topics_are_known_and_those_that_pass_leave_the_answer_unsettled() {
    // UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, INVALID_TOPIC_EXCEPTION, and
    // TOPIC_AUTHORIZATION_FAILED.
    for (code, is_unsettled) in [(3, true), (5, true), (17, false), (29, false)] {
        let mut view = ClusterView::default();
        view.apply(&answer(vec![topic("t", 1, &[(1, 0)])]), true, |_| true);
        let applied = view.apply(&answer(vec![failed("t", code)]), true, |_| true);
        assert_eq!(applied.is_unsettled, is_unsettled, "{code}");
        assert_eq!(applied.topic_errors, [("t".to_owned(), code)]);
        assert_eq!((view.topic("t"), view.topic_error("t")), (None, Some(code)));
        view.apply(&answer(vec![topic("t", 1, &[(1, 0)])]), true, |_| true);
        assert_eq!(view.topic_error("t"), None);
    }
    let mut without_leader = topic("t", 1, &[(-1, 0)]);
    without_leader.partitions[0].error_code = 5;
    assert!(
        ClusterView::default().apply(&answer(vec![without_leader]), true, |_| true).is_unsettled
    );
}

#[test]
fn a_leader_told_of_elsewhere_counts_when_its_epoch_is_newer() {
    let mut view = ClusterView::default();
    view.apply(&answer(vec![topic("t", 1, &[(1, 5)])]), true, |_| true);
    assert!(!view.lead("t", 0, 2, 5) && !view.lead("t", 1, 2, 9) && !view.lead("u", 0, 2, 9));
    assert!(view.lead("t", 0, 2, 6));
    assert_eq!(leader(&view, "t", 0), Some((Some(2), Some(6))));
}

fn refresh() -> Refresh {
    Refresh::new(ms(300_000), Backoff { first: ms(100), most: ms(1000) })
}

#[test]
fn the_first_question_is_due_at_once_and_the_next_when_what_is_known_is_old() {
    let mut refresh = refresh();
    assert_eq!(refresh.due_in(ms(0)), Some(ms(0)));
    refresh.asking();
    assert_eq!(refresh.due_in(ms(5)), None, "one is under way");
    refresh.answered(ms(10), false);
    assert_eq!(refresh.due_in(ms(10)), Some(ms(300_000)));
    assert_eq!(refresh.due_in(ms(300_010)), Some(ms(0)));
}

#[test]
fn questions_that_fail_or_leave_something_open_are_asked_again_after_growing_pauses() {
    for fails in [true, false] {
        let mut refresh = refresh();
        let mut pauses = Vec::new();
        for round in 1..7 {
            let now = ms(round * 10_000);
            refresh.asking();
            match fails {
                true => refresh.failed(now),
                false => refresh.answered(now, true),
            }
            pauses.push(refresh.due_in(now).unwrap());
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1000, 1000].map(ms), "fails: {fails}");
    }
}

#[test]
fn a_wish_waits_for_the_backoff_and_a_new_topic_does_not() {
    let mut refresh = refresh();
    refresh.asking();
    refresh.answered(ms(1000), false);
    refresh.request();
    assert_eq!(refresh.due_in(ms(1010)), Some(ms(90)));
    assert_eq!(refresh.due_in(ms(1100)), Some(ms(0)));
    refresh.request_for_new_topic();
    assert_eq!(refresh.due_in(ms(1010)), Some(ms(0)));
}

fn node(id: i32, port: u16) -> Node {
    let address = Address { host: "h".to_owned(), port };
    Node { id, address, rack: None, is_fenced: false }
}

#[test]
fn a_connected_node_is_asked_first_then_one_that_does_not_rest_then_a_bootstrap_address() {
    let known = [node(1, 1), node(2, 2)];
    let bootstrap = vec![node(-1, 8).address, node(-2, 9).address];
    let mut nodes = Nodes::new(bootstrap, Backoff { first: ms(50), most: ms(1000) });
    assert_eq!(nodes.choose(&[], ms(0)), Choice::Ask(node(-1, 8)));
    nodes.failed(&node(-1, 8).address, ms(0));
    assert_eq!(nodes.choose(&[], ms(0)), Choice::Ask(node(-2, 9)));
    nodes.failed(&node(-2, 9).address, ms(10));
    assert_eq!(nodes.choose(&[], ms(10)), Choice::Wait(ms(40)));
    nodes.connected(&known[1].address);
    assert_eq!(nodes.choose(&known, ms(10)), Choice::Ask(node(2, 2)));
    nodes.failed(&known[1].address, ms(20));
    assert_eq!(nodes.choose(&known, ms(20)), Choice::Ask(node(1, 1)));
    nodes.failed(&known[0].address, ms(20));
    assert_eq!(nodes.choose(&known, ms(55)), Choice::Ask(node(-1, 8)));
}

#[test]
fn a_node_rests_longer_after_each_failure() {
    let mut nodes =
        Nodes::new(vec![node(-1, 8).address], Backoff { first: ms(50), most: ms(1000) });
    let mut waits = Vec::new();
    for round in 1..8 {
        let now = ms(round * 10_000);
        assert!(nodes.failed(&node(-1, 8).address, now));
        assert!(!nodes.failed(&node(-1, 8).address, now), "another request of that connection");
        waits.push(nodes.choose(&[], now));
    }
    let expected = [50, 100, 200, 400, 800, 1000, 1000].map(|wait| Choice::Wait(ms(wait)));
    assert_eq!(waits, expected);
}

#[test]
fn a_coordinator_is_asked_for_and_read_in_both_forms() {
    let old = coordinator::question(CoordinatorKind::Group, "g", 3);
    assert_eq!((old.key.as_str(), old.key_type, old.coordinator_keys.len()), ("g", 0, 0));
    let new = coordinator::question(CoordinatorKind::Transaction, "x", 4);
    assert_eq!((new.key.as_str(), new.key_type), ("", 1));
    assert_eq!(new.coordinator_keys, [text("x")]);
    let answers = |code: i16| {
        let one = find_coordinator_response::Coordinator::default()
            .with_error_code(code)
            .with_node_id(BrokerId(3))
            .with_host(text("h"))
            .with_port(7);
        let old = FindCoordinatorResponse::default()
            .with_error_code(code)
            .with_node_id(BrokerId(3))
            .with_host(text("h"))
            .with_port(7);
        [FindCoordinatorResponse::default().with_coordinators(vec![one]), old]
    };
    let message = "Group authorization failed.".to_owned();
    let table = [
        (0, Found::Node(node(3, 7))),
        (15, Found::AskAgain),
        (14, Found::AskAgain),
        (30, Found::Failed(CoordinatorError::Answer { code: 30, message })),
    ];
    for (code, expected) in table {
        for answer in answers(code) {
            assert_eq!(coordinator::read(&answer), expected, "{code}");
        }
    }
}

#[test]
fn settings_take_the_keys_that_are_theirs_and_refuse_wrong_values() {
    let mut settings = ClusterSettings::default();
    for (name, value, is_taken) in [
        ("request.timeout.ms", "1500", true),
        ("client.id", "me", true),
        ("metadata.max.age.ms", "7", true),
        ("allow.auto.create.topics", "FALSE", true),
        ("linger.ms", "3", false),
    ] {
        assert_eq!(settings.set(name, value), Ok(is_taken), "{name}");
    }
    let expected = ClusterSettings {
        request_timeout: ms(1500),
        client_id: "me".to_owned(),
        metadata_max_age: ms(7),
        allow_auto_topic_creation: false,
        ..ClusterSettings::default()
    };
    assert_eq!(settings, expected);
    for (name, value) in [
        ("retry.backoff.ms", "-1"),
        ("request.timeout.ms", "2147483648"),
        ("allow.auto.create.topics", "yes"),
    ] {
        assert!(settings.set(name, value).is_err(), "{name}={value}");
    }
}
