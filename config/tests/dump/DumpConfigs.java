// Prints what a stock Kafka's own definitions say about every configuration key, one line each,
// tab separated: scope, name, type, default, valid values, importance, how it changes, internal.
// The output for 4.3.1 is tests/fixtures/kafka-4.3.1.tsv; run it with the jars of that version:
//   java -cp 'JARS/*' DumpConfigs.java > kafka-4.3.1.tsv
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.types.Password;

public class DumpConfigs {
    public static void main(String[] args) throws Exception {
        Map<String, String> modes = modes();
        print("broker", brokerDefinitions(), modes);
        print("topic", definitions("org.apache.kafka.storage.internals.log.LogConfig", "configDefCopy"), null);
        for (String[] table : new String[][] {
            {"group", "org.apache.kafka.coordinator.group.GroupConfig"},
            {"client-metrics", "org.apache.kafka.server.metrics.ClientMetricsConfigs"},
        })
            if (has(table[1])) print(table[0], definitions(table[1], "configDef"), null);
        if (has("org.apache.kafka.server.config.QuotaConfig"))
            print("quota", definitions("org.apache.kafka.server.config.QuotaConfig", "brokerQuotaConfigs"), null);
    }

    static ConfigDef brokerDefinitions() throws Exception {
        return definitions("kafka.server.KafkaConfig", "configDef");
    }

    /** Definitions that a method answers, or that a field holds. */
    static ConfigDef definitions(String type, String method) throws Exception {
        Class<?> holder = Class.forName(type);
        for (Method each : holder.getDeclaredMethods())
            if (each.getName().equals(method) && each.getParameterCount() == 0) {
                each.setAccessible(true);
                return (ConfigDef) each.invoke(null);
            }
        for (Field each : holder.getDeclaredFields())
            if (each.getType() == ConfigDef.class) {
                each.setAccessible(true);
                return (ConfigDef) each.get(null);
            }
        throw new NoSuchMethodException(type + "." + method);
    }

    static boolean has(String type) {
        try {
            Class.forName(type);
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    /** The holder is a Java class since 4.2, a Scala object before. */
    @SuppressWarnings("unchecked")
    static Map<String, String> modes() throws Exception {
        String current = "org.apache.kafka.server.config.DynamicBrokerConfig";
        boolean isJava = has(current);
        Class<?> holder = Class.forName(isJava ? current : "kafka.server.DynamicBrokerConfig$");
        Method method = holder.getDeclaredMethod("dynamicConfigUpdateModes");
        method.setAccessible(true);
        Object module = isJava ? null : holder.getField("MODULE$").get(null);
        return new HashMap<>((Map<String, String>) method.invoke(module));
    }

    static String text(ConfigDef.ConfigKey key) {
        Object value = key.defaultValue;
        if (value == ConfigDef.NO_DEFAULT_VALUE) return "(required)";
        if (value == null) return "(null)";
        if (value instanceof Password) return ((Password) value).value();
        return ConfigDef.convertToString(value, key.type);
    }

    static void print(String scope, ConfigDef def, Map<String, String> modes) {
        for (ConfigDef.ConfigKey key : new TreeMap<>(def.configKeys()).values()) {
            String validator = key.validator == null ? "" : key.validator.toString();
            if (validator.contains("@") && key.validator != null)
                validator = "(" + key.validator.getClass().getName() + ")";
            String mode = modes == null ? "" : modes.getOrDefault(key.name, "read-only");
            System.out.println(String.join("\t", scope, key.name, key.type.toString(), text(key),
                validator.replace("\n", "\\n"), key.importance.toString(), mode,
                key.internalConfig ? "internal" : "public"));
        }
    }
}
