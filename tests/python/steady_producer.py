"""A producer of default settings on confluent-kafka that sends numbered records to each partition
in turn until it is told to end: `ack,partition,offset,number,milliseconds` for what was
acknowledged, and a line for each failure. A third word after the pause is librdkafka's `debug`.
"""

import signal
import sys
import time

from confluent_kafka import Producer

bootstrap, topic, partitions, pause_micros = sys.argv[1:5]
settings = {"bootstrap.servers": bootstrap}
if len(sys.argv) > 5 and sys.argv[5]:
    settings["debug"] = sys.argv[5]
ending = False


def end(_signal, _frame):
    global ending
    ending = True


def told(number):
    def on_delivery(error, message):
        now = int(time.time() * 1000)
        if error is None:
            place = f"{message.partition()},{message.offset()}"
            print(f"ack,{place},{number},{now}", flush=True)
        else:
            print(f"failed,{number},{now}: {error}", flush=True)

    return on_delivery


signal.signal(signal.SIGTERM, end)
producer = Producer(settings)
number = 0
while not ending:
    producer.produce(
        topic, str(number), partition=number % int(partitions), on_delivery=told(number)
    )
    number += 1
    producer.poll(int(pause_micros) / 1_000_000)
producer.flush(60)
print("sent", number, flush=True)
