package kafkaown;

import org.junit.jupiter.api.extension.ExtensionContext;

/** Kafka Streams' tests know one shape. */
final class Shape {
    private Shape() {}

    static boolean onlyCombined(ExtensionContext context) {
        return false;
    }
}
