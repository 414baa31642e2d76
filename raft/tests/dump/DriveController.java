package org.apache.kafka.controller;

import java.util.*;
import java.util.concurrent.TimeUnit;
import java.util.function.*;
import java.util.stream.*;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.metadata.*;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.utils.*;
import org.apache.kafka.controller.metrics.QuorumControllerMetrics;
import org.apache.kafka.metadata.*;
import org.apache.kafka.metadata.placement.StripedReplicaPlacer;
import org.apache.kafka.server.common.*;
import org.apache.kafka.server.config.*;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.timeline.SnapshotRegistry;

/** Drives stock's control managers with random events, and prints what each comes to: see ../../src/controller/tests/stock.rs. */
public class DriveController {
  static class Clock implements Time {
    long ms = 1_000_000;
    public long milliseconds() { return ms; }
    public long nanoseconds() { return TimeUnit.MILLISECONDS.toNanos(ms); }
    public void sleep(long by) { ms += by; }
    public void waitObject(Object o, Supplier<Boolean> c, long d) { throw new UnsupportedOperationException(); }
  }

  static class Skip extends RuntimeException { }

  final Random random;
  final Clock time = new Clock();
  final SnapshotRegistry registry = new SnapshotRegistry(new LogContext());
  final FeatureControlManager features;
  final ClusterControlManager cluster;
  final ConfigurationControlManager configs;
  ReplicationControlManager replication;
  final Map<Uuid, String> names = new HashMap<>();
  final Map<Integer, Integer> incarnations = new HashMap<>();
  final Set<Integer> leaving = new HashSet<>();
  long offset = 1000;
  int topics = 0;

  DriveController(long seed, int elr) {
    random = new Random(seed);
    ClusterControlManager[] ref = new ClusterControlManager[1];
    features = new FeatureControlManager.Builder().setSnapshotRegistry(registry)
        .setQuorumFeatures(new QuorumFeatures(0, QuorumFeatures.defaultSupportedFeatureMap(false), List.of(0))).build();
    features.replay(new FeatureLevelRecord().setName("metadata.version").setFeatureLevel((short) 27));
    if (elr > 0) features.replay(new FeatureLevelRecord().setName("eligible.leader.replicas.version").setFeatureLevel((short) elr));
    cluster = new ClusterControlManager.Builder().setSnapshotRegistry(registry).setTime(time).setClusterId("cluster")
        .setSessionTimeoutNs(TimeUnit.MILLISECONDS.toNanos(9000)).setReplicaPlacer(new StripedReplicaPlacer(random))
        .setFeatureControlManager(features).setMetrics(new QuorumControllerMetrics(Optional.empty(), time, 0))
        .setBrokerShutdownHandler((id, clean, records) -> replication.handleBrokerShutdown(id, clean, records)).build();
    configs = new ConfigurationControlManager.Builder().setSnapshotRegistry(registry).setFeatureControl(features).setNodeId(1)
        .setKafkaConfigSchema(new KafkaConfigSchema(Map.of(ConfigResource.Type.BROKER, AbstractKafkaConfig.CONFIG_DEF,
            ConfigResource.Type.TOPIC, LogConfig.configDefCopy()), ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS))
        .setStaticConfig(Map.of("min.insync.replicas", "2")).build();
    replication = new ReplicationControlManager.Builder().setSnapshotRegistry(registry).setConfigurationControl(configs)
        .setClusterControl(cluster).setFeatureControl(features).setMaxElectionsPerImbalance(1000).build();
    cluster.activate();
  }

  static Uuid dir(int number) { return new Uuid(1, number); }

  static List<Uuid> dirs(int id) { return id < 4 ? List.of(dir(10 * id)) : List.of(dir(10 * id), dir(10 * id + 1)); }

  static String shownDir(Uuid d) {
    if (d.equals(DirectoryId.UNASSIGNED)) return "u";
    if (d.equals(DirectoryId.LOST)) return "l";
    if (d.equals(DirectoryId.MIGRATING)) return "m";
    return String.valueOf(d.getLeastSignificantBits());
  }

  static String list(Collection<?> ids) {
    return ids.isEmpty() ? "none" : ids.stream().map(String::valueOf).collect(Collectors.joining(","));
  }

  static String field(String name, Collection<?> ids) { return ids == null ? "" : " " + name + "=" + list(ids); }

