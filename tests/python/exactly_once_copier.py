"""Copies one topic to another on confluent-kafka, record for record, exactly once: what it read and
how far it has read are one transaction. Words: bootstrap servers, from, to, transactional id (the
group's id, too), records at a time. Prints `copied,count` for each transaction. It is ended by
kill -9, or it begins anew after an error, as such programs do.
"""

import sys

from confluent_kafka import Consumer, KafkaException, Producer

bootstrap, source, target, identity, at_a_time = sys.argv[1:6]


def copy(producer, consumer):
    while True:
        messages = consumer.consume(int(at_a_time), 0.2)
        messages = [message for message in messages if not message.error()]
        if not messages:
            continue
        producer.begin_transaction()
        for message in messages:
            producer.produce(target, message.value(), message.key(), message.partition())
        producer.send_offsets_to_transaction(
            consumer.position(consumer.assignment()), consumer.consumer_group_metadata()
        )
        producer.commit_transaction()
        print(f"copied,{len(messages)}", flush=True)


while True:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": identity,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": 6000,
        }
    )
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": identity})
    try:
        producer.init_transactions()
        consumer.subscribe([source])
        copy(producer, consumer)
    except KafkaException as error:
        print(f"again,{error}", flush=True)
    finally:
        consumer.close()
