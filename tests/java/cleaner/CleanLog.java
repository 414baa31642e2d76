package org.apache.kafka.storage.internals.log;

import java.io.File;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.storage.internals.utils.Throttler;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

/**
 * Has Kafka's own Cleaner compact logs. Each argument is one log and what is to be done with it, separated by commas:
 *
 *   DIRECTORY,SEGMENT_BYTES,DELETE_RETENTION_MS,DEDUPE_BYTES,OPENED_AT_MS,FIRST_DIRTY:FIRST_UNCLEANABLE:NOW_MS,...
 *
 * After each step the log's files are copied to DIRECTORY.N, and a line says where it ended and what was counted.
 */
public final class CleanLog {
    private static final KafkaScheduler SCHEDULER = new KafkaScheduler(1);

    private static Time clock(long now) {
        return (Time) Proxy.newProxyInstance(Time.class.getClassLoader(), new Class<?>[] {Time.class},
            (proxy, method, arguments) ->
                method.getName().equals("milliseconds") ? (Object) now : method.invoke(Time.SYSTEM, arguments));
    }

    private static UnifiedLog open(File directory, String segmentBytes, String deleteRetention, Time time) throws Exception {
        Map<String, Object> settings = new HashMap<>();
        settings.put("cleanup.policy", "compact");
        settings.put("internal.segment.bytes", segmentBytes);
        settings.put("index.interval.bytes", "300");
        settings.put("delete.retention.ms", deleteRetention);
        settings.put("file.delete.delay.ms", "3600000");
        return UnifiedLog.create(directory, new LogConfig(settings), 0L, 0L, SCHEDULER, new BrokerTopicStats(), time,
            900000, new ProducerStateManagerConfig(Integer.MAX_VALUE, false), 600000, new LogDirFailureChannel(1), true,
            Optional.of(new Uuid(0x1122334455667788L, 0x99aabbccddeeff00L)));
    }

    public static void main(String[] args) throws Exception {
        SCHEDULER.startup();
        for (String argument : args) {
            String[] words = argument.split(",");
            File directory = new File(words[0]).getAbsoluteFile();
            Time time = clock(Long.parseLong(words[4]));
            UnifiedLog log = open(directory, words[1], words[2], time);
            log.updateHighWatermark(log.logEndOffset());
            SkimpyOffsetMap map = new SkimpyOffsetMap(Integer.parseInt(words[3]));
            Throttler throttler = new Throttler(Double.MAX_VALUE, 1000, "cleaner-io", "bytes", Time.SYSTEM);
            Cleaner cleaner = new Cleaner(0, map, 65536, 65536, 0.9, throttler, time, partition -> { });
            for (int step = 5; step < words.length; step++) {
                String[] numbers = words[step].split(":");
                long firstDirty = Long.parseLong(numbers[0]);
                LogToClean toClean = new LogToClean(log, firstDirty, Long.parseLong(numbers[1]), false);
                long began = System.nanoTime();
                Map.Entry<Long, CleanerStats> cleaned = cleaner.doClean(toClean, Long.parseLong(numbers[2]));
                double seconds = (System.nanoTime() - began) / 1e9;
                CleanerStats stats = cleaned.getValue();
                System.out.println(cleaned.getKey() + " " + stats.bytesRead + " " + stats.messagesRead + " "
                    + stats.messagesWritten + " " + stats.invalidMessagesRead);
                if (seconds > 1)
                    System.err.printf("%.1f MB in %.2f s%n", stats.bytesRead / 1048576.0, seconds);
                File copy = new File(directory.getPath() + "." + (step - 5));
                copy.mkdirs();
                // Other files come and go: partition.metadata is written by the scheduler's thread.
                for (File file : directory.listFiles())
                    if (file.getName().matches("\\d+\\.(log|index|timeindex|txnindex)"))
                        Files.copy(file.toPath(), new File(copy, file.getName()).toPath(), StandardCopyOption.REPLACE_EXISTING);
            }
            log.close();
        }
        SCHEDULER.shutdown();
    }
}