  String shown(ApiMessage m) {
    if (m instanceof PartitionChangeRecord r) {
      return "P " + names.get(r.topicId()) + "-" + r.partitionId() + (r.leader() == -2 ? "" : " leader=" + r.leader())
          + field("isr", r.isr()) + field("replicas", r.replicas()) + field("removing", r.removingReplicas())
          + field("adding", r.addingReplicas()) + field("elr", r.eligibleLeaderReplicas()) + field("last", r.lastKnownElr())
          + (r.leaderRecoveryState() == -1 ? "" : " recovery=" + r.leaderRecoveryState())
          + (r.directories() == null ? "" : " dirs=" + list(r.directories().stream().map(DriveController::shownDir).collect(Collectors.toList())));
    } else if (m instanceof PartitionRecord r) {
      return "N " + names.get(r.topicId()) + "-" + r.partitionId() + " replicas=" + list(r.replicas()) + " isr=" + list(r.isr())
          + " leader=" + r.leader() + " dirs=" + list(r.directories().stream().map(DriveController::shownDir).collect(Collectors.toList()));
    } else if (m instanceof BrokerRegistrationChangeRecord r) {
      return "B " + r.brokerId() + " epoch=" + r.brokerEpoch() + " fenced=" + r.fenced() + " stopping=" + r.inControlledShutdown()
          + " dirs=" + list(r.logDirs().stream().map(DriveController::shownDir).collect(Collectors.toList()));
    } else if (m instanceof RegisterBrokerRecord r) {
      return "R " + r.brokerId() + " epoch=" + r.brokerEpoch() + " fenced=" + r.fenced() + " stopping=" + r.inControlledShutdown();
    } else if (m instanceof UnregisterBrokerRecord r) {
      return "U " + r.brokerId() + " epoch=" + r.brokerEpoch();
    } else if (m instanceof ConfigRecord r) {
      return "C " + r.resourceType() + " " + (r.resourceName().isEmpty() ? "-" : r.resourceName()) + " " + r.name() + " " + r.value();
    } else if (m instanceof ClearElrRecord r) {
      return "E " + (r.topicName().isEmpty() ? "-" : r.topicName());
    } else if (m instanceof TopicRecord r) {
      return "T " + r.name();
    } else if (m instanceof RemoveTopicRecord r) {
      return "D " + names.get(r.topicId());
    }
    throw new RuntimeException("unknown " + m);
  }

  void replay(ApiMessage m) {
    if (m instanceof PartitionChangeRecord r) replication.replay(r);
    else if (m instanceof PartitionRecord r) replication.replay(r);
    else if (m instanceof BrokerRegistrationChangeRecord r) cluster.replay(r);
    else if (m instanceof RegisterBrokerRecord r) cluster.replay(r, offset);
    else if (m instanceof UnregisterBrokerRecord r) cluster.replay(r);
    else if (m instanceof ConfigRecord r) configs.replay(r);
    else if (m instanceof ClearElrRecord r) {
      // Stock leaves its table of who is eligible where as it was, and visits partitions needlessly later.
      for (Uuid id : names.keySet()) {
        ReplicationControlManager.TopicControlInfo t = replication.getTopic(id);
        if (t == null || !(r.topicName().isEmpty() || r.topicName().equals(names.get(id)))) continue;
        for (int p = 0; p < t.numPartitions(Long.MAX_VALUE); p++)
          replication.brokersToElrs().update(id, p, replication.getPartition(id, p).elr, Replicas.NONE);
      }
      replication.replay(r);
    }
    else if (m instanceof TopicRecord r) { names.put(r.topicId(), r.name()); replication.replay(r); }
    else if (m instanceof RemoveTopicRecord r) replication.replay(r);
    else throw new RuntimeException("unknown " + m);
    offset++;
  }

  /** Replays and prints. */
  String apply(List<ApiMessageAndVersion> records, String response) {
    for (ApiMessageAndVersion r : records) if (r.message() instanceof TopicRecord t) names.put(t.topicId(), t.name());
    List<String> all = records.stream().map(r -> shown(r.message())).sorted().collect(Collectors.toList());
    records.forEach(r -> replay(r.message()));
    for (Uuid id : names.keySet()) {
      ReplicationControlManager.TopicControlInfo t = replication.getTopic(id);
      if (t == null) continue;
      for (int p = 0; p < t.numPartitions(Long.MAX_VALUE); p++) {
        PartitionRegistration part = replication.getPartition(id, p);
        // Unlike Kafka: only a replica is eligible. The two go different ways from here.
        for (int e : part.elr) if (!Replicas.contains(part.replicas, e)) throw new Skip();
      }
    }
    return " => " + response + " | " + String.join("; ", all);
  }

