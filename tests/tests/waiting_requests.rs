//! A request that waits ends when what it waits on goes away, with the code that stock Kafka gives.
//!
//! Fetch in its versions, with and without the leader epoch that the client knows. With
//! `GREGOR_TEST_STOCK=1` the same tables hold for stock Kafka.

use std::time::{Duration, Instant};

use protocol::ErrorCode;
use protocol::messages::FetchRequest;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use tests::cluster::view::{View, metadata};
use tests::cluster::{Cluster, Layout};
use tests::topic::name;
use tests::wire::Client;
use uuid::Uuid;

use Ended::{AfterItsWait, AtOnce};

/// How long a Fetch may wait for a first byte.
const MAX_WAIT: Duration = Duration::from_secs(4);
/// Before the event: the Fetch waits by then.
const SETTLE: Duration = Duration::from_millis(300);
/// After the event: Kafka's own word is that it comes at once.
const AT_ONCE: Duration = Duration::from_secs(1);

/// How a client fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Manner {
    version: i16,
    knows_epoch: bool,
}

/// What a waiting Fetch was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    AtOnce(i16),
    AfterItsWait(i16),
}

const MANNERS: [Manner; 6] = [
    Manner { version: 10, knows_epoch: false },
    Manner { version: 10, knows_epoch: true },
    Manner { version: 12, knows_epoch: false },
    Manner { version: 12, knows_epoch: true },
    Manner { version: 17, knows_epoch: false },
    Manner { version: 17, knows_epoch: true },
];

fn topic_id(address: &str, topic: &str) -> Uuid {
    let answer = metadata(address).expect("metadata");
    let named = |one: &&protocol::messages::metadata_response::MetadataResponseTopic| {
        one.name.as_ref() == Some(&name(topic))
    };
    answer.topics.iter().find(named).expect("the topic").topic_id
}

fn fetch(topic: &str, id: Uuid, manner: Manner) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition(0)
        .with_current_leader_epoch(if manner.knows_epoch { 0 } else { -1 })
        .with_fetch_offset(0)
        .with_partition_max_bytes(1 << 20);
    let asked = FetchTopic::default().with_partitions(vec![partition]);
    let asked =
        if manner.version > 12 { asked.with_topic_id(id) } else { asked.with_topic(name(topic)) };
    FetchRequest::default()
        .with_max_wait_ms(i32::try_from(MAX_WAIT.as_millis()).expect("seconds"))
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_topics(vec![asked])
}

/// Fetches in every manner from the topic's leader, which is broker 1, while `event` happens.
fn ended(
    view: &View,
    topic: &str,
    event: impl FnOnce(&View, &str),
) -> [(Manner, Ended); MANNERS.len()] {
    let address = view.broker(1).expect("broker 1").to_owned();
    let id = topic_id(&address, topic);
    std::thread::scope(|scope| {
        let waiting = MANNERS.map(|manner| {
            let address = &address;
            scope.spawn(move || {
                let mut client = Client::connect(address).expect("a connection");
                let answer = client.call(manner.version, &fetch(topic, id, manner));
                let answer = answer.expect("an answer");
                let partition = answer.responses.first().and_then(|one| one.partitions.first());
                let code = partition.map_or(answer.error_code, |one| one.error_code);
                (manner, code, Instant::now())
            })
        });
        std::thread::sleep(SETTLE);
        let since = Instant::now();
        event(view, topic);
        waiting.map(|each| {
            let (manner, code, at) = each.join().expect("a fetch");
            let is_early = at.saturating_duration_since(since) < AT_ONCE;
            (manner, if is_early { AtOnce(code) } else { AfterItsWait(code) })
        })
    })
}

#[test]
fn a_waiting_fetch_ends_when_what_it_waits_on_goes_away() {
    let cluster = Cluster::start(Layout::split(1, 3));
    let view = cluster.view();
    for topic in ["deleted", "moved", "left"] {
        view.create(topic, &[&[1, 2]], &[]);
    }
    let everywhere = |code: ErrorCode| MANNERS.map(|manner| (manner, AtOnce(code.code())));

    let seen = ended(&view, "deleted", |view, topic| view.delete(2, topic));
    assert_eq!(seen, everywhere(ErrorCode::UnknownTopicOrPartition), "deletion");

    view.reassign(2, "moved", &[2, 1]);
    view.wait_for_partition("moved", 0, "reordered", |one| one.replicas == [2, 1]);
    let seen = ended(&view, "moved", |view, topic| view.elect_preferred(2, topic));
    // From version 11 on a follower may be read, by whoever names no epoch.
    let moved = MANNERS.map(|manner| match manner {
        Manner { knows_epoch: true, .. } => (manner, AtOnce(ErrorCode::FencedLeaderEpoch.code())),
        Manner { version: 10, .. } => (manner, AtOnce(ErrorCode::NotLeaderOrFollower.code())),
        _ => (manner, AfterItsWait(0)),
    });
    assert_eq!(seen, moved, "preferred election");

    let seen = ended(&view, "left", |view, topic| view.reassign(2, topic, &[2, 3]));
    assert_eq!(seen, everywhere(ErrorCode::NotLeaderOrFollower), "reassignment");
}
