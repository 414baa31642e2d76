//! Which main class stands behind a tool's name in a release: what Kafka's bin/*.sh name.

/// The main class of `tool` (as typed, without `.sh`) in `version`.
///
/// # Panics
/// For a tool this table does not have.
#[must_use]
pub fn main_class(tool: &str, version: &str) -> &'static str {
    let old = version.starts_with('3');
    let oldest = version.starts_with("3.1");
    match tool {
        "kafka-acls" if old => "kafka.admin.AclCommand",
        "kafka-acls" => "org.apache.kafka.tools.AclCommand",
        "kafka-broker-api-versions" if old => "kafka.admin.BrokerApiVersionsCommand",
        "kafka-broker-api-versions" => "org.apache.kafka.tools.BrokerApiVersionsCommand",
        "kafka-client-metrics" => "org.apache.kafka.tools.ClientMetricsCommand",
        "kafka-cluster" => "org.apache.kafka.tools.ClusterTool",
        "kafka-configs" if version == super::FOLLOWING => "org.apache.kafka.tools.ConfigCommand",
        "kafka-configs" => "kafka.admin.ConfigCommand",
        "kafka-console-consumer" if old => "kafka.tools.ConsoleConsumer",
        "kafka-console-consumer" => "org.apache.kafka.tools.consumer.ConsoleConsumer",
        "kafka-console-producer" if old => "kafka.tools.ConsoleProducer",
        "kafka-console-producer" => "org.apache.kafka.tools.ConsoleProducer",
        "kafka-console-share-consumer" => "org.apache.kafka.tools.consumer.ConsoleShareConsumer",
        "kafka-consumer-groups" if old => "kafka.admin.ConsumerGroupCommand",
        "kafka-consumer-groups" => "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        "kafka-consumer-perf-test" => "org.apache.kafka.tools.ConsumerPerformance",
        "kafka-delegation-tokens" => "org.apache.kafka.tools.DelegationTokenCommand",
        "kafka-delete-records" => "org.apache.kafka.tools.DeleteRecordsCommand",
        "kafka-dump-log" if version >= super::EQUALLED => "org.apache.kafka.tools.DumpLogSegments",
        "kafka-dump-log" => "kafka.tools.DumpLogSegments",
        "kafka-e2e-latency" if oldest => "kafka.tools.EndToEndLatency",
        "kafka-e2e-latency" => "org.apache.kafka.tools.EndToEndLatency",
        "kafka-features" => "org.apache.kafka.tools.FeatureCommand",
        "kafka-get-offsets" if oldest => "kafka.tools.GetOffsetShell",
        "kafka-get-offsets" => "org.apache.kafka.tools.GetOffsetShell",
        "kafka-groups" => "org.apache.kafka.tools.GroupsCommand",
        "kafka-leader-election" if oldest => "kafka.admin.LeaderElectionCommand",
        "kafka-leader-election" => "org.apache.kafka.tools.LeaderElectionCommand",
        "kafka-log-dirs" => "org.apache.kafka.tools.LogDirsCommand",
        "kafka-metadata-quorum" => "org.apache.kafka.tools.MetadataQuorumCommand",
        "kafka-metadata-shell" => "org.apache.kafka.shell.MetadataShell",
        "kafka-producer-perf-test" => "org.apache.kafka.tools.ProducerPerformance",
        "kafka-reassign-partitions" if oldest => "kafka.admin.ReassignPartitionsCommand",
        "kafka-reassign-partitions" => "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
        "kafka-replica-verification" if oldest => "kafka.tools.ReplicaVerificationTool",
        "kafka-replica-verification" => "org.apache.kafka.tools.ReplicaVerificationTool",
        "kafka-share-consumer-perf-test" => "org.apache.kafka.tools.ShareConsumerPerformance",
        "kafka-share-groups" => "org.apache.kafka.tools.consumer.group.ShareGroupCommand",
        "kafka-storage" => "kafka.tools.StorageTool",
        "kafka-streams-application-reset" => "org.apache.kafka.tools.StreamsResetter",
        "kafka-streams-groups" => "org.apache.kafka.tools.streams.StreamsGroupCommand",
        "kafka-topics" if oldest => "kafka.admin.TopicCommand",
        "kafka-topics" => "org.apache.kafka.tools.TopicCommand",
        "kafka-transactions" => "org.apache.kafka.tools.TransactionsCommand",
        "kafka-verifiable-consumer" => "org.apache.kafka.tools.VerifiableConsumer",
        "kafka-verifiable-producer" => "org.apache.kafka.tools.VerifiableProducer",
        "kafka-verifiable-share-consumer" => "org.apache.kafka.tools.VerifiableShareConsumer",
        other => panic!("no main class is known for {other}"),
    }
}
