package org.apache.kafka.common.test;

import kafka.raft.KafkaRaftManager;
import kafka.server.BrokerServer;
import kafka.server.ControllerServer;
import kafka.server.KafkaConfig;

import kafkaown.Fakes;
import kafkaown.Node;
import kafkaown.Shape;

import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.controller.Controller;
import org.apache.kafka.server.common.ApiMessageAndVersion;

import java.io.File;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/**
 * In the place of the class that runs a cluster inside the JVM of the test: this one's nodes are
 * processes.
 */
public class KafkaClusterTestKit implements AutoCloseable {
    public static class Builder {
        private final TestKitNodes nodes;
        private final Map<String, String> common = new HashMap<>();
        private boolean delete = true;

        public Builder(TestKitNodes nodes) {
            this.nodes = nodes;
        }

        public Builder setConfigProp(String key, Object value) {
            common.put(key, String.valueOf(value));
            return this;
        }

        /** Voters are static here, however the test would have them. */
        public Builder setStandalone(boolean standalone) {
            return this;
        }

        public Builder setInitialVoterSet(Map<Integer, Uuid> voters) {
            return this;
        }

        public Builder setDeleteOnClose(boolean delete) {
            this.delete = delete;
            return this;
        }

        public KafkaClusterTestKit build() {
            Shape.check(nodes.brokerNodes().keySet().stream().anyMatch(nodes::isCombined));
            if (nodes.brokerListenerProtocol() != SecurityProtocol.PLAINTEXT
                    || nodes.controllerListenerProtocol() != SecurityProtocol.PLAINTEXT)
                throw kafkaown.Sut.unasked("security");
            return new KafkaClusterTestKit(this);
        }
    }

    private final TestKitNodes nodes;
    private final boolean delete;
    private final List<Node> processes = new ArrayList<>();
    private final Map<Integer, BrokerServer> brokers = new TreeMap<>();
    private final Map<Integer, ControllerServer> controllers = new TreeMap<>();
    private final MockFaultHandler fatal = new MockFaultHandler("fatal");
    private final MockFaultHandler nonFatal = new MockFaultHandler("nonFatal");

    private KafkaClusterTestKit(Builder builder) {
        this.nodes = builder.nodes;
        this.delete = builder.delete;
        String brokerListener = nodes.brokerListenerName().value();
        String controllerListener = nodes.controllerListenerName().value();
        Map<Integer, Integer> quorum = new TreeMap<>();
        nodes.controllerNodes().keySet().forEach(id -> quorum.put(id, Node.freePort()));
        StringBuilder voters = new StringBuilder();
        quorum.forEach(
                (id, port) ->
                        voters.append(voters.length() == 0 ? "" : ",")
                                .append(id)
                                .append("@localhost:")
                                .append(port));

        TreeMap<Integer, TestKitNode> every = new TreeMap<>(nodes.controllerNodes());
        nodes.brokerNodes().forEach(every::putIfAbsent);
        for (int id : every.keySet()) {
            TestKitNode broker = nodes.brokerNodes().get(id);
            TestKitNode controller = nodes.controllerNodes().get(id);
            Map<String, String> p = new HashMap<>(builder.common);
            p.put(
                    "process.roles",
                    broker == null
                            ? "controller"
                            : controller == null ? "broker" : "broker,controller");
            p.put("node.id", String.valueOf(id));
            p.put(
                    "metadata.log.dir",
                    (controller != null ? controller : broker).metadataDirectory());
            p.put(
                    "log.dirs",
                    broker != null
                            ? String.join(",", broker.logDataDirectories())
                            : controller.metadataDirectory());
            p.putIfAbsent(
                    "listener.security.protocol.map",
                    brokerListener + ":PLAINTEXT," + controllerListener + ":PLAINTEXT");
            List<String> listeners = new ArrayList<>();
            if (broker != null) listeners.add(brokerListener + "://localhost:0");
            if (controller != null)
                listeners.add(controllerListener + "://localhost:" + quorum.get(id));
            p.putIfAbsent("listeners", String.join(",", listeners));
            p.putIfAbsent("inter.broker.listener.name", brokerListener);
            p.putIfAbsent("controller.listener.names", controllerListener);
            p.put("controller.quorum.voters", voters.toString());
            p.putIfAbsent("log.cleaner.dedupe.buffer.size", "2097152");
            if (broker != null) p.putAll(broker.propertyOverrides());
            if (controller != null) p.putAll(controller.propertyOverrides());
            p.put("listeners", Node.bindable(p.get("listeners")));
            Node node =
                    new Node(id, p, nodes.clusterId(), Shape.features(nodes.bootstrapMetadata()));
            processes.add(node);
            KafkaConfig config = new KafkaConfig(p, false);
            if (broker != null) brokers.put(id, Fakes.broker(node, config, processes));
            if (controller != null) controllers.put(id, Fakes.controller(node, config, processes));
        }
    }

