import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * Each class of org.testcontainers' Kafka module with our image in place of the one it names.
 *
 * <p>Words: IMAGE CASE... . For each case the container is started, `started CASE ID` printed, a
 * hundred records are produced and consumed, `consumed CASE N in order` printed, and the container
 * stopped once a line was read from standard input.
 */
public class Round {
    /** A started container, and how its bootstrap servers are asked for. */
    record Started(GenericContainer<?> container, String servers) {}

    static final Map<String, Function<String, Started>> CASES = Map.of(
        "apache", Round::apache,
        "confluent", Round::confluent,
        "listener", Round::listener,
        "kraft", image -> old(of(image, "confluentinc/cp-kafka"), true),
        "zookeeper", image -> old(of(image, "confluentinc/cp-kafka"), false));

    static DockerImageName of(String image, String substituted) {
        return DockerImageName.parse(image).asCompatibleSubstituteFor(substituted);
    }

    static Started apache(String image) {
        var kafka = new org.testcontainers.kafka.KafkaContainer(of(image, "apache/kafka"));
        kafka.start();
        return new Started(kafka, kafka.getBootstrapServers());
    }

    static Started confluent(String image) {
        var name = of(image, "confluentinc/cp-kafka");
        var kafka = new org.testcontainers.kafka.ConfluentKafkaContainer(name);
        kafka.start();
        return new Started(kafka, kafka.getBootstrapServers());
    }

    /** One more listener, as a test has it whose other containers are clients. */
    static Started listener(String image) {
        var network = org.testcontainers.containers.Network.newNetwork();
        var kafka = new org.testcontainers.kafka.KafkaContainer(of(image, "apache/kafka")) {
            @Override
            public void stop() {
                super.stop();
                network.close();
            }
        };
        kafka.withNetwork(network);
        kafka.withListener("broker:19092");
        kafka.start();
        return new Started(kafka, kafka.getBootstrapServers());
    }

    @SuppressWarnings("deprecation")
    static Started old(DockerImageName image, boolean kraft) {
        var kafka = new org.testcontainers.containers.KafkaContainer(image);
        if (kraft) {
            kafka.withKraft();
        }
        kafka.start();
        return new Started(kafka, kafka.getBootstrapServers());
    }

    public static void main(String[] words) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (int i = 1; i < words.length; i++) {
            Started started = CASES.get(words[i]).apply(words[0]);
            try (var container = started.container()) {
                System.out.println("started " + words[i] + " " + container.getContainerId());
                List<String> consumed = round(started.servers());
                System.out.println("consumed " + words[i] + " " + consumed.size() + " "
                    + (consumed.equals(values()) ? "in order" : "not what was sent: " + consumed));
                lines.readLine();
            }
        }
    }

    static List<String> values() {
        var values = new ArrayList<String>();
        for (int i = 0; i < 100; i++) {
            values.add("value-" + i);
        }
        return values;
    }

    /** Produces a hundred records to a topic that is created for them, and reads them as a group. */
    static List<String> round(String servers) throws Exception {
        var common = new Properties();
        common.put("bootstrap.servers", servers);
        try (var producer = new KafkaProducer<String, String>(
                common, new StringSerializer(), new StringSerializer())) {
            for (String value : values()) {
                producer.send(new ProducerRecord<>("round", 0, "key", value)).get();
            }
        }
        common.put("group.id", "readers");
        common.put("auto.offset.reset", "earliest");
        var consumed = new ArrayList<String>();
        try (var consumer = new KafkaConsumer<String, String>(
                common, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of("round"));
            long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            while (consumed.size() < 100 && System.nanoTime() < end) {
                consumer.poll(Duration.ofMillis(200)).forEach(r -> consumed.add(r.value()));
            }
        }
        return consumed;
    }
}
