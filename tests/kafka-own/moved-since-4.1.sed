# Classes of Kafka that have another name in 4.3 than in 4.1.
s/kafka\.server\.metadata\.KRaftMetadataCache\b/org.apache.kafka.metadata.KRaftMetadataCache/
s/kafka\.server\.BrokerLifecycleManager\b/org.apache.kafka.server.BrokerLifecycleManager/
s/\bReplicatedLog\b/RaftLog/g
