import java.io.File;
import java.io.PrintStream;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarFile;

/**
 * Prints what the classes of the release of Kafka on its class path say: configuration definitions, features, error codes,
 * API keys, small tables, and which classes are tools. All by reflection, as the same class file runs on every release.
 *
 * A line is: section TAB order TAB entry TAB property TAB value, with tabs, ends of lines and backslashes escaped. A line
 * without an entry says which class a section was read from. What a release does not have is said on stderr.
 */
public final class ReleaseFacts {
    /** What stands behind a section: the first of these that the release has, CLASS#METHOD_OR_FIELD. */
    private static final String[][] DEFINITIONS = {
        {"broker configuration", "org.apache.kafka.server.config.AbstractKafkaConfig#CONFIG_DEF",
            "kafka.server.KafkaConfig#configDef", "kafka.server.KafkaConfig$#configDef"},
        {"topic configuration", "org.apache.kafka.storage.internals.log.LogConfig#configDefCopy",
            "org.apache.kafka.storage.internals.log.LogConfig#CONFIG", "kafka.log.LogConfig$#configDefCopy"},
        {"group configuration", "org.apache.kafka.coordinator.group.GroupConfig#CONFIG_DEF",
            "org.apache.kafka.coordinator.group.GroupConfig#configDef"},
        {"client metrics configuration", "org.apache.kafka.server.metrics.ClientMetricsConfigs#CONFIG_DEF",
            "org.apache.kafka.server.metrics.ClientMetricsConfigs#configDef",
            "org.apache.kafka.server.metrics.ClientMetricsConfigs#CONFIG"},
        {"quotas of replication", "org.apache.kafka.server.config.QuotaConfig#brokerQuotaConfigs",
            "kafka.server.DynamicConfig$Broker$#brokerConfigDef"},
        {"quotas of users and clients", "org.apache.kafka.server.config.QuotaConfig#userAndClientQuotaConfigs",
            "org.apache.kafka.common.config.internals.QuotaConfigs#userConfigs"},
        {"quotas of addresses", "org.apache.kafka.server.config.QuotaConfig#ipConfigs",
            "org.apache.kafka.common.config.internals.QuotaConfigs#ipConfigs"},
        {"producer configuration", "org.apache.kafka.clients.producer.ProducerConfig#configDef",
            "org.apache.kafka.clients.producer.ProducerConfig#CONFIG"},
        {"consumer configuration", "org.apache.kafka.clients.consumer.ConsumerConfig#configDef",
            "org.apache.kafka.clients.consumer.ConsumerConfig#CONFIG"},
        {"admin client configuration", "org.apache.kafka.clients.admin.AdminClientConfig#configDef",
            "org.apache.kafka.clients.admin.AdminClientConfig#CONFIG"},
    };

    /** Collections and maps of which each element is an entry. */
    private static final String[][] LISTS = {
        {"configuration that share consumers refuse",
            "org.apache.kafka.clients.consumer.ShareConsumerConfig#SHARE_GROUP_UNSUPPORTED_CONFIGS"},
        {"broker's names of topic configuration",
            "org.apache.kafka.server.config.ServerTopicConfigSynonyms#ALL_TOPIC_CONFIG_SYNONYMS"},
        {"broker's names of group configuration",
            "org.apache.kafka.coordinator.group.GroupConfig#ALL_GROUP_CONFIG_SYNONYMS"},
    };

    private static final String[] UPDATE_MODES = {
        "org.apache.kafka.server.config.DynamicBrokerConfig#dynamicConfigUpdateModes",
        "kafka.server.DynamicBrokerConfig$#dynamicConfigUpdateModes",
    };

