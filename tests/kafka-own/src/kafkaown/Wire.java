package kafkaown;

import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.message.DescribeQuorumRequestData;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Readable;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;

/** One request to one port, blocking; no client threads that a leak check would see. */
final class Wire {
    private static final int TIMEOUT_MS = 5000;

    private Wire() {}

    private static Readable ask(int port, ApiKeys key, int version, ApiMessage body)
            throws IOException {
        short v = (short) version;
        RequestHeaderData header =
                new RequestHeaderData()
                        .setRequestApiKey(key.id)
                        .setRequestApiVersion(v)
                        .setClientId("kafkaown")
                        .setCorrelationId(1);
        short hv = key.requestHeaderVersion(v);
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer bytes = ByteBuffer.allocate(header.size(cache, hv) + body.size(cache, v));
        ByteBufferAccessor writer = new ByteBufferAccessor(bytes);
        header.write(writer, cache, hv);
        body.write(writer, cache, v);
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("localhost", port), TIMEOUT_MS);
            socket.setSoTimeout(TIMEOUT_MS);
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            out.writeInt(bytes.capacity());
            out.write(bytes.array());
            out.flush();
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] answer = new byte[in.readInt()];
            in.readFully(answer);
            ByteBufferAccessor reader = new ByteBufferAccessor(ByteBuffer.wrap(answer));
            new ResponseHeaderData(reader, key.responseHeaderVersion(v));
            return reader;
        }
    }

    static boolean listens(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("localhost", port), 1000);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** Of one topic; of all topics if null; of none if "". */
    static MetadataResponseData metadata(int port, String topic) throws IOException {
        MetadataRequestData data = new MetadataRequestData().setAllowAutoTopicCreation(false);
        if (topic == null) data.setTopics(null);
        else if (topic.isEmpty()) data.setTopics(List.of());
        else data.setTopics(List.of(new MetadataRequestData.MetadataRequestTopic().setName(topic)));
        return new MetadataResponseData(ask(port, ApiKeys.METADATA, 12, data), (short) 12);
    }

    static DescribeQuorumResponseData.PartitionData quorum(int port) throws IOException {
        var partition = new DescribeQuorumRequestData.PartitionData().setPartitionIndex(0);
        var topic = new DescribeQuorumRequestData.TopicData();
        topic.setTopicName("__cluster_metadata").setPartitions(List.of(partition));
        var data = new DescribeQuorumRequestData().setTopics(List.of(topic));
        Readable read = ask(port, ApiKeys.DESCRIBE_QUORUM, 1, data);
        DescribeQuorumResponseData answer = new DescribeQuorumResponseData(read, (short) 1);
        if (answer.errorCode() != 0 || answer.topics().isEmpty())
            throw new IOException("DescribeQuorum: error " + answer.errorCode());
        DescribeQuorumResponseData.PartitionData p = answer.topics().get(0).partitions().get(0);
        if (p.errorCode() != 0) throw new IOException("DescribeQuorum: error " + p.errorCode());
        return p;
    }

    static List<DescribeProducersResponseData.ProducerState> producers(int port, TopicPartition tp)
            throws IOException {
        var topic = new DescribeProducersRequestData.TopicRequest();
        topic.setName(tp.topic()).setPartitionIndexes(List.of(tp.partition()));
        var data = new DescribeProducersRequestData().setTopics(List.of(topic));
        Readable answer = ask(port, ApiKeys.DESCRIBE_PRODUCERS, 0, data);
        var topics = new DescribeProducersResponseData(answer, (short) 0).topics();
        return topics.get(0).partitions().get(0).activeProducers();
    }

    static long offset(int port, TopicPartition tp, long which) throws IOException {
        var partition = new ListOffsetsRequestData.ListOffsetsPartition();
        partition.setPartitionIndex(tp.partition()).setTimestamp(which);
        var topic = new ListOffsetsRequestData.ListOffsetsTopic();
        topic.setName(tp.topic()).setPartitions(List.of(partition));
        var data = new ListOffsetsRequestData().setReplicaId(-1).setTopics(List.of(topic));
        Readable answer = ask(port, ApiKeys.LIST_OFFSETS, 7, data);
        var topics = new ListOffsetsResponseData(answer, (short) 7).topics();
        return topics.get(0).partitions().get(0).offset();
    }
}
