"""A member of a group on confluent-kafka that reads on until it is told to end:
`got,partition,offset,number,milliseconds` for each record. Settings are the defaults but for where
a new group starts. A fourth word is librdkafka's `debug`.
"""

import signal
import sys
import time

from confluent_kafka import Consumer

bootstrap, topic, group = sys.argv[1:4]
settings = {"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest"}
if len(sys.argv) > 4 and sys.argv[4]:
    settings["debug"] = sys.argv[4]
ending = False


def end(_signal, _frame):
    global ending
    ending = True


signal.signal(signal.SIGTERM, end)
consumer = Consumer(settings)
consumer.subscribe([topic])
while not ending:
    message = consumer.poll(0.2)
    if message is None:
        continue
    if message.error():
        print(f"exception {message.error()}", flush=True)
        continue
    now = int(time.time() * 1000)
    place = f"{message.partition()},{message.offset()}"
    print(f"got,{place},{message.value().decode()},{now}", flush=True)
consumer.close()
print("closed", flush=True)
