"""A member of a group on confluent-kafka that reads on until it is told to end:
`got,partition,offset,number,milliseconds` for each record. Settings are the defaults but for where
a new group starts: at the beginning. With a fourth word, `commit`, it starts at the end, as by
default, and commits what it has every fifty milliseconds before it reads on. A fifth is
librdkafka's `debug`.
"""

import signal
import sys
import time

from confluent_kafka import Consumer, KafkaException

bootstrap, topic, group = sys.argv[1:4]
settings = {"bootstrap.servers": bootstrap, "group.id": group}
commits = len(sys.argv) > 4 and sys.argv[4] == "commit"
if not commits:
    settings["auto.offset.reset"] = "earliest"
if len(sys.argv) > 5 and sys.argv[5]:
    settings["debug"] = sys.argv[5]
ending = False
committed = time.time()


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
    if commits and time.time() - committed > 0.05:
        try:
            consumer.commit(asynchronous=False)
        except KafkaException as error:
            print(f"not committed at {now}: {error}", flush=True)
        committed = time.time()
consumer.close()
print("closed", flush=True)
