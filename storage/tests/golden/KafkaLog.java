// Writes a log with Kafka's own code, or says what Kafka's own code finds in one. How the files beside
// this one were made, with the jars of Kafka 4.1.0 on the class path:
//
//     java -cp 'jars/*' KafkaLog.java write golden-0 && java -cp 'jars/*' KafkaLog.java read golden-0 clean
//
// `write` leaves the directory as a clean stop does, and beside it `<dir>-killed`, a copy from before.

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.*;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.storage.internals.log.*;
import org.apache.kafka.storage.internals.epoch.*;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

public class KafkaLog {
    static final long T = 1_700_000_000_000L;

    // A clock that stands still soon after the records, so that no producer expires.
    static final Time CLOCK = (Time) java.lang.reflect.Proxy.newProxyInstance(Time.class.getClassLoader(), new Class<?>[] {Time.class},
        (proxy, method, arguments) -> method.getName().equals("milliseconds") ? (Object) (T + 10_000) : method.invoke(Time.SYSTEM, arguments));

    static UnifiedLog open(File dir, boolean clean) throws Exception {
        Map<String, Object> props = new HashMap<>();
        props.put("index.interval.bytes", "300");
        props.put("segment.index.bytes", "1200");
        props.put("file.delete.delay.ms", "0");
        KafkaScheduler scheduler = new KafkaScheduler(1);
        scheduler.startup();
        return UnifiedLog.create(dir, new LogConfig(props), 0L, 0L, scheduler, new BrokerTopicStats(), CLOCK,
            900000, new ProducerStateManagerConfig(Integer.MAX_VALUE, false), 600000,
            new LogDirFailureChannel(1), clean, Optional.of(new Uuid(0x1122334455667788L, 0x99aabbccddeeff00L)));
    }

    static SimpleRecord[] records(int count, long t, String name) {
        SimpleRecord[] records = new SimpleRecord[count];
        for (int i = 0; i < count; i++) {
            byte[] key = i % 3 == 0 ? null : (name + i).getBytes(StandardCharsets.UTF_8);
            byte[] value = i % 4 == 1 ? null : (name + " value " + i + " ".repeat(i)).getBytes(StandardCharsets.UTF_8);
            Header[] headers = i % 2 == 0 ? new Header[0] : new Header[] {new RecordHeader("h", value), new RecordHeader("", new byte[] {1})};
            records[i] = new SimpleRecord(t + (i * 7L) % 11, key, value, headers);
        }
        return records;
    }

    static void end(UnifiedLog log, long pid, short epoch, ControlRecordType type, int coordinator, int leader) throws Exception {
        MemoryRecords marker = MemoryRecords.withEndTransactionMarker(T + 500, pid, epoch, new EndTransactionMarker(type, coordinator));
        log.appendAsLeader(marker, leader, AppendOrigin.COORDINATOR);
    }

    static void write(File dir) throws Exception {
        UnifiedLog log = open(dir, false);
        int epoch = 0;
        for (Compression codec : List.of(Compression.NONE, Compression.gzip().build(), Compression.snappy().build(), Compression.lz4().build(), Compression.zstd().build())) {
            log.appendAsLeader(MemoryRecords.withRecords(codec, records(9, T + epoch * 100, codec.type().name)), epoch);
            log.appendAsLeader(MemoryRecords.withIdempotentRecords(codec, 1000, (short) 1, epoch * 9, records(9, T + epoch * 100 + 50, "i")), epoch);
            epoch++;
        }
        log.roll();
        log.appendAsLeader(MemoryRecords.withTransactionalRecords(Compression.NONE, 2000, (short) 0, 0, records(3, T + 600, "abort")), 7);
        log.appendAsLeader(MemoryRecords.withTransactionalRecords(Compression.NONE, 2001, (short) 0, 0, records(3, T + 610, "commit")), 7);
        end(log, 2000, (short) 0, ControlRecordType.ABORT, 3, 7);
        end(log, 2001, (short) 0, ControlRecordType.COMMIT, 3, 7);
        for (int i = 0; i < 12; i++)
            log.appendAsLeader(MemoryRecords.withRecords(Compression.NONE, records(4, T + 700 - i, "small")), 7);
        log.roll();
        log.appendAsLeader(MemoryRecords.withTransactionalRecords(Compression.lz4().build(), 2000, (short) 1, 0, records(5, T + 800, "again")), 9);
        end(log, 2000, (short) 1, ControlRecordType.ABORT, 4, 9);
        log.appendAsLeader(MemoryRecords.withTransactionalRecords(Compression.NONE, 2002, (short) 5, 0, records(2, T + 900, "open")), 9);
        log.appendAsLeader(MemoryRecords.withRecords(Compression.NONE, records(6, T + 850, "last")), 11);
        log.flush(true);
        copy(dir, new File(dir.getPath() + "-killed"));
        log.close();
    }

