package kafkaown;

import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Pattern;

/**
 * Run OUT CLASS-REGEX METHOD-REGEX EXCLUDE-REGEX JAR...: the tests of these jars, a line each into
 * OUT.
 */
public final class Run {
    private static final Map<String, Integer> SEEN = new HashMap<>();

    public static void main(String[] args) throws Exception {
        Pattern classes = Pattern.compile(args[1]);
        Pattern methods = Pattern.compile(args[2]);
        Pattern not = args[3].isEmpty() ? null : Pattern.compile(args[3]);
        TreeSet<String> names = new TreeSet<>();
        for (int i = 4; i < args.length; i++) {
            try (JarFile jar = new JarFile(args[i])) {
                jar.stream()
                        .map(e -> e.getName())
                        .filter(n -> n.endsWith("Test.class") && !n.contains("$"))
                        .map(n -> n.substring(0, n.length() - 6).replace('/', '.'))
                        .filter(n -> classes.matcher(n).find())
                        .forEach(names::add);
            }
        }
        List<DiscoverySelector> selectors = new ArrayList<>();
        names.forEach(n -> selectors.add(DiscoverySelectors.selectClass(n)));
        PostDiscoveryFilter filter =
                descriptor -> {
                    var source = descriptor.getSource();
                    if (source.isEmpty() || !(source.get() instanceof MethodSource m))
                        return FilterResult.included(null);
                    String name = simple(m.getClassName()) + "." + m.getMethodName();
                    return FilterResult.includedIf(
                            methods.matcher(name).find()
                                    && (not == null || !not.matcher(name).find()));
                };
        Launcher launcher = LauncherFactory.create(LauncherConfig.builder().build());
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(Path.of(args[0])))) {
            launcher.execute(
                    LauncherDiscoveryRequestBuilder.request()
                            .selectors(selectors)
                            .filters(filter)
                            .configurationParameter(
                                    "junit.jupiter.extensions.autodetection.enabled", "true")
                            .configurationParameter(
                                    "junit.jupiter.execution.timeout.testable.method.default",
                                    Sut.TEST_LIMIT + " s")
                            .configurationParameter(
                                    "junit.jupiter.execution.timeout.lifecycle.method.default",
                                    Sut.TEST_LIMIT + " s")
                            .build(),
                    new Lines(out));
        }
        System.exit(0);
    }

    private static String simple(String c) {
        return c.substring(c.lastIndexOf('.') + 1);
    }

    private static final class Lines implements TestExecutionListener {
        private final PrintWriter out;
        private final Map<String, Long> begun = new HashMap<>();

        Lines(PrintWriter out) {
            this.out = out;
        }

        private static String name(TestIdentifier id) {
            if (id.getSource().isEmpty() || !(id.getSource().get() instanceof MethodSource m)) {
                String unique = id.getUniqueId();
                return simple(unique.replaceAll(".*class:", "").replaceAll("\\].*", "")) + ".class";
            }
            String name = simple(m.getClassName()) + "." + m.getMethodName();
            String shown = id.getDisplayName();
            String tag = "";
            if (shown.contains("Type=Raft-")) {
                tag = shown.contains("Type=Raft-Combined") ? "[Combined]" : "[Isolated]";
            } else if (id.getUniqueId().contains("test-template-invocation")) {
                String method = m.getMethodName();
                tag = shown.startsWith(method) ? shown.substring(method.length()) : shown;
                // Addresses and times differ from run to run.
                tag = tag.replaceAll("@[0-9a-f]+", "").replaceAll("[0-9]{12,}", "T");
                tag = "[" + tag.replaceAll("\\s+", "_") + "]";
                if (tag.length() > 90) tag = tag.substring(0, 89) + "]";
            }
            name += tag;
            int n = SEEN.merge(name, 1, Integer::sum);
            return n == 1 ? name : name + "#" + n;
        }

        private void line(String kind, String name, String reason) {
            out.println(kind + " " + name + (reason.isEmpty() ? "" : " " + reason));
            out.flush();
        }

        @Override
        public void executionStarted(TestIdentifier id) {
            begun.put(id.getUniqueId(), System.nanoTime());
        }

        @Override
        public void executionSkipped(TestIdentifier id, String reason) {
            line("SKIP", name(id), "disabled: " + flat(reason));
        }

        @Override
        public void executionFinished(TestIdentifier id, TestExecutionResult result) {
            Throwable e = result.getThrowable().orElse(null);
            if (!id.isTest() && result.getStatus() == TestExecutionResult.Status.SUCCESSFUL) return;
            long start = begun.getOrDefault(id.getUniqueId(), System.nanoTime());
            String seconds = String.format("(%.1f s)", (System.nanoTime() - start) / 1e9);
            switch (result.getStatus()) {
                case SUCCESSFUL -> line("PASS", name(id), seconds);
                case ABORTED -> {
                    String why = reason(e);
                    String name = name(id);
                    if (why.contains("unasked")) return;
                    line("SKIP", name, why);
                }
                default -> {
                    String missing = Sut.missing();
                    String name = name(id);
                    if (missing != null && missing.startsWith("unasked")) return;
                    if (missing != null) {
                        line("SKIP", name, "in-JVM: " + missing);
                        return;
                    }
                    String broken = Sut.broken() == null ? "" : "{" + flat(Sut.broken()) + "} ";
                    line("FAIL", name, seconds + " " + broken + reason(e));
                }
            }
        }

        private static String flat(String s) {
            String f = s.replaceAll("\\s+", " ").strip();
            return f.length() > 700 ? f.substring(0, 700) : f;
        }

        private static String reason(Throwable e) {
            if (e == null) return "";
            StringBuilder out = new StringBuilder();
            for (Throwable t = e;
                    t != null && out.length() < 600;
                    t = t.getCause() == t ? null : t.getCause()) {
                if (out.length() > 0) out.append(" <- ");
                out.append(t.getClass().getSimpleName()).append(": ").append(t.getMessage());
            }
            for (StackTraceElement frame : e.getStackTrace()) {
                String c = frame.getClassName();
                if (c.endsWith("Test") || c.contains("Test$")) {
                    String at = frame.getFileName() + ":" + frame.getLineNumber();
                    out.append(" at ").append(at);
                    break;
                }
            }
            return flat(out.toString());
        }
    }
}
