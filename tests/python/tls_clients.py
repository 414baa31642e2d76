"""Passes 20 records by TLS with a client's certificate, with confluent_kafka and kafka-python."""
import sys

import confluent_kafka
import kafka

address, folder = sys.argv[1], sys.argv[2].rstrip("/")
files = {name: f"{folder}/{name}" for name in ("trust.pem", "client.pem", "client.key")}

common = {
    "bootstrap.servers": address,
    "security.protocol": "SSL",
    "ssl.ca.location": files["trust.pem"],
    "ssl.certificate.location": files["client.pem"],
    "ssl.key.location": files["client.key"],
}
producer = confluent_kafka.Producer(common)
for number in range(20):
    producer.produce("of-librdkafka", str(number).encode())
assert producer.flush(30) == 0
consumer = confluent_kafka.Consumer(common | {"group.id": "g", "auto.offset.reset": "earliest"})
consumer.subscribe(["of-librdkafka"])
count = 0
while count < 20:
    message = consumer.poll(30)
    assert message is not None and message.error() is None, message and message.error()
    count += 1
consumer.close()
print("confluent_kafka", count)

common = {
    "bootstrap_servers": address,
    "security_protocol": "SSL",
    "ssl_cafile": files["trust.pem"],
    "ssl_certfile": files["client.pem"],
    "ssl_keyfile": files["client.key"],
}
producer = kafka.KafkaProducer(**common)
for number in range(20):
    producer.send("of-python", str(number).encode()).get(30)
producer.close()
consumer = kafka.KafkaConsumer(
    "of-python", auto_offset_reset="earliest", consumer_timeout_ms=30000, **common
)
count = 0
for _ in consumer:
    count += 1
    if count == 20:
        break
print("kafka", count)
