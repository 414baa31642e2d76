package org.apache.kafka.streams.integration.utils;

import kafkaown.Node;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.server.util.MockTime;
import org.apache.kafka.test.TestUtils;

import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;

/**
 * In the place of the cluster that Kafka Streams' tests run in their own JVM: a controller and
 * brokers that are processes.
 */
public class EmbeddedKafkaCluster {
    public final MockTime time;
    private final List<Node> nodes = new ArrayList<>();
    private final List<Node> brokers = new ArrayList<>();
    private final int count;
    private final Properties common;
    private final List<Properties> each;

    public EmbeddedKafkaCluster(int count) {
        this(count, new Properties());
    }

    public EmbeddedKafkaCluster(int count, Properties common) {
        this(count, common, System.currentTimeMillis());
    }

    public EmbeddedKafkaCluster(int count, Properties common, long start) {
        this(count, common, List.of(), start);
    }

    public EmbeddedKafkaCluster(int count, Properties common, List<Properties> each) {
        this(count, common, each, System.currentTimeMillis());
    }

    public EmbeddedKafkaCluster(int count, Properties common, List<Properties> each, long start) {
        this(count, common, each, start, System.nanoTime());
    }

    public EmbeddedKafkaCluster(
            int count, Properties common, List<Properties> each, long start, long nanos) {
        this.count = count;
        this.common = common;
        this.each = each;
        this.time = new MockTime(start, nanos);
    }

    public void start() {
        String id = Uuid.randomUuid().toString();
        String voters = "3000@localhost:" + Node.freePort();
        Map<String, String> c = base(voters, 3000, "controller");
        c.put("listeners", "CONTROLLER://" + voters.substring(voters.indexOf('@') + 1));
        nodes.add(new Node(3000, c, id, Map.of()));
        for (int i = 0; i < count; i++) {
            Map<String, String> p = base(voters, i, "broker");
            p.put("listeners", Node.bindable("EXTERNAL://localhost:0"));
            p.put("inter.broker.listener.name", "EXTERNAL");
            Map<String, String> defaults =
                    Map.of(
                            "group.min.session.timeout.ms",
                            "0",
                            "group.initial.rebalance.delay.ms",
                            "0",
                            "offsets.topic.replication.factor",
                            "1",
                            "offsets.topic.num.partitions",
                            "5",
                            "transaction.state.log.num.partitions",
                            "5",
                            "transaction.state.log.replication.factor",
                            "1",
                            "transaction.state.log.min.isr",
                            "1",
                            "auto.create.topics.enable",
                            "true",
                            "log.cleaner.dedupe.buffer.size",
                            "2097152");
            p.putAll(defaults);
            common.forEach((k, v) -> p.put(String.valueOf(k), String.valueOf(v)));
            if (i < each.size())
                each.get(i).forEach((k, v) -> p.put(String.valueOf(k), String.valueOf(v)));
            Node node = new Node(i, p, id, Map.of());
            nodes.add(node);
            brokers.add(node);
        }
        try {
            for (Node n : nodes) n.format();
        } catch (Exception e) {
            throw new RuntimeException(e);
        }
        nodes.forEach(Node::spawn);
        nodes.forEach(Node::await);
    }

    private static Map<String, String> base(String voters, int id, String role) {
        File dir = TestUtils.tempDirectory();
        Map<String, String> p = new HashMap<>();
        p.put("process.roles", role);
        p.put("node.id", String.valueOf(id));
        p.put("controller.quorum.voters", voters);
        p.put("controller.listener.names", "CONTROLLER");
        p.put("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,EXTERNAL:PLAINTEXT");
        p.put("log.dirs", dir.getPath());
        return p;
    }

    public void stop() {
        for (Node n : nodes) {
            n.kill();
            n.clean();
        }
        nodes.clear();
        brokers.clear();
    }

    public String bootstrapServers() {
        List<String> out = new ArrayList<>();
        brokers.forEach(b -> out.add("localhost:" + b.ports().get("EXTERNAL")));
        return String.join(",", out);
    }

