//! Gregor and stock Kafka 4.1 in one cluster: each other's controllers, leaders and followers.
//!
//! What a rolling migration is made of. Every record written to either is read from both, and stock
//! finds nothing to complain about.

use std::time::Duration;

use tests::cluster::complaints::complaints;
use tests::cluster::verdict::{Promise, judge};
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout, Load, Reader, Roles, long};
use tests::golden::server_kind;
use tests::oracle::{EQUALLED, ToolServer};
use tests::server::Kind;

/// Three controllers of one kind, and brokers of these kinds.
fn layout(controllers: [Kind; 3], brokers: &[Kind]) -> Layout {
    let mut layout = Layout::default().line("min.insync.replicas=2");
    for (id, kind) in (1..).zip(brokers) {
        layout = layout.with(id, Roles::Broker, *kind);
    }
    for (id, kind) in (101..).zip(controllers) {
        layout = layout.with(id, Roles::Controller, kind);
    }
    layout
}

/// One number at a time: of several on their way, a stock broker that stops refuses the first and,
/// leading again, complains of the next.
fn one_at_a_time(topic: &str) -> Load {
    Load { in_flight: 1, ..Load::all(topic, 2) }
}

/// Writes a thousand records to each partition, reads them from every replica and all the while.
fn a_thousand_each(cluster: &Cluster, topic: &str) {
    let view = cluster.view();
    let reader = Reader::start(&view, topic, 2);
    let load = Load { limit: 1000, ..Load::all(topic, 2) };
    let sent = load.start(&view).complete();
    let counts = judge(cluster, topic, Promise::NothingLost, &sent, &reader.finish());
    assert_eq!(counts.there, 2000, "{counts:?}");
}

fn together(layout: Layout) {
    // On stock alone: what it complains of then is nobody else's fault.
    let layout = if server_kind() == Kind::Stock { layout.of(Kind::Stock) } else { layout };
    let mut cluster = Cluster::start(layout);
    let view = cluster.view();
    // Broker 1 leads one partition, broker 2 the other; the two are of different kinds.
    view.create("each-leads", &[&[1, 2], &[2, 1]], &[]);
    a_thousand_each(&cluster, "each-leads");
    agree(&cluster);
    controllers_restart(&mut cluster);
    view.create("after-controllers", &[&[1, 2], &[2, 1]], &[]);
    a_thousand_each(&cluster, "after-controllers");
    brokers_restart(&mut cluster);
    agree(&cluster);
    complaints(&cluster);
}

/// Every controller restarts once, the active one first, while a topic is written to.
fn controllers_restart(cluster: &mut Cluster) {
    let view = cluster.view();
    view.create("meanwhile", &[&[1, 2], &[2, 1]], &[]);
    let reader = Reader::start(&view, "meanwhile", 2);
    let running = one_at_a_time("meanwhile").start(&view);
    let mut done = Vec::new();
    while done.len() < 3 {
        let active = cluster.quorum().leader;
        let id = if done.contains(&active) {
            (101..=103).find(|id| !done.contains(id)).expect("one is left")
        } else {
            active
        };
        let took = cluster.terminate(id);
        println!("controller {id} (active: {active}) stopped in {took:?}");
        cluster.start_again(id);
        done.push(id);
    }
    let sent = running.finish();
    let _ = judge(cluster, "meanwhile", Promise::NothingLost, &sent, &reader.finish());
}

/// Each broker stops and comes back; the other leads meanwhile what both have.
fn brokers_restart(cluster: &mut Cluster) {
    cluster.view().create("handed-over", &[&[1, 2], &[2, 1]], &[("min.insync.replicas", "1")]);
    let view = cluster.view();
    let reader = Reader::start(&view, "handed-over", 2);
    let running = one_at_a_time("handed-over").start(&view);
    std::thread::sleep(Duration::from_millis(500));
    for id in [1, 2] {
        let took = cluster.terminate(id);
        println!("broker {id} stopped in {took:?}");
        for partition in 0..2 {
            cluster.view().wait_for_partition("handed-over", partition, "handed over", |one| {
                one.leader == 3 - id
            });
        }
        cluster.start_again(id);
        cluster.view().wait_in_sync("handed-over", 2);
    }
    let sent = running.finish();
    let _ = judge(cluster, "handed-over", Promise::NothingLost, &sent, &reader.finish());
}

/// kafka-metadata-quorum says the same of the quorum, whoever is asked.
fn agree(cluster: &Cluster) {
    let view = cluster.view();
    let brokers = view.brokers.iter().map(|(_, address)| ("--bootstrap-server", address));
    let controllers = view.controllers.iter().map(|(_, at)| ("--bootstrap-controller", at));
    let status = |(option, address): (&str, &String)| {
        let args = [option, address, "describe", "--status"].map(String::from);
        let printed = ToolServer::shared().run(EQUALLED, "kafka-metadata-quorum", &args, "");
        assert_eq!(printed.code, 0, "{address}: {printed:?}");
        let is_kept = |line: &&str| {
            ["ClusterId", "LeaderId", "LeaderEpoch", "CurrentVoters", "CurrentObservers"]
                .iter()
                .any(|name| line.starts_with(name))
        };
        printed.stdout.lines().filter(is_kept).map(String::from).collect::<Vec<_>>()
    };
    let asked: Vec<_> = brokers.chain(controllers).collect();
    until("all say the same of the quorum", Duration::from_secs(60), || {
        let said: Vec<Vec<String>> = asked.iter().map(|asked| status(*asked)).collect();
        let is_same = said.iter().all(|one| *one == said[0] && one.len() == 5);
        is_same.then(|| println!("{}", said[0].join("\n")))
    });
}

#[test]
fn three_gregor_controllers_serve_a_stock_broker_and_gregor_brokers() {
    together(layout([Kind::Gregor; 3], &[Kind::Stock, Kind::Gregor, Kind::Gregor]));
}

#[test]
fn three_stock_controllers_serve_gregor_brokers_and_a_stock_broker() {
    together(layout([Kind::Stock; 3], &[Kind::Gregor, Kind::Stock]));
}

/// In the long run only: the two tests above exchange most of what voters do.
#[test]
fn two_gregor_controllers_and_a_stock_one_are_a_quorum() {
    if !long() {
        return;
    }
    let kinds = [Kind::Gregor, Kind::Gregor, Kind::Stock];
    together(layout(kinds, &[Kind::Gregor, Kind::Stock]));
}

#[test]
fn two_stock_controllers_and_a_gregor_one_are_a_quorum() {
    if !long() {
        return;
    }
    let kinds = [Kind::Stock, Kind::Stock, Kind::Gregor];
    together(layout(kinds, &[Kind::Gregor, Kind::Stock]));
}
