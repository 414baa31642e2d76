//! `kafka-run-class CLASS …`: the tools and servers by the names of their Java classes, as old
//! courses and scripts call them.
//!
//! Answers to Kafka's `kafka-run-class.sh`, from 2.x on.

use std::ffi::OsString;

/// Classes of Kafka 2.0 to 4.3, and the scripts that run them.
const CLASSES: &[(&str, &str)] = &[
    ("kafka.Kafka", "kafka-server-start"),
    ("kafka.admin.AclCommand", "kafka-acls"),
    ("kafka.admin.BrokerApiVersionsCommand", "kafka-broker-api-versions"),
    ("kafka.admin.ConfigCommand", "kafka-configs"),
    ("kafka.admin.ConsumerGroupCommand", "kafka-consumer-groups"),
    ("kafka.admin.DelegationTokenCommand", "kafka-delegation-tokens"),
    ("kafka.admin.DeleteRecordsCommand", "kafka-delete-records"),
    ("kafka.admin.FeatureCommand", "kafka-features"),
    ("kafka.admin.LeaderElectionCommand", "kafka-leader-election"),
    ("kafka.admin.LogDirsCommand", "kafka-log-dirs"),
    ("kafka.admin.MetadataQuorumCommand", "kafka-metadata-quorum"),
    ("kafka.admin.PreferredReplicaLeaderElectionCommand", "kafka-leader-election"),
    ("kafka.admin.ReassignPartitionsCommand", "kafka-reassign-partitions"),
    ("kafka.admin.TopicCommand", "kafka-topics"),
    ("kafka.tools.ClusterTool", "kafka-cluster"),
    ("kafka.tools.ConsoleConsumer", "kafka-console-consumer"),
    ("kafka.tools.ConsoleProducer", "kafka-console-producer"),
    ("kafka.tools.ConsumerPerformance", "kafka-consumer-perf-test"),
    ("kafka.tools.DumpLogSegments", "kafka-dump-log"),
    ("kafka.tools.EndToEndLatency", "kafka-e2e-latency"),
    ("kafka.tools.GetOffsetShell", "kafka-get-offsets"),
    ("kafka.tools.JmxTool", "kafka-jmx"),
    ("kafka.tools.MirrorMaker", "kafka-mirror-maker"),
    ("kafka.tools.ReplicaVerificationTool", "kafka-replica-verification"),
    ("kafka.tools.StorageTool", "kafka-storage"),
    ("kafka.tools.StreamsResetter", "kafka-streams-application-reset"),
    ("kafka.tools.TransactionsCommand", "kafka-transactions"),
    ("org.apache.kafka.shell.MetadataShell", "kafka-metadata-shell"),
    ("org.apache.kafka.tools.AclCommand", "kafka-acls"),
    ("org.apache.kafka.tools.BrokerApiVersionsCommand", "kafka-broker-api-versions"),
    ("org.apache.kafka.tools.ClientMetricsCommand", "kafka-client-metrics"),
    ("org.apache.kafka.tools.ClusterTool", "kafka-cluster"),
    ("org.apache.kafka.tools.ConsoleProducer", "kafka-console-producer"),
    ("org.apache.kafka.tools.ConsumerPerformance", "kafka-consumer-perf-test"),
    ("org.apache.kafka.tools.DelegationTokenCommand", "kafka-delegation-tokens"),
    ("org.apache.kafka.tools.DeleteRecordsCommand", "kafka-delete-records"),
    ("org.apache.kafka.tools.DumpLogSegments", "kafka-dump-log"),
    ("org.apache.kafka.tools.EndToEndLatency", "kafka-e2e-latency"),
    ("org.apache.kafka.tools.FeatureCommand", "kafka-features"),
    ("org.apache.kafka.tools.GetOffsetShell", "kafka-get-offsets"),
    ("org.apache.kafka.tools.GroupsCommand", "kafka-groups"),
    ("org.apache.kafka.tools.JmxTool", "kafka-jmx"),
    ("org.apache.kafka.tools.LeaderElectionCommand", "kafka-leader-election"),
    ("org.apache.kafka.tools.LogDirsCommand", "kafka-log-dirs"),
    ("org.apache.kafka.tools.MetadataQuorumCommand", "kafka-metadata-quorum"),
    ("org.apache.kafka.tools.ProducerPerformance", "kafka-producer-perf-test"),
    ("org.apache.kafka.tools.ReplicaVerificationTool", "kafka-replica-verification"),
    ("org.apache.kafka.tools.ShareConsumerPerformance", "kafka-share-consumer-perf-test"),
    ("org.apache.kafka.tools.StreamsResetter", "kafka-streams-application-reset"),
    ("org.apache.kafka.tools.TopicCommand", "kafka-topics"),
    ("org.apache.kafka.tools.TransactionsCommand", "kafka-transactions"),
    ("org.apache.kafka.tools.VerifiableConsumer", "kafka-verifiable-consumer"),
    ("org.apache.kafka.tools.VerifiableProducer", "kafka-verifiable-producer"),
    ("org.apache.kafka.tools.VerifiableShareConsumer", "kafka-verifiable-share-consumer"),
    ("org.apache.kafka.tools.consumer.ConsoleConsumer", "kafka-console-consumer"),
    ("org.apache.kafka.tools.consumer.ConsoleShareConsumer", "kafka-console-share-consumer"),
    ("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "kafka-consumer-groups"),
    ("org.apache.kafka.tools.consumer.group.ShareGroupCommand", "kafka-share-groups"),
    ("org.apache.kafka.tools.reassign.ReassignPartitionsCommand", "kafka-reassign-partitions"),
    ("org.apache.kafka.tools.streams.StreamsGroupCommand", "kafka-streams-groups"),
    ("org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka", "zookeeper-shell"),
    ("org.apache.zookeeper.server.quorum.QuorumPeerMain", "zookeeper-server-start"),
];

pub(crate) const NAME: &str = "kafka-run-class";
const USAGE: &str = "[-daemon] [-name servicename] [-loggc] classname [opts]";

/// Puts the script that runs the class in the place of `kafka-run-class` and the class, the words
/// from `at` on; what to say where there is none.
pub(crate) fn resolve(words: &mut Vec<OsString>, at: usize) -> Result<(), String> {
    let program = words.first().map(|word| word.to_string_lossy().into_owned());
    let mut class_at = at + 1;
    let mut is_daemon = false;
    loop {
        match words.get(class_at).and_then(|word| word.to_str()) {
            Some("-daemon") => is_daemon = true,
            Some("-name") => class_at += 1,
            Some("-loggc") => {}
            Some(class) => {
                let found = CLASSES.iter().find(|(known, _)| *known == class);
                let (_, script) = found.ok_or_else(|| {
                    format!(
                        "Error: Could not find or load main class {class}\nCaused by: \
                         java.lang.ClassNotFoundException: {class}"
                    )
                })?;
                let daemon = is_daemon.then(|| OsString::from("-daemon"));
                words.splice(at..=class_at, std::iter::once((*script).into()).chain(daemon));
                return Ok(());
            }
            None => return Err(format!("USAGE: {} {USAGE}", program.unwrap_or_default())),
        }
        class_at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install;

    fn resolved(line: &str) -> Result<String, String> {
        let mut words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        resolve(&mut words, 1)?;
        let words = words.iter().map(|word| word.to_string_lossy().into_owned());
        Ok(words.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_class_is_the_script_that_runs_it() {
        let table = [
            (
                "g kafka-run-class kafka.tools.GetOffsetShell --topic t",
                "g kafka-get-offsets --topic t",
            ),
            ("g kafka-run-class -name x -loggc kafka.Kafka f", "g kafka-server-start f"),
            ("g kafka-run-class -daemon kafka.Kafka f", "g kafka-server-start -daemon f"),
        ];
        for (line, expected) in table {
            assert_eq!(resolved(line).as_deref(), Ok(expected), "{line}");
        }
        let unknown = resolved("g kafka-run-class a.B").unwrap_err();
        assert!(unknown.starts_with("Error: Could not find or load main class a.B\n"), "{unknown}");
        assert!(
            resolved("g kafka-run-class -daemon").unwrap_err().starts_with("USAGE: g [-daemon]")
        );
        assert!(CLASSES.is_sorted());
        assert!(CLASSES.iter().all(|(_, name)| install::script(name).is_some()));
    }
}
