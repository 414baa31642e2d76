import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Exactly-once copying: {@code fill} numbers a topic, {@code copy} moves it to another in transactions with the offsets
 * of the one it reads, aborting every third, {@code read} prints what committed readers see.
 */
public final class Transactions {
    private static final Duration POLL = Duration.ofMillis(200);

    public static void main(String[] words) {
        switch (words[0]) {
            case "fill" -> fill(words[1], words[2], Integer.parseInt(words[3]));
            case "copy" -> copy(words[1], words[2], words[3], words[4]);
            case "read" -> read(words[1], words[2]);
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    private static Properties producerOf(String bootstrap) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("key.serializer", StringSerializer.class.getName());
        properties.put("value.serializer", StringSerializer.class.getName());
        return properties;
    }

    private static KafkaConsumer<String, String> consumer(String bootstrap, String group) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("key.deserializer", StringDeserializer.class.getName());
        properties.put("value.deserializer", StringDeserializer.class.getName());
        properties.put("isolation.level", "read_committed");
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "false");
        properties.put("max.poll.records", "20");
        properties.put("group.id", group);
        return new KafkaConsumer<>(properties);
    }

    private static void fill(String bootstrap, String topic, int count) {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(producerOf(bootstrap))) {
            for (int number = 0; number < count; number++) {
                producer.send(new ProducerRecord<>(topic, Integer.toString(number)));
            }
        }
    }

    private static List<TopicPartition> partitionsOf(KafkaConsumer<String, String> consumer, String topic) {
        List<TopicPartition> partitions = new ArrayList<>();
        consumer.partitionsFor(topic).forEach(one -> partitions.add(new TopicPartition(topic, one.partition())));
        return partitions;
    }

    private static void copy(String bootstrap, String from, String to, String id) {
        Properties properties = producerOf(bootstrap);
        properties.put("transactional.id", id);
        int begun = 0;
        try (KafkaConsumer<String, String> consumer = consumer(bootstrap, id);
                KafkaProducer<String, String> producer = new KafkaProducer<>(properties)) {
            producer.initTransactions();
            consumer.subscribe(List.of(from));
            while (!isDone(consumer, from)) {
                ConsumerRecords<String, String> records = consumer.poll(POLL);
                if (records.isEmpty()) {
                    continue;
                }
                begun++;
                try {
                    producer.beginTransaction();
                    for (ConsumerRecord<String, String> record : records) {
                        producer.send(new ProducerRecord<>(to, record.value()));
                    }
                    producer.sendOffsetsToTransaction(positions(records), consumer.groupMetadata());
                    if (begun % 3 == 0) {
                        producer.abortTransaction();
                        back(consumer);
                    } else {
                        producer.commitTransaction();
                    }
                } catch (ProducerFencedException fenced) {
                    throw fenced;
                } catch (KafkaException failed) {
                    System.out.println("aborting: " + failed);
                    producer.abortTransaction();
                    back(consumer);
                }
            }
        }
        System.out.println("transactions " + begun);
    }

    private static Map<TopicPartition, OffsetAndMetadata> positions(ConsumerRecords<String, String> records) {
        Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
        for (ConsumerRecord<String, String> record : records) {
            TopicPartition partition = new TopicPartition(record.topic(), record.partition());
            positions.put(partition, new OffsetAndMetadata(record.offset() + 1));
        }
        return positions;
    }

    /** To where the last committed transaction left off. */
    private static void back(KafkaConsumer<String, String> consumer) {
        Set<TopicPartition> assigned = consumer.assignment();
        Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(assigned);
        for (TopicPartition partition : assigned) {
            OffsetAndMetadata offset = committed.get(partition);
            consumer.seek(partition, offset == null ? 0 : offset.offset());
        }
    }

    private static boolean isDone(KafkaConsumer<String, String> consumer, String topic) {
        List<TopicPartition> partitions = partitionsOf(consumer, topic);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(Set.copyOf(partitions));
        return partitions.stream().allMatch(partition -> {
            OffsetAndMetadata offset = committed.get(partition);
            return ends.get(partition) == 0 || offset != null && offset.offset() >= ends.get(partition);
        });
    }

    private static void read(String bootstrap, String topic) {
        try (KafkaConsumer<String, String> consumer = consumer(bootstrap, "reader-of-" + topic)) {
            List<TopicPartition> partitions = partitionsOf(consumer, topic);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(one -> consumer.position(one) < ends.get(one))) {
                consumer.poll(POLL).forEach(record -> System.out.println("read " + record.value()));
            }
        }
    }
}
