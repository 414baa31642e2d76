import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Runs the main classes of stock command-line tools inside one long-lived JVM, so that a tool costs what its work costs and
 * not a JVM start. Each class path has a class loader of its own; each job has its own stdin, stdout, stderr and exit code:
 * the process-wide streams hand every byte to the job of the calling thread (threads inherit their creator's job), and
 * Kafka's Exit is told to end the job instead of the JVM and to keep shutdown hooks for the job's end.
 *
 * Requests are lines of tab-separated fields, texts in base64:
 *   run  ID CLASSPATH MAIN TIMEOUT_MS STDIN ARG...   answered, when the job ends, by   done ID CODE STDOUT STDERR
 *        (for tools that keep counts in statics: a CLASSPATH that starts with ! gets a new class loader, one that
 *        starts with 1 a loader that no other job uses at the same time)
 *   stop ID                                          as SIGTERM: hooks run, then the job's own answer
 *   peek ID                                          answered by                       peek ID STDOUT
 * The JVM ends when its stdin does.
 */
public final class ToolServer {
    private static final InheritableThreadLocal<Job> CURRENT = new InheritableThreadLocal<>();
    private static final Map<String, URLClassLoader> LOADERS = new ConcurrentHashMap<>();
    private static final Map<String, Queue<URLClassLoader>> IDLE = new ConcurrentHashMap<>();
    private static final Map<String, Job> JOBS = new ConcurrentHashMap<>();
    private static final PrintStream ANSWERS = System.out;

    /** Thrown by Kafka's Exit in the thread that asked for the exit. */
    private static final class ExitRequested extends Error {
        ExitRequested() {
            super("exit", null, false, false);
        }
    }

    private static final class Job {
        final String id;
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        final ByteArrayOutputStream err = new ByteArrayOutputStream();
        final List<Runnable> hooks = new ArrayList<>();
        InputStream in;
        Integer code;
        Thread thread;
        boolean stopped;
        boolean hooksRun;

        Job(String id) {
            this.id = id;
        }

        synchronized void exit(int wanted) {
            if (code == null) {
                code = wanted;
            }
        }

        /** What a process would still print: nothing after it asked for its exit, but its hooks' words. */
        synchronized boolean maySpeak() {
            return code == null || hooksRun;
        }

        void runHooks() {
            List<Runnable> waiting;
            synchronized (this) {
                hooksRun = true;
            }
            synchronized (hooks) {
                waiting = new ArrayList<>(hooks);
                hooks.clear();
            }
            for (Runnable hook : waiting) {
                try {
                    hook.run();
                } catch (ExitRequested ended) {
                    // a hook that exits has said what it wanted
                }
            }
        }
    }

    private static final class JobStream extends OutputStream {
        private final boolean error;

        JobStream(boolean error) {
            this.error = error;
        }

        @Override
        public void write(int b) {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) {
            Job job = CURRENT.get();
            if (job != null && job.maySpeak()) {
                (error ? job.err : job.out).write(bytes, from, length);
            }
        }
    }

    /** A tool that closes its stdout must not close everybody's. */
    private static final class UnclosablePrintStream extends PrintStream {
        UnclosablePrintStream(OutputStream out) {
            super(out, true, StandardCharsets.UTF_8);
        }

        @Override
        public void close() {
            flush();
        }
    }

    private static final class JobInput extends InputStream {
        @Override
        public int read() throws IOException {
            Job job = CURRENT.get();
            return job == null ? -1 : job.in.read();
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            Job job = CURRENT.get();
            return job == null ? -1 : job.in.read(bytes, from, length);
        }

        @Override
        public int available() throws IOException {
            Job job = CURRENT.get();
            return job == null ? 0 : job.in.available();
        }
    }

    private static URLClassLoader loader(String classPath) {
        switch (classPath.charAt(0)) {
            case '!':
                return newLoader(classPath.substring(1));
            case '1':
                URLClassLoader idle = IDLE.computeIfAbsent(classPath, path -> new ConcurrentLinkedQueue<>()).poll();
                return idle == null ? newLoader(classPath.substring(1)) : idle;
            default:
                return LOADERS.computeIfAbsent(classPath, ToolServer::newLoader);
        }
    }

    private static void release(String classPath, URLClassLoader loader) {
        if (classPath.charAt(0) == '1') {
            IDLE.get(classPath).add(loader);
        }
    }

    private static URLClassLoader newLoader(String path) {
        try {
            List<URL> urls = new ArrayList<>();
            for (String entry : path.split(File.pathSeparator)) {
                File file = new File(entry);
                if (entry.endsWith("/*")) {
                    File[] jars = new File(entry.substring(0, entry.length() - 2)).listFiles();
                    Arrays.sort(jars);
                    for (File jar : jars) {
                        if (jar.getName().endsWith(".jar")) {
                            urls.add(jar.toURI().toURL());
                        }
                    }
                } else {
                    urls.add(file.toURI().toURL());
                }
            }
            URLClassLoader made =
                new URLClassLoader(urls.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
            takeOverExit(made);
            return made;
        } catch (ReflectiveOperationException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Kafka's class that ends a process, which 4.4 has in another package. */
    private static Class<?> exit(ClassLoader loader) throws ClassNotFoundException {
        try {
            return loader.loadClass("org.apache.kafka.common.utils.Exit");
        } catch (ClassNotFoundException moved) {
            return loader.loadClass("org.apache.kafka.common.utils.internals.Exit");
        }
    }

    private static void takeOverExit(ClassLoader loader) throws ReflectiveOperationException {
        Class<?> exit = exit(loader);
        Class<?> procedure = loader.loadClass(exit.getName() + "$Procedure");
        Object endJob = Proxy.newProxyInstance(loader, new Class<?>[] {procedure}, (proxy, method, args) -> {
            Job job = CURRENT.get();
            if (job != null) {
                job.exit((Integer) args[0]);
            }
            throw new ExitRequested();
        });
        exit.getMethod("setExitProcedure", procedure).invoke(null, endJob);
        exit.getMethod("setHaltProcedure", procedure).invoke(null, endJob);
        Class<?> adder = loader.loadClass(exit.getName() + "$ShutdownHookAdder");
        Object keep = Proxy.newProxyInstance(loader, new Class<?>[] {adder}, (proxy, method, args) -> {
            Job job = CURRENT.get();
            if (job != null) {
                synchronized (job.hooks) {
                    job.hooks.add((Runnable) args[1]);
                }
            }
            return null;
        });
        exit.getMethod("setShutdownHookAdder", adder).invoke(null, keep);
    }

    private static void call(Job job, String classPath, String main, String[] args) {
        URLClassLoader loader = loader(classPath);
        try {
            Thread.currentThread().setContextClassLoader(loader);
            loader.loadClass(main).getMethod("main", String[].class).invoke(null, (Object) args);
            job.exit(0);
        } catch (InvocationTargetException e) {
            if (!(e.getCause() instanceof ExitRequested)) {
                System.err.print("Exception in thread \"main\" ");
                e.getCause().printStackTrace();
                job.exit(1);
            }
        } catch (Throwable e) {
            e.printStackTrace();
            job.exit(1);
        }
        job.runHooks();
        release(classPath, loader);
    }

    private static void run(Job job, String classPath, String main, long timeoutMs, String[] args) {
        CURRENT.set(job);
        job.thread = new Thread(() -> call(job, classPath, main, args), "main");
        job.thread.setDaemon(true);
        CURRENT.remove();
        job.thread.start();
        Thread waiter = new Thread(() -> {
            try {
                job.thread.join(timeoutMs);
                if (job.thread.isAlive()) {
                    job.exit(124);
                    stop(job);
                    job.thread.join(10_000);
                    job.thread.interrupt();
                }
            } catch (InterruptedException e) {
                job.exit(125);
            }
            JOBS.remove(job.id);
            synchronized (ANSWERS) {
                ANSWERS.println("done\t" + job.id + "\t" + (job.stopped ? 143 : job.code) + "\t" + encode(job.out)
                    + "\t" + encode(job.err));
                ANSWERS.flush();
            }
        });
        waiter.setDaemon(true);
        waiter.start();
    }

    private static void stop(Job job) {
        Thread stopper = new Thread(() -> {
            CURRENT.set(job);
            job.runHooks();
        });
        stopper.setDaemon(true);
        stopper.start();
    }

    private static String encode(ByteArrayOutputStream bytes) {
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    private static String decode(String field) {
        return new String(Base64.getDecoder().decode(field), StandardCharsets.UTF_8);
    }

    public static void main(String[] unused) throws IOException {
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.setOut(new UnclosablePrintStream(new JobStream(false)));
        System.setErr(new UnclosablePrintStream(new JobStream(true)));
        System.setIn(new JobInput());
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            String[] fields = line.split("\t", -1);
            Job job;
            switch (fields[0]) {
                case "run":
                    job = new Job(fields[1]);
                    job.in = new ByteArrayInputStream(Base64.getDecoder().decode(fields[5]));
                    JOBS.put(job.id, job);
                    String[] args = new String[fields.length - 6];
                    for (int i = 0; i < args.length; i++) {
                        args[i] = decode(fields[i + 6]);
                    }
                    run(job, decode(fields[2]), fields[3], Long.parseLong(fields[4]), args);
                    break;
                case "stop":
                    job = JOBS.get(fields[1]);
                    if (job != null) {
                        job.stopped = true;
                        stop(job);
                    }
                    break;
                case "peek":
                    job = JOBS.get(fields[1]);
                    synchronized (ANSWERS) {
                        ANSWERS.println("peek\t" + fields[1] + "\t" + (job == null ? "" : encode(job.out)));
                        ANSWERS.flush();
                    }
                    break;
                default:
                    throw new IOException("unknown request " + fields[0]);
            }
        }
        Runtime.getRuntime().halt(0);
    }
}