    private Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", bootstrapServers()));
    }

    public void createTopics(String... topics) throws InterruptedException {
        for (String t : topics) createTopic(t, 1, 1);
    }

    public void createTopic(String topic) throws InterruptedException {
        createTopic(topic, 1, 1);
    }

    public void createTopic(String topic, int partitions, int replicas)
            throws InterruptedException {
        createTopic(topic, partitions, replicas, Map.of());
    }

    public void createTopic(String topic, int partitions, int replicas, Map<String, String> config)
            throws InterruptedException {
        try (Admin admin = admin()) {
            admin.createTopics(
                            List.of(
                                    new NewTopic(
                                                    topic,
                                                    Optional.of(partitions),
                                                    Optional.of((short) replicas))
                                            .configs(config)))
                    .all()
                    .get();
            TestUtils.waitForCondition(
                    () -> {
                        try {
                            return admin.describeTopics(List.of(topic))
                                            .allTopicNames()
                                            .get()
                                            .get(topic)
                                            .partitions()
                                            .size()
                                    == partitions;
                        } catch (ExecutionException e) {
                            return false;
                        }
                    },
                    "topic " + topic + " not seen");
        } catch (ExecutionException e) {
            throw new RuntimeException(e);
        }
    }

    public void deleteTopic(String topic) throws InterruptedException {
        deleteTopicsAndWait(-1, topic);
    }

    public void deleteTopicAndWait(String topic) throws InterruptedException {
        deleteTopicsAndWait(topic);
    }

    public void deleteTopics(String... topics) throws InterruptedException {
        deleteTopicsAndWait(-1, topics);
    }

    public void deleteTopicsAndWait(String... topics) throws InterruptedException {
        deleteTopicsAndWait(30_000, topics);
    }

    public void deleteTopicsAndWait(long timeout, String... topics) throws InterruptedException {
        try (Admin admin = admin()) {
            for (String t : topics) {
                try {
                    admin.deleteTopics(List.of(t)).all().get();
                } catch (ExecutionException e) {
                    if (!(e.getCause() instanceof UnknownTopicOrPartitionException))
                        throw new RuntimeException(e);
                }
            }
        }
        if (timeout > 0)
            TestUtils.waitForCondition(
                    () -> Arrays.stream(topics).noneMatch(getAllTopicsInCluster()::contains),
                    timeout,
                    "topics not deleted");
    }

    public void deleteAllTopicsAndWait(long timeout) throws InterruptedException {
        Set<String> topics = getAllTopicsInCluster();
        topics.removeIf(t -> t.startsWith("__"));
        deleteTopicsAndWait(timeout, topics.toArray(new String[0]));
    }

    public void waitForRemainingTopics(long timeout, String... topics) throws InterruptedException {
        Set<String> wanted = Set.of(topics);
        TestUtils.waitForCondition(
                () -> {
                    Set<String> now = getAllTopicsInCluster();
                    now.removeIf(t -> t.startsWith("__"));
                    return now.equals(wanted);
                },
                timeout,
                "topics are not " + wanted);
    }

    public Properties getLogConfig(String topic) {
        try (Admin admin = admin()) {
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            Properties out = new Properties();
            admin.describeConfigs(List.of(resource))
                    .all()
                    .get()
                    .get(resource)
                    .entries()
                    .forEach(
                            e -> {
                                if (e.value() != null) out.put(e.name(), e.value());
                            });
            return out;
        } catch (InterruptedException | ExecutionException e) {
            throw new RuntimeException(e);
        }
    }

    public Set<String> getAllTopicsInCluster() {
        try (Admin admin = admin()) {
            return new HashSet<>(
                    admin.listTopics(
                                    new org.apache.kafka.clients.admin.ListTopicsOptions()
                                            .listInternal(true))
                            .names()
                            .get());
        } catch (InterruptedException | ExecutionException e) {
            throw new RuntimeException(e);
        }
    }
}
