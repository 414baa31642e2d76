//! A JoinGroup or SyncGroup that waits for other members ends when its coordinator goes away, with
//! the code that stock Kafka gives. With `GREGOR_TEST_STOCK=1` the same table holds for stock
//! Kafka.

use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use protocol::ErrorCode;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::{GroupId, JoinGroupRequest, JoinGroupResponse, SyncGroupRequest};
use protocol::wire::StrBytes;
use tests::cluster::view::View;
use tests::cluster::{Cluster, Layout};
use tests::wire::Client;

const OFFSETS: &str = "__consumer_offsets";
/// Before the event: whoever waits does so by then.
const SETTLE: Duration = Duration::from_millis(300);
/// After the event: Kafka's own word is that it comes at once.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Members have so long to join a new group.
const INITIAL_DELAY_MS: u64 = 2_000;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn join_once(client: &mut Client, group: &str, member: &StrBytes) -> JoinGroupResponse {
    let protocol = JoinGroupRequestProtocol::default().with_name(text("range"));
    let request = JoinGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_member_id(member.clone())
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
        .with_session_timeout_ms(30_000)
        .with_rebalance_timeout_ms(30_000);
    client.call(7, &request).expect("JoinGroup is answered")
}

/// Joins as a new member, which waits for others while the group is new.
fn join(address: &str, group: &str) -> (Client, JoinGroupResponse) {
    let mut client = Client::connect(address).expect("a connection");
    // A shard that has just been taken may be loading.
    let first = loop {
        let first = join_once(&mut client, group, &text(""));
        match ErrorCode::try_from_code(first.error_code) {
            Some(ErrorCode::MemberIdRequired) => break first,
            Some(ErrorCode::CoordinatorLoadInProgress | ErrorCode::NotCoordinator) => {
                std::thread::sleep(Duration::from_millis(50));
            }
            other => panic!("{other:?}: {first:?}"),
        }
    };
    let joined = join_once(&mut client, group, &first.member_id);
    (client, joined)
}

/// Who waits: the code that it was answered, and when.
type Waiting = JoinHandle<(i16, Instant)>;

/// A member that waits for the first generation of its group.
fn waiting_join(address: &str) -> Waiting {
    let address = address.to_owned();
    std::thread::spawn(move || {
        let (_, joined) = join(&address, "joining");
        (joined.error_code, Instant::now())
    })
}

/// A member that waits for its leader's assignment, which never comes; when it waits is told.
fn waiting_sync(address: &str) -> (Waiting, Receiver<()>) {
    let (waits, told) = channel();
    let both = [0, 1].map(|_| {
        let address = address.to_owned();
        std::thread::spawn(move || join(&address, "syncing"))
    });
    let waiting = std::thread::spawn(move || {
        let both = both.map(|member| member.join().expect("a member"));
        let is_follower =
            |(_, joined): &&(Client, JoinGroupResponse)| joined.leader != joined.member_id;
        let (_, follower) = both.iter().find(is_follower).expect("one of two follows");
        assert_eq!(follower.error_code, 0, "{follower:?}");
        let request = SyncGroupRequest::default()
            .with_group_id(GroupId(text("syncing")))
            .with_generation_id(follower.generation_id)
            .with_member_id(follower.member_id.clone());
        let member = follower.member_id.clone();
        let [mut one, mut other] = both;
        let client = if one.1.member_id == member { &mut one.0 } else { &mut other.0 };
        waits.send(()).expect("somebody listens");
        let synced = client.call(3, &request).expect("SyncGroup is answered");
        (synced.error_code, Instant::now())
    });
    (waiting, told)
}

/// What a join and a sync that wait at broker `coordinator` are answered when `event` happens; each
/// must be at once.
fn ended(view: &View, coordinator: i32, event: impl FnOnce()) -> [i16; 2] {
    let address = view.broker(coordinator).expect("the coordinator").to_owned();
    let (sync, waits) = waiting_sync(&address);
    waits.recv().expect("a member that waits");
    let join = waiting_join(&address);
    std::thread::sleep(SETTLE);
    let since = Instant::now();
    event();
    [join, sync].map(|waiting| {
        let (code, at) = waiting.join().expect("a member");
        let took = at.saturating_duration_since(since);
        assert!(took < AT_ONCE, "{code} after {took:?}");
        code
    })
}

#[test]
fn a_member_that_waits_hears_that_its_coordinator_has_gone() {
    let layout = Layout::split(1, 3)
        .line(&format!("group.initial.rebalance.delay.ms={INITIAL_DELAY_MS}"))
        .line("offsets.topic.num.partitions=1");
    let mut cluster = Cluster::start(layout);
    let view = cluster.view();
    view.create(OFFSETS, &[&[1, 2]], &[("cleanup.policy", "compact")]);
    let gone = [ErrorCode::NotCoordinator.code(); 2];

    view.reassign(3, OFFSETS, &[2, 1]);
    view.wait_for_partition(OFFSETS, 0, "reordered", |one| one.replicas == [2, 1]);
    assert_eq!(ended(&view, 1, || view.elect_preferred(3, OFFSETS)), gone, "preferred election");

    view.wait_for_partition(OFFSETS, 0, "led by 2", |one| one.leader == 2);
    assert_eq!(ended(&view, 2, || view.reassign(3, OFFSETS, &[1, 3])), gone, "reassignment");

    view.wait_for_partition(OFFSETS, 0, "led by 1", |one| one.leader == 1 && one.isr.len() == 2);
    let stopping = ended(&view, 1, || {
        cluster.terminate(1);
    });
    assert_eq!(stopping, gone, "controlled shutdown");
}
