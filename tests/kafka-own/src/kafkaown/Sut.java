package kafkaown;

import org.opentest4j.TestAbortedException;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What is measured, and what the running test has asked for that an external process cannot give.
 */
public final class Sut {
    public static final boolean STOCK = env("SUT", "gregor").equals("stock");
    static final String GREGOR = env("GREGOR", "gregor");
    static final String STOCK_JARS = env("STOCK_JARS", "libs");
    static final String STOCK_JVM =
            env("STOCK_JVM_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");

    /**
     * one | both: a @ClusterTest of both shapes runs with separate controllers only, or both ways.
     */
    public static final String SHAPES = env("SHAPES", "one");

    /**
     * classic | both: whether tests that take the group protocol as a parameter also run with
     * KIP-848's.
     */
    public static final boolean KIP848 = env("PROTOCOLS", "classic").equals("both");

    static final String LOGS = env("NODE_LOGS", "");

    /** Seconds for a test, and for what goes before and after it. */
    static final String TEST_LIMIT = env("TEST_LIMIT", "180");

    private static volatile String missing;
    private static volatile String broken;
    static volatile boolean tearingDown;
    static volatile boolean beforeClass;
    static volatile boolean onlyCombined;
    static final List<Node> NODES = new CopyOnWriteArrayList<>();
    static volatile String test = "none";

    private Sut() {}

    static String env(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }

    static void begin(String name) {
        missing = null;
        broken = null;
        tearingDown = false;
        test = name;
    }

    static void end() {
        tearingDown = true;
    }

    /** The processes of a test; with those that its class started, when that ends. */
    static void sweep(boolean all) {
        for (Node node : NODES) {
            if (!all && node.ofClass) continue;
            node.kill();
            NODES.remove(node);
        }
    }

    /** The test looks into the JVM of a server: there is none. */
    public static TestAbortedException need(String what) {
        if (missing == null && !tearingDown) missing = what;
        return new TestAbortedException("in-JVM: " + what);
    }

    public static TestAbortedException unasked(String what) {
        if (missing == null) missing = "unasked " + what;
        return new TestAbortedException("unasked: " + what);
    }

    static void broke(String what) {
        if (broken == null) broken = what;
    }

    static String missing() {
        return missing;
    }

    static String broken() {
        return broken;
    }
}
