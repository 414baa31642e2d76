"""Sends numbered messages to a topic, each until it is acknowledged: example.py BROKERS TOPIC."""

import sys
import time

from kafka import KafkaProducer
from kafka.errors import KafkaError

brokers, topic = sys.argv[1:]
producer = KafkaProducer(bootstrap_servers=brokers.split(","), acks="all", max_block_ms=2000)
number = 0
while True:
    try:
        producer.send(topic, str(number).encode()).get(timeout=2)
        print(f"Sent: {number}", flush=True)
        number += 1
        time.sleep(0.1)
    except KafkaError as error:
        print(f"Error sending {number}: {error}", flush=True)