    static void copy(File from, File to) throws Exception {
        to.mkdirs();
        for (File file : from.listFiles())
            Files.copy(file.toPath(), new File(to, file.getName()).toPath(), StandardCopyOption.REPLACE_EXISTING);
    }

    static String text(java.nio.ByteBuffer bytes) {
        if (bytes == null) return "null";
        byte[] raw = new byte[bytes.remaining()];
        bytes.duplicate().get(raw);
        return HexFormat.of().formatHex(raw);
    }

    static void read(File dir, boolean clean) throws Exception {
        UnifiedLog log = open(dir, clean);
        log.updateHighWatermark(log.logEndOffset());
        System.out.println("end " + log.logEndOffset() + " start " + log.logStartOffset() + " stable " + log.lastStableOffset());
        for (LogSegment segment : log.logSegments()) {
            System.out.println("segment " + segment.baseOffset() + " " + segment.size());
            for (RecordBatch batch : segment.log().batches()) {
                System.out.println("batch " + batch.baseOffset() + " " + batch.lastOffset() + " " + batch.partitionLeaderEpoch() + " " + batch.maxTimestamp() + " "
                    + batch.producerId() + " " + batch.producerEpoch() + " " + batch.baseSequence() + " " + batch.compressionType().id
                    + (batch.isTransactional() ? " transactional" : "") + (batch.isControlBatch() ? " control" : ""));
                for (Record record : batch) {
                    StringBuilder headers = new StringBuilder();
                    for (Header header : record.headers())
                        headers.append(" ").append(header.key()).append("=").append(header.value() == null ? "null" : HexFormat.of().formatHex(header.value()));
                    System.out.println("record " + record.offset() + " " + record.timestamp() + " " + text(record.key()) + " " + text(record.value()) + headers);
                }
            }
        }
        for (EpochEntry entry : log.leaderEpochCache().epochEntries())
            System.out.println("epoch " + entry.epoch + " " + entry.startOffset);
        for (ProducerStateEntry entry : new TreeMap<>(log.producerStateManager().activeProducers()).values())
            System.out.println("producer " + entry.producerId() + " " + entry.producerEpoch() + " " + entry.lastSeq() + " " + entry.lastTimestamp() + " "
                + entry.coordinatorEpoch() + " " + entry.currentTxnFirstOffset().orElse(-1L));
        for (AbortedTxn aborted : log.collectAbortedTransactions(0, log.logEndOffset()))
            System.out.println("aborted " + aborted.producerId() + " " + aborted.firstOffset() + " " + aborted.lastOffset() + " " + aborted.lastStableOffset());
        for (long t : new long[] {0, T, T + 50, T + 333, T + 500, T + 640, T + 705, T + 851, T + 899, T + 5000})
            System.out.println("time " + t + " " + log.fetchOffsetByTimestamp(t, Optional.empty()).timestampAndOffsetOpt().map(o -> o.offset + " " + o.timestamp + " " + o.leaderEpoch.orElse(-1)).orElse("none"));
        System.out.println("time max " + log.fetchOffsetByTimestamp(-3, Optional.empty()).timestampAndOffsetOpt().map(o -> o.offset + " " + o.timestamp + " " + o.leaderEpoch.orElse(-1)).orElse("none"));
        log.close();
    }

    public static void main(String[] args) throws Exception {
        File dir = new File(args[1]).getAbsoluteFile();
        if (args[0].equals("write")) write(dir);
        else read(dir, args[2].equals("clean"));
        System.exit(0);
    }
}
