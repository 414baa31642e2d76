import java.util.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.coordinator.share.PersisterStateBatchCombiner;
import org.apache.kafka.coordinator.share.generated.*;
import org.apache.kafka.server.share.persister.PersisterStateBatch;

/**
 * What stock Kafka's own classes make of share state: the bytes of records (`records`), and what
 * becomes of state batches that are drawn under seeds and combined (`combinations COUNT`), a line
 * each: the start offset, what was so far, what is new, and what they come to.
 */
public final class ShareFacts {
    public static void main(String[] args) throws Exception {
        if (args[0].equals("records")) {
            records();
        } else {
            for (int seed = 0; seed < Integer.parseInt(args[1]); seed++) combination(new Random(seed));
        }
    }

    private static void records() {
        print("snapshot_key", new ShareSnapshotKey().setGroupId("g").setTopicId(new Uuid(1, 2)).setPartition(3));
        print("update_key", new ShareUpdateKey().setGroupId("g").setTopicId(new Uuid(1, 2)).setPartition(3));
        print("snapshot_value", new ShareSnapshotValue().setSnapshotEpoch(4).setStateEpoch(5).setLeaderEpoch(6)
            .setStartOffset(7).setDeliveryCompleteCount(8).setCreateTimestamp(1700000000000L)
            .setWriteTimestamp(1700000000001L).setStateBatches(List.of(
                new ShareSnapshotValue.StateBatch().setFirstOffset(9).setLastOffset(10)
                    .setDeliveryState((byte) 2).setDeliveryCount((short) 1))));
        print("snapshot_value_plain", new ShareSnapshotValue().setStartOffset(-1).setStateBatches(List.of()));
        print("update_value", new ShareUpdateValue().setSnapshotEpoch(4).setLeaderEpoch(6)
            .setStartOffset(7).setDeliveryCompleteCount(8).setStateBatches(List.of(
                new ShareUpdateValue.StateBatch().setFirstOffset(9).setLastOffset(10)
                    .setDeliveryState((byte) 4).setDeliveryCount((short) 5))));
        print("update_value_plain", new ShareUpdateValue().setStartOffset(-1).setStateBatches(List.of()));
    }

    private static void print(String name, ApiMessage message) {
        short version = name.endsWith("_key") ? message.apiKey() : 0;
        ObjectSerializationCache cache = new ObjectSerializationCache();
        java.nio.ByteBuffer bytes = java.nio.ByteBuffer.allocate(2 + message.size(cache, (short) 0));
        bytes.putShort(version);
        message.write(new ByteBufferAccessor(bytes), cache, (short) 0);
        System.out.println(name + " " + HexFormat.of().formatHex(bytes.array()));
    }

    /** What was so far is what an earlier combination came to, as in a coordinator. */
    private static void combination(Random random) {
        int breadth = 5 + random.nextInt(40);
        long start = random.nextInt(3) == 0 ? -1 : random.nextInt(breadth);
        List<PersisterStateBatch> soFar =
            new PersisterStateBatchCombiner(List.of(), drawn(random, breadth), -1).combineStateBatches();
        List<PersisterStateBatch> added = drawn(random, breadth);
        List<PersisterStateBatch> combined =
            new PersisterStateBatchCombiner(soFar, added, start).combineStateBatches();
        System.out.println(start + " | " + text(soFar) + " | " + text(added) + " | " + text(combined));
    }

    private static List<PersisterStateBatch> drawn(Random random, int breadth) {
        List<PersisterStateBatch> drawn = new ArrayList<>();
        int count = random.nextInt(7);
        for (int i = 0; i < count; i++) {
            long first = random.nextInt(breadth);
            byte state = new byte[] {0, 2, 4}[random.nextInt(3)];
            drawn.add(new PersisterStateBatch(first, first + random.nextInt(1 + breadth / 3), state,
                (short) (1 + random.nextInt(3))));
        }
        return drawn;
    }

    /** first-last:state:count, one after the other. */
    private static String text(List<PersisterStateBatch> batches) {
        StringJoiner text = new StringJoiner(" ");
        for (PersisterStateBatch batch : batches) {
            text.add(batch.firstOffset() + "-" + batch.lastOffset() + ":" + batch.deliveryState() + ":"
                + batch.deliveryCount());
        }
        return text.toString();
    }
}
