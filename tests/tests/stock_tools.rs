//! Stock command-line tools print against Gregor what they print against stock Kafka.

use tests::golden;

/// One test per transcript of tests/golden.
macro_rules! transcripts {
    ($($name:ident => $case:literal,)*) => {
        $(#[test]
        fn $name() {
            golden::check($case);
        })*
    };
}

transcripts! {
    topics_lifecycle => "topics/lifecycle-4.3.1",
    topics_lifecycle_with_3_7 => "topics/lifecycle-3.7.0",
    topics_errors => "topics/errors-4.3.1",
    topics_errors_with_3_7 => "topics/errors-3.7.0",
    console_produce_consume => "console/produce-consume-4.3.1",
    console_produce_consume_with_3_7 => "console/produce-consume-3.7.0",
    console_acks_and_codecs => "console/acks-and-codecs-4.3.1",
    groups_lifecycle => "groups/lifecycle",
    configs_of_topics => "configs/topics",
    configs_of_brokers => "configs/brokers",
    offsets_and_log_dirs => "offsets/offsets",
    perf_tools => "perf/perf",
    verifiable_clients => "perf/verifiable",
    cluster_quorum_features => "cluster/cluster",
}
