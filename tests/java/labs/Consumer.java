import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.IntegerDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * The break-fix labs' consumer: what it receives goes into the payload log, until a record says {@code quit}; {@code crash}
 * ends it badly, {@code wait} stops it for a while. Ctrl-C ends it without a word to the group. Its settings are the labs'
 * system properties {@code consumer.*}.
 */
public final class Consumer {
    private static final Map<String, String> STRATEGIES = Map.of(
        "coop", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
        "range", "org.apache.kafka.clients.consumer.RangeAssignor",
        "rr", "org.apache.kafka.clients.consumer.RoundRobinAssignor",
        "sticky", "org.apache.kafka.clients.consumer.StickyAssignor");

    private final Settings settings = new Settings("consumer.");
    private final boolean commitsBatches = settings.is("ack-after-batch", false);
    private final int commitEvery = commitsBatches ? 0 : settings.number("ack-every-x-msgs", 0);
    private final KafkaConsumer<Integer, String> consumer = new KafkaConsumer<>(properties());
    private int seen;

    public static void main(String[] unused) throws Exception {
        new Consumer().receive();
    }

    private void receive() throws Exception {
        try (PayloadLog log = new PayloadLog(settings); consumer) {
            consumer.subscribe(List.of(settings.text("topic", "test-topic")), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                    System.out.println("revoked " + partitions);
                }

                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                    System.out.println("assigned " + partitions);
                }
            });
            Duration period = Duration.ofMillis(settings.number("poll-period", 1000));
            boolean isOver = false;
            while (!isOver) {
                ConsumerRecords<Integer, String> records = consumer.poll(period);
                if (!records.isEmpty()) {
                    System.out.println("received " + records.count() + " records");
                    rest("wait-after-recv");
                    isOver = process(records, log);
                }
            }
        }
        System.out.println("ended by quit");
    }

    /** Whether a record said quit. */
    private boolean process(ConsumerRecords<Integer, String> records, PayloadLog log) throws Exception {
        for (ConsumerRecord<Integer, String> record : records) {
            seen++;
            switch (record.value()) {
                case "quit":
                    return true;
                case "crash":
                    throw new IllegalStateException("a record asked for it");
                case "wait":
                    Thread.sleep(settings.number("wait-cmd-period", 5000));
                    break;
                default:
                    log.add(record.topic(), record.partition(), record.key(), record.value());
            }
            if (commitEvery > 0 && seen % commitEvery == 0) {
                consumer.commitSync();
                System.out.println("committed after " + seen + " records");
            }
            rest("wait-after-record");
        }
        rest("wait-after-batch");
        if (commitsBatches) {
            consumer.commitSync();
            System.out.println("committed after a batch");
        }
        return false;
    }

    private void rest(String setting) throws InterruptedException {
        int period = settings.number(setting, 0);
        if (period > 0) {
            Thread.sleep(period);
        }
    }

    private Properties properties() {
        Properties properties = Settings.client();
        properties.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, IntegerDeserializer.class.getName());
        properties.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class.getName());
        properties.put(ConsumerConfig.GROUP_ID_CONFIG, settings.text("group-id", "test-app"));
        if (settings.has("instance-id")) {
            properties.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, settings.text("instance-id", ""));
        }
        boolean isAutomatic = commitEvery == 0 && !commitsBatches && settings.is("auto-commit", true);
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, isAutomatic);
        properties.put(ConsumerConfig.AUTO_COMMIT_INTERVAL_MS_CONFIG, settings.number("ac-interval", 5000));
        properties.put(ConsumerConfig.FETCH_MIN_BYTES_CONFIG, settings.number("fetch-min-bytes", 1));
        properties.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, settings.number("max-poll-recs", 500));
        properties.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, settings.number("heartbeat-interval", 3000));
        properties.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, settings.number("session-timeout", 45000));
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, settings.text("auto-offset-reset", "latest"));
        properties.put(
            ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG,
            STRATEGIES.get(settings.text("assignment-strategy", "coop")));
        return properties;
    }
}
