//! Native tools in the words of Kafka 3.7 (`KAFKA_CLI_RELEASE=3.7`) print what 3.7.0's print.

use tests::golden::{check, check_native, recording};
use tests::server::Kind;

/// Records with 3.7.0's tools, or runs ours.
fn check_wording(kind: Kind, case: &str) {
    match recording() {
        true => check(case),
        false => check_native(kind, case),
    }
}

macro_rules! wordings {
    ($kind:expr; $($name:ident => $case:literal,)*) => { $(
        #[test]
        fn $name() {
            check_wording($kind, $case);
        }
    )* };
}

// What Gregor does not serve yet.
wordings! { Kind::Stock;
    kafka_acls_speaks_as_3_7 => "tools/acls-3.7.0",
    kafka_client_metrics_speaks_as_3_7 => "tools/client-metrics-3.7.0",
    records_of_kafkas_own_topics_are_as_3_7_shows_them =>
        "tools/console-consumer-formatters-3.7.0",
    kafka_delegation_tokens_speaks_as_3_7 => "tools/delegation-tokens-3.7.0",
    kafka_transactions_speaks_as_3_7 => "tools/transactions-3.7.0",
}

wordings! { Kind::Gregor;
    kafka_topics_speaks_as_3_7 => "tools/topics-3.7.0",
    kafka_configs_speaks_as_3_7 => "tools/configs-3.7.0",
    elections_and_log_directories_speak_as_3_7 => "tools/elections-3.7.0",
    kafka_reassign_partitions_speaks_as_3_7 => "tools/reassign-3.7.0",
    quorums_features_clusters_and_versions_are_spoken_of_as_by_3_7 => "tools/own-jvm-3.7.0",
    kafka_console_consumer_speaks_as_3_7 => "tools/console-consumer-3.7.0",
    kafka_console_producer_speaks_as_3_7 => "tools/console-producer-3.7.0",
    kafka_consumer_groups_speaks_as_3_7 => "tools/consumer-groups-3.7.0",
    offsets_of_groups_move_as_with_3_7 => "tools/consumer-groups-offsets-3.7.0",
    kafka_get_offsets_and_delete_records_speak_as_3_7 => "tools/offsets-3.7.0",
    kafka_e2e_latency_speaks_as_3_7 => "tools/e2e-latency-3.7.0",
    kafka_replica_verification_speaks_as_3_7 => "tools/replica-verification-3.7.0",
    kafka_producer_perf_test_speaks_as_3_7 => "tools/producer-perf-test-3.7.0",
    kafka_verifiable_producer_speaks_as_3_7 => "tools/verifiable-producer-3.7.0",
    kafka_verifiable_consumer_speaks_as_3_7 => "tools/verifiable-consumer-3.7.0",
    kafka_storage_speaks_as_3_7 => "tools/storage-3.7.0",
    kafka_consumer_perf_test_speaks_as_3_7 => "tools/consumer-perf-3.7.0",
}
