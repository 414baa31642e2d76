"""testcontainers' KafkaContainer with our image in place of the one it names.

Words: IMAGE CASE... (kraft, zookeeper). For each case the container is started, `started CASE ID`
printed, a hundred records are produced and consumed, `consumed CASE N in order` printed, and the
container stopped once a line was read from standard input.
"""

import sys
import time

from confluent_kafka import Consumer, Producer
from testcontainers.community.kafka import KafkaContainer

VALUES = [f"value-{i}" for i in range(100)]


def round_trip(servers):
    """Produces to a topic that is created for it, and reads it as a group."""
    failed = []
    producer = Producer({"bootstrap.servers": servers})
    for value in VALUES:
        producer.produce("round", value, "key", on_delivery=lambda e, _: e and failed.append(e))
    left = producer.flush(20)
    if left or failed:
        raise RuntimeError(f"{left} records not delivered, {failed}")
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "readers", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["round"])
    consumed = []
    end = time.monotonic() + 20
    while len(consumed) < len(VALUES) and time.monotonic() < end:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            consumed.append(message.value().decode())
    consumer.close()
    return consumed


def main(image, cases):
    for case in cases:
        container = KafkaContainer(image)
        if case == "kraft":
            container.with_kraft()
        with container as kafka:
            print("started", case, kafka.get_wrapped_container().id, flush=True)
            consumed = round_trip(kafka.get_bootstrap_server())
            verdict = "in order" if consumed == VALUES else f"not what was sent: {consumed}"
            print("consumed", case, len(consumed), verdict, flush=True)
            sys.stdin.readline()


main(sys.argv[1], sys.argv[2:])
