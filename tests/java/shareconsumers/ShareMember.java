import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.utils.Exit;

/**
 * A member of a share group that says of each record what became of it: a number that ends with 3 is released the first
 * time, all others are accepted. It prints {@code got,partition,offset,number,delivery count,milliseconds} for each
 * record, and once a commit has come back without an error, {@code accepted,...} or {@code released,...} with the same
 * words and the time of then.
 */
public final class ShareMember {
    private record Said(ConsumerRecord<String, String> record, boolean accepted) {
        void print(String what) {
            System.out.println(what + "," + record.partition() + "," + record.offset() + "," + record.value() + ","
                + record.deliveryCount().orElse((short) 0) + "," + System.currentTimeMillis());
        }
    }

    public static void main(String[] words) {
        Properties properties = new Properties();
        properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, words[0]);
        properties.put(ConsumerConfig.GROUP_ID_CONFIG, words[2]);
        properties.put(ConsumerConfig.SHARE_ACKNOWLEDGEMENT_MODE_CONFIG, "explicit");
        properties.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class.getName());
        properties.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class.getName());
        KafkaShareConsumer<String, String> consumer = new KafkaShareConsumer<>(properties);
        CountDownLatch ended = new CountDownLatch(1);
        Exit.addShutdownHook("share consumer", () -> {
            consumer.wakeup();
            try {
                ended.await(30, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            consumer.subscribe(List.of(words[1]));
            while (true) {
                round(consumer);
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

    private static void round(KafkaShareConsumer<String, String> consumer) {
        ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(200));
        List<Said> said = new ArrayList<>();
        for (ConsumerRecord<String, String> record : records) {
            boolean first = record.deliveryCount().orElse((short) 0) == 1;
            Said one = new Said(record, !(first && record.value().endsWith("3")));
            one.print("got");
            consumer.acknowledge(record, one.accepted ? AcknowledgeType.ACCEPT : AcknowledgeType.RELEASE);
            said.add(one);
        }
        Map<TopicIdPartition, Optional<KafkaException>> results = consumer.commitSync();
        for (Said one : said) {
            results.forEach((partition, failure) -> {
                if (partition.partition() == one.record.partition()) {
                    failure.ifPresentOrElse(
                        e -> one.print("failed"),
                        () -> one.print(one.accepted ? "accepted" : "released"));
                }
            });
        }
    }
}
