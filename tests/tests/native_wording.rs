//! Native tools in the words of Kafka 3.7 (`KAFKA_CLI_RELEASE=3.7`) print what 3.7.0's print.

use tests::golden::{check, check_native, recording};
use tests::server::Kind;

/// Records with 3.7.0's tools, or runs ours.
fn check_wording(case: &str) {
    match recording() {
        true => check(case),
        false => check_native(Kind::Gregor, case),
    }
}

macro_rules! wordings {
    ($($name:ident => $case:literal,)*) => { $(
        #[test]
        fn $name() {
            check_wording(concat!("tools/", $case, "-3.7.0"));
        }
    )* };
}

wordings! {
    kafka_topics_speaks_as_3_7 => "topics",
    kafka_configs_speaks_as_3_7 => "configs",
    elections_and_log_directories_speak_as_3_7 => "elections",
    kafka_reassign_partitions_speaks_as_3_7 => "reassign",
    quorums_features_clusters_and_versions_are_spoken_of_as_by_3_7 => "own-jvm",
    kafka_console_consumer_speaks_as_3_7 => "console-consumer",
    kafka_console_producer_speaks_as_3_7 => "console-producer",
    kafka_consumer_groups_speaks_as_3_7 => "consumer-groups",
    offsets_of_groups_move_as_with_3_7 => "consumer-groups-offsets",
    kafka_get_offsets_and_delete_records_speak_as_3_7 => "offsets",
    kafka_producer_perf_test_speaks_as_3_7 => "producer-perf-test",
}
