"""A producer (acks=all) and a committing consumer of default settings on aiokafka, until SIGTERM:

    steady_aiokafka.py produce SERVERS TOPIC PARTITIONS PAUSE_MICROS [debug]
    steady_aiokafka.py consume SERVERS TOPIC GROUP [debug]

They print `ack,` and `got,partition,offset,number,milliseconds` for each record, and a line that
begins with `failed,` or `exception` for what went wrong.
"""

import asyncio
import logging
import signal
import sys
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

role, servers, topic = sys.argv[1:4]
if len(sys.argv) > (6 if role == "produce" else 5) and sys.argv[-1]:
    logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(name)s %(message)s")


def now():
    return int(time.time() * 1000)


def told(number):
    def on_end(sent):
        if sent.exception() is None:
            at = sent.result()
            print(f"ack,{at.partition},{at.offset},{number},{now()}", flush=True)
        else:
            print(f"failed,{number},{now()}: {sent.exception()!r}", flush=True)

    return on_end


async def produce(ending, partitions, pause):
    producer = AIOKafkaProducer(bootstrap_servers=servers.split(","), acks="all")
    await producer.start()
    number = 0
    while not ending.is_set():
        sent = await producer.send(topic, str(number).encode(), partition=number % partitions)
        sent.add_done_callback(told(number))
        number += 1
        await asyncio.sleep(pause)
    await producer.stop()


async def consume(ending, group):
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers.split(","), group_id=group)
    await consumer.start()
    committed = time.time()
    while not ending.is_set():
        batches = await consumer.getmany(timeout_ms=200)
        for got in (one for batch in batches.values() for one in batch):
            print(f"got,{got.partition},{got.offset},{got.value.decode()},{now()}", flush=True)
        if batches and time.time() - committed > 0.05:
            try:
                await consumer.commit()
            except KafkaError as error:
                print(f"not committed at {now()}: {error!r}", flush=True)
            committed = time.time()
    await consumer.stop()


async def main():
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    if role == "produce":
        await produce(ending, int(sys.argv[4]), int(sys.argv[5]) / 1_000_000)
    else:
        await consume(ending, sys.argv[4])


asyncio.run(main())
