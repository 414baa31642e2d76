//! kill -9 in every way while records are written: what was acknowledged stays, once, in order.

use std::time::{Duration, Instant};

use tests::cluster::verdict::{Promise, judge};
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout, Load, Reader, load, long};

const THREE: [&[i32]; 3] = [&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]];

fn reliable(layout: Layout) -> Layout {
    layout.line("min.insync.replicas=2").line("default.replication.factor=3")
}

/// Lets the load run for a while: there is nothing to wait for but time.
fn let_it_run() {
    std::thread::sleep(Duration::from_millis(700));
}

#[test]
fn five_kills_of_a_leader_in_turn_lose_and_repeat_nothing() {
    five_kills(Layout::combined(3), THREE);
}

#[test]
fn five_kills_among_five_brokers_lose_and_repeat_nothing() {
    let layout = Layout::split(3, 5).racks(&["a", "a", "a", "b", "c"]);
    five_kills(layout, [&[1, 4, 5], &[2, 5, 4], &[4, 3, 5]]);
}

fn five_kills(layout: Layout, replicas: [&[i32]; 3]) {
    let mut cluster = Cluster::start(reliable(layout));
    let view = cluster.view();
    for topic in ["all", "one", "none"] {
        view.create(topic, &replicas, &[]);
    }
    let loads = [Load::all("all", 3), Load::once("one", 3, 1), Load::once("none", 3, 0)];
    let running: Vec<load::Running> = loads.iter().map(|load| load.start(&view)).collect();
    let readers = loads.each_ref().map(|load| Reader::start(&view, &load.topic, 3));
    let mut gaps = Vec::new();
    for round in 0..if long() { 15 } else { 5 } {
        let_it_run();
        let leader = cluster.leader("all", round % 3);
        let killed = Instant::now();
        cluster.kill(leader);
        let rest = cluster.view();
        rest.wait_for_partition("all", round % 3, "another leader", |one| {
            one.leader >= 0 && one.leader != leader
        });
        gaps.push(killed.elapsed());
        let_it_run();
        cluster.start_again(leader);
        for topic in ["all", "one", "none"] {
            cluster.view().wait_in_sync(topic, 3);
        }
    }
    let_it_run();
    println!("time from kill -9 until all nodes named another leader: {gaps:?}");
    let promises = [Promise::NothingLost, Promise::ShownStays, Promise::ShownStays];
    for (((load, running), reader), promise) in loads.iter().zip(running).zip(readers).zip(promises)
    {
        let sent = running.finish();
        let counts = judge(&cluster, &load.topic, promise, &sent, &reader.finish());
        println!("{}: {counts:?}, errors {:?}", load.topic, sent.errors());
        assert!(counts.acknowledged > 500, "{}: {counts:?}", load.topic);
    }
}

#[test]
fn two_of_three_killed_stop_writes_and_lose_nothing() {
    let mut cluster = Cluster::start(reliable(Layout::split(3, 3)));
    let view = cluster.view();
    view.create("all", &THREE, &[]);
    let running = Load::all("all", 3).start(&view);
    let reader = Reader::start(&view, "all", 3);
    let_it_run();
    cluster.kill_all(&[2, 3]);
    let killed = Instant::now();
    let last = cluster.view();
    for partition in 0..3 {
        last.wait_for_partition("all", partition, "the last one leads alone", |one| {
            one.leader == 1 && one.isr == [1]
        });
    }
    let alone = Instant::now();
    std::thread::sleep(Duration::from_secs(1));
    let back = Instant::now();
    cluster.launch(2);
    cluster.launch(3);
    cluster.wait_ready();
    cluster.view().wait_in_sync("all", 3);
    let_it_run();
    let sent = running.finish();
    let counts = judge(&cluster, "all", Promise::NothingLost, &sent, &reader.finish());
    let acks = sent.partitions.iter().flat_map(|one| &one.acknowledged);
    let during = acks.filter(|ack| ack.at > alone && ack.at < back).count();
    assert_eq!(during, 0, "acknowledged by one replica of three, with min.insync.replicas=2");
    let errors = sent.errors();
    println!("{counts:?}, errors {errors:?}, alone after {:?}", alone - killed);
    assert!(errors.iter().any(|(code, _)| *code == 19 || *code == 20), "{errors:?}");
}

