// Prints how a stock broker describes its resources, one key a line, tab separated: resource, name,
// value, source, ro|rw, secret|open, type, doc|nodoc, synonyms. The broker was formatted for and
// started with tests/fixtures/described.properties; `setup` makes the settings that tests/stock.rs
// repeats. The output is tests/fixtures/describe-4.3.1.tsv:
//   java -cp 'JARS/*' DescribeConfigs.java localhost:19100 setup
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.common.config.ConfigResource;
public class DescribeConfigs {
  public static void main(String[] a) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", a[0]))) {
      if (a.length > 1) {
        admin.createTopics(List.of(new NewTopic("t", 1, (short)1).configs(Map.of("retention.ms","1000","cleanup.policy","compact")))).all().get();
        Map<ConfigResource, Collection<AlterConfigOp>> ops = new HashMap<>();
        ops.put(new ConfigResource(ConfigResource.Type.BROKER,"1"), List.of(set("log.roll.hours","5"), set("message.max.bytes","2000000"), set("log.retention.ms","7000000")));
        for (var e : new String[][]{{"1","message.max.bytes","2000000"},{"1","log.retention.ms"," 7000000 "},{"1","listener.name.plaintext.ssl.keystore.password","x"},{"1","custom.key","x"},{"","message.max.bytes","1500000"},{"","log.roll.ms","9000000"},{"","leader.replication.throttled.rate","5"},{"","compression.type","lz4"}})
          try { admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.BROKER,e[0]), List.of(set(e[1],e[2])))).all().get(); } catch (Exception x) { System.err.println(Arrays.toString(e)+" "+x); }
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.GROUP,"g"), List.of(set("consumer.session.timeout.ms","50000")))).all().get();
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.CLIENT_METRICS,"m"), List.of(set("interval.ms","5000"),set("metrics","a,b")))).all().get();
        Thread.sleep(1500);
      }
      for (var r : List.of(new ConfigResource(ConfigResource.Type.BROKER,"1"), new ConfigResource(ConfigResource.Type.BROKER,""), new ConfigResource(ConfigResource.Type.TOPIC,"t"), new ConfigResource(ConfigResource.Type.GROUP,"g"), new ConfigResource(ConfigResource.Type.CLIENT_METRICS,"m"))) {
        var c = admin.describeConfigs(List.of(r), new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true)).all().get().get(r);
        var list = new ArrayList<>(c.entries()); list.sort(Comparator.comparing(ConfigEntry::name));
        for (var e : list) {
          var s = new StringBuilder();
          for (var y : e.synonyms()) s.append(s.length()>0?";":"").append(y.source()).append(':').append(y.name()).append('=').append(y.value());
          System.out.println(String.join("\t", r.type().name(), e.name(), ""+e.value(), ""+e.source(), e.isReadOnly()?"ro":"rw", e.isSensitive()?"secret":"open", ""+e.type(), e.documentation()==null?"nodoc":"doc", s.toString()));
        }
      }
    }
  }
  static AlterConfigOp set(String n, String v) { return new AlterConfigOp(new ConfigEntry(n,v), AlterConfigOp.OpType.SET); }
}
