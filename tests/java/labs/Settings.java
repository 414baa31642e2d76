import java.util.Properties;

/** What stands on a lab's command line as {@code -Dproducer.acks=0}: system properties below one prefix. */
final class Settings {
    private final String prefix;

    Settings(String prefix) {
        this.prefix = prefix;
    }

    boolean has(String name) {
        return System.getProperty(prefix + name) != null;
    }

    String text(String name, String otherwise) {
        return System.getProperty(prefix + name, otherwise);
    }

    int number(String name, int otherwise) {
        return Integer.parseInt(text(name, Integer.toString(otherwise)));
    }

    boolean is(String name, boolean otherwise) {
        return Boolean.parseBoolean(text(name, Boolean.toString(otherwise)));
    }

    /** Client settings start with where the cluster is. */
    static Properties client() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", System.getProperty("bootstrap.server", "localhost:9092"));
        return properties;
    }
}
