import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.utils.Exit;

/**
 * A member of a group by the protocol that it is told, with an instance id or "-", that reads on until it is told to
 * end, and commits what it has read. Prints {@code got,partition,offset,number,milliseconds} for each record, and when
 * a partition is its and when it is not any more: {@code assigned,partition,milliseconds}, {@code revoked,...} before
 * anybody is told that it has given it up, {@code lost,...} when it hears that it has not had it for a while.
 */
public final class RollingConsumer {
    public static void main(String[] words) {
        Properties properties = new Properties();
        properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, words[0]);
        properties.put(ConsumerConfig.GROUP_ID_CONFIG, words[2]);
        properties.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class.getName());
        properties.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class.getName());
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        properties.put("group.protocol", words[3]);
        if (words[3].equals("classic")) {
            properties.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, "1000");
            properties.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, "10000");
        }
        if (!words[4].equals("-")) {
            properties.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, words[4]);
        }
        KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties);
        CountDownLatch ended = new CountDownLatch(1);
        // A wake-up may be spent on the commit of a rebalance.
        AtomicBoolean ending = new AtomicBoolean();
        Exit.addShutdownHook("consumer", () -> {
            ending.set(true);
            consumer.wakeup();
            try {
                ended.await(30, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            consumer.subscribe(List.of(words[1]), new Listener(consumer));
            while (!ending.get()) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
                for (ConsumerRecord<String, String> record : records) {
                    System.out.println("got," + record.partition() + "," + record.offset() + "," + record.value() + ","
                        + System.currentTimeMillis());
                }
                if (!records.isEmpty()) {
                    commit(consumer);
                }
            }
        } catch (WakeupException e) {
            System.out.println("woken");
        } catch (RuntimeException e) {
            System.out.println("exception " + e);
        } finally {
            consumer.close();
            ended.countDown();
        }
    }

    /** What a rebalance prevents is committed by whoever reads it again. */
    private static void commit(KafkaConsumer<String, String> consumer) {
        try {
            consumer.commitSync(Duration.ofSeconds(5));
        } catch (WakeupException e) {
            throw e;
        } catch (KafkaException e) {
            System.out.println("uncommitted," + e.getClass().getSimpleName());
        }
    }

    private static final class Listener implements ConsumerRebalanceListener {
        private final KafkaConsumer<String, String> consumer;

        private Listener(KafkaConsumer<String, String> consumer) {
            this.consumer = consumer;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            say("assigned", partitions);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            try {
                commit(consumer);
            } catch (WakeupException e) {
                // It is being closed.
            }
            say("revoked", partitions);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            say("lost", partitions);
        }

        private static void say(String what, Collection<TopicPartition> partitions) {
            long now = System.currentTimeMillis();
            for (TopicPartition partition : partitions) {
                System.out.println(what + "," + partition.partition() + "," + now);
            }
        }
    }
}
