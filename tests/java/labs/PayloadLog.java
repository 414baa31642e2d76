import java.io.FileWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A line {@code topic,partition,key,value} for each record that was acknowledged, or received. Each is written through, so
 * that a client that is killed has written what it saw.
 */
final class PayloadLog implements AutoCloseable {
    private final PrintWriter lines;

    /** {@code payload.log} in the working directory, {@code payload-N.log} where the client has a number. */
    PayloadLog(Settings settings) throws IOException {
        int number = settings.number("local-id", -1);
        Path file = Path.of(number < 0 ? "payload.log" : "payload-" + number + ".log");
        if (settings.is("payload-trunc", false)) {
            Files.deleteIfExists(file);
        }
        lines = new PrintWriter(new FileWriter(file.toFile(), true));
    }

    void add(String topic, int partition, Integer key, String value) {
        lines.println(topic + "," + partition + "," + key + "," + value);
        lines.flush();
    }

    @Override
    public void close() {
        lines.close();
    }
}