    public void format() throws Exception {
        for (Node node : processes) node.format();
    }

    public void startup() {
        for (Node node : processes) node.spawn();
        for (Node node : processes) node.await();
    }

    public void waitForReadyBrokers()
            throws java.util.concurrent.ExecutionException, InterruptedException {
        controllers
                .values()
                .iterator()
                .next()
                .controller()
                .waitForReadyBrokers(brokers.size())
                .get();
        TestUtils.waitForCondition(
                () ->
                        brokers.values().stream()
                                .map(BrokerServer::metadataCache)
                                .allMatch(
                                        cache ->
                                                brokers.keySet().stream()
                                                        .allMatch(cache::hasAliveBroker)),
                "brokers do not know each other");
    }

    public class ClientPropertiesBuilder {
        private final Properties properties;
        private boolean controllersWanted;

        public ClientPropertiesBuilder() {
            this(new Properties());
        }

        public ClientPropertiesBuilder(Properties properties) {
            this.properties = properties;
        }

        public ClientPropertiesBuilder setUsingBootstrapControllers(boolean wanted) {
            this.controllersWanted = wanted;
            return this;
        }

        public Properties build() {
            properties.remove(controllersWanted ? "bootstrap.servers" : "bootstrap.controllers");
            properties.setProperty(
                    controllersWanted ? "bootstrap.controllers" : "bootstrap.servers",
                    controllersWanted ? bootstrapControllers() : bootstrapServers());
            return properties;
        }
    }

    public ClientPropertiesBuilder newClientPropertiesBuilder(Properties properties) {
        return new ClientPropertiesBuilder(properties);
    }

    public ClientPropertiesBuilder newClientPropertiesBuilder() {
        return new ClientPropertiesBuilder();
    }

    public Properties clientProperties() {
        return new ClientPropertiesBuilder().build();
    }

    public String bootstrapServers() {
        List<String> out = new ArrayList<>();
        brokers.values()
                .forEach(b -> out.add("localhost:" + b.boundPort(nodes.brokerListenerName())));
        return String.join(",", out);
    }

    public String bootstrapControllers() {
        List<String> out = new ArrayList<>();
        controllers
                .values()
                .forEach(
                        c ->
                                out.add(
                                        "localhost:"
                                                + c.socketServer()
                                                        .boundPort(
                                                                nodes.controllerListenerName())));
        return String.join(",", out);
    }

    public Map<Integer, ControllerServer> controllers() {
        return Collections.unmodifiableMap(controllers);
    }

    public Controller waitForActiveController() throws InterruptedException {
        Controller[] found = new Controller[1];
        TestUtils.waitForCondition(
                () -> {
                    for (ControllerServer c : controllers.values())
                        if (c.controller().isActive()) found[0] = c.controller();
                    return found[0] != null;
                },
                60_000,
                "no active controller");
        return found[0];
    }

    public Map<Integer, BrokerServer> brokers() {
        return Collections.unmodifiableMap(brokers);
    }

    public Map<Integer, KafkaRaftManager<ApiMessageAndVersion>> raftManagers() {
        Map<Integer, KafkaRaftManager<ApiMessageAndVersion>> out = new HashMap<>();
        controllers.forEach((id, c) -> out.put(id, c.raftManager()));
        brokers.forEach((id, b) -> out.putIfAbsent(id, b.raftManager()));
        return out;
    }

    public TestKitNodes nodes() {
        return nodes;
    }

    public MockFaultHandler fatalFaultHandler() {
        return fatal;
    }

    public MockFaultHandler nonFatalFaultHandler() {
        return nonFatal;
    }

    @Override
    public void close() throws Exception {
        for (Node node : processes) node.kill();
        if (delete) Utils.delete(new File(nodes.baseDirectory()));
        for (Node node : processes) node.clean();
    }
}
