import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;

/**
 * Prints what Kafka's own config providers make of configurations: the configuration, its lines
 * joined by |, then what became of the key x. Run with the variables of the unit test set:
 *
 *   env -i PATH="$PATH" PROV_ID=7 PROV_SECRET=s3cr3t 'PROV_NESTED=${env:PROV_ID}' PROV_EMPTY= \
 *     OTHER_ID=8 java -cp 'kafka/libs/*' config/tests/dump/Providers.java
 */
public class Providers {
    static final String PACKAGE = "org.apache.kafka.common.config.provider.";
    static final String ENV = "config.providers=env|config.providers.env.class=" + PACKAGE
        + "EnvVarConfigProvider";
    static final String FILE = "config.providers=f|config.providers.f.class=" + PACKAGE
        + "FileConfigProvider";
    static final String DIR = "config.providers=d|config.providers.d.class=" + PACKAGE
        + "DirectoryConfigProvider";

    static List<String> cases() {
        List<String> cases = new ArrayList<>();
        cases.add("x=${env:PROV_ID}");
        cases.add("config.providers=|x=${env:PROV_ID}");
        cases.add("config.providers=env|x=${env:PROV_ID}");
        cases.add("config.providers= env|config.providers.env.class=" + PACKAGE
            + "EnvVarConfigProvider|x=${env:PROV_ID}");
        for (String value : new String[] {
            "${env:PROV_ID}", "a${env:PROV_ID}b${env:OTHER_ID}c", "${env:PROV_MISSING}",
            "${env:PROV_EMPTY}", "${env:PROV_NESTED}", "${env:}", "${:PROV_ID}", "${env}",
            "${PROV_ID}", "$env:PROV_ID", "${env:PROV_ID", "${other:PROV_ID}", "${env::PROV_ID}",
            "${env:p:PROV_ID}", "$${env:PROV_ID}", "${a${env:PROV_ID}", "${a} ${env:PROV_ID}",
            "${env:PROV_ID}}", "{${env:PROV_ID}}", "${ env:PROV_ID}", "${env:PROV_ID }",
            "${env:PROV_MISSING} ${env:PROV_ID}", "${other:x} ${env:PROV_ID}",
        }) {
            cases.add(ENV + "|x=" + value);
        }
        cases.add(ENV + "|config.providers.env.param.allowlist.pattern=PROV_.*|x=${env:PROV_ID}");
        cases.add(ENV + "|config.providers.env.param.allowlist.pattern=PROV_.*|x=${env:OTHER_ID}");
        cases.add(ENV + "|config.providers.env.param.allowlist.pattern=PROV|x=${env:PROV_ID}");
        cases.add(ENV + "|config.providers.env.param.allowlist.pattern=A|PROV_ID|x=${env:PROV_ID}");
        cases.add(ENV + "|config.providers.env.param.allowlist.pattern=|x=${env:PROV_ID}");
        for (String value : new String[] {
            "${f:/made/a.properties:id}", "${f:/made/a.properties:key:two}",
            "${f:/made/a.properties:missing}", "${f:/made/a.properties:blank}",
            "${f:/made/a.properties:u}", "${f:/made/none.properties:id}", "${f:id}",
            "${f:/made/dir:id}", "${f:/made/dir/../a.properties:id}",
        }) {
            cases.add(FILE + "|x=" + value);
        }
        String allowed = "|config.providers.f.param.allowed.paths=";
        cases.add(FILE + allowed + "/made|x=${f:/made/a.properties:id}");
        cases.add(FILE + allowed + "/made|x=${f:/other/b.properties:id}");
        cases.add(FILE + allowed + "/made|x=${f:/made/../other/b.properties:id}");
        cases.add(FILE + allowed + "/made/dir|x=${f:/made/a.properties:id}");
        cases.add(FILE + allowed + "/made/a.properties|x=${f:/made/a.properties:id}");
        cases.add(FILE + allowed + "/other,/made|x=${f:/made/./a.properties:id}");
        cases.add(FILE + allowed + "made|x=1");
        cases.add(FILE + allowed + "/none|x=1");
        cases.add(FILE + allowed + "/made,|x=${f:/made/a.properties:id}");
        for (String value : new String[] {
            "${d:/made/dir:id}", "${d:/made/dir:password}", "${d:/made/dir:sub}",
            "${d:/made/dir:sub/id}", "${d:/made/dir:../a.properties}", "${d:/made/dir:missing}",
            "${d:/made/a.properties:id}", "${d:/none:id}", "${d:id}", "${d:/made/dir/sub/:id}",
        }) {
            cases.add(DIR + "|x=" + value);
        }
        cases.add(DIR + "|config.providers.d.param.allowed.paths=/made/dir|x=${d:/made/dir/sub:id}");
        cases.add(DIR + "|config.providers.d.param.allowed.paths=/other|x=${d:/made/dir:id}");
        return cases;
    }

    public static void main(String[] args) throws Exception {
        Path root = Files.createTempDirectory("providers");
        String[][] files = {
            {"/made/a.properties", "id=11\nkey\\:two=12\nblank=\nu=\\u00e9\n"},
            {"/made/dir/id", "13\n"}, {"/made/dir/password", "p w"}, {"/made/dir/sub/id", "14"},
            {"/other/b.properties", "id=15\n"},
        };
        for (String[] file : files) {
            Path path = Path.of(root + file[0]);
            Files.createDirectories(path.getParent());
            Files.writeString(path, file[1]);
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String written : cases()) {
            Map<String, Object> given = new HashMap<>();
            String here = written.replaceAll("/(made|other|none)", root + "/$1");
            for (String line : here.split("\\|(?=x=|config)")) {
                String[] pair = line.split("=", 2);
                given.put(pair[0], pair[1].stripLeading());
            }
            String said;
            try {
                ConfigDef definition = new ConfigDef();
                Object value = new AbstractConfig(definition, given, given, false).originals().get("x");
                said = "value\t" + value.toString().replace("\n", "\\n");
            } catch (ConfigException e) {
                said = "error\t" + e.getMessage();
            }
            out.println(written + "\t" + said.replace(root.toString(), ""));
        }
    }
}
