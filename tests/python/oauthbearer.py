"""Comes in by OAUTHBEARER with librdkafka and kafka-python: writes a record each."""
import sys
import time

from confluent_kafka import KafkaException, Producer
from kafka import KafkaProducer

try:
    from kafka.sasl.oauth import AbstractTokenProvider
except ImportError:
    from kafka.oauth import AbstractTokenProvider

address, good, forged = sys.argv[1], sys.argv[2], sys.argv[3]


def confluent(token):
    return {
        "bootstrap.servers": address,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanisms": "OAUTHBEARER",
        "oauth_cb": lambda _: (token, time.time() + 600),
        "log_level": 0,
    }


class Provider(AbstractTokenProvider):
    def token(self):
        return good


delivered = []
producer = Producer(confluent(good))
producer.produce("confluent", b"value", callback=lambda error, _: delivered.append(error))
producer.flush(30)
print(f"confluent {sum(error is None for error in delivered)} delivered")

producer = KafkaProducer(
    bootstrap_servers=address,
    security_protocol="SASL_PLAINTEXT",
    sasl_mechanism="OAUTHBEARER",
    sasl_oauth_token_provider=Provider(),
)
producer.send("python", b"value").get(30)
producer.close()
print("kafka-python 1 delivered")

refused = Producer(confluent(forged))
refused.poll(0)
try:
    refused.list_topics(timeout=3)
    print("confluent forged: let in")
except KafkaException:
    print("confluent forged: refused")
