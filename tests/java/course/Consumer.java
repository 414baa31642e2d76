import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.utils.Exit;

/**
 * Receives as a course's consumer does: automatic or manual commits, static membership, any assignment strategy. Prints
 * {@code topic,partition,offset,payload} for each record, and what its assignment does. A payload "quit" ends it, so do
 * {@code stop-after} records and {@code idle-ms} without one.
 */
public final class Consumer {
    private static final Map<String, String> STRATEGIES = Map.of(
        "coop", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
        "range", "org.apache.kafka.clients.consumer.RangeAssignor",
        "rr", "org.apache.kafka.clients.consumer.RoundRobinAssignor",
        "sticky", "org.apache.kafka.clients.consumer.StickyAssignor");

    private final Options options;
    private final KafkaConsumer<String, String> consumer;
    private final long started = System.currentTimeMillis();
    private int seen;

    private Consumer(Options options) {
        this.options = options;
        consumer = new KafkaConsumer<>(properties(options));
    }

    public static void main(String[] args) {
        Options options = new Options(args);
        Consumer running = new Consumer(options);
        CountDownLatch ended = new CountDownLatch(1);
        Exit.addShutdownHook("consumer", () -> {
            running.consumer.wakeup();
            try {
                ended.await(10, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            running.receive();
        } catch (WakeupException e) {
            System.out.println("woken");
        } catch (FencedInstanceIdException e) {
            System.out.println("fenced");
        } finally {
            running.consumer.close();
            System.out.println("seen " + running.seen);
            ended.countDown();
        }
    }

    private void receive() {
        consumer.subscribe(List.of(options.text("topic", "test-topic")), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                say("revoked", partitions);
            }

            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                say("assigned", partitions);
            }

            @Override
            public void onPartitionsLost(Collection<TopicPartition> partitions) {
                say("lost", partitions);
            }
        });
        int commitEvery = options.number("ack-every-x-msgs", 0);
        int stopAfter = options.number("stop-after", Integer.MAX_VALUE);
        long idleMs = options.number("idle-ms", 20_000);
        long lastRecord = System.currentTimeMillis();
        while (System.currentTimeMillis() - lastRecord < idleMs) {
            ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(200));
            for (ConsumerRecord<String, String> record : records) {
                lastRecord = System.currentTimeMillis();
                if (record.value().equals("quit")) {
                    return;
                }
                seen++;
                System.out.println(
                    record.topic() + "," + record.partition() + "," + record.offset() + "," + record.value());
                if (commitEvery > 0 && seen % commitEvery == 0) {
                    consumer.commitSync();
                    System.out.println("committed at " + seen);
                }
                if (seen == stopAfter) {
                    return;
                }
            }
            if (options.has("ack-after-batch") && !records.isEmpty()) {
                consumer.commitSync();
            }
        }
    }

    private void say(String what, Collection<TopicPartition> partitions) {
        TreeSet<Integer> numbers = new TreeSet<>();
        partitions.forEach(partition -> numbers.add(partition.partition()));
        System.out.println(what + " " + numbers + " after " + (System.currentTimeMillis() - started) + " ms");
    }

    private static Properties properties(Options options) {
        Properties properties = new Properties();
        properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, options.text("bootstrap", "localhost:9092"));
        properties.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class.getName());
        properties.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class.getName());
        properties.put(ConsumerConfig.GROUP_ID_CONFIG, options.text("group-id", "test-app"));
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, options.text("auto-offset-reset", "earliest"));
        boolean manual = options.has("ack-every-x-msgs") || options.has("ack-after-batch");
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, Boolean.toString(!manual));
        properties.put(ConsumerConfig.AUTO_COMMIT_INTERVAL_MS_CONFIG, options.text("ac-interval", "5000"));
        properties.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, options.text("max-poll-recs", "500"));
        properties.put(ConsumerConfig.FETCH_MIN_BYTES_CONFIG, options.text("fetch-min-bytes", "1"));
        properties.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, options.text("session-timeout", "45000"));
        properties.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, options.text("heartbeat-interval", "3000"));
        properties.put(
            ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG,
            STRATEGIES.get(options.text("assignment-strategy", "coop")));
        if (options.has("instance-id")) {
            properties.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, options.text("instance-id", ""));
        }
        return properties;
    }
}
