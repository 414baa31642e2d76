//! How long acks=all writes stop when a node goes, with default settings: the promise of design.md.
//!
//! Stock Kafka waits out its session timeout after a kill -9; the limits hold for Gregor alone.

use std::time::{Duration, Instant};

use tests::cluster::verdict::{Promise, judge};
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout, Load, Reader, long};
use tests::golden::server_kind;
use tests::server::Kind;

const THREE: [&[i32]; 3] = [&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]];

/// Takes nodes away, one after the other, under load; the longest gap of each time.
fn gaps(
    cluster: &mut Cluster,
    rounds: i32,
    mut take: impl FnMut(&mut Cluster, i32) -> i32,
) -> Vec<Duration> {
    let view = cluster.view();
    view.create("all", &THREE, &[]);
    let running = Load::all("all", 3).start(&view);
    let reader = Reader::start(&view, "all", 3);
    let mut taken = Vec::new();
    for round in 0..rounds {
        running.wait_for(100);
        let since = Instant::now();
        let id = take(cluster, round);
        for partition in 0..3 {
            cluster.view().wait_for_partition("all", partition, "led by another", |one| {
                one.leader >= 0 && one.leader != id
            });
        }
        std::thread::sleep(Duration::from_millis(1500));
        taken.push((since, Instant::now()));
        cluster.start_again(id);
        cluster.view().wait_in_sync("all", 3);
        // Leaders go home, so that the next one to go leads something again.
        cluster.view().prefer("all", 3);
    }
    let sent = running.finish();
    let _ = judge(cluster, "all", Promise::NothingLost, &sent, &reader.finish());
    println!("errors {:?}", sent.errors());
    let gap = |(since, until): (Instant, Instant)| sent.longest_gap_between(since, until);
    taken.into_iter().map(gap).collect()
}

/// What a busy machine of two processors takes from any single one may be more.
fn assert_median_within(what: &str, gaps: &[Duration], limit: Duration) {
    println!("{what}: acks=all writes stopped for {gaps:?}");
    if server_kind() == Kind::Gregor {
        let mut sorted = gaps.to_vec();
        sorted.sort_unstable();
        assert!(sorted[sorted.len() / 2] <= limit, "{what}: {gaps:?}, allowed {limit:?}");
        assert!(sorted.iter().all(|gap| *gap <= 5 * limit), "{what}: {gaps:?}");
    }
}

fn rounds() -> i32 {
    if long() { 9 } else { 3 }
}

fn reliable(layout: Layout) -> Layout {
    layout.line("min.insync.replicas=2")
}

#[test]
fn a_killed_broker_stops_writes_for_a_fifth_of_a_second_at_most() {
    let mut cluster = Cluster::start(reliable(Layout::split(3, 3)));
    let gaps = gaps(&mut cluster, rounds(), |cluster, round| {
        let leader = cluster.leader("all", round % 3);
        cluster.kill(leader);
        leader
    });
    assert_median_within("plain broker, kill -9", &gaps, Duration::from_millis(200));
}

#[test]
fn a_killed_node_with_the_active_controller_stops_writes_for_two_fifths_of_a_second_at_most() {
    let mut cluster = Cluster::start(reliable(Layout::combined(3)));
    let gaps = gaps(&mut cluster, rounds(), |cluster, _| {
        let active = cluster.quorum().leader;
        cluster.kill(active);
        active
    });
    let limit = Duration::from_millis(400);
    assert_median_within("combined node with the active controller, kill -9", &gaps, limit);
}

#[test]
fn a_stopped_broker_stops_writes_for_a_tenth_of_a_second_at_most() {
    let mut cluster = Cluster::start(reliable(Layout::split(3, 3)));
    let gaps = gaps(&mut cluster, rounds(), |cluster, round| {
        let leader = cluster.leader("all", round % 3);
        let took = cluster.terminate(leader);
        println!("SIGTERM to exit: {took:?}");
        leader
    });
    assert_median_within("plain broker, SIGTERM", &gaps, Duration::from_millis(100));
}

#[test]
fn a_stopped_node_with_the_active_controller_stops_writes_for_a_tenth_of_a_second_at_most() {
    let mut cluster = Cluster::start(reliable(Layout::combined(3)));
    let gaps = gaps(&mut cluster, rounds(), |cluster, _| {
        let active = cluster.quorum().leader;
        let took = cluster.terminate(active);
        println!("SIGTERM to exit: {took:?}");
        let what = "another active controller";
        let _ = until(what, Duration::from_secs(30), || cluster.view().quorum());
        active
    });
    let limit = Duration::from_millis(100);
    assert_median_within("combined node with the active controller, SIGTERM", &gaps, limit);
}
