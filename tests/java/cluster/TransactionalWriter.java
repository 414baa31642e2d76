import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Exit;

/**
 * Writes transactions of one record to each partition of a topic, one after the other, until it is told to end; every
 * fourth it takes back. Words: bootstrap servers, topic, partitions, transactional id, the first number. A record's
 * value is the number of its transaction; what became of each is printed: {@code committed,number}, {@code
 * aborted,number}, {@code unknown,number}. One whose end is not known is ended by the next producer's
 * initTransactions, one way or the other. {@code fenced} is the end of a writer that has a twin.
 */
public final class TransactionalWriter {
    public static void main(String[] words) {
        int partitions = Integer.parseInt(words[2]);
        long number = Long.parseLong(words[4]);
        // Several of them run in one JVM.
        AtomicBoolean ends = new AtomicBoolean();
        Thread main = Thread.currentThread();
        Exit.addShutdownHook("writer", () -> {
            ends.set(true);
            try {
                main.join(30_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        KafkaProducer<String, String> producer = null;
        while (!ends.get()) {
            try {
                if (producer == null) {
                    producer = new KafkaProducer<>(properties(words));
                    producer.initTransactions();
                }
                producer.beginTransaction();
            } catch (ProducerFencedException e) {
                System.out.println("fenced");
                break;
            } catch (KafkaException e) {
                System.out.println("again," + e);
                close(producer);
                producer = null;
                continue;
            }
            long now = number++;
            try {
                write(producer, words[1], partitions, now);
                if (now % 4 == 3) {
                    producer.abortTransaction();
                    System.out.println("aborted," + now);
                } else {
                    commit(producer);
                    System.out.println("committed," + now);
                }
            } catch (ProducerFencedException | InvalidTxnStateException e) {
                // A commit finds its transaction taken back where a twin has come and has no epoch yet.
                System.out.println("unknown," + now);
                System.out.println("fenced");
                break;
            } catch (Exception e) {
                System.out.println("failed " + e);
                Boolean fenced = takeBack(producer, now);
                if (fenced == Boolean.TRUE) {
                    System.out.println("fenced");
                    break;
                } else if (fenced == null) {
                    close(producer);
                    producer = null;
                }
            }
        }
        close(producer);
        System.out.println("ended");
    }

    private static void write(KafkaProducer<String, String> producer, String topic, int partitions, long number)
        throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int partition = 0; partition < partitions; partition++) {
            sent.add(producer.send(new ProducerRecord<>(topic, partition, null, Long.toString(number))));
        }
        producer.flush();
        for (Future<RecordMetadata> one : sent) {
            one.get();
        }
    }

    /** Takes back what failed: whether the writer has a twin; null where that is not known either. */
    private static Boolean takeBack(KafkaProducer<String, String> producer, long number) {
        try {
            producer.abortTransaction();
            System.out.println("aborted," + number);
            return false;
        } catch (ProducerFencedException e) {
            System.out.println("unknown," + number);
            return true;
        } catch (KafkaException e) {
            System.out.println("unknown," + number);
            return null;
        }
    }

    /** A commit that timed out may be asked for again. */
    private static void commit(KafkaProducer<String, String> producer) {
        for (int turn = 0; ; turn++) {
            try {
                producer.commitTransaction();
                return;
            } catch (TimeoutException e) {
                if (turn == 3) {
                    throw e;
                }
            }
        }
    }

    private static void close(KafkaProducer<String, String> producer) {
        if (producer != null) {
            producer.close(java.time.Duration.ZERO);
        }
    }

    private static Properties properties(String[] words) {
        Properties properties = new Properties();
        properties.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, words[0]);
        properties.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, words[3]);
        properties.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, "10000");
        properties.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class.getName());
        properties.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, StringSerializer.class.getName());
        return properties;
    }
}