  static String error(Throwable e) { return String.valueOf(Errors.forException(e).code()); }

  static String error(int code, String message) { return code + (code == 0 || message == null ? "" : " " + message); }

  int broker() { return 1 + random.nextInt(5); }

  BrokerRegistration registered() {
    List<BrokerRegistration> all = new ArrayList<>(cluster.brokerRegistrations().values());
    if (all.isEmpty()) return null;
    return all.get(random.nextInt(all.size()));
  }

  Uuid topic() {
    List<Uuid> all = names.keySet().stream().filter(id -> replication.getTopic(id) != null)
        .sorted(Comparator.comparing(names::get)).collect(Collectors.toList());
    return all.isEmpty() ? null : all.get(random.nextInt(all.size()));
  }

  List<Integer> some(int most) {
    List<Integer> all = new ArrayList<>(List.of(1, 2, 3, 4, 5));
    Collections.shuffle(all, random);
    return new ArrayList<>(all.subList(0, 1 + random.nextInt(most)));
  }

  String register(int id, boolean clean) {
    BrokerRegistration known = cluster.registration(id);
    int incarnation = incarnations.getOrDefault(id, 0);
    boolean same = known != null && random.nextInt(6) == 0;
    if (known != null && !same && cluster.heartbeatManager().hasValidSession(id, known.epoch())) return null;
    if (!same) { incarnation++; leaving.remove(id); }
    incarnations.put(id, incarnation);
    long previous = clean && known != null ? known.epoch() : -1;
    int version = random.nextInt(8) == 0 ? 2 : 4;
    BrokerRegistrationRequestData request = new BrokerRegistrationRequestData().setBrokerId(id).setClusterId("cluster")
        .setIncarnationId(new Uuid(id, incarnation)).setPreviousBrokerEpoch(previous).setLogDirs(dirs(id));
    QuorumFeatures.defaultSupportedFeatureMap(false).forEach((name, range) -> request.features().add(
        new BrokerRegistrationRequestData.Feature().setName(name).setMinSupportedVersion(range.min()).setMaxSupportedVersion(range.max())));
    Map<String, Short> finalized = new HashMap<>(features.finalizedFeatures(Long.MAX_VALUE).featureMap());
    finalized.put("kraft.version", (short) 0);
    String event = "register " + offset + " " + id + " " + incarnation + " " + previous + " " + version;
    ControllerResult<BrokerRegistrationReply> result = cluster.registerBroker(request, offset,
        new FinalizedControllerFeatures(finalized, Long.MAX_VALUE), version >= 3);
    return event + apply(result.records(), "0 " + result.response().epoch());
  }

  String heartbeat(BrokerRegistration b) {
    if (b == null) return null;
    boolean fence = random.nextInt(12) == 0;
    if (random.nextInt(25) == 0) leaving.add(b.id());
    boolean stop = leaving.contains(b.id());
    long at = random.nextInt(8) == 0 ? b.epoch() - 1 : offset - 1;
    List<Uuid> offline = random.nextInt(10) == 0 ? List.of(dirs(b.id()).get(dirs(b.id()).size() - 1)) : List.of();
    if (offline.size() == b.directories().size()) offline = List.of();
    long epoch = random.nextInt(20) == 0 ? b.epoch() - 1 : b.epoch();
    String event = "heartbeat " + offset + " " + b.id() + " " + epoch + " " + at + " " + fence + " " + stop + " "
        + list(offline.stream().map(DriveController::shownDir).collect(Collectors.toList()));
    BrokerHeartbeatRequestData request = new BrokerHeartbeatRequestData().setBrokerId(b.id()).setBrokerEpoch(epoch)
        .setCurrentMetadataOffset(at).setWantFence(fence).setWantShutDown(stop).setOfflineLogDirs(offline);
    cluster.trackBrokerHeartbeat(b.id(), epoch);
    ControllerResult<BrokerHeartbeatReply> result;
    try {
      result = replication.processBrokerHeartbeat(request, cluster.registerBrokerRecordOffset(b.id()).getAsLong());
    } catch (ApiException e) {
      return event + " => " + error(e) + " | ";
    }
    BrokerHeartbeatReply r = result.response();
    String line = event + apply(result.records(), "0 " + r.isCaughtUp() + " " + r.isFenced() + " " + r.shouldShutDown());
    if (r.inControlledShutdown()) cluster.heartbeatManager().maybeUpdateControlledShutdownOffset(b.id(), offset - 1);
    return line;
  }

