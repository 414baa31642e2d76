import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Exit;

/**
 * A producer of default settings (acks=all, idempotent) that sends numbered records to each partition in turn until it
 * is told to end: {@code ack,partition,offset,number,milliseconds} for what was acknowledged, and a line for each
 * failure.
 */
public final class SteadyProducer {
    public static void main(String[] words) {
        String bootstrap = words[0];
        String topic = words[1];
        int partitions = Integer.parseInt(words[2]);
        long pauseNanos = Long.parseLong(words[3]) * 1000;
        AtomicBoolean ending = new AtomicBoolean();
        CountDownLatch ended = new CountDownLatch(1);
        Exit.addShutdownHook("producer", () -> {
            ending.set(true);
            try {
                ended.await(60, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Properties properties = new Properties();
        properties.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        properties.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class.getName());
        properties.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, StringSerializer.class.getName());
        AtomicLong failed = new AtomicLong();
        long number = 0;
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties)) {
            while (!ending.get()) {
                long own = number++;
                int partition = (int) (own % partitions);
                String value = Long.toString(own);
                producer.send(new ProducerRecord<>(topic, partition, null, value), (sent, error) -> {
                    if (error == null) {
                        System.out.println("ack," + partition + "," + sent.offset() + "," + own + "," + now());
                    } else {
                        failed.incrementAndGet();
                        System.out.println("failed," + own + "," + now() + ": " + error);
                    }
                });
                LockSupport.parkNanos(pauseNanos);
            }
        }
        System.out.println("sent " + number + " failed " + failed);
        ended.countDown();
    }

    private static long now() {
        return System.currentTimeMillis();
    }
}
