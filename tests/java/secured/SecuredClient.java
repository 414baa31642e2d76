import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.StringJoiner;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Logs in, sends ten records and reads them in a group that commits. The word is a file of JSON, as
 * tests/src/secured_clients.rs writes it. All cases run at once. For each a line {@code NAME<tab>sent<tab>WHAT} and one
 * {@code NAME<tab>read<tab>WHAT}: a count, or an error in the words of the client.
 */
public final class SecuredClient {
    private static final int RECORDS = 10;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String MODULES = "org.apache.kafka.common.security.";
    private static final String ALLOWED_URLS = "org.apache.kafka.sasl.oauthbearer.allowed.urls";

    private interface Work {
        int done(JsonNode one) throws Exception;
    }

    public static void main(String[] words) throws Exception {
        JsonNode cases = new ObjectMapper().readTree(new File(words[0]));
        allowTokens(cases);
        ExecutorService threads = Executors.newFixedThreadPool(cases.size());
        List<Future<String>> lines = new ArrayList<>();
        for (JsonNode one : cases) {
            lines.add(threads.submit(() -> line(one, "sent", SecuredClient::send) + line(one, "read", SecuredClient::read)));
        }
        for (Future<String> line : lines) {
            System.out.print(line.get());
        }
        threads.shutdown();
    }

    /** Since 4.0 a JVM has to be told which tokens its clients may read. */
    private static void allowTokens(JsonNode cases) {
        StringJoiner urls = new StringJoiner(",");
        for (JsonNode one : cases) {
            if (one.hasNonNull("token")) {
                urls.add(url(one));
            }
        }
        System.setProperty(ALLOWED_URLS, urls.toString());
    }

    private static String url(JsonNode one) {
        return "file://" + one.get("token").asText();
    }

    private static String line(JsonNode one, String what, Work work) {
        String said;
        try {
            said = Integer.toString(work.done(one));
        } catch (Exception e) {
            Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
            said = cause.getClass().getSimpleName() + ": " + cause.getMessage();
        }
        return one.get("name").asText() + "\t" + what + "\t" + said.replace('\n', ' ') + "\n";
    }

    private static Properties settings(JsonNode one) {
        Properties settings = new Properties();
        boolean encrypts = one.hasNonNull("trust");
        boolean logsIn = one.hasNonNull("mechanism");
        settings.put("bootstrap.servers", one.get("bootstrap").asText());
        settings.put("security.protocol", (logsIn ? "SASL_" : "") + (encrypts ? "SSL" : "PLAINTEXT"));
        if (encrypts) {
            settings.put("ssl.truststore.type", "PEM");
            settings.put("ssl.truststore.location", one.get("trust").asText());
        }
        if (one.hasNonNull("certificate")) {
            settings.put("ssl.keystore.type", "PKCS12");
            settings.put("ssl.keystore.location", one.get("certificate").asText() + ".p12");
            settings.put("ssl.keystore.password", one.get("storePassword").asText());
        }
        if (logsIn) {
            settings.put("sasl.mechanism", one.get("mechanism").asText());
            settings.put("sasl.jaas.config", login(one));
        }
        if (one.hasNonNull("token")) {
            settings.put("sasl.login.callback.handler.class", MODULES + "oauthbearer.OAuthBearerLoginCallbackHandler");
            settings.put("sasl.oauthbearer.token.endpoint.url", url(one));
        }
        return settings;
    }

    private static String login(JsonNode one) {
        String mechanism = one.get("mechanism").asText();
        if (mechanism.equals("OAUTHBEARER")) {
            return MODULES + "oauthbearer.OAuthBearerLoginModule required;";
        }
        String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        String user = one.get("user").asText();
        return MODULES + module + " required username=\"" + user + "\" password=\"" + one.get("password").asText() + "\";";
    }

    private static int send(JsonNode one) throws Exception {
        StringSerializer text = new StringSerializer();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings(one), text, text)) {
            for (int number = 0; number < RECORDS; number++) {
                producer.send(new ProducerRecord<>(one.get("topic").asText(), Integer.toString(number))).get();
            }
        }
        return RECORDS;
    }

    private static int read(JsonNode one) {
        Properties settings = settings(one);
        settings.put("group.id", one.get("topic").asText());
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        StringDeserializer text = new StringDeserializer();
        int count = 0;
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings, text, text)) {
            consumer.subscribe(List.of(one.get("topic").asText()));
            long begun = System.nanoTime();
            while (count < RECORDS && System.nanoTime() - begun < PATIENCE.toNanos()) {
                count += consumer.poll(Duration.ofMillis(200)).count();
            }
            consumer.commitSync();
        }
        return count;
    }
}
