"""A Python program as people write it on confluent-kafka: a topic, records, a group, its offsets.

Prints one line of facts for each step; the Rust test that starts it knows what they must be.
"""

import sys

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

bootstrap = sys.argv[1]
admin = AdminClient({"bootstrap.servers": bootstrap})
admin.create_topics([NewTopic("py", num_partitions=3)])["py"].result(10)
topics = admin.list_topics(timeout=10).topics
print("partitions", len(topics["py"].partitions))
configs = admin.describe_configs([ConfigResource("topic", "py")])
entries = list(configs.values())[0].result(10)
print("retention.ms", entries["retention.ms"].value)

delivered = []
failed = []


def on_delivery(error, message):
    if error is None:
        delivered.append((message.partition(), message.offset(), message.value()))
    else:
        failed.append(str(error))


for settings in (
    {"acks": "all", "enable.idempotence": True},
    {"acks": "1", "compression.type": "zstd", "linger.ms": 5},
    {"acks": "all", "compression.type": "lz4"},
    {"acks": "all", "compression.type": "gzip"},
    {"acks": "all", "compression.type": "snappy"},
):
    producer = Producer({"bootstrap.servers": bootstrap, **settings})
    for i in range(20):
        producer.produce("py", key=str(i), value=f"value-{i}", headers={"n": str(i)}, on_delivery=on_delivery)
    producer.flush(20)
print("delivered", len(delivered), "failed", len(failed))


def consume(count):
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": "py-readers",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    })
    consumer.subscribe(["py"])
    seen = []
    while len(seen) < count:
        message = consumer.poll(15)
        if message is None:
            break
        if message.error():
            print("error", message.error())
            break
        seen.append((message.partition(), message.offset(), message.value()))
    consumer.commit(asynchronous=False)
    consumer.close()
    return seen


first = consume(60)
second = consume(40)
print("consumed", len(first), len(second))
print("same records", sorted(first + second) == sorted(delivered))
reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "py-readers"})
committed = reader.committed([TopicPartition("py", p) for p in range(3)], timeout=10)
ends = [reader.get_watermark_offsets(TopicPartition("py", p), timeout=10)[1] for p in range(3)]
print("committed at the end", [c.offset for c in committed] == ends)
reader.close()
groups = admin.list_consumer_groups().result(10)
print("groups", [group.group_id for group in groups.valid])
admin.delete_consumer_groups(["py-readers"])["py-readers"].result(10)
admin.delete_topics(["py"])["py"].result(10)
print("deleted")
