import java.util.*;
import java.util.stream.*;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.coordinator.group.generated.*;
import org.apache.kafka.coordinator.group.streams.assignor.*;

/**
 * What stock Kafka's own classes make of streams groups: the bytes of records, and what its sticky
 * assignor shares out for groups that are drawn under seeds. `records` prints the first, `assignor
 * SEEDS` the second, a line each.
 */
public final class StreamsFacts {
    private static final int ROUNDS = 4;

    public static void main(String[] args) throws Exception {
        if (args[0].equals("records")) {
            records();
        } else {
            assignor(Integer.parseInt(args[1]));
        }
    }

    private static void records() {
        print("streams_group_value", new StreamsGroupMetadataValue().setEpoch(5).setMetadataHash(77)
            .setValidatedTopologyEpoch(3).setLastAssignmentConfigs(List.of(
                new StreamsGroupMetadataValue.LastAssignmentConfig()
                    .setKey("num.standby.replicas").setValue("1"))));
        print("streams_group_value_plain", new StreamsGroupMetadataValue().setEpoch(5));
        print("streams_member_value", new StreamsGroupMemberMetadataValue()
            .setInstanceId("i").setRackId("r").setClientId("c").setClientHost("/127.0.0.1")
            .setRebalanceTimeoutMs(300000).setTopologyEpoch(2).setProcessId("p")
            .setUserEndpoint(new StreamsGroupMemberMetadataValue.Endpoint().setHost("h").setPort(65000))
            .setClientTags(List.of(
                new StreamsGroupMemberMetadataValue.KeyValue().setKey("zone").setValue("a"))));
        print("streams_member_value_plain", new StreamsGroupMemberMetadataValue()
            .setClientId("c").setClientHost("h").setInstanceId(null).setRackId(null)
            .setProcessId("p").setClientTags(List.of()));
        print("streams_target_value", new StreamsGroupTargetAssignmentMetadataValue()
            .setAssignmentEpoch(5).setAssignmentTimestamp(1700000000000L));
        print("streams_target_member_value", new StreamsGroupTargetAssignmentMemberValue()
            .setActiveTasks(List.of(new StreamsGroupTargetAssignmentMemberValue.TaskIds()
                .setSubtopologyId("0").setPartitions(List.of(0, 3))))
            .setStandbyTasks(List.of(new StreamsGroupTargetAssignmentMemberValue.TaskIds()
                .setSubtopologyId("1").setPartitions(List.of(2))))
            .setWarmupTasks(List.of()));
        print("streams_current_value", new StreamsGroupCurrentMemberAssignmentValue()
            .setMemberEpoch(5).setPreviousMemberEpoch(4).setState((byte) 2)
            .setActiveTasks(List.of(new StreamsGroupCurrentMemberAssignmentValue.TaskIds()
                .setSubtopologyId("0").setPartitions(List.of(0, 3)).setAssignmentEpochs(List.of(4, 5))))
            .setStandbyTasks(List.of(new StreamsGroupCurrentMemberAssignmentValue.TaskIds()
                .setSubtopologyId("1").setPartitions(List.of(2))))
            .setWarmupTasks(List.of())
            .setActiveTasksPendingRevocation(List.of(new StreamsGroupCurrentMemberAssignmentValue.TaskIds()
                .setSubtopologyId("0").setPartitions(List.of(1)).setAssignmentEpochs(List.of(4))))
            .setStandbyTasksPendingRevocation(List.of())
            .setWarmupTasksPendingRevocation(List.of()));
        print("streams_topology_value", new StreamsGroupTopologyValue().setEpoch(2)
            .setSubtopologies(List.of(new StreamsGroupTopologyValue.Subtopology()
                .setSubtopologyId("0").setSourceTopics(List.of("words", "lines")).setSourceTopicRegex(List.of())
                .setStateChangelogTopics(List.of(topic("changelog", 0, 3, "cleanup.policy", "compact")))
                .setRepartitionSinkTopics(List.of("out"))
                .setRepartitionSourceTopics(List.of(topic("again", 4, 0)))
                .setCopartitionGroups(List.of(new StreamsGroupTopologyValue.CopartitionGroup()
                    .setSourceTopics(List.of((short) 0)).setSourceTopicRegex(List.of())
                    .setRepartitionSourceTopics(List.of((short) 0)))))));
    }

