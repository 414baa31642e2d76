//! A node that is paused (SIGSTOP) and thaws after others took over neither acknowledges nor leads.
//!
//! Nobody refuses its connections meanwhile, so nothing but the timeouts tells; they are Kafka's.

use std::time::{Duration, Instant};

use protocol::messages::ProduceRequest;
use tests::cluster::verdict::{Promise, judge};
use tests::cluster::view::{self, until};
use tests::cluster::{Cluster, Layout, Load, Reader, long};
use tests::records::Batch;
use tests::topic::{now_ms, produce_request};
use tests::wire::Client;

/// Longer than the session timeout of nine seconds.
fn pause() -> Duration {
    Duration::from_secs(if long() { 30 } else { 12 })
}

fn paused(layout: Layout, choose: impl Fn(&Cluster) -> i32) {
    let mut cluster = Cluster::start(layout.line("min.insync.replicas=2"));
    let brokers: Vec<i32> = cluster.view().brokers.iter().map(|(id, _)| *id).collect();
    let view = cluster.view();
    view.create("all", &[&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]], &[]);
    // Led by each broker: the paused one is asked for its own partition below.
    for id in &brokers {
        let rest: Vec<i32> = brokers.iter().copied().filter(|other| other != id).collect();
        let replicas = [&[*id][..], &rest].concat();
        view.create(&format!("led-by-{id}"), &[&replicas], &[]);
    }
    let chosen = choose(&cluster);
    let topic = format!("led-by-{chosen}");
    let running = Load::all("all", 3).start(&view);
    let reader = Reader::start(&view, "all", 3);
    running.wait_for(100);
    let before = cluster.quorum();
    let mut asked = view.broker(chosen).map(|address| {
        let mut client = Client::connect(address).expect("it answers still");
        client.set_patience(Duration::from_secs(60));
        let records = Batch::of(&[b"before"], now_ms()).bytes();
        let produced = tests::topic::produce(&mut client, &topic, 0, -1, records);
        assert_eq!(produced.expect("answered").error, 0, "it leads");
        client
    });
    cluster.pause(chosen);
    let paused_at = Instant::now();
    if let Some(client) = &mut asked {
        let records = Batch::of(&[b"while paused"], now_ms()).bytes();
        client.send(9, &produce_request(&topic, 0, -1, records)).expect("the kernel takes it");
    }
    let rest = cluster.view();
    if asked.is_some() {
        rest.wait_for_partition(&topic, 0, "another leader", |one| {
            one.leader >= 0 && one.leader != chosen
        });
        println!("another leader after {:?}", paused_at.elapsed());
    }
    if before.leader == chosen {
        let after = cluster.quorum();
        assert_ne!(after.leader, chosen);
        assert!(after.leader_epoch > before.leader_epoch, "{before:?}, {after:?}");
    }
    std::thread::sleep(pause().saturating_sub(paused_at.elapsed()));
    cluster.resume(chosen);
    if let Some(client) = &mut asked {
        // A closed connection is no acknowledgement either.
        if let Ok(answer) = client.receive::<ProduceRequest>(9) {
            let answer = &answer.responses[0].partition_responses[0];
            assert_ne!(answer.error_code, 0, "acknowledged by who no longer leads: {answer:?}");
        }
        let address = cluster.view().broker(chosen).expect("it runs").to_owned();
        let _ = until("it learns who leads", Duration::from_secs(20), || {
            view::partition_at(&address, &topic, 0).filter(|one| one.leader != chosen)
        });
        let isr =
            cluster.view().wait_for_partition(&topic, 0, "in sync again", |one| one.isr.len() == 3);
        assert_ne!(isr.leader, chosen, "the thawed one leads again without an election");
    }
    cluster.wait_ready();
    let sent = running.finish();
    let counts = judge(&cluster, "all", Promise::NothingLost, &sent, &reader.finish());
    println!("{counts:?}, errors {:?}, gap {:?}", sent.errors(), sent.longest_gap(paused_at));
}

#[test]
fn a_paused_leader_does_not_acknowledge_after_it_thaws() {
    paused(Layout::split(3, 3), |cluster| cluster.leader("all", 0));
}

#[test]
fn a_paused_node_with_the_active_controller_does_not_lead_after_it_thaws() {
    paused(Layout::combined(3), |cluster| cluster.quorum().leader);
}

#[test]
fn a_paused_controller_does_not_lead_after_it_thaws() {
    paused(Layout::split(3, 3), |cluster| cluster.quorum().leader);
}
