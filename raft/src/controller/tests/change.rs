//! How a partition changes, case by case as stock's builder makes it change.
//!
//! The fixture was printed by tests/dump/ChangePartition.java, run with Kafka's own jars. Lists are
//! comma separated, `none` when empty, `-` when absent. A case is a partition (replicas, isr,
//! removing, adding, elr, last known elr, leader with `!` while it recovers), who is alive,
//! min.insync.replicas, whether ELR is on, the metadata.version, the election, what is wanted (isr,
//! replicas, removing, adding, unclean shutdowns, whether the leader has recovered, whose directory
//! moves), and the record: leader, isr, replicas, removing, adding, elr, last known elr, recovery,
//! directories. GREGOR_CHANGES names another file of such cases.

use protocol::records::metadata::{PartitionChangeRecord, RegisterBrokerRecord};

use super::*;
use crate::controller::change::{Election, PartitionChange};
use crate::image::{ClusterImage, LeaderRecovery};

const STOCK: &str = include_str!("../../../tests/fixtures/changes-4.1.0.txt");

fn directory(id: i32) -> Uuid {
    Uuid::from_u128(1 << 64 | id as u128)
}

fn ids(field: &str) -> Option<Vec<i32>> {
    match field {
        "-" => None,
        "none" => Some(Vec::new()),
        some => Some(some.split(',').map(|id| id.parse().unwrap()).collect()),
    }
}

fn shown(ids: Option<&[i32]>) -> String {
    match ids {
        None => "-".to_owned(),
        Some([]) => "none".to_owned(),
        Some(some) => some.iter().map(i32::to_string).collect::<Vec<_>>().join(","),
    }
}

fn shown_record(record: &PartitionChangeRecord) -> String {
    let list = |list: &Option<Vec<i32>>| shown(list.as_deref());
    let number = |id: &Uuid| id.as_u128() as u64 as i32;
    let directories = record.directories.as_ref();
    let directories = directories.map(|ids| ids.iter().map(number).collect::<Vec<_>>());
    [
        record.leader.to_string(),
        list(&record.isr),
        list(&record.replicas),
        list(&record.removing_replicas),
        list(&record.adding_replicas),
        list(&record.eligible_leader_replicas),
        list(&record.last_known_elr),
        record.leader_recovery_state.to_string(),
        shown(directories.as_deref()),
    ]
    .join(" ")
}

fn partition(fields: &[&str]) -> Partition {
    let [replicas, isr, removing, adding, elr, last, leader] = fields else { panic!() };
    let replicas = ids(replicas).unwrap();
    let directories = replicas.iter().copied().map(directory).collect();
    let mut partition = Partition::new(replicas, directories, ids(isr).unwrap());
    partition.removing_replicas = ids(removing).unwrap();
    partition.adding_replicas = ids(adding).unwrap();
    partition.elr = ids(elr).unwrap();
    partition.last_known_elr = ids(last).unwrap();
    partition.leader = leader.trim_end_matches('!').parse().unwrap();
    if leader.ends_with('!') {
        partition.leader_recovery = LeaderRecovery::Recovering;
    }
    partition
}

fn cluster() -> ClusterImage {
    let mut cluster = ClusterImage::default();
    for broker_id in 1..=5 {
        let log_dirs = vec![directory(broker_id)];
        let broker = RegisterBrokerRecord { broker_id, log_dirs, ..Default::default() };
        cluster.replay_registration(&broker);
    }
    cluster
}

fn changed(case: &str) -> String {
    let fields: Vec<&str> = case.split(' ').collect();
    let (before, rest) = fields.split_at(7);
    let [alive, min_isr, elr, level, election, wanted @ ..] = rest else { panic!("{case}") };
    let [isr, replicas, removing, adding, unclean, recovered, moved] = wanted else {
        panic!("{case}");
    };
    let (partition, cluster, alive) = (partition(before), cluster(), ids(alive).unwrap());
    let level = MetadataVersion::from_level(level.parse().unwrap()).unwrap();
    let min_isr = min_isr.parse().unwrap();
    let living = |id| alive.contains(&id);
    let elr = *elr == "true";
    let mut change = PartitionChange::new(&partition, &cluster, living, level, elr, min_isr);
    change.election = match *election {
        "PREFERRED" => Election::Preferred,
        "ONLINE" => Election::Online,
        _ => Election::Unclean,
    };
    change.isr = ids(isr).unwrap_or(change.isr);
    change.replicas = ids(replicas).unwrap_or(change.replicas);
    change.removing = ids(removing).unwrap_or(change.removing);
    change.adding = ids(adding).unwrap_or(change.adding);
    change.unclean_shutdown = ids(unclean).unwrap_or_default();
    if *recovered == "true" {
        change.leader_recovery = LeaderRecovery::Recovered;
    }
    if let Ok(broker) = moved.parse() {
        change.directories.insert(broker, directory(100));
    }
    let built = change.build(Uuid::nil(), 0);
    built.map_or_else(|| "nothing".to_owned(), |record| shown_record(&record))
}

#[test]
fn partitions_change_as_stock_changes_them() {
    let stock = std::env::var("GREGOR_CHANGES")
        .map_or_else(|_| STOCK.to_owned(), |path| std::fs::read_to_string(path).unwrap());
    let cases: Vec<_> = stock.lines().filter_map(|line| line.split_once(" = ")).collect();
    assert!(cases.len() >= 1_000, "the fixture is whole");
    for (number, (case, wanted)) in cases.into_iter().enumerate() {
        assert_eq!(changed(case), wanted, "case {}: {case}", number + 1);
    }
}
