import java.util.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.coordinator.group.api.assignor.*;
import org.apache.kafka.coordinator.group.assignor.*;
import org.apache.kafka.coordinator.group.generated.*;
import org.apache.kafka.coordinator.group.modern.MemberAssignmentImpl;

/**
 * What stock Kafka's own classes make of consumer groups: the bytes of records, the hash of
 * metadata, and what its assignors share out for groups that are drawn under seeds. `records`
 * prints the first, `hashes` the second, `assignors` the third, a line each.
 */
public final class GroupFacts {
    /** Of topics, in place of their ids. */
    private static final Map<Uuid, String> NAMES = new HashMap<>();

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "records" -> records();
            case "hashes" -> hashes();
            default -> assignors(Integer.parseInt(args[1]));
        }
    }

    private static void records() {
        print("consumer_group_value", new ConsumerGroupMetadataValue().setEpoch(5).setMetadataHash(77));
        print("consumer_group_value_plain", new ConsumerGroupMetadataValue().setEpoch(5));
        print("consumer_member_value", new ConsumerGroupMemberMetadataValue()
            .setInstanceId("i").setRackId("r").setClientId("c").setClientHost("/127.0.0.1")
            .setSubscribedTopicNames(List.of("orders")).setSubscribedTopicRegex("")
            .setRebalanceTimeoutMs(300000).setServerAssignor("range")
            .setClassicMemberMetadata(new ConsumerGroupMemberMetadataValue.ClassicMemberMetadata()
                .setSessionTimeoutMs(45000)
                .setSupportedProtocols(List.of(new ConsumerGroupMemberMetadataValue.ClassicProtocol()
                    .setName("range").setMetadata(new byte[] {1, 2})))));
        print("consumer_member_value_plain", new ConsumerGroupMemberMetadataValue()
            .setClientId("c").setClientHost("h").setSubscribedTopicNames(List.of())
            .setInstanceId(null).setRackId(null).setServerAssignor(null)
            .setClassicMemberMetadata(null)
            .setSubscribedTopicRegex(null).setRebalanceTimeoutMs(-1));
        print("consumer_target_value", new ConsumerGroupTargetAssignmentMetadataValue()
            .setAssignmentEpoch(5).setAssignmentTimestamp(1700000000000L));
        print("consumer_target_member_value", new ConsumerGroupTargetAssignmentMemberValue()
            .setTopicPartitions(List.of(new ConsumerGroupTargetAssignmentMemberValue.TopicPartition()
                .setTopicId(new Uuid(1, 2)).setPartitions(List.of(0, 3)))));
        print("consumer_current_value", new ConsumerGroupCurrentMemberAssignmentValue()
            .setMemberEpoch(5).setPreviousMemberEpoch(4).setState((byte) 1)
            .setAssignedPartitions(List.of(new ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions()
                .setTopicId(new Uuid(1, 2)).setPartitions(List.of(0, 3)).setAssignmentEpochs(List.of(4, 5))))
            .setPartitionsPendingRevocation(List.of(new ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions()
                .setTopicId(new Uuid(1, 3)).setPartitions(List.of(1)))));
        print("consumer_regex_value", new ConsumerGroupRegularExpressionValue()
            .setTopics(List.of("orders", "orders-2")).setVersion(9).setTimestamp(1700000000000L));
    }

    private static void print(String name, Message message) {
        byte[] bytes = MessageUtil.toVersionPrefixedBytes((short) 0, message);
        System.out.println(name + " " + HexFormat.of().formatHex(bytes));
    }

    private static void hashes() {
        System.out.println("two_partitions " + hash("orders", new Uuid(1, -2), List.of(List.of(), List.of())));
        System.out.println("racks " + hash("bestellungen-ä", new Uuid(-5, 7),
            List.of(List.of("b", "a"), List.of("a"), List.of())));
    }

    private static long hash(String name, Uuid id, List<List<String>> racks) {
        var hasher = com.dynatrace.hash4j.hashing.Hashing.xxh3_64().hashStream();
        hasher = hasher.putByte((byte) 0).putLong(id.getMostSignificantBits())
            .putLong(id.getLeastSignificantBits()).putString(name).putInt(racks.size());
        for (int i = 0; i < racks.size(); i++) {
            hasher = hasher.putInt(i);
            for (String rack : new TreeSet<>(racks.get(i))) hasher = hasher.putInt(rack.length()).putString(rack);
        }
        return hasher.getAsLong();
    }

    /** Draws a group, lets both assignors share out, changes it, and lets them again, three times. */
    private static void assignors(int seeds) {
        for (int seed = 1; seed <= seeds; seed++) {
            for (PartitionAssignor assignor : List.of(new UniformAssignor(), new RangeAssignor())) {
                Drawn group = new Drawn(seed);
                for (int round = 0; round < 3; round++) {
                    String input = group.toString();
                    Map<String, MemberAssignment> out = assignor.assign(group, group).members();
                    Map<String, Map<Uuid, Set<Integer>>> next = new TreeMap<>();
                    for (String member : group.members.keySet()) {
                        MemberAssignment of = out.get(member);
                        next.put(member, of == null ? Map.of() : sorted(of.partitions()));
                    }
                    System.out.println(assignor.name() + " " + input + " => " + text(next));
                    group.change(next);
                }
            }
        }
    }

    /** By the bytes of the ids, as unsigned numbers. */
    private static Map<Uuid, Set<Integer>> sorted(Map<Uuid, Set<Integer>> partitions) {
        Map<Uuid, Set<Integer>> sorted = new TreeMap<>(Comparator
            .comparing(Uuid::getMostSignificantBits, Long::compareUnsigned)
            .thenComparing(Uuid::getLeastSignificantBits, Long::compareUnsigned));
        partitions.forEach((topic, of) -> sorted.put(topic, new TreeSet<>(of)));
        return sorted;
    }

    private static String text(Map<String, Map<Uuid, Set<Integer>>> assignment) {
        StringJoiner members = new StringJoiner(" ");
        assignment.forEach((member, topics) -> {
            StringJoiner of = new StringJoiner("+");
            topics.forEach((topic, partitions) -> {
                StringJoiner list = new StringJoiner(",");
                partitions.forEach(partition -> list.add(partition.toString()));
                of.add(NAMES.get(topic) + ":" + list);
            });
            members.add(member + "=" + of);
        });
        return members.toString();
    }

    private static String hex(Uuid id) {
        return String.format("%016x%016x", id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    private static final class Drawn implements GroupSpec, SubscribedTopicDescriber {
        final Random random;
        final Map<Uuid, Integer> topics = new LinkedHashMap<>();
        final Map<String, Set<Uuid>> members = new TreeMap<>();
        final Map<String, String> instances = new HashMap<>();
        final boolean homogeneous;
        Map<String, Map<Uuid, Set<Integer>>> assigned = new HashMap<>();
        int named = 0;

        Drawn(int seed) {
            this.random = new Random(seed);
            this.homogeneous = seed % 2 == 0;
            int topicCount = 1 + random.nextInt(homogeneous ? 14 : 6);
            for (int i = 0; i < topicCount; i++) {
                Uuid topic = new Uuid(random.nextLong(), random.nextLong());
                NAMES.put(topic, Integer.toString(i));
                topics.put(topic, 1 + random.nextInt(9));
            }
            int memberCount = 1 + random.nextInt(8);
            for (int i = 0; i < memberCount; i++) join();
        }

        void join() {
            String member = "m" + random.nextInt(1000) + "-" + named++;
            if (random.nextInt(4) == 0) instances.put(member, "i" + random.nextInt(100) + "-" + named);
            Set<Uuid> subscribed = new LinkedHashSet<>();
            for (Uuid topic : sorted(all()).keySet()) {
                if (homogeneous || random.nextInt(3) > 0) subscribed.add(topic);
            }
            members.put(member, subscribed);
        }

        Map<Uuid, Set<Integer>> all() {
            Map<Uuid, Set<Integer>> all = new HashMap<>();
            topics.keySet().forEach(topic -> all.put(topic, Set.of()));
            return all;
        }

        void change(Map<String, Map<Uuid, Set<Integer>>> next) {
            assigned = new HashMap<>(next);
            if (members.size() > 1 && random.nextBoolean()) {
                String gone = members.keySet().iterator().next();
                members.remove(gone);
                assigned.remove(gone);
            }
            if (random.nextBoolean()) join();
            if (random.nextBoolean()) {
                Uuid topic = topics.keySet().iterator().next();
                topics.put(topic, topics.get(topic) + 1 + random.nextInt(4));
            }
            if (!homogeneous && random.nextBoolean()) {
                Set<Uuid> subscribed = members.values().iterator().next();
                if (!subscribed.isEmpty()) subscribed.remove(subscribed.iterator().next());
            }
        }

        @Override public Collection<String> memberIds() { return members.keySet(); }

        @Override public MemberSubscription memberSubscription(String member) {
            return new MemberSubscription() {
                @Override public Optional<String> rackId() { return Optional.empty(); }
                @Override public Optional<String> instanceId() { return Optional.ofNullable(instances.get(member)); }
                @Override public Set<Uuid> subscribedTopicIds() { return members.get(member); }
            };
        }

        @Override public SubscriptionType subscriptionType() {
            return homogeneous ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
        }

        @Override public boolean isPartitionAssigned(Uuid topic, int partition) {
            return assigned.values().stream().anyMatch(of -> of.getOrDefault(topic, Set.of()).contains(partition));
        }

        @Override public MemberAssignment memberAssignment(String member) {
            return new MemberAssignmentImpl(Collections.unmodifiableMap(assigned.getOrDefault(member, Map.of())));
        }

        @Override public boolean isPartitionAssignable(Uuid topic, int partition) { return true; }

        @Override public int numPartitions(Uuid topic) { return topics.getOrDefault(topic, -1); }

        @Override public Set<String> racksForPartition(Uuid topic, int partition) { return Set.of(); }

        @Override public String toString() {
            StringJoiner text = new StringJoiner(" ");
            text.add(homogeneous ? "homogeneous" : "heterogeneous");
            topics.forEach((topic, partitions) ->
                text.add("topic=" + NAMES.get(topic) + ":" + hex(topic) + ":" + partitions));
            members.forEach((member, subscribed) -> {
                StringJoiner of = new StringJoiner("+");
                subscribed.forEach(topic -> of.add(NAMES.get(topic)));
                text.add("member=" + member + "/" + instances.getOrDefault(member, "") + "/" + of);
            });
            return text + " | " + text(assigned.isEmpty() ? Map.of() : new TreeMap<>(assigned));
        }

        private String text(Map<String, Map<Uuid, Set<Integer>>> assignment) {
            return GroupFacts.text(assignment);
        }
    }
}