  String expire() {
    long now = time.nanoseconds();
    long late = cluster.brokerRegistrations().values().stream().filter(b -> {
      OptionalLong at = cluster.heartbeatManager().tracker().contactTime(new BrokerIdAndEpoch(b.id(), b.epoch()));
      return at.isPresent() && cluster.heartbeatManager().tracker().isExpired(at.getAsLong(), now);
    }).count();
    // Stock takes them in the order of a hash.
    if (late > 1) throw new Skip();
    String event = "fence " + offset + " " + time.ms;
    List<ApiMessageAndVersion> records = new ArrayList<>();
    while (true) {
      Set<Integer> fenced = cluster.brokerRegistrations().values().stream().filter(BrokerRegistration::fenced)
          .map(BrokerRegistration::id).collect(Collectors.toSet());
      ControllerResult<Boolean> result = replication.maybeFenceOneStaleBroker();
      for (ApiMessageAndVersion r : result.records()) {
        // A fenced broker is not fenced again here.
        if (r.message() instanceof BrokerRegistrationChangeRecord c && fenced.contains(c.brokerId())) continue;
        records.add(r);
      }
      if (!result.response()) break;
    }
    return event + apply(records, "0");
  }

  String alter(Uuid id) {
    if (id == null) return null;
    int p = random.nextInt(replication.getTopic(id).numPartitions(Long.MAX_VALUE));
    PartitionRegistration part = replication.getPartition(id, p);
    int leader = random.nextInt(12) == 0 ? broker() : part.leader;
    BrokerRegistration b = cluster.registration(leader);
    if (b == null) return null;
    List<Integer> isr = Replicas.toList(part.replicas).stream().filter(r -> r == leader || random.nextInt(4) > 0).collect(Collectors.toList());
    if (random.nextInt(20) == 0) isr.add(broker());
    int leaderEpoch = part.leaderEpoch + (random.nextInt(20) == 0 ? random.nextInt(3) - 1 : 0);
    int partitionEpoch = part.partitionEpoch + (random.nextInt(20) == 0 ? random.nextInt(3) - 1 : 0);
    int recovery = random.nextInt(10) == 0 ? 1 : 0;
    List<AlterPartitionRequestData.BrokerState> states = isr.stream().map(r -> new AlterPartitionRequestData.BrokerState().setBrokerId(r)
        .setBrokerEpoch(random.nextInt(3) == 0 ? -1 : (cluster.registration(r) == null ? -1 : cluster.registration(r).epoch())
            - (random.nextInt(30) == 0 ? 1 : 0))).collect(Collectors.toList());
    AlterPartitionRequestData request = new AlterPartitionRequestData().setBrokerId(leader).setBrokerEpoch(b.epoch());
    request.topics().add(new AlterPartitionRequestData.TopicData().setTopicId(id).setPartitions(List.of(
        new AlterPartitionRequestData.PartitionData().setPartitionIndex(p).setLeaderEpoch(leaderEpoch).setPartitionEpoch(partitionEpoch)
            .setLeaderRecoveryState((byte) recovery).setNewIsrWithEpochs(states))));
    String event = "alter " + offset + " " + names.get(id) + " " + p + " " + leader + " " + b.epoch() + " " + leaderEpoch + " " + partitionEpoch
        + " " + recovery + " " + list(states.stream().map(s -> s.brokerId() + "@" + s.brokerEpoch()).collect(Collectors.toList()));
    ControllerResult<AlterPartitionResponseData> result = replication.alterPartition(new ControllerRequestContext(
        new RequestHeaderData().setRequestApiVersion((short) 3), KafkaPrincipal.ANONYMOUS, OptionalLong.empty()), request);
    AlterPartitionResponseData.PartitionData a = result.response().topics().get(0).partitions().get(0);
    String answer = a.errorCode() != 0 ? "" + a.errorCode() : "0 " + a.leaderId() + " " + a.leaderEpoch() + " " + a.partitionEpoch() + " "
        + list(a.isr()) + " " + a.leaderRecoveryState();
    return event + apply(result.records(), answer);
  }

