//! Stock tools print against Gregor's clusters what they print against clusters of stock Kafka.

use tests::golden;

/// One test per transcript of tests/golden/cluster.
macro_rules! transcripts {
    ($($name:ident => $case:literal,)*) => {
        $(#[test]
        fn $name() {
            golden::check($case);
        })*
    };
}

transcripts! {
    topics_described_while_brokers_go_and_come => "cluster/describe",
    leaders_elected_by_hand => "cluster/elections",
    partitions_reassigned => "cluster/reassign",
    quorum_cluster_and_features => "cluster/quorum",
    logs_and_snapshots_read => "cluster/logs",
}
