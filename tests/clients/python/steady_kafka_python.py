"""A producer (acks=all) and a committing consumer of default settings on kafka-python, until
SIGTERM:

    steady_kafka_python.py produce SERVERS TOPIC PARTITIONS PAUSE_MICROS [debug]
    steady_kafka_python.py consume SERVERS TOPIC GROUP [debug]

They print `ack,` and `got,partition,offset,number,milliseconds` for each record, and a line that
begins with `failed,` or `exception` for what went wrong.
"""

import logging
import signal
import sys
import time

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

role, servers, topic = sys.argv[1:4]
if len(sys.argv) > (6 if role == "produce" else 5) and sys.argv[-1]:
    logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(name)s %(message)s")
ending = False


def end(_signal, _frame):
    global ending
    ending = True


def now():
    return int(time.time() * 1000)


def produce(partitions, pause):
    producer = KafkaProducer(bootstrap_servers=servers.split(","), acks="all")
    number = 0
    while not ending:
        own, partition = number, number % partitions
        sent = producer.send(topic, str(own).encode(), partition=partition)
        sent.add_callback(
            lambda at, own=own: print(f"ack,{at.partition},{at.offset},{own},{now()}", flush=True)
        )
        sent.add_errback(
            lambda error, own=own: print(f"failed,{own},{now()}: {error!r}", flush=True)
        )
        number += 1
        time.sleep(pause)
    producer.flush(60)
    producer.close()


def consume(group):
    consumer = KafkaConsumer(topic, bootstrap_servers=servers.split(","), group_id=group)
    committed = time.time()
    while not ending:
        batches = consumer.poll(timeout_ms=200)
        for got in (one for batch in batches.values() for one in batch):
            print(f"got,{got.partition},{got.offset},{got.value.decode()},{now()}", flush=True)
        if batches and time.time() - committed > 0.05:
            try:
                consumer.commit()
            except KafkaError as error:
                print(f"not committed at {now()}: {error!r}", flush=True)
            committed = time.time()
    consumer.close()


signal.signal(signal.SIGTERM, end)
if role == "produce":
    produce(int(sys.argv[4]), int(sys.argv[5]) / 1_000_000)
else:
    consume(sys.argv[4])