  String elect(Uuid id) {
    if (id == null) return null;
    int p = random.nextInt(replication.getTopic(id).numPartitions(Long.MAX_VALUE) + 1);
    int type = random.nextInt(2);
    ElectLeadersRequestData request = new ElectLeadersRequestData().setElectionType((byte) type);
    request.topicPartitions().add(new ElectLeadersRequestData.TopicPartitions().setTopic(names.get(id)).setPartitions(List.of(p)));
    ControllerResult<ElectLeadersResponseData> result = replication.electLeaders(request);
    ElectLeadersResponseData.PartitionResult a = result.response().replicaElectionResults().get(0).partitionResult().get(0);
    return "elect " + offset + " " + names.get(id) + " " + p + " " + type + apply(result.records(), error(a.errorCode(), a.errorMessage()));
  }

  String reassign(Uuid id) {
    if (id == null) return null;
    int p = random.nextInt(replication.getTopic(id).numPartitions(Long.MAX_VALUE));
    List<Integer> target = random.nextInt(3) == 0 ? null : some(4);
    if (target != null && random.nextInt(15) == 0) target.add(target.get(0));
    boolean allow = random.nextInt(3) > 0;
    AlterPartitionReassignmentsRequestData request = new AlterPartitionReassignmentsRequestData().setAllowReplicationFactorChange(allow);
    request.topics().add(new AlterPartitionReassignmentsRequestData.ReassignableTopic().setName(names.get(id)).setPartitions(List.of(
        new AlterPartitionReassignmentsRequestData.ReassignablePartition().setPartitionIndex(p).setReplicas(target))));
    ControllerResult<AlterPartitionReassignmentsResponseData> result = replication.alterPartitionReassignments(request);
    AlterPartitionReassignmentsResponseData.ReassignablePartitionResponse a = result.response().responses().get(0).partitions().get(0);
    if (a.errorCode() == -1) throw new Skip();
    String event = "reassign " + offset + " " + names.get(id) + " " + p + " " + (target == null ? "-" : list(target)) + " " + allow;
    // Kafka's own words for this code are for the client to find.
    String said = a.errorCode() == 85 ? null : a.errorMessage();
    return event + apply(result.records(), error(a.errorCode(), said));
  }

  String create() {
    if (cluster.brokerRegistrations().isEmpty()) return null;
    String name = "t" + ++topics;
    CreateTopicsRequestData request = new CreateTopicsRequestData();
    CreateTopicsRequestData.CreatableTopic t = new CreateTopicsRequestData.CreatableTopic().setName(name).setNumPartitions(-1).setReplicationFactor((short) -1);
    List<String> assignments = new ArrayList<>();
    for (int p = 0; p < 2; p++) {
      List<Integer> replicas = some(4);
      if (p == 1) { List<Integer> more = some(5); replicas = new ArrayList<>(more.subList(0, Math.min(more.size(), t.assignments().iterator().next().brokerIds().size()))); }
      t.assignments().add(new CreateTopicsRequestData.CreatableReplicaAssignment().setPartitionIndex(p).setBrokerIds(replicas));
      assignments.add(list(replicas));
    }
    request.topics().add(t);
    ControllerResult<CreateTopicsResponseData> result = replication.createTopics(new ControllerRequestContext(
        new RequestHeaderData(), KafkaPrincipal.ANONYMOUS, OptionalLong.empty()), request, Set.of(name));
    CreateTopicsResponseData.CreatableTopicResult a = result.response().topics().iterator().next();
    return "create " + offset + " " + name + " " + String.join("/", assignments) + apply(result.records(), error(a.errorCode(), a.errorMessage()));
  }

  String grow(Uuid id) {
    if (id == null) return null;
    int present = replication.getTopic(id).numPartitions(Long.MAX_VALUE);
    if (present > 4) return null;
    // Stock takes the replication factor of whichever partition its hash has first.
    for (int p = 1; p < present; p++)
      if (replication.getPartition(id, p).replicas.length != replication.getPartition(id, 0).replicas.length) return null;
    List<Integer> replicas = some(4);
    CreatePartitionsRequestData.CreatePartitionsTopic t = new CreatePartitionsRequestData.CreatePartitionsTopic().setName(names.get(id))
        .setCount(present + 1).setAssignments(List.of(new CreatePartitionsRequestData.CreatePartitionsAssignment().setBrokerIds(replicas)));
    ControllerResult<List<CreatePartitionsResponseData.CreatePartitionsTopicResult>> result = replication.createPartitions(new ControllerRequestContext(
        new RequestHeaderData(), KafkaPrincipal.ANONYMOUS, OptionalLong.empty()), List.of(t));
    CreatePartitionsResponseData.CreatePartitionsTopicResult a = result.response().get(0);
    return "grow " + offset + " " + names.get(id) + " " + (present + 1) + " " + list(replicas) + apply(result.records(), error(a.errorCode(), a.errorMessage()));
  }