#[test]
fn all_killed_at_once_lose_nothing() {
    let mut cluster = Cluster::start(reliable(Layout::combined(3)));
    let view = cluster.view();
    view.create("all", &THREE, &[]);
    view.create("one", &THREE, &[]);
    let loads = [Load::all("all", 3), Load::once("one", 3, 1)];
    let running: Vec<load::Running> = loads.iter().map(|load| load.start(&view)).collect();
    let readers = loads.each_ref().map(|load| Reader::start(&view, &load.topic, 3));
    for _ in 0..2 {
        let_it_run();
        cluster.kill_all(&[1, 2, 3]);
        cluster.launch_all();
        cluster.wait_ready();
        cluster.view().wait_in_sync("all", 3);
        cluster.view().wait_in_sync("one", 3);
    }
    let_it_run();
    let promises = [Promise::NothingLost, Promise::ShownStays];
    for (((load, running), reader), promise) in loads.iter().zip(running).zip(readers).zip(promises)
    {
        let sent = running.finish();
        let counts = judge(&cluster, &load.topic, promise, &sent, &reader.finish());
        println!("{}: {counts:?}, errors {:?}", load.topic, sent.errors());
    }
}

#[test]
fn the_active_controller_may_stop_and_die_while_records_flow() {
    let mut cluster = Cluster::start(reliable(Layout::split(3, 3)));
    let view = cluster.view();
    view.create("all", &THREE, &[]);
    let running = Load::all("all", 3).start(&view);
    let reader = Reader::start(&view, "all", 3);
    let began = Instant::now();
    for (round, is_stop) in [true, false, true, false].into_iter().enumerate() {
        let before = cluster.quorum();
        let since = Instant::now();
        if is_stop {
            cluster.terminate(before.leader);
        } else {
            cluster.kill(before.leader);
        }
        let after = cluster.quorum();
        assert!(after.leader_epoch > before.leader_epoch, "{before:?}, then {after:?}");
        let word = if is_stop { "stopped" } else { "killed" };
        println!("controller {word}: another leads after {:?}", since.elapsed());
        cluster.view().create(&format!("made-{round}"), &[&[1, 2, 3]], &[]);
        println!("… and a topic was created after {:?}", since.elapsed());
        cluster.start_again(before.leader);
    }
    let gap = running_gap(running, &cluster, reader, began);
    println!("longest gap without an acknowledgement: {gap:?}");
    assert!(gap < Duration::from_secs(2), "brokers need no controller to write: {gap:?}");
}

fn running_gap(
    running: load::Running,
    cluster: &Cluster,
    reader: Reader,
    since: Instant,
) -> Duration {
    let sent = running.finish();
    let _ = judge(cluster, "all", Promise::NothingLost, &sent, &reader.finish());
    sent.longest_gap(since)
}

#[test]
fn a_wiped_node_is_filled_again() {
    let mut cluster = Cluster::start(reliable(Layout::combined(3)));
    let view = cluster.view();
    view.create("all", &THREE, &[]);
    let running = Load::all("all", 3).start(&view);
    let reader = Reader::start(&view, "all", 3);
    let_it_run();
    let wiped = cluster.leader("all", 0);
    cluster.kill(wiped);
    cluster.wipe(wiped);
    cluster.start_again(wiped);
    cluster.view().wait_in_sync("all", 3);
    let sent = running.finish();
    let counts = judge(&cluster, "all", Promise::NothingLost, &sent, &reader.finish());
    println!("{counts:?}, errors {:?}", sent.errors());
    let quorum = cluster.quorum();
    until("the wiped voter has the whole metadata log", Duration::from_secs(30), || {
        let quorum = cluster.quorum();
        let ends = quorum.voters.iter().filter(|(_, end)| *end >= quorum.high_watermark);
        (ends.count() == 3).then_some(())
    });
    assert!(quorum.voters.iter().any(|(id, _)| *id == wiped), "{quorum:?}");
}
