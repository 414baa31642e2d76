// Prints what the broker that DescribeConfigs.java set up answers to changes it should refuse, one a
// line, tab separated: resource, name, operation, key, value, class of the error (or OK), message.
// Nothing is changed. The output is tests/fixtures/alter-4.3.1.tsv:
//   java -cp 'JARS/*' AlterConfigs.java localhost:19100
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.common.config.ConfigResource;
public class AlterConfigs {
  public static void main(String[] a) throws Exception {
    String[][] table = {
      {"TOPIC","t","SET","retention.ms","-2"},{"TOPIC","t","SET","retention.ms","abc"},{"TOPIC","t","SET","nope","1"},
      {"TOPIC","t","SET","cleanup.policy","shred"},{"TOPIC","t","SET","segment.bytes","1000"},{"TOPIC","t","SET","compression.type","rar"},
      {"TOPIC","t","SET","compression.gzip.level","0"},{"TOPIC","t","SET","compression.zstd.level","99"},{"TOPIC","t","SET","min.cleanable.dirty.ratio","1.5"},
      {"TOPIC","t","SET","min.compaction.lag.ms","9223372036854775807"},{"TOPIC","t","SET","max.compaction.lag.ms","0"},
      {"TOPIC","t","SET","remote.storage.enable","true"},{"TOPIC","t","SET","preallocate","maybe"},{"TOPIC","t","SET","leader.replication.throttled.replicas","a:b"},
      {"TOPIC","t","SET","leader.replication.throttled.replicas","0:1,1:2"},{"TOPIC","t","SET","follower.replication.throttled.replicas","*"},
      {"TOPIC","t","APPEND","retention.ms","5"},{"TOPIC","t","APPEND","cleanup.policy","shred"},{"TOPIC","t","SUBTRACT","cleanup.policy","compact"},{"TOPIC","t","SET","internal.segment.bytes","1000"},
      {"TOPIC","t","SET","message.timestamp.type","never"},{"TOPIC","t","SET","max.message.bytes","-1"},{"TOPIC","t","SET","min.insync.replicas","0"},{"TOPIC","t","SET","retention.ms",""},
      {"BROKER","1","SET","num.partitions","5"},{"BROKER","1","SET","log.segment.bytes","1000"},{"BROKER","1","SET","message.max.bytes","x"},{"BROKER","1","SET","ssl.keystore.password","x"},
      {"BROKER","1","SET","listeners","CONTROLLER://localhost:19101"},{"BROKER","","SET","listeners","PLAINTEXT://localhost:19100,CONTROLLER://localhost:19101"},{"BROKER","","SET","listener.name.plaintext.ssl.keystore.type","PEM"},
      {"BROKER","1","SET","num.io.threads","100"},{"BROKER","1","SET","num.io.threads","1"},{"BROKER","1","SET","num.network.threads","50"},{"BROKER","1","SET","log.roll.ms","0"},{"BROKER","1","SET","log.retention.ms","0"},{"BROKER","1","SET","log.cleaner.threads","9"},{"BROKER","1","SET","log.cleaner.dedupe.buffer.size","5"},
      {"BROKER","1","SET","max.connections.per.ip.overrides","a:b:c"},{"BROKER","1","SET","metric.reporters","no.Such"},{"BROKER","1","SET","log.local.retention.ms","99999999999"},{"BROKER","1","SET","min.insync.replicas","2"},{"BROKER","","SET","leader.replication.throttled.rate","-1"},
      {"BROKER","1","APPEND","log.cleanup.policy","delete"},{"BROKER","1","APPEND","message.max.bytes","1"},{"BROKER","x","SET","message.max.bytes","1"},{"BROKER","2","SET","message.max.bytes","1"},
      {"BROKER","1","SET","unknown.thing","1"},{"BROKER","","SET","unclean.leader.election.enable","perhaps"},
      {"GROUP","g","SET","nope","1"},{"GROUP","g","SET","consumer.session.timeout.ms","1"},{"GROUP","g","SET","consumer.session.timeout.ms","70000"},{"GROUP","g","SET","consumer.heartbeat.interval.ms","0"},{"GROUP","g","SET","share.auto.offset.reset","never"},{"GROUP","g","SET","share.auto.offset.reset","by_duration:PT1H"},{"GROUP","g","SET","share.isolation.level","x"},{"GROUP","","SET","consumer.session.timeout.ms","50000"},{"GROUP","g","SET","streams.num.standby.replicas","3"},
      {"CLIENT_METRICS","m","SET","nope","1"},{"CLIENT_METRICS","m","SET","interval.ms","1"},{"CLIENT_METRICS","m","SET","match","a"},{"CLIENT_METRICS","m","SET","match","client_id=b.*"},{"CLIENT_METRICS","","SET","interval.ms","1000"},
      {"TOPIC","t","SET","cleanup.policy",""},{"TOPIC","t","SET","cleanup.policy","delete,delete"},{"TOPIC","t","SET","cleanup.policy","delete,,compact"},{"TOPIC","t","APPEND","cleanup.policy","compact"},
      {"BROKER","1","SET","log.cleanup.policy",""},{"BROKER","1","SET","cordoned.log.dirs","/nowhere"},{"BROKER","1","SET","cordoned.log.dirs","*,/nowhere"},{"BROKER","1","SET","cordoned.log.dirs","*"},{"BROKER","1","SET","cordoned.log.dirs",""},{"BROKER","","SET","cordoned.log.dirs","*"},{"BROKER","1","SET","num.replica.fetchers","0"},
      {"BROKER","1","SET","group.consumer.assignment.interval.ms","20000"},{"BROKER","","SET","group.share.assignment.interval.ms","-1"},{"BROKER","","SET","group.streams.assignment.interval.ms","15000"},{"BROKER","","SET","group.coordinator.cached.buffer.max.bytes","1"},{"BROKER","","SET","share.coordinator.cached.buffer.max.bytes","2000000"},{"BROKER","1","SET","remote.log.manager.follower.thread.pool.size","9"},
      {"GROUP","g","SET","consumer.assignment.interval.ms","20000"},{"GROUP","g","SET","share.assignment.interval.ms","0"},{"GROUP","g","SET","streams.assignment.interval.ms","15001"},{"GROUP","g","SET","share.delivery.count.limit","11"},{"GROUP","g","SET","share.delivery.count.limit","1"},{"GROUP","g","SET","share.partition.max.record.locks","5000"},{"GROUP","g","SET","streams.initial.rebalance.delay.ms","-1"},{"GROUP","g","SET","share.renew.acknowledge.enable","perhaps"},
      {"CLIENT_METRICS","m","SET","metrics","a,,b"},{"CLIENT_METRICS","m","SET","metrics","a,a"},{"CLIENT_METRICS","m","SET","metrics",""},
      {"TOPIC","missing","SET","retention.ms","5"},
    };
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", a[0]))) {
      for (String[] r : table) {
        String result;
        try {
          admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.valueOf(r[0]), r[1]), List.of(new AlterConfigOp(new ConfigEntry(r[3], r[4]), AlterConfigOp.OpType.valueOf(r[2])))), new AlterConfigsOptions().validateOnly(true)).all().get();
          result = "OK\t";
        } catch (Exception e) { Throwable c = e.getCause() == null ? e : e.getCause(); result = c.getClass().getSimpleName()+"\t"+String.valueOf(c.getMessage()).replace("\n","\\n"); }
        System.out.println(String.join("\t", r) + "\t" + result);
      }
    }
  }
}
