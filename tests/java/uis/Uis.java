import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * What web UIs call, by the admin client: one line per call and UI with what the answer holds.
 * Words: bootstrap=HOST:PORT
 */
public final class Uis {
    private static final String ALL = "kafka-ui kouncil akhq console conduktor";
    private static final String TOPIC = "ui-orders";
    private static final String GROUP = "ui-group";
    private static final ConfigResource BROKER = new ConfigResource(ConfigResource.Type.BROKER, "1");
    private static final ConfigResource OF_TOPIC = new ConfigResource(ConfigResource.Type.TOPIC, TOPIC);

    private final Admin admin;

    private interface Call {
        Object answer() throws Exception;
    }

    private Uis(Admin admin) {
        this.admin = admin;
    }

    public static void main(String[] words) throws Exception {
        String bootstrap = words[0].substring("bootstrap=".length());
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            Uis uis = new Uis(admin);
            uis.fill(bootstrap);
            uis.refresh();
            uis.use();
            uis.clear();
        }
    }

    private void fill(String bootstrap) throws Exception {
        NewTopic topic = new NewTopic(TOPIC, 3, (short) 1);
        admin.createTopics(List.of(topic.configs(Map.of("retention.ms", "86400000")))).all().get();
        Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap, "acks", "all");
        StringSerializer text = new StringSerializer();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, text, text)) {
            for (int number = 0; number < 30; number++) {
                producer.send(new ProducerRecord<>(TOPIC, number % 3, "key-" + number, "value")).get();
            }
        }
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (int partition = 0; partition < 3; partition++) {
            offsets.put(new TopicPartition(TOPIC, partition), new OffsetAndMetadata(partition + 1));
        }
        admin.alterConsumerGroupOffsets(GROUP, offsets).all().get();
    }

    /** On connect and at every refresh. */
    private void refresh() {
        row(ALL, "describeCluster", () -> {
            DescribeClusterOptions options = new DescribeClusterOptions().includeAuthorizedOperations(true);
            DescribeClusterResult found = admin.describeCluster(options);
            return "id=" + found.clusterId().get() + " controller=" + found.controller().get().id()
                + " nodes=" + found.nodes().get() + " may=" + new TreeSet<>(found.authorizedOperations().get());
        });
        row(ALL, "describeConfigs of a broker", () -> {
            Config config = admin.describeConfigs(List.of(BROKER)).all().get().get(BROKER);
            return config.entries().size() + " entries, " + shown(config, List.of("inter.broker.protocol.version",
                "delete.topic.enable", "auto.create.topics.enable", "log.retention.hours", "log.dirs", "node.id"));
        });
        row("kafka-ui console", "describeFeatures", () -> {
            FeatureMetadata found = admin.describeFeatures().featureMetadata().get();
            return "finalized=" + new TreeMap<>(found.finalizedFeatures())
                + " supported=" + new TreeMap<>(found.supportedFeatures());
        });
        row("kafka-ui akhq console conduktor", "describeAcls", () ->
            admin.describeAcls(AclBindingFilter.ANY).values().get());
        row("kafka-ui", "describeMetadataQuorum", () -> {
            QuorumInfo found = admin.describeMetadataQuorum().quorumInfo().get();
            return "leader=" + found.leaderId() + " voters=" + ids(found.voters())
                + " observers=" + ids(found.observers()) + " behind=" + (found.highWatermark() <= 0);
        });
        row(ALL, "listTopics with internal ones", () ->
            new TreeSet<>(admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get()));
        row(ALL, "describeTopics", () -> {
            DescribeTopicsOptions options = new DescribeTopicsOptions().includeAuthorizedOperations(true);
            TopicDescription found = admin.describeTopics(List.of(TOPIC), options).allTopicNames().get().get(TOPIC);
            return "internal=" + found.isInternal() + " id=" + !found.topicId().toString().isEmpty()
                + " partitions=" + found.partitions().stream().map(one -> one.partition() + ":" + one.leader().id()
                + one.replicas().size() + one.isr().size()).collect(Collectors.toList())
                + " may=" + new TreeSet<>(found.authorizedOperations());
        });
        row(ALL, "describeConfigs of a topic", () -> {
            DescribeConfigsOptions options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
            Config config = admin.describeConfigs(List.of(OF_TOPIC), options).all().get().get(OF_TOPIC);
            ConfigEntry retention = config.get("retention.ms");
            return config.entries().size() + " entries, " + shown(config, List.of("retention.ms", "cleanup.policy",
                "min.insync.replicas")) + " synonyms=" + retention.synonyms().size() + " type=" + retention.type()
                + " documented=" + !retention.documentation().isEmpty();
        });
        row("kafka-ui akhq console conduktor", "describeLogDirs", () -> {
            Map<String, LogDirDescription> found = admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1);
            List<String> shown = new ArrayList<>();
            found.forEach((path, one) -> {
                ReplicaInfo replica = one.replicaInfos().get(new TopicPartition(TOPIC, 0));
                shown.add(path + " error=" + one.error() + " size=" + replica.size() + " lag=" + replica.offsetLag()
                    + " future=" + replica.isFuture() + " total=" + (one.totalBytes().orElse(0) > 0)
                    + " usable=" + (one.usableBytes().orElse(0) > 0));
            });
            return shown;
        });
        row(ALL, "listOffsets", () -> "earliest=" + offsets(OffsetSpec.earliest()) + " latest="
            + offsets(OffsetSpec.latest()) + " newest=" + offsets(OffsetSpec.maxTimestamp()).size()
            + " from 1970=" + offsets(OffsetSpec.forTimestamp(0)));
        row(ALL, "listConsumerGroups", () -> admin.listConsumerGroups().all().get().stream().map(one ->
            one.groupId() + " simple=" + one.isSimpleConsumerGroup() + " " + one.state().map(Object::toString).orElse("-"))
            .sorted().collect(Collectors.toList()));
        row(ALL, "describeConsumerGroups", () -> {
            DescribeConsumerGroupsOptions options = new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true);
            ConsumerGroupDescription found =
                admin.describeConsumerGroups(List.of(GROUP), options).all().get().get(GROUP);
            return found.state() + " coordinator=" + found.coordinator().id() + " members=" + found.members().size()
                + " may=" + new TreeSet<>(found.authorizedOperations());
        });
        row(ALL, "listConsumerGroupOffsets", this::committed);
        row("console", "describeUserScramCredentials", () ->
            admin.describeUserScramCredentials().all().get());
        row("kafka-ui console", "describeClientQuotas", () ->
            admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get());
        row("console", "listPartitionReassignments", () ->
            admin.listPartitionReassignments().reassignments().get());
    }

    /** On use. */
    private void use() {
        row("kafka-ui", "describeProducers", () -> admin.describeProducers(List.of(partition(0))).all().get()
            .get(partition(0)).activeProducers().size());
        row(ALL, "createPartitions", () -> {
            admin.createPartitions(Map.of(TOPIC, NewPartitions.increaseTo(4))).all().get();
            return partitions();
        });
        row("kafka-ui console conduktor", "incrementalAlterConfigs", () -> {
            AlterConfigOp set = new AlterConfigOp(new ConfigEntry("retention.ms", "3600000"), AlterConfigOp.OpType.SET);
            admin.incrementalAlterConfigs(Map.of(OF_TOPIC, List.of(set))).all().get();
            return shown(admin.describeConfigs(List.of(OF_TOPIC)).all().get().get(OF_TOPIC), List.of("retention.ms"));
        });
        // The clients from 4.0 on have no such call any more.
        row("akhq", "alterConfigs", () -> {
            Config config = new Config(List.of(new ConfigEntry("retention.ms", "7200000")));
            try {
                Object done = Admin.class.getMethod("alterConfigs", Map.class).invoke(admin, Map.of(OF_TOPIC, config));
                ((KafkaFuture<?>) done.getClass().getMethod("all").invoke(done)).get();
            } catch (NoSuchMethodException gone) {
                return "not in this client";
            }
            return shown(admin.describeConfigs(List.of(OF_TOPIC)).all().get().get(OF_TOPIC), List.of("retention.ms"));
        });
        row("kafka-ui console", "alterPartitionReassignments", () -> {
            NewPartitionReassignment same = new NewPartitionReassignment(List.of(1));
            admin.alterPartitionReassignments(Map.of(partition(0), java.util.Optional.of(same))).all().get();
            return admin.listPartitionReassignments().reassignments().get();
        });
        row("kafka-ui akhq console", "deleteRecords", () -> {
            admin.deleteRecords(Map.of(partition(0), RecordsToDelete.beforeOffset(4))).all().get();
            return offsets(OffsetSpec.earliest());
        });
        row("kafka-ui kouncil console", "alterConsumerGroupOffsets", () -> {
            admin.alterConsumerGroupOffsets(GROUP, Map.of(partition(1), new OffsetAndMetadata(7))).all().get();
            return committed();
        });
        row("kafka-ui akhq console", "deleteConsumerGroupOffsets", () -> {
            admin.deleteConsumerGroupOffsets(GROUP, Set.of(partition(2))).all().get();
            return committed();
        });
    }

    private void clear() {
        row("kafka-ui kouncil akhq console", "deleteConsumerGroups", () -> {
            admin.deleteConsumerGroups(List.of(GROUP)).all().get();
            return admin.listConsumerGroups().all().get().size();
        });
        row(ALL, "deleteTopics", () -> {
            admin.deleteTopics(List.of(TOPIC)).all().get();
            return admin.listTopics().names().get();
        });
    }

    private static TopicPartition partition(int number) {
        return new TopicPartition(TOPIC, number);
    }

    private Object partitions() throws Exception {
        // Another node's metadata may be a moment behind.
        for (int attempt = 0; ; attempt++) {
            int found = admin.describeTopics(List.of(TOPIC)).allTopicNames().get().get(TOPIC).partitions().size();
            if (found == 4 || attempt == 50) {
                return found;
            }
            Thread.sleep(20);
        }
    }

    private Map<Integer, Long> offsets(OffsetSpec spec) throws Exception {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        for (int partition = 0; partition < 3; partition++) {
            asked.put(partition(partition), spec);
        }
        Map<Integer, Long> offsets = new TreeMap<>();
        admin.listOffsets(asked).all().get().forEach((at, found) -> offsets.put(at.partition(), found.offset()));
        return offsets;
    }

    private Object committed() throws Exception {
        Map<Integer, Long> offsets = new TreeMap<>();
        admin.listConsumerGroupOffsets(GROUP).partitionsToOffsetAndMetadata().get()
            .forEach((at, found) -> offsets.put(at.partition(), found.offset()));
        return offsets;
    }

    private static Object ids(Collection<QuorumInfo.ReplicaState> replicas) {
        return replicas.stream().map(QuorumInfo.ReplicaState::replicaId).sorted().collect(Collectors.toList());
    }

    private static String shown(Config config, List<String> names) {
        return names.stream().map(name -> {
            ConfigEntry entry = config.get(name);
            return entry == null ? name + " (none)" : name + "=" + entry.value() + " (" + entry.source() + ")";
        }).collect(Collectors.joining(", "));
    }

    private static void row(String uis, String call, Call asked) {
        String fact;
        try {
            fact = String.valueOf(asked.answer());
        } catch (ExecutionException failed) {
            fact = failed.getCause().getClass().getSimpleName() + ": " + failed.getCause().getMessage();
        } catch (Exception failed) {
            fact = failed.toString();
        }
        for (String ui : uis.split(" ")) {
            System.out.println(ui + " " + call + "\t" + fact);
        }
    }
}
