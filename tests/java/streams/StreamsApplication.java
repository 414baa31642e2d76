import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.state.Stores;

/**
 * An application of Kafka Streams with exactly-once semantics, in a classic or in a streams group: a word count, in
 * memory, and a join of two streams, in RocksDB; and what it takes to feed it and to read what it made. The topics
 * have four partitions.
 *
 * <pre>
 * run SERVERS STATE PROTOCOL       counts the words of `lines` into `counts-PROTOCOL`, and joins `left` and `right`
 *                                  into `pairs-PROTOCOL`; prints the states it comes to
 * fill SERVERS FROM TO BASE_MS     for each number from FROM to TO: a line of three words, and a record to the left
 *                                  and one to the right, both NUMBER * STEP_MS after the base
 * read SERVERS PROTOCOL            reads what is committed until it is told to end; prints `word WORD COUNT` and `pair LEFT RIGHT`
 * </pre>
 */
public final class StreamsApplication {
    private static final String[] WORDS = {"ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay", "koi"};
    private static final int PARTITIONS = 4;
    private static final int KEYS = 50;
    private static final long STEP_MS = 100;
    private static final Duration WINDOW = Duration.ofSeconds(10);

    public static void main(String[] words) throws Exception {
        switch (words[0]) {
            case "run" -> run(words[1], words[2], words[3]);
            case "fill" -> fill(words[1], Integer.parseInt(words[2]), Integer.parseInt(words[3]), Long.parseLong(words[4]));
            default -> read(words[1], words[2]);
        }
    }

    private static void run(String servers, String states, String protocol) throws Exception {
        StreamsBuilder builder = new StreamsBuilder();
        count(builder, "counts-" + protocol);
        join(builder, "pairs-" + protocol);
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "application-" + protocol);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, states);
        settings.put(StreamsConfig.GROUP_PROTOCOL_CONFIG, protocol);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, "100");
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, "0");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        if (protocol.equals("classic")) {
            settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), "6000");
            settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), "500");
        }
        settings.put(StreamsConfig.producerPrefix("transaction.timeout.ms"), "10000");
        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        streams.setStateListener((now, before) -> System.out.println("state " + now));
        streams.start();
        Thread.currentThread().join();
    }

    private static void count(StreamsBuilder builder, String output) {
        builder.stream("lines", Consumed.with(Serdes.String(), Serdes.String()))
            .flatMapValues(line -> Arrays.asList(line.split(" ")))
            .groupBy((key, word) -> word, Grouped.with("words", Serdes.String(), Serdes.String()))
            .count(Materialized.<String, Long>as(Stores.inMemoryKeyValueStore("store"))
                .withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))
            .toStream().mapValues(count -> Long.toString(count)).to(output);
    }

    private static void join(StreamsBuilder builder, String output) {
        var right = builder.<String, String>stream("right");
        builder.<String, String>stream("left")
            .join(right, (one, other) -> one + " " + other,
                JoinWindows.ofTimeDifferenceAndGrace(WINDOW, Duration.ofHours(1)),
                StreamJoined.with(Serdes.String(), Serdes.String(), Serdes.String()).withStoreName("pairs"))
            .to(output);
    }

    private static void fill(String servers, int from, int to, long baseMs) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", servers);
        settings.put("acks", "all");
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            List<ProducerRecord<String, String>> records = new ArrayList<>();
            for (int number = from; number < to; number++) {
                String line = WORDS[number % 11] + " " + WORDS[number % 7] + " " + WORDS[number % 3];
                long at = baseMs + number * STEP_MS;
                String value = Integer.toString(number);
                records.add(new ProducerRecord<>("lines", number % PARTITIONS, null, line));
                records.add(new ProducerRecord<>("left", null, at, "key" + number % KEYS, value));
                records.add(new ProducerRecord<>("right", null, at, "key" + number * 7 % KEYS, value));
            }
            var sent = new ArrayList<Future<?>>();
            for (int index = 0; index < records.size(); index++) {
                sent.add(producer.send(records.get(index)));
                if (index % 3 == 2) {
                    Thread.sleep(2);
                }
            }
            for (var each : sent) {
                each.get();
            }
        }
    }

    private static void read(String servers, String protocol) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", servers);
        settings.put("isolation.level", "read_committed");
        List<TopicPartition> all = new ArrayList<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            all.add(new TopicPartition("counts-" + protocol, partition));
            all.add(new TopicPartition("pairs-" + protocol, partition));
        }
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            Exit.addShutdownHook("reader", consumer::wakeup);
            consumer.assign(all);
            consumer.seekToBeginning(all);
            while (true) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                    boolean isCount = record.topic().startsWith("counts-");
                    System.out.println(isCount ? "word " + record.key() + " " + record.value() : "pair " + record.value());
                }
            }
        } catch (WakeupException stopped) {
            System.out.flush();
        }
    }
}
