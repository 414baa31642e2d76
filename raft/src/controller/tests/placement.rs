//! Where replicas go, draw by draw as stock's placer puts them.
//!
//! The fixture was printed by tests/dump/PlaceReplicas.java, run with Kafka's own jars and our
//! draws: the brokers in the order of their ids, each as the letter of its rack (a dash for none, a
//! capital or an underscore when it is fenced), how many partitions and replicas, the seed.

use std::collections::BTreeSet;

use protocol::records::metadata::RegisterBrokerRecord;

use super::topics::create_assigned;
use super::*;
use crate::controller::placement::place;
use crate::draws::Draws;
use crate::image::ClusterImage;

const STOCK: &str = include_str!("../../../tests/fixtures/placements-4.1.0.txt");

fn cluster(brokers: &str) -> ClusterImage {
    let mut cluster = ClusterImage::default();
    for (broker_id, letter) in (1..).zip(brokers.chars()) {
        let rack = letter.is_ascii_alphabetic().then(|| letter.to_ascii_lowercase());
        cluster.replay_registration(&RegisterBrokerRecord {
            broker_id,
            fenced: letter.is_ascii_uppercase() || letter == '_',
            rack: rack.map(|rack| text(&rack.to_string())),
            ..Default::default()
        });
    }
    cluster
}

fn placed(spec: &str) -> String {
    let [brokers, partitions, factor, seed] = spec.split(':').collect::<Vec<_>>()[..] else {
        panic!("no such case: {spec}");
    };
    let mut draws = Draws::new(seed.parse().unwrap());
    let factor = factor.parse().unwrap();
    let count = partitions.parse().unwrap();
    match place(&cluster(brokers), count, factor, &mut draws) {
        Err(error) => error.message.unwrap(),
        Ok(partitions) => {
            let list = |ids: Vec<i32>| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
            partitions.into_iter().map(list).collect::<Vec<_>>().join(" ")
        }
    }
}

#[test]
fn replicas_go_where_stock_puts_them() {
    let cases: Vec<_> = STOCK.lines().filter_map(|line| line.split_once(" = ")).collect();
    assert!(cases.len() >= 100, "the fixture is whole");
    for (spec, wanted) in cases {
        assert_eq!(placed(spec), wanted, "{spec}");
    }
}

#[test]
fn a_broker_about_to_stop_gets_no_replica_and_one_that_has_stopped_only_as_the_last_resort() {
    let mut world = World::with_brokers(3);
    create_assigned(&mut world, "led", &[0], &[1, 2]);
    let leaving = BrokerHeartbeatRequest { want_shut_down: true, ..world.heartbeat(1) };
    assert!(!world.send(&leaving, 0).should_shut_down);
    let refused = world.controller.place_partitions(1, 3, &mut Draws::new(1)).unwrap_err();
    assert_eq!(
        refused.message.unwrap(),
        "The target replication factor of 3 cannot be reached because only 2 broker(s) are \
         registered or some brokers have all their log directories cordoned."
    );
    world.beat(2, 0);
    world.beat(3, 0);
    assert!(world.send(&leaving, 0).should_shut_down);
    let placed = world.controller.place_partitions(20, 3, &mut Draws::new(1)).unwrap();
    for partition in placed {
        let replicas: BTreeSet<i32> = partition.replicas.iter().copied().collect();
        assert_eq!(replicas, BTreeSet::from([1, 2, 3]));
        assert!(partition.leader != 1 && !partition.isr.contains(&1), "{partition:?}");
    }
}
