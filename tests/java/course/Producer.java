import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Sends numbered records as a course's producer does, and keeps a payload log of what was acknowledged: one line
 * {@code topic,partition,offset,payload} for each record.
 */
public final class Producer {
    public static void main(String[] args) {
        Options options = new Options(args);
        String topic = options.text("topic", "test-topic");
        int records = options.number("num-records", 100);
        AtomicInteger failed = new AtomicInteger();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties(options))) {
            for (int i = 0; i < records; i++) {
                String payload = options.text("prefix", "record") + "-" + i;
                ProducerRecord<String, String> record = new ProducerRecord<>(topic, Integer.toString(i % 7), payload);
                producer.send(record, (sent, error) -> {
                    if (error == null) {
                        System.out.println(sent.topic() + "," + sent.partition() + "," + sent.offset() + "," + payload);
                    } else {
                        failed.incrementAndGet();
                        System.out.println("failed " + payload + ": " + error);
                    }
                });
            }
        }
        System.out.println("sent " + records + " failed " + failed);
    }

    private static Properties properties(Options options) {
        Properties properties = new Properties();
        properties.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, options.text("bootstrap", "localhost:9092"));
        properties.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class.getName());
        properties.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, StringSerializer.class.getName());
        properties.put(ProducerConfig.ACKS_CONFIG, options.text("acks", "all"));
        if (options.has("idempotent")) {
            properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, options.text("idempotent", "true"));
        }
        properties.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, options.text("compression", "none"));
        properties.put(ProducerConfig.BATCH_SIZE_CONFIG, options.text("batch", "16384"));
        properties.put(ProducerConfig.LINGER_MS_CONFIG, options.text("linger", "0"));
        return properties;
    }
}