  String configure(Uuid id) {
    boolean min = random.nextBoolean();
    String key = min ? "min.insync.replicas" : "unclean.leader.election.enable";
    boolean ofTopic = id != null && random.nextBoolean();
    String value = min ? String.valueOf(1 + random.nextInt(3)) : String.valueOf(random.nextInt(3) == 0);
    ConfigResource resource = new ConfigResource(ofTopic ? ConfigResource.Type.TOPIC : ConfigResource.Type.BROKER, ofTopic ? names.get(id) : "");
    ControllerResult<Map<ConfigResource, ApiError>> result = configs.incrementalAlterConfigs(
        Map.of(resource, Map.of(key, new AbstractMap.SimpleImmutableEntry<>(OpType.SET, value))), false);
    ApiError e = result.response().get(resource);
    return "configure " + offset + " " + resource.type().id() + " " + (resource.name().isEmpty() ? "-" : resource.name()) + " " + key + " " + value
        + apply(result.records(), error(e.error().code(), e.message()));
  }

  String unregister(BrokerRegistration b) {
    if (b == null || random.nextInt(8) > 0) return null;
    return "unregister " + offset + " " + b.id() + apply(replication.unregisterBroker(b.id()).records(), "0");
  }

  String place(Uuid id) {
    if (id == null) return null;
    int p = random.nextInt(replication.getTopic(id).numPartitions(Long.MAX_VALUE));
    BrokerRegistration b = registered();
    if (b == null) return null;
    // Unlike Kafka: a directory says nothing about who is eligible; stock forgets them here.
    if (replication.getPartition(id, p).elr.length > 0) return null;
    Uuid d = dirs(b.id()).get(random.nextInt(dirs(b.id()).size()));
    AssignReplicasToDirsRequestData request = new AssignReplicasToDirsRequestData().setBrokerId(b.id()).setBrokerEpoch(b.epoch());
    request.directories().add(new AssignReplicasToDirsRequestData.DirectoryData().setId(d).setTopics(List.of(
        new AssignReplicasToDirsRequestData.TopicData().setTopicId(id).setPartitions(List.of(
            new AssignReplicasToDirsRequestData.PartitionData().setPartitionIndex(p))))));
    ControllerResult<AssignReplicasToDirsResponseData> result = replication.handleAssignReplicasToDirs(request);
    int code = result.response().directories().get(0).topics().get(0).partitions().get(0).errorCode();
    return "assign " + offset + " " + names.get(id) + " " + p + " " + b.id() + " " + b.epoch() + " " + shownDir(d) + apply(result.records(), "" + code);
  }

  String step() {
    Uuid id = topic();
    switch (random.nextInt(24)) {
      case 0: case 1: case 23: return register(broker(), random.nextBoolean());
      case 2: case 3: case 4: case 5: case 6: case 7: return heartbeat(registered());
      case 8: { time.ms += 7 * random.nextInt(400); return expire(); }
      case 9: case 10: case 11: case 12: case 13: return alter(id);
      case 14: return elect(id);
      case 15: return reassign(id);
      case 16: return create();
      case 17: return grow(id);
      case 18: return configure(id);
      case 19: return unregister(registered());
      case 20: return place(id);
      case 21: { ControllerResult<Boolean> r = replication.maybeBalancePartitionLeaders(); return "balance " + offset + apply(r.records(), "" + r.response()); }
      case 22: { ControllerResult<Boolean> r = replication.maybeElectUncleanLeaders(); return "unclean " + offset + apply(r.records(), "" + r.response()); }
      default: return heartbeat(registered());
    }
  }

  public static void main(String[] args) {
    for (int seed = 0; seed < Integer.parseInt(args[0]); seed++) {
      int elr = seed % 4 == 0 ? 0 : 1;
      DriveController run = new DriveController(seed, elr);
      System.out.println("begin " + seed + " " + elr);
      int events = 0;
      long said = run.time.ms;
      try {
        for (int id = 1; id <= 4; id++) {
          System.out.println(run.register(id, false));
          String beat = run.heartbeat(run.cluster.registration(id));
          System.out.println(beat);
        }
        while (events < Integer.parseInt(args[1])) {
          String line = run.step();
          if (line != null) { if (run.time.ms != said) { said = run.time.ms; System.out.println("time " + said); } System.out.println(line); events++; }
        }
      } catch (Skip skip) {
        System.err.println("seed " + seed + " ends after " + events);
      }
    }
  }
}
