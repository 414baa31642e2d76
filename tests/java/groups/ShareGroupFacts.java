import java.util.*;
import java.util.stream.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.coordinator.group.api.assignor.*;
import org.apache.kafka.coordinator.group.assignor.SimpleAssignor;
import org.apache.kafka.coordinator.group.generated.*;
import org.apache.kafka.coordinator.group.modern.MemberAssignmentImpl;

/**
 * What stock Kafka's own classes make of share groups: the bytes of records, and what its assignor
 * shares out for groups that are drawn under seeds. `records` prints the first, `assignor` and a
 * number of seeds the second, a line each. Assignments stand in hash maps, as the coordinator has
 * them when it has read them from its log.
 */
public final class ShareGroupFacts {
    /** Of topics, in place of their ids. */
    private static final Map<Uuid, String> NAMES = new HashMap<>();

    public static void main(String[] args) {
        if (args[0].equals("records")) records(); else assignor(Integer.parseInt(args[1]));
    }

    private static void records() {
        Uuid topic = new Uuid(1, 2);
        print("share_member_value", new ShareGroupMemberMetadataValue()
            .setRackId("r").setClientId("c").setClientHost("/127.0.0.1")
            .setSubscribedTopicNames(List.of("bestellungen-ä", "orders")));
        print("share_member_value_plain", new ShareGroupMemberMetadataValue()
            .setRackId(null).setClientId("c").setClientHost("h").setSubscribedTopicNames(List.of()));
        print("share_group_value", new ShareGroupMetadataValue().setEpoch(5).setMetadataHash(-77));
        print("share_target_value", new ShareGroupTargetAssignmentMetadataValue()
            .setAssignmentEpoch(5).setAssignmentTimestamp(1700000000000L));
        print("share_target_value_plain", new ShareGroupTargetAssignmentMetadataValue().setAssignmentEpoch(5));
        print("share_target_member_value", new ShareGroupTargetAssignmentMemberValue()
            .setTopicPartitions(List.of(new ShareGroupTargetAssignmentMemberValue.TopicPartition()
                .setTopicId(topic).setPartitions(List.of(0, 3)))));
        print("share_current_value", new ShareGroupCurrentMemberAssignmentValue()
            .setMemberEpoch(5).setPreviousMemberEpoch(4).setState((byte) 0)
            .setAssignedPartitions(List.of(new ShareGroupCurrentMemberAssignmentValue.TopicPartitions()
                .setTopicId(topic).setPartitions(List.of(0, 3)))));
        print("share_state_value", new ShareGroupStatePartitionMetadataValue()
            .setInitializingTopics(List.of(info(topic, "orders", 1)))
            .setInitializedTopics(List.of(info(topic, "orders", 0, 3), info(new Uuid(1, 3), "events")))
            .setDeletingTopics(List.of(new ShareGroupStatePartitionMetadataValue.TopicInfo()
                .setTopicId(new Uuid(1, 4)).setTopicName("<UNKNOWN>"))));
    }

    private static ShareGroupStatePartitionMetadataValue.TopicPartitionsInfo info(
        Uuid topic, String name, Integer... partitions
    ) {
        return new ShareGroupStatePartitionMetadataValue.TopicPartitionsInfo()
            .setTopicId(topic).setTopicName(name).setPartitions(List.of(partitions));
    }

    private static void print(String name, Message message) {
        byte[] bytes = MessageUtil.toVersionPrefixedBytes((short) 0, message);
        System.out.println(name + " " + HexFormat.of().formatHex(bytes));
    }

    /** Draws a group, lets the assignor share out, changes it, and lets it again, four times. */
    private static void assignor(int seeds) {
        SimpleAssignor assignor = new SimpleAssignor();
        for (int seed = 1; seed <= seeds; seed++) {
            Drawn group = new Drawn(seed);
            for (int round = 0; round < 4; round++) {
                String input = group.toString();
                Map<String, MemberAssignment> out;
                try {
                    out = assignor.assign(group, group).members();
                } catch (NoSuchElementException nobodyLeft) {
                    // It fails where a partition that is held can be shared out no longer.
                    break;
                }
                Map<String, Map<Uuid, Set<Integer>>> next = new TreeMap<>();
                for (String member : group.members.keySet()) {
                    MemberAssignment of = out.get(member);
                    next.put(member, of == null ? Map.of() : replayed(of.partitions()));
                }
                System.out.println(input + " => " + text(next));
                group.change(next);
            }
        }
    }

    private static final Comparator<Uuid> BY_BYTES = Comparator
        .comparing(Uuid::getMostSignificantBits, Long::compareUnsigned)
        .thenComparing(Uuid::getLeastSignificantBits, Long::compareUnsigned);

    /** As `Assignment.fromRecord` makes it, of a record in the order of the bytes of the ids. */
    private static Map<Uuid, Set<Integer>> replayed(Map<Uuid, Set<Integer>> partitions) {
        return partitions.keySet().stream().sorted(BY_BYTES)
            .collect(Collectors.toMap(id -> id, id -> new HashSet<>(new TreeSet<>(partitions.get(id)))));
    }