    private static StreamsGroupTopologyValue.TopicInfo topic(
        String name, int partitions, int factor, String... configs
    ) {
        List<StreamsGroupTopologyValue.TopicConfig> of = new ArrayList<>();
        for (int i = 0; i < configs.length; i += 2) {
            of.add(new StreamsGroupTopologyValue.TopicConfig().setKey(configs[i]).setValue(configs[i + 1]));
        }
        return new StreamsGroupTopologyValue.TopicInfo().setName(name).setPartitions(partitions)
            .setReplicationFactor((short) factor).setTopicConfigs(of);
    }

    private static void print(String name, Message message) {
        byte[] bytes = MessageUtil.toVersionPrefixedBytes((short) 0, message);
        System.out.println(name + " " + HexFormat.of().formatHex(bytes));
    }

    /** Draws a group, lets the assignor share out, changes the group, and lets it again. */
    private static void assignor(int seeds) {
        for (int seed = 1; seed <= seeds; seed++) {
            Drawn group = new Drawn(seed);
            for (int round = 0; round < ROUNDS; round++) {
                String input = group.toString();
                Map<String, MemberAssignment> out =
                    new StickyTaskAssignor().assign(group.spec(), group).members();
                group.targets = new TreeMap<>(out);
                System.out.println(input + " => " + text(group.targets));
                group.change();
            }
        }
    }

    /** `member=0_1,0_2;1_0` for each member, its standbys behind the semicolon. */
    private static String text(Map<String, MemberAssignment> targets) {
        return targets.entrySet().stream().map(of -> of.getKey() + "="
            + names(of.getValue().activeTasks()) + ";" + names(of.getValue().standbyTasks()))
            .collect(Collectors.joining(" "));
    }

    private static String names(Map<String, Set<Integer>> tasks) {
        return new TreeMap<>(tasks).entrySet().stream()
            .flatMap(of -> of.getValue().stream().sorted().map(task -> of.getKey() + "_" + task))
            .collect(Collectors.joining(","));
    }

    private static final class Drawn implements TopologyDescriber {
        final Random random;
        final TreeMap<String, Integer> tasks = new TreeMap<>();
        final Set<String> stateful = new HashSet<>();
        final TreeMap<String, String> members = new TreeMap<>();
        int replicas;
        Map<String, MemberAssignment> targets = new TreeMap<>();

        Drawn(int seed) {
            random = new Random(seed);
            replicas = random.nextInt(3);
            int parts = 1 + random.nextInt(4);
            for (int i = 0; i < parts; i++) {
                tasks.put("" + i, 1 + random.nextInt(7));
                if (random.nextInt(3) > 0) stateful.add("" + i);
            }
            join(random.nextInt(8) == 0 ? 20 + random.nextInt(30) : 1 + random.nextInt(6));
        }

        void join(int count) {
            for (int i = 0; i < count; i++) {
                String process = "p" + random.nextInt(4 + random.nextInt(12));
                members.put("m" + Integer.toString(random.nextInt(1 << 20), 36), process);
            }
        }

        void change() {
            members.keySet().removeIf(member -> random.nextInt(4) == 0);
            join(members.isEmpty() ? 1 : random.nextInt(3));
            if (random.nextInt(3) == 0) tasks.computeIfPresent("0", (id, of) -> 1 + random.nextInt(9));
            if (random.nextInt(6) == 0) replicas = random.nextInt(3);
            targets.keySet().retainAll(members.keySet());
        }

        GroupSpec spec() {
            Map<String, AssignmentMemberSpec> specs = new HashMap<>();
            members.forEach((member, process) -> {
                MemberAssignment of = targets.getOrDefault(member, MemberAssignment.empty());
                specs.put(member, new AssignmentMemberSpec(Optional.empty(), Optional.empty(),
                    of.activeTasks(), of.standbyTasks(), of.warmupTasks(), process, Map.of(),
                    Map.of(), Map.of()));
            });
            return new GroupSpecImpl(specs, Map.of("num.standby.replicas", "" + replicas));
        }

        @Override
        public List<String> subtopologies() {
            return List.copyOf(tasks.keySet());
        }

        @Override
        public int maxNumInputPartitions(String id) {
            return tasks.get(id);
        }

        @Override
        public boolean isStateful(String id) {
            return stateful.contains(id);
        }

        @Override
        public String toString() {
            StringJoiner words = new StringJoiner(" ");
            words.add("replicas=" + replicas);
            tasks.forEach((id, of) ->
                words.add("part=" + id + ":" + of + (stateful.contains(id) ? ":stateful" : ":stateless")));
            members.forEach((member, process) -> words.add("member=" + member + "/" + process));
            return words + " | " + text(targets);
        }
    }
}
