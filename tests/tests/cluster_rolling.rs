//! Full rolling restarts under a default Java producer and a group consumer of kafka-clients 4.1:
//! no failed send, no exception, no long pause, every record once.

use std::time::{Duration, Instant};

use tests::cluster::verdict::same_logs;
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout, long, steady};
use tests::golden::server_kind;
use tests::server::Kind;
use tests::topic::now_ms;

const THREE: [&[i32]; 3] = [&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]];

/// Restarts of all nodes in turn: three, one in a smoke run.
fn cycles() -> i32 {
    if long() { 3 } else { 1 }
}

fn roll(layout: Layout) {
    let layout = layout.line("min.insync.replicas=2").line("offsets.topic.replication.factor=3");
    let mut cluster = Cluster::start(layout);
    let view = cluster.view();
    view.create("rolling", &THREE, &[]);
    let bootstrap = cluster.bootstrap();
    let consumer = steady::consumer(&bootstrap, "rolling", "rolling");
    let producer = steady::producer(&bootstrap, "rolling", 3, 2000);
    until("the consumer reads", Duration::from_secs(60), || {
        (steady::moved_so_far(&consumer) > 500).then_some(())
    });
    let mut restarts = Vec::new();
    for _ in 0..cycles() {
        for id in cluster.ids() {
            let began = (now_ms(), Instant::now());
            let stopped = cluster.terminate(id);
            // What waits for the next one to lead has been sent by now.
            std::thread::sleep(Duration::from_millis(200));
            let stopped = (stopped, now_ms());
            cluster.start_again(id);
            cluster.view().wait_in_sync("rolling", 3);
            cluster.view().wait_in_sync("__consumer_offsets", 3);
            restarts.push((id, began.0, now_ms(), stopped, began.1.elapsed()));
        }
    }
    std::thread::sleep(Duration::from_secs(1));
    let produced = steady::finished(producer.stop());
    let sent = u64::try_from(produced.moved.len() + produced.failures.len()).expect("few");
    let expected = produced.moved.len();
    until("the consumer has all", Duration::from_secs(60), || {
        (steady::moved_so_far(&consumer) >= expected).then_some(())
    });
    let consumed = steady::finished(consumer.stop());
    let (mut gaps, mut stop_gaps) = (Vec::new(), Vec::new());
    for (id, since, until, (stopped, stopped_ms), took) in restarts {
        let gap = (produced.longest_gap_ms(since, until), consumed.longest_gap_ms(since, until));
        let stop_gap = produced.longest_gap_ms(since, stopped_ms);
        println!(
            "restart of {id}: stopped in {stopped:?}, in sync after {took:?}; longest gaps in ms \
             {gap:?} (sent, received), around the stop {stop_gap}"
        );
        gaps.push(gap.0.max(gap.1));
        stop_gaps.push(stop_gap);
    }
    println!("{} sent, {} received", produced.moved.len(), consumed.moved.len());
    assert_eq!(produced.failures, Vec::<String>::new(), "failed sends");
    assert_eq!(consumed.failures, Vec::<String>::new(), "exceptions of the consumer");
    assert_eq!(produced.not_once(sent), [], "acknowledged not once");
    assert_eq!(consumed.not_once(sent), [], "received not once");
    for partition in 0..3 {
        same_logs(&cluster, "rolling", partition);
    }
    if server_kind() == Kind::Gregor {
        assert!(gaps.iter().all(|gap| *gap <= 1000), "longest gaps in ms: {gaps:?}");
        // A tenth of a second is what a busy machine may take from any single one.
        stop_gaps.sort_unstable();
        assert!(stop_gaps[stop_gaps.len() / 2] <= 100, "around SIGTERM, in ms: {stop_gaps:?}");
    }
}

#[test]
fn a_rolling_restart_of_brokers_and_controllers_is_not_noticed() {
    roll(Layout::split(3, 3));
}

#[test]
fn a_rolling_restart_of_combined_nodes_is_not_noticed() {
    roll(Layout::combined(3));
}