    private static String text(Map<String, Map<Uuid, Set<Integer>>> assignment) {
        StringJoiner members = new StringJoiner(" ");
        assignment.forEach((member, topics) -> {
            StringJoiner of = new StringJoiner("+");
            topics.keySet().stream().sorted(BY_BYTES)
                .forEach(topic -> of.add(NAMES.get(topic) + ":" + listed(topics.get(topic))));
            members.add(member + "=" + of);
        });
        return members.toString();
    }

    private static String listed(Set<Integer> partitions) {
        return new TreeSet<>(partitions).stream().map(Object::toString).collect(Collectors.joining(","));
    }

    private static final class Drawn implements GroupSpec, SubscribedTopicDescriber {
        final Random random;
        final Map<Uuid, Integer> topics = new LinkedHashMap<>();
        final Map<Uuid, Set<Integer>> assignable = new LinkedHashMap<>();
        final Map<String, Set<Uuid>> members = new TreeMap<>();
        final boolean homogeneous;
        Map<String, Map<Uuid, Set<Integer>>> assigned = new HashMap<>();
        int named = 0;

        Drawn(int seed) {
            this.random = new Random(seed);
            this.homogeneous = seed % 2 == 0;
            int topicCount = 1 + random.nextInt(homogeneous ? 8 : 5);
            for (int i = 0; i < topicCount; i++) {
                Uuid topic = new Uuid(random.nextLong(), random.nextLong());
                NAMES.put(topic, Integer.toString(i));
                topics.put(topic, 0);
                grow(topic, 1 + random.nextInt(seed % 3 == 0 ? 40 : 6));
            }
            int memberCount = 1 + random.nextInt(seed % 5 == 0 ? 30 : 8);
            for (int i = 0; i < memberCount; i++) join();
        }

        /** The state of most of the new partitions is there. */
        void grow(Uuid topic, int partitions) {
            int before = topics.get(topic);
            topics.put(topic, before + partitions);
            Set<Integer> of = assignable.computeIfAbsent(topic, id -> new TreeSet<>());
            for (int i = before; i < before + partitions; i++) if (random.nextInt(8) > 0) of.add(i);
        }

        void join() {
            Set<Uuid> subscribed = new LinkedHashSet<>();
            for (Uuid topic : topics.keySet()) {
                if (homogeneous || random.nextInt(3) > 0) subscribed.add(topic);
            }
            members.put("m" + random.nextInt(1000) + "-" + named++, subscribed);
        }

        void change(Map<String, Map<Uuid, Set<Integer>>> next) {
            assigned = new HashMap<>(next);
            for (int i = 0; i < 3; i++) {
                if (members.size() > 1 && random.nextBoolean()) {
                    String gone = members.keySet().iterator().next();
                    members.remove(gone);
                    assigned.remove(gone);
                }
                if (random.nextBoolean()) join();
            }
            if (random.nextBoolean()) grow(topics.keySet().iterator().next(), 1 + random.nextInt(4));
            if (random.nextInt(4) == 0) {
                Set<Integer> of = assignable.get(topics.keySet().iterator().next());
                if (of.size() > 1) of.remove(of.iterator().next());
            }
            if (topics.size() > 1 && random.nextBoolean()) {
                Uuid topic = topics.keySet().iterator().next();
                if (homogeneous) members.values().forEach(of -> of.remove(topic));
                else members.values().iterator().next().remove(topic);
            }
        }

        @Override public Collection<String> memberIds() { return members.keySet(); }

        @Override public MemberSubscription memberSubscription(String member) {
            return new MemberSubscription() {
                @Override public Optional<String> rackId() { return Optional.empty(); }
                @Override public Optional<String> instanceId() { return Optional.empty(); }
                @Override public Set<Uuid> subscribedTopicIds() { return members.get(member); }
            };
        }

        @Override public SubscriptionType subscriptionType() {
            return homogeneous && Set.copyOf(members.values()).size() == 1
                ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
        }

        @Override public boolean isPartitionAssigned(Uuid topic, int partition) { return false; }

        @Override public MemberAssignment memberAssignment(String member) {
            return new MemberAssignmentImpl(Collections.unmodifiableMap(assigned.getOrDefault(member, Map.of())));
        }

        @Override public boolean isPartitionAssignable(Uuid topic, int partition) {
            return assignable.get(topic).contains(partition);
        }

        @Override public int numPartitions(Uuid topic) { return topics.getOrDefault(topic, -1); }

        @Override public Set<String> racksForPartition(Uuid topic, int partition) { return Set.of(); }

        @Override public String toString() {
            StringJoiner text = new StringJoiner(" ");
            text.add(subscriptionType().toString());
            assignable.forEach((topic, of) -> text.add("topic=" + NAMES.get(topic) + ":"
                + String.format("%016x%016x", topic.getMostSignificantBits(), topic.getLeastSignificantBits())
                + ":" + listed(of)));
            members.forEach((member, subscribed) -> text.add("member=" + member + "/"
                + subscribed.stream().map(NAMES::get).collect(Collectors.joining("+"))));
            return text + " | " + text(new TreeMap<>(assigned));
        }

        private static String text(Map<String, Map<Uuid, Set<Integer>>> assignment) {
            return ShareGroupFacts.text(assignment);
        }
    }
}