    /** Enums whose constants have numbers, or names that are printed. */
    private static final String[] ENUMS = {
        "org.apache.kafka.common.acl.AclOperation",
        "org.apache.kafka.common.acl.AclPermissionType",
        "org.apache.kafka.common.resource.ResourceType",
        "org.apache.kafka.common.resource.PatternType",
        "org.apache.kafka.common.config.ConfigResource$Type",
        "org.apache.kafka.common.GroupState",
        "org.apache.kafka.common.GroupType",
        "org.apache.kafka.common.record.CompressionType",
        "org.apache.kafka.common.record.ControlRecordType",
        "org.apache.kafka.common.record.TimestampType",
        "org.apache.kafka.common.requests.FindCoordinatorRequest$CoordinatorType",
        "org.apache.kafka.clients.admin.TransactionState",
        "org.apache.kafka.clients.admin.ScramMechanism",
        "org.apache.kafka.clients.admin.FeatureUpdate$UpgradeType",
        "org.apache.kafka.clients.admin.EndpointType",
        "org.apache.kafka.clients.consumer.AcknowledgeType",
        "org.apache.kafka.coordinator.transaction.TransactionState",
    };

    /** Classes whose constants are numbers on the wire. */
    private static final String[] CONSTANTS = {
        "org.apache.kafka.common.requests.ListOffsetsRequest",
        "org.apache.kafka.common.requests.FetchRequest",
        "org.apache.kafka.common.requests.JoinGroupRequest",
        "org.apache.kafka.common.requests.ConsumerGroupHeartbeatRequest",
        "org.apache.kafka.common.requests.ShareGroupHeartbeatRequest",
        "org.apache.kafka.common.requests.StreamsGroupHeartbeatRequest",
        "org.apache.kafka.common.requests.StreamsGroupHeartbeatResponse$Status",
        "org.apache.kafka.common.requests.ShareFetchRequest",
        "org.apache.kafka.common.record.DefaultRecordBatch",
    };

