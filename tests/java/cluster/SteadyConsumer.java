import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.utils.Exit;

/**
 * A member of a group that reads on until it is told to end: {@code got,partition,offset,number,milliseconds} for each
 * record. Settings are the defaults but for where a new group starts: at the beginning. With a fourth word, "commit", it
 * starts at the end, as by default, and commits what it has every fifty milliseconds before it polls again.
 */
public final class SteadyConsumer {
    public static void main(String[] words) {
        Properties properties = new Properties();
        properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, words[0]);
        properties.put(ConsumerConfig.GROUP_ID_CONFIG, words[2]);
        properties.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class.getName());
        properties.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class.getName());
        boolean commits = words.length > 3 && words[3].equals("commit");
        if (!commits) {
            properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        }
        long committed = System.nanoTime();
        KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties);
        CountDownLatch ended = new CountDownLatch(1);
        Exit.addShutdownHook("consumer", () -> {
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
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(200));
                for (ConsumerRecord<String, String> record : records) {
                    System.out.println("got," + record.partition() + "," + record.offset() + "," + record.value() + ","
                        + System.currentTimeMillis());
                }
                if (commits && !records.isEmpty() && System.nanoTime() - committed > 50_000_000) {
                    consumer.commitSync();
                    committed = System.nanoTime();
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
}
