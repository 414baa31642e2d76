package kafkaown;

import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.test.api.ClusterTemplate;
import org.apache.kafka.common.test.api.ClusterTest;
import org.apache.kafka.common.test.api.ClusterTestDefaults;
import org.apache.kafka.common.test.api.ClusterTests;
import org.apache.kafka.common.test.api.Type;
import org.apache.kafka.metadata.bootstrap.BootstrapMetadata;
import org.apache.kafka.server.common.Feature;
import org.apache.kafka.server.common.MetadataVersion;
import org.junit.jupiter.api.extension.ExtensionContext;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** What a cluster of a test is formatted with, and whether its shape was asked for. */
public final class Shape {
    private Shape() {}

    public static void check(boolean combined) {
        if (Sut.SHAPES.equals("both") || !combined || Sut.onlyCombined) return;
        throw Sut.unasked("shape");
    }

    /**
     * Features to format with: what the test asks for, without what only a testing build would
     * have.
     */
    public static Map<String, Short> features(BootstrapMetadata wanted) {
        MetadataVersion asked = wanted.metadataVersion();
        MetadataVersion used = asked.isProduction() ? asked : MetadataVersion.LATEST_PRODUCTION;
        Map<String, Short> result = new TreeMap<>();
        result.put(MetadataVersion.FEATURE_NAME, used.featureLevel());
        wanted.records()
                .forEach(
                        r -> {
                            if (!(r.message() instanceof FeatureLevelRecord f)
                                    || f.name().equals(MetadataVersion.FEATURE_NAME)) return;
                            if (f.name().equals(Feature.KRAFT_VERSION.featureName()))
                                return; // static voters: 0
                            for (Feature feature : Feature.PRODUCTION_FEATURES) {
                                if (!feature.featureName().equals(f.name())) continue;
                                if (f.featureLevel() != feature.defaultLevel(asked))
                                    result.put(f.name(), f.featureLevel());
                            }
                        });
        // What the bootstrap leaves out is at level 0, whatever the release begins with.
        for (Feature feature : Feature.PRODUCTION_FEATURES) {
            boolean named =
                    wanted.records().stream()
                            .anyMatch(
                                    r ->
                                            r.message() instanceof FeatureLevelRecord f
                                                    && f.name().equals(feature.featureName()));
            if (!named && feature != Feature.KRAFT_VERSION && feature.defaultLevel(used) > 0)
                result.put(feature.featureName(), (short) 0);
        }
        return result;
    }

    static boolean onlyCombined(ExtensionContext context) {
        ClusterTest test = context.getRequiredTestMethod().getDeclaredAnnotation(ClusterTest.class);
        boolean ours =
                test != null
                        || context.getRequiredTestMethod().isAnnotationPresent(ClusterTests.class)
                        || context.getRequiredTestMethod()
                                .isAnnotationPresent(ClusterTemplate.class);
        if (!ours) return true; // it builds its cluster itself, and chooses
        ClusterTestDefaults defaults =
                context.getRequiredTestClass().getDeclaredAnnotation(ClusterTestDefaults.class);
        Type[] types =
                test != null && test.types().length > 0
                        ? test.types()
                        : defaults != null ? defaults.types() : Type.values();
        return !Arrays.asList(types).contains(Type.KRAFT);
    }
}