    private static final String METADATA_VERSION = "org.apache.kafka.server.common.MetadataVersion";
    private static final String FEATURE = "org.apache.kafka.server.common.Feature";
    private static final String[] TOOLS = {"kafka/Kafka.class", "kafka/admin/", "kafka/tools/", "kafka/docker/",
        "org/apache/kafka/tools/", "org/apache/kafka/shell/"};

    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    private static void line(String section, long order, String entry, String property, Object value) {
        OUT.print(String.join("\t", section, Long.toString(order), escaped(entry), escaped(property), escaped("" + value)));
        OUT.print('\n');
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "");
    }

    private static Class<?> type(String name) {
        try {
            return Class.forName(name, true, ReleaseFacts.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            return null;
        }
    }

    /** The same, where it may have moved into a package below: as much of common.record did. */
    private static Class<?> moved(String name) {
        int end = name.lastIndexOf('.');
        Class<?> found = type(name);
        found = found == null ? type(name.substring(0, end) + ".internal" + name.substring(end)) : found;
        if (found == null) {
            System.err.println("enums and constants: there is no " + name);
        }
        return found;
    }

    /** What CLASS#MEMBER is; null when the release has no such thing. */
    private static Object member(String path) throws ReflectiveOperationException {
        Class<?> owner = type(path.substring(0, path.indexOf('#')));
        String name = path.substring(path.indexOf('#') + 1);
        if (owner == null) {
            return null;
        }
        // A Scala object's members are those of its one instance.
        Object instance = owner.getName().endsWith("$") ? owner.getField("MODULE$").get(null) : null;
        for (Method method : owner.getDeclaredMethods()) {
            if (method.getName().equals(name) && method.getParameterCount() == 0) {
                method.setAccessible(true);
                return method.invoke(instance);
            }
        }
        for (Field field : owner.getDeclaredFields()) {
            if (field.getName().equals(name) && Modifier.isStatic(field.getModifiers())) {
                field.setAccessible(true);
                return field.get(null);
            }
        }
        return null;
    }

    /** The first of these members that there is, and says which it was. */
    private static Object first(String section, String... paths) throws ReflectiveOperationException {
        for (String path : paths) {
            Object found = member(path);
            if (found != null) {
                if (section != null) {
                    line(section, 0, "", "", path);
                }
                return found;
            }
        }
        String sought = section == null ? "how configuration changes" : section;
        System.err.println(sought + ": there is no " + String.join(", no ", paths));
        return null;
    }

    /** A value of a method or field without arguments; null when there is none. */
    private static Object value(Object of, String name) {
        for (Class<?> owner = of.getClass(); owner != null; owner = owner.getSuperclass()) {
            try {
                Method method = owner.getDeclaredMethod(name);
                method.setAccessible(true);
                return method.invoke(of);
            } catch (ReflectiveOperationException e) {
                // perhaps it is a field
            }
            try {
                Field field = owner.getDeclaredField(name);
                field.setAccessible(true);
                return field.get(of);
            } catch (ReflectiveOperationException e) {
                // perhaps it is inherited
            }
        }
        return null;
    }

    private static void definitions() throws ReflectiveOperationException {
        Map<?, ?> modes = (Map<?, ?>) first(null, UPDATE_MODES);
        for (String[] definition : DEFINITIONS) {
            String[] paths = java.util.Arrays.copyOfRange(definition, 1, definition.length);
            Object found = first(definition[0], paths);
            if (found != null) {
                Map<?, ?> keys = (Map<?, ?>) value(found, "configKeys");
                for (Map.Entry<?, ?> key : new TreeMap<>(keys).entrySet()) {
                    key(definition[0], key.getKey().toString(), key.getValue());
                    if (modes != null && definition[0].startsWith("broker")) {
                        Object mode = modes.get(key.getKey());
                        line(definition[0], 0, key.getKey().toString(), "changes", mode == null ? "read-only" : mode);
                    }
                }
            }
        }
    }

    private static void key(String section, String name, Object key) throws ReflectiveOperationException {
        Class<?> definition = type("org.apache.kafka.common.config.ConfigDef");
        Class<?> kind = type("org.apache.kafka.common.config.ConfigDef$Type");
        Object standard = value(key, "defaultValue");
        String text;
        if (standard == member("org.apache.kafka.common.config.ConfigDef#NO_DEFAULT_VALUE")) {
            text = "(required)";
        } else if (standard == null) {
            text = "(null)";
        } else {
            Method convert = definition.getMethod("convertToString", Object.class, kind);
            text = "\"" + convert.invoke(null, standard, value(key, "type")) + "\"";
        }
        line(section, 0, name, "type", value(key, "type"));
        line(section, 0, name, "default", text);
        line(section, 0, name, "importance", value(key, "importance"));
        Object validator = value(key, "validator");
        if (validator != null) {
            // What has no words of its own is called by its class; a lambda's class is called anew in each JVM.
            String words = validator.toString();
            boolean speechless = words.matches(".*@[0-9a-f]+");
            String owner = validator.getClass().getName().replaceAll("\\$\\$Lambda.*", " (lambda)");
            line(section, 0, name, "validator", speechless ? owner : words);
        }
        if (Boolean.TRUE.equals(value(key, "internalConfig"))) {
            line(section, 0, name, "internal", "true");
        }
        line(section, 0, name, "doc", value(key, "documentation"));
    }

    private static void lists() throws ReflectiveOperationException {
        for (String[] list : LISTS) {
            Object found = first(list[0], list[1]);
            if (found instanceof Map) {
                for (Map.Entry<?, ?> entry : new TreeMap<>((Map<?, ?>) found).entrySet()) {
                    line(list[0], 0, entry.getKey().toString(), "names", spoken(entry.getValue()));
                }
            } else if (found != null) {
                for (Object entry : new TreeSet<>((Collection<?>) found)) {
                    line(list[0], 0, entry.toString(), "", "");
                }
            }
        }
    }

    /** A list of synonyms, whose elements have no words of their own. */
    private static String spoken(Object value) {
        if (!(value instanceof Collection)) {
            return String.valueOf(value);
        }
        List<String> words = new ArrayList<>();
        for (Object element : (Collection<?>) value) {
            Object name = value(element, "name");
            words.add(name == null ? element.toString() : name.toString());
        }
        return String.join(", ", words);
    }

    private static Object[] constants(String name) {
        Class<?> type = type(name);
        return type == null || !type.isEnum() ? new Object[0] : type.getEnumConstants();
    }

    /** What a metadata version brings: from which one on a method of it answers what. */
    private static void metadataVersions() throws ReflectiveOperationException {
        Object[] versions = constants(METADATA_VERSION);
        String section = "metadata versions";
        for (Object version : versions) {
            long level = ((Number) value(version, "featureLevel")).longValue();
            line(section, level, version.toString() + " " + ((Enum<?>) version).name(), "level", level);
            line(section, level, version.toString() + " " + ((Enum<?>) version).name(), "changes the metadata",
                value(version, "didMetadataChange"));
        }
        if (versions.length == 0) {
            System.err.println(section + ": there is no " + METADATA_VERSION);
            return;
        }
        Class<?> type = versions[0].getClass();
        type = type.isEnum() ? type : type.getSuperclass();
        for (Field field : type.getDeclaredFields()) {
            if (field.getType() == type && !field.isEnumConstant()) {
                line("what metadata versions bring", 0, field.getName(), "is", ((Enum<?>) field.get(null)).name());
            }
        }
        for (Method method : type.getDeclaredMethods()) {
            boolean tells = method.getReturnType() == boolean.class || method.getReturnType() == short.class
                || method.getReturnType() == byte.class || method.getReturnType() == int.class;
            if (tells && method.getParameterCount() == 0 && !Modifier.isStatic(method.getModifiers())
                && !method.getName().equals("featureLevel") && !method.getName().equals("didMetadataChange")) {
                method.setAccessible(true);
                List<Object> answers = new ArrayList<>();
                for (Object version : versions) {
                    answers.add(answer(method, version));
                }
                line("what metadata versions bring", 0, method.getName(), "answers", steps(versions, answers));
            }
        }
    }

    private static Object answer(Method method, Object of) throws ReflectiveOperationException {
        try {
            return method.invoke(of);
        } catch (InvocationTargetException e) {
            return "refused";
        }
    }

    /** What was answered by each of the versions, said where it changes. */
    private static String steps(Object[] versions, List<Object> answers) {
        List<String> steps = new ArrayList<>();
        for (int i = 0; i < versions.length; i++) {
            if (i == 0) {
                steps.add("" + answers.get(i));
            } else if (!answers.get(i).equals(answers.get(i - 1))) {
                steps.add(answers.get(i) + " from " + ((Enum<?>) versions[i]).name());
            }
        }
        return String.join(", ", steps);
    }

    private static void features() throws ReflectiveOperationException {
        String section = "features";
        Object[] features = constants(FEATURE);
        if (features.length == 0) {
            System.err.println(section + ": there is no " + FEATURE);
        }
        for (Object feature : features) {
            String name = value(feature, "featureName").toString();
            if (((Enum<?>) feature).name().contains("TEST")) {
                continue;
            }
            for (String property : new String[] {"minimumProduction", "latestProduction", "latestTesting"}) {
                Object level = value(feature, property);
                if (level != null) {
                    line(section, 0, name, property, level instanceof Number ? level : value(level, "featureLevel"));
                }
            }
            Object levels = value(feature, "featureVersions");
            for (int i = 0; i < Array.getLength(levels); i++) {
                Object level = Array.get(levels, i);
                line(section, 0, name, "level " + value(level, "featureLevel"), ((Enum<?>) level).name() + ", bootstrap "
                    + ((Enum<?>) value(level, "bootstrapMetadataVersion")).name() + ", needs " + value(level, "dependencies"));
            }
            Method standard = feature.getClass().getMethod("defaultLevel", type(METADATA_VERSION));
            List<Object> answers = new ArrayList<>();
            for (Object version : constants(METADATA_VERSION)) {
                answers.add(standard.invoke(feature, version));
            }
            line(section, 0, name, "default level", steps(constants(METADATA_VERSION), answers));
        }
    }

    private static void errors() {
        Class<?> retriable = type("org.apache.kafka.common.errors.RetriableException");
        Class<?> stale = type("org.apache.kafka.common.errors.InvalidMetadataException");
        for (Object error : constants("org.apache.kafka.common.protocol.Errors")) {
            String name = ((Enum<?>) error).name();
            long code = ((Number) value(error, "code")).longValue();
            Object exception = value(error, "exception");
            line("error codes", code, name, "code", code);
            line("error codes", code, name, "exception", exception == null ? "none" : exception.getClass().getName());
            line("error codes", code, name, "retriable", retriable.isInstance(exception));
            line("error codes", code, name, "asks for new metadata", stale.isInstance(exception));
            line("error codes", code, name, "message", value(error, "message"));
        }
    }

    private static void apiKeys() {
        for (Object api : constants("org.apache.kafka.common.protocol.ApiKeys")) {
            long id = ((Number) value(api, "id")).longValue();
            for (String property : new String[] {"id", "clusterAction", "forwardable", "oldestVersion", "latestVersion"}) {
                Object found = value(api, property);
                if (found != null) {
                    line("API keys", id, ((Enum<?>) api).name(), property, found);
                }
            }
            Object type = value(api, "messageType");
            Object unstable = type == null ? null : value(type, "latestVersionUnstable");
            if (unstable != null) {
                line("API keys", id, ((Enum<?>) api).name(), "latestVersionUnstable", unstable);
            }
        }
    }

    private static void tables() throws ReflectiveOperationException {
        for (String name : ENUMS) {
            // Two packages have a TransactionState.
            String table = name.substring("org.apache.kafka.".length()).replace('$', '.');
            Class<?> type = moved(name);
            for (Object constant : type == null || !type.isEnum() ? new Object[0] : type.getEnumConstants()) {
                for (String property : new String[] {"toString", "code", "id", "type"}) {
                    Object found = value(constant, property);
                    if (found instanceof String || found instanceof Number) {
                        String said = property.equals("toString") ? "printed as" : property;
                        line("enums", 0, table + " " + ((Enum<?>) constant).name(), said, found);
                    }
                }
            }
        }
        for (String name : CONSTANTS) {
            Class<?> owner = moved(name);
            for (Field field : owner == null ? new Field[0] : owner.getDeclaredFields()) {
                boolean isConstant = Modifier.isStatic(field.getModifiers()) && Modifier.isFinal(field.getModifiers());
                if (isConstant && (field.getType().isPrimitive() || field.getType() == String.class)) {
                    field.setAccessible(true);
                    String table = name.substring(name.lastIndexOf('.') + 1).replace('$', '.');
                    line("constants", 0, table + "." + field.getName(), "is", field.get(null));
                }
            }
        }
    }

    private static void tools() throws Exception {
        for (URL url : ((URLClassLoader) ReleaseFacts.class.getClassLoader()).getURLs()) {
            File file = new File(url.toURI());
            if (!file.getName().startsWith("kafka") || !file.getName().endsWith(".jar")) {
                continue;
            }
            try (JarFile jar = new JarFile(file)) {
                jar.stream().map(entry -> entry.getName()).filter(ReleaseFacts::mayBeATool).sorted().forEach(entry -> {
                    String name = entry.substring(0, entry.length() - ".class".length()).replace('/', '.');
                    if (hasMain(name)) {
                        line("tools", 0, name.substring(name.lastIndexOf('.') + 1), "class", name);
                    }
                });
            }
        }
    }

    private static boolean mayBeATool(String entry) {
        boolean stands = false;
        for (String prefix : TOOLS) {
            stands |= entry.startsWith(prefix);
        }
        return stands && entry.endsWith(".class") && !entry.contains("$");
    }

    private static boolean hasMain(String name) {
        try {
            Class<?> owner = Class.forName(name, false, ReleaseFacts.class.getClassLoader());
            return Modifier.isStatic(owner.getDeclaredMethod("main", String[].class).getModifiers());
        } catch (ReflectiveOperationException | LinkageError e) {
            return false;
        }
    }

    public static void main(String[] unused) throws Exception {
        Thread.currentThread().setContextClassLoader(ReleaseFacts.class.getClassLoader());
        definitions();
        lists();
        apiKeys();
        errors();
        features();
        metadataVersions();
        tables();
        tools();
        OUT.flush();
    }
}
