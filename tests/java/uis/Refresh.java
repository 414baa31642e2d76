import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.config.ConfigResource;

/**
 * A web UI's full refresh of a big cluster, timed part by part: `part MS` lines, the best of three.
 * Words: bootstrap=HOST:PORT topics=N groups=N
 */
public final class Refresh {
    private static final int AT_ONCE = 200;

    private final Admin admin;
    private final Map<String, Long> parts = new LinkedHashMap<>();

    private interface Part<T> {
        T ask() throws Exception;
    }

    private Refresh(Admin admin) {
        this.admin = admin;
    }

    public static void main(String[] words) throws Exception {
        Map<String, String> given = new HashMap<>();
        for (String word : words) {
            given.put(word.substring(0, word.indexOf('=')), word.substring(word.indexOf('=') + 1));
        }
        Map<String, Object> settings = Map.of("bootstrap.servers", given.get("bootstrap"));
        try (Admin admin = Admin.create(settings)) {
            long began = System.nanoTime();
            fill(admin, Integer.parseInt(given.get("topics")), Integer.parseInt(given.get("groups")));
            System.out.println("fill " + (System.nanoTime() - began) / 1_000_000);
            Refresh best = null;
            for (int round = 0; round < 3; round++) {
                Refresh refresh = new Refresh(admin);
                refresh.all();
                best = best == null || refresh.total() < best.total() ? refresh : best;
            }
            best.parts.forEach((part, ms) -> System.out.println(part + " " + ms));
            System.out.println("total " + best.total());
        }
    }

    private static void fill(Admin admin, int topics, int groups) throws Exception {
        for (int from = 0; from < topics; from += AT_ONCE) {
            List<NewTopic> some = new ArrayList<>();
            for (int number = from; number < Math.min(from + AT_ONCE, topics); number++) {
                some.add(new NewTopic("topic-" + number, 3, (short) 1));
            }
            admin.createTopics(some).all().get();
        }
        List<KafkaFuture<Void>> committed = new ArrayList<>();
        for (int number = 0; number < groups; number++) {
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            for (int partition = 0; partition < 3; partition++) {
                offsets.put(new TopicPartition("topic-" + number % topics, partition), new OffsetAndMetadata(0));
            }
            committed.add(admin.alterConsumerGroupOffsets("group-" + number, offsets).all());
        }
        KafkaFuture.allOf(committed.toArray(new KafkaFuture<?>[0])).get();
    }

    private void all() throws Exception {
        Collection<org.apache.kafka.common.Node> nodes =
            part("describeCluster", () -> admin.describeCluster().nodes().get());
        List<ConfigResource> brokers = nodes.stream().map(node ->
            new ConfigResource(ConfigResource.Type.BROKER, node.idString())).collect(Collectors.toList());
        part("describeConfigs of brokers", () -> admin.describeConfigs(brokers).all().get());
        part("describeFeatures", () -> admin.describeFeatures().featureMetadata().get());
        part("describeMetadataQuorum", () -> admin.describeMetadataQuorum().quorumInfo().get());
        part("describeAcls", () -> {
            try {
                return admin.describeAcls(AclBindingFilter.ANY).values().get().size();
            } catch (java.util.concurrent.ExecutionException off) {
                return 0;
            }
        });
        Collection<String> topics = part("listTopics", () ->
            admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get());
        Map<String, TopicDescription> described = part("describeTopics", () ->
            admin.describeTopics(topics).allTopicNames().get());
        List<ConfigResource> resources = topics.stream().map(topic ->
            new ConfigResource(ConfigResource.Type.TOPIC, topic)).collect(Collectors.toList());
        int configs = part("describeConfigs of topics", () -> admin.describeConfigs(resources).all().get().size());
        List<Integer> ids = nodes.stream().map(org.apache.kafka.common.Node::id).collect(Collectors.toList());
        part("describeLogDirs", () -> admin.describeLogDirs(ids).allDescriptions().get());
        int earliest = part("listOffsets, earliest", () -> offsets(described, OffsetSpec.earliest()));
        int latest = part("listOffsets, latest", () -> offsets(described, OffsetSpec.latest()));
        List<String> groups = part("listConsumerGroups", () -> admin.listConsumerGroups().all().get().stream()
            .map(ConsumerGroupListing::groupId).collect(Collectors.toList()));
        part("describeConsumerGroups", () -> admin.describeConsumerGroups(groups).all().get());
        Map<String, ListConsumerGroupOffsetsSpec> asked = new HashMap<>();
        groups.forEach(group -> asked.put(group, new ListConsumerGroupOffsetsSpec()));
        int committed = part("listConsumerGroupOffsets", () ->
            admin.listConsumerGroupOffsets(asked).all().get().values().stream().mapToInt(Map::size).sum());
        System.out.println("saw " + described.size() + " topics, " + configs + " configs, " + earliest + " and "
            + latest + " offsets, " + groups.size() + " groups, " + committed + " committed");
    }

    private int offsets(Map<String, TopicDescription> topics, OffsetSpec spec) throws Exception {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        topics.forEach((name, topic) -> topic.partitions().forEach(partition ->
            asked.put(new TopicPartition(name, partition.partition()), spec)));
        return admin.listOffsets(asked).all().get().size();
    }

    private <T> T part(String name, Part<T> part) throws Exception {
        long began = System.nanoTime();
        T answer = part.ask();
        parts.put(name, (System.nanoTime() - began) / 1_000_000);
        return answer;
    }

    private long total() {
        return parts.values().stream().mapToLong(Long::longValue).sum();
    }
}
