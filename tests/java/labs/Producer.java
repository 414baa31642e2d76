import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.IntegerSerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The break-fix labs' producer: records in rolls, keyed 0, 1, …, each in the payload log once it is acknowledged (with
 * {@code acks=0}: sent). Its settings are the labs' system properties {@code producer.*}.
 */
public final class Producer {
    /** Values differ in length between 40 and 400 bytes, as quotations do. */
    private static final String WORDS =
        "what was written is read again by whoever asks for it in the order in which it was written and nothing is lost "
            + "between the one who wrote and the one who reads as long as each of them waits for the other to say so; "
            + "the log only grows and those who follow it copy what they have not seen until their copy is as long as "
            + "the log that they follow and then they wait for more of it to come";

    private final Settings settings = new Settings("producer.");

    public static void main(String[] unused) throws Exception {
        new Producer().send();
    }

    private void send() throws Exception {
        String topic = settings.text("topic", "test-topic");
        int rolls = settings.number("num-rolls", 1);
        int records = settings.number("num-records-per-roll", 100);
        int waitAfterSend = settings.number("wait-after-send", 0);
        try (PayloadLog log = new PayloadLog(settings);
            KafkaProducer<Integer, String> producer = new KafkaProducer<>(properties())) {
            System.out.println("sending " + records + " records, " + rolls + " times");
            for (int roll = 0; roll < rolls; roll++) {
                if (roll > 0) {
                    Thread.sleep(settings.number("wait-after-roll", 5000));
                }
                for (int key = 0; key < records; key++) {
                    String value = roll + "/" + key + " " + WORDS.substring(0, 30 + key * 37 % 340);
                    ProducerRecord<Integer, String> record = new ProducerRecord<>(topic, key, value);
                    producer.send(record, (sent, error) -> {
                        if (error == null) {
                            log.add(sent.topic(), sent.partition(), record.key(), record.value());
                        } else {
                            System.out.println("not sent " + record.key() + ": " + error.getMessage());
                        }
                    });
                    if (waitAfterSend > 0) {
                        Thread.sleep(waitAfterSend);
                    }
                }
            }
            producer.close();
        }
    }

    private Properties properties() {
        Properties properties = Settings.client();
        String acks = settings.text("acks", "all");
        int inFlight = settings.number("max-inflight", 5);
        boolean isIdempotent = (acks.equals("all") || acks.equals("-1")) && inFlight <= 5;
        if (!isIdempotent) {
            System.out.println("idempotence is off by acks or max-inflight");
        }
        properties.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, IntegerSerializer.class.getName());
        properties.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, StringSerializer.class.getName());
        properties.put(ProducerConfig.ACKS_CONFIG, acks);
        properties.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, inFlight);
        properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, settings.is("idempotent", isIdempotent));
        properties.put(ProducerConfig.BATCH_SIZE_CONFIG, settings.number("batch", 16384));
        properties.put(ProducerConfig.LINGER_MS_CONFIG, settings.number("linger", 0));
        properties.put(ProducerConfig.RETRIES_CONFIG, settings.number("retries", Integer.MAX_VALUE));
        properties.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, settings.number("delivery-timeout", 120000));
        properties.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, settings.number("request-timeout", 30000));
        properties.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, settings.number("retry-backoff", 100));
        properties.put(ProducerConfig.RETRY_BACKOFF_MAX_MS_CONFIG, settings.number("retry-max", 1000));
        return properties;
    }
}
