// Prints what a stock Kafka's own definitions say about every configuration key, one line each,
// tab separated: scope, name, type, default, valid values, importance, how it changes, internal.
// The output for 4.1.0 is tests/fixtures/kafka-4.1.0.tsv; run it with the jars of that version:
//   java -cp 'JARS/*' DumpConfigs.java > kafka-4.1.0.tsv
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
        if (has("org.apache.kafka.coordinator.group.GroupConfig"))
            print("group", definitions("org.apache.kafka.coordinator.group.GroupConfig", "configDef"), null);
        String metrics = "org.apache.kafka.server.metrics.ClientMetricsConfigs";
        if (has(metrics)) {
            try {
                print("client-metrics", definitions(metrics, "configDef"), null);
            } catch (NoSuchMethodException e) {
                Field field = Class.forName(metrics).getDeclaredField("CONFIG");
                field.setAccessible(true);
                print("client-metrics", (ConfigDef) field.get(null), null);
            }
        }
        if (has("org.apache.kafka.server.config.QuotaConfig"))
            print("quota", definitions("org.apache.kafka.server.config.QuotaConfig", "brokerQuotaConfigs"), null);
    }

    static ConfigDef brokerDefinitions() throws Exception {
        return definitions("kafka.server.KafkaConfig", "configDef");
    }

    static ConfigDef definitions(String type, String method) throws Exception {
        Method found = Class.forName(type).getDeclaredMethod(method);
        found.setAccessible(true);
        return (ConfigDef) found.invoke(null);
    }

    static boolean has(String type) {
        try {
            Class.forName(type);
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    @SuppressWarnings("unchecked")
    static Map<String, String> modes() throws Exception {
        Class<?> holder = Class.forName("kafka.server.DynamicBrokerConfig$");
        Object module = holder.getField("MODULE$").get(null);
        Method method = holder.getDeclaredMethod("dynamicConfigUpdateModes");
        method.setAccessible(true);
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
