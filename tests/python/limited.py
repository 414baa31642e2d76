"""A producer or a consumer on confluent-kafka that is as fast as it may be, for some seconds.

Prints `bytes,milliseconds,total` and `throttled,count,longest` twice a second: how often librdkafka
was told that it is held back, and for how many milliseconds at most.
"""

import sys
import time

from confluent_kafka import Consumer, Producer

bootstrap, role, client_id, topic, seconds, batch_bytes = sys.argv[1:7]
until = time.time() + float(seconds)
throttled = []
total = 0
next_line = 0.0


def on_throttle(event):
    throttled.append(int(event.throttle_time * 1000))


def line():
    global next_line
    now = time.time()
    if now >= next_line:
        next_line = now + 0.5
        print(f"bytes,{int(now * 1000)},{total}")
        print(f"throttled,{len(throttled)},{max(throttled, default=0)}", flush=True)


settings = {"bootstrap.servers": bootstrap, "client.id": client_id, "throttle_cb": on_throttle}
if role == "producer":
    value = bytes(1000)

    def on_delivery(error, message):
        global total
        if error is None:
            total += len(value)

    # Small batches: what is sent within some seconds is to tell the rate.
    settings.update({"queue.buffering.max.messages": 2000, "batch.size": int(batch_bytes)})
    producer = Producer(settings)
    while time.time() < until:
        try:
            producer.produce(topic, value=value, on_delivery=on_delivery)
            producer.poll(0)
        except BufferError:
            producer.poll(0.05)
        line()
    producer.purge()
    producer.flush(5)
else:
    settings.update({"group.id": client_id, "auto.offset.reset": "earliest"})
    consumer = Consumer({**settings, "fetch.message.max.bytes": int(batch_bytes)})
    consumer.subscribe([topic])
    while time.time() < until:
        for message in consumer.consume(1000, timeout=0.1):
            if message.error() is None:
                total += len(message.value())
        line()
    consumer.close()
