"""Comes in by every mechanism with librdkafka and kafka-python: writes a record and reads it."""
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer
from kafka import KafkaConsumer, KafkaProducer

address, password = sys.argv[1], sys.argv[2]


def confluent(mechanism, password):
    return {
        "bootstrap.servers": address,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanisms": mechanism,
        "sasl.username": "alice",
        "sasl.password": password,
        "log_level": 0,
    }


def read_confluent(mechanism, topic):
    consumer = Consumer(
        confluent(mechanism, password)
        | {"group.id": "confluent-" + mechanism, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    deadline = time.time() + 30
    count = 0
    while count == 0 and time.time() < deadline:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            count += 1
    consumer.close()
    return count


def by_kafka_python(mechanism, topic):
    own = {
        "bootstrap_servers": address,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": mechanism,
        "sasl_plain_username": "alice",
        "sasl_plain_password": password,
    }
    producer = KafkaProducer(**own)
    producer.send(topic, b"value").get(30)
    producer.close()
    consumer = KafkaConsumer(
        topic, group_id="python-" + mechanism, auto_offset_reset="earliest", **own
    )
    deadline = time.time() + 30
    count = 0
    while count == 0 and time.time() < deadline:
        for records in consumer.poll(1000, max_records=1).values():
            count += len(records)
    consumer.close()
    return count


for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]:
    topic = "confluent-" + mechanism
    delivered = []
    producer = Producer(confluent(mechanism, password))
    producer.produce(topic, b"value", callback=lambda error, _: delivered.append(error))
    producer.flush(30)
    good = sum(error is None for error in delivered)
    print(f"confluent {mechanism} {good} delivered {read_confluent(mechanism, topic)} read")
    print(f"kafka-python {mechanism} {by_kafka_python(mechanism, 'python-' + mechanism)} read")

refused = Producer(confluent("PLAIN", "wrong"))
try:
    refused.list_topics(timeout=3)
    print("confluent PLAIN wrong: let in")
except KafkaException:
    print("confluent PLAIN wrong: refused")
