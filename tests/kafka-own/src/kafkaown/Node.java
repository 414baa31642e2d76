package kafkaown;

import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** A server process of its own: broker, controller or both. */
public final class Node {
    public final int id;
    public final boolean broker;
    public final boolean controller;
    public final Map<String, String> props;
    public final String clusterId;
    private final Map<String, Short> features;
    private final Path home;
    final boolean ofClass = Sut.beforeClass;
    private Process process;
    private boolean starts;
    private boolean waited = true;
    private int times;

    public Node(int id, Map<String, String> props, String clusterId, Map<String, Short> features) {
        this.id = id;
        this.props = new TreeMap<>(props);
        this.clusterId = clusterId;
        this.features = features;
        String roles = props.getOrDefault("process.roles", "broker");
        this.broker = roles.contains("broker");
        this.controller = roles.contains("controller");
        try {
            this.home = Files.createTempDirectory("kafka-own-node-" + id + "-");
        } catch (IOException e) {
            throw new RuntimeException(e);
        }
    }

    private static final Random RANDOM = new Random();
    private static final Set<Integer> TAKEN = new HashSet<>();
    private static final FileChannel PORTS = portsInUse();

    /** A byte for each port, locked by the run that took it: runs beside one another share none. */
    private static FileChannel portsInUse() {
        Path beside = Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath().getParent();
        try {
            return FileChannel.open(
                    beside.resolve("kafka-own.ports"),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new RuntimeException(e);
        }
    }

    /** Below the range that clients' sockets are given. */
    public static synchronized int freePort() {
        while (true) {
            int port = 12000 + RANDOM.nextInt(20000);
            if (TAKEN.contains(port)) continue;
            try (ServerSocket s = new ServerSocket(port, 1, InetAddress.getByName("localhost"))) {
                if (PORTS.tryLock(port, 1, false) == null) continue;
                TAKEN.add(port);
                return port;
            } catch (IOException e) {
                // somebody's
            }
        }
    }

    /** Every port 0 of these listeners becomes a free port. */
    public static String bindable(String listeners) {
        StringBuilder out = new StringBuilder();
        for (String listener : listeners.split(",")) {
            if (listener.isBlank()) continue;
            if (out.length() > 0) out.append(',');
            out.append(
                    listener.trim().endsWith(":0")
                            ? listener.trim().substring(0, listener.trim().length() - 1)
                                    + freePort()
                            : listener.trim());
        }
        return out.toString();
    }

    public Map<String, Integer> ports() {
        Map<String, Integer> result = new LinkedHashMap<>();
        for (String listener : props.getOrDefault("listeners", "").split(",")) {
            int colon = listener.lastIndexOf(':');
            if (colon > 0)
                result.put(
                        listener.substring(0, listener.indexOf("://")).trim(),
                        Integer.parseInt(listener.substring(colon + 1).trim()));
        }
        return result;
    }

    int port(String listener) {
        Integer port = ports().get(listener);
        if (port == null) port = ports().get(listener.toUpperCase());
        return port == null ? -1 : port;
    }

    /** The port that speaks for this node's first role. */
    int mainPort() {
        Set<String> controllers =
                Set.of(props.getOrDefault("controller.listener.names", "CONTROLLER").split(","));
        for (Map.Entry<String, Integer> e : ports().entrySet())
            if (!broker || !controllers.contains(e.getKey())) return e.getValue();
        return ports().values().iterator().next();
    }

    int controllerPort() {
        return port(props.getOrDefault("controller.listener.names", "CONTROLLER").split(",")[0]);
    }

    List<String> logDirs() {
        List<String> dirs = new ArrayList<>();
        for (String d :
                props.getOrDefault("log.dirs", props.getOrDefault("log.dir", "")).split(","))
            if (!d.isBlank()) dirs.add(d.trim());
        return dirs;
    }

    private File file() throws IOException {
        File file = home.resolve("server.properties").toFile();
        Properties out = new Properties();
        out.putAll(props);
        try (var stream = Files.newOutputStream(file.toPath())) {
            out.store(stream, null);
        }
        return file;
    }

    public void format() throws Exception {
        Set<String> dirs = new HashSet<>(logDirs());
        String metadata = props.get("metadata.log.dir");
        if (metadata != null) dirs.add(metadata);
        for (String d : dirs) Files.createDirectories(Path.of(d));
        MetadataVersion version =
                features.containsKey(MetadataVersion.FEATURE_NAME)
                        ? MetadataVersion.fromFeatureLevel(
                                features.get(MetadataVersion.FEATURE_NAME))
                        : null;
        if (Sut.STOCK) {
            Formatter formatter =
                    new Formatter()
                            .setNodeId(id)
                            .setClusterId(clusterId)
                            .setDirectories(dirs)
                            .setReleaseVersion(
                                    version == null ? MetadataVersion.LATEST_PRODUCTION : version)
                            .setIgnoreFormatted(true)
                            .setControllerListenerName(
                                    props.getOrDefault("controller.listener.names", "CONTROLLER")
                                            .split(",")[0])
                            .setMetadataLogDirectory(
                                    metadata != null ? metadata : logDirs().get(0));
            features.forEach(
                    (name, l) -> {
                        if (!name.equals(MetadataVersion.FEATURE_NAME))
                            formatter.setFeatureLevel(name, l);
                    });
            formatter.run();
            return;
        }
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Sut.GREGOR,
                                "kafka-storage",
                                "format",
                                "-g",
                                "-t",
                                clusterId,
                                "-c",
                                file().getPath()));
        if (version != null) command.addAll(List.of("--release-version", version.version()));
        features.forEach(
                (name, l) -> {
                    if (!name.equals(MetadataVersion.FEATURE_NAME))
                        command.addAll(List.of("--feature", name + "=" + l));
                });
        File log = home.resolve("format.log").toFile();
        Process p =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log).start();
        if (p.waitFor() != 0) {
            String said = Files.readString(log.toPath()).strip();
            Sut.broke("format refused: " + said);
            throw new IllegalStateException("format refused: " + said);
        }
    }

    public synchronized void spawn() {
        if (alive()) return;
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command())
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.appendTo(log()));
            process = builder.start();
            times++;
            starts = true;
            waited = false;
            if (!Sut.NODES.contains(this)) Sut.NODES.add(this);
        } catch (IOException e) {
            throw new RuntimeException(e);
        }
    }

    private List<String> command() throws IOException {
        if (!Sut.STOCK) return List.of(Sut.GREGOR, "kafka-server-start", file().getPath());
        List<String> command = new ArrayList<>(List.of("java", "-Xmx256m"));
        command.addAll(List.of(Sut.STOCK_JVM.split(" ")));
        command.addAll(List.of("-cp", Sut.STOCK_JARS + "/*", "kafka.Kafka", file().getPath()));
        return command;
    }

    private File log() {
        if (Sut.LOGS.isEmpty()) return home.resolve("node.log").toFile();
        String name = Sut.test.replaceAll("[^A-Za-z0-9_.-]+", "_");
        File dir = new File(Sut.LOGS, name.length() > 150 ? name.substring(0, 150) : name);
        dir.mkdirs();
        return new File(dir, "node-" + id + ".log");
    }

    boolean firstStart() {
        return times == 0;
    }

    /** Until it serves; a broker until it says itself that it is in the cluster. */
    public void await() {
        if (waited || !starts) return;
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        String last = "nothing";
        while (System.nanoTime() < until) {
            if (!alive()) {
                waited = true;
                throw died();
            }
            try {
                if (!broker) {
                    if (Wire.listens(mainPort())) {
                        waited = true;
                        return;
                    }
                } else {
                    MetadataResponseData data = Wire.metadata(mainPort(), "");
                    if (data.brokers().find(id) != null) {
                        waited = true;
                        return;
                    }
                    last = "brokers " + data.brokers();
                }
            } catch (IOException | RuntimeException e) {
                last = e.toString();
            }
            pause(20);
        }
        waited = true;
        Sut.broke("node " + id + " not ready after 60 s: " + last);
        throw new IllegalStateException("node " + id + " not ready after 60 s: " + last);
    }

    private IllegalStateException died() {
        String said = "";
        try {
            List<String> lines = Files.readAllLines(log().toPath());
            lines.removeIf(String::isBlank);
            List<String> errors =
                    lines.stream()
                            .filter(
                                    l ->
                                            l.contains("ERROR")
                                                    || l.contains("FATAL")
                                                    || l.contains("Exception")
                                                    || l.contains("rror:"))
                            .toList();
            said =
                    errors.isEmpty()
                            ? (lines.isEmpty() ? "" : lines.get(lines.size() - 1))
                            : errors.get(0);
        } catch (IOException e) {
            // no log
        }
        String text = "node " + id + " did not start (exit " + process.exitValue() + "): " + said;
        Sut.broke(text);
        return new IllegalStateException(text);
    }

    static void pause(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeException(e);
        }
    }

    public synchronized boolean alive() {
        return process != null && process.isAlive();
    }

    boolean running() {
        return starts && alive();
    }

    /** As SIGTERM does, with the controlled shutdown; killed when it takes longer than that. */
    public void stop(long seconds) {
        if (Sut.tearingDown) {
            kill();
            return;
        }
        if (!alive()) return;
        process.destroy();
        try {
            if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
                Sut.broke("node " + id + " not down " + seconds + " s after SIGTERM");
                kill();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            kill();
        }
        starts = false;
    }

    public void kill() {
        starts = false;
        if (process == null) return;
        process.destroyForcibly();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public void clean() {
        try {
            org.apache.kafka.common.utils.Utils.delete(home.toFile());
        } catch (IOException e) {
            // left in the temporary directory
        }
    }
}
