"""Logs in on librdkafka, sends ten records and reads them in a group that commits:

    secured_librdkafka.py CASES

CASES is a file of JSON, as tests/src/secured_clients.rs writes it. All cases run at once. For each
a line `NAME<tab>sent<tab>WHAT` and one `NAME<tab>read<tab>WHAT`: a count, or an error in the words
of the client.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

RECORDS = 10
PATIENCE = 30
# What is said when no broker could be reached: why stands before it, or after. A client that is
# refused would go on connecting for ever.
ALL_DOWN = KafkaError._ALL_BROKERS_DOWN


def settings(case, errors):
    protocol = ("SASL_" if case.get("mechanism") else "") + ("SSL" if case.get("trust") else "")
    own = {
        "bootstrap.servers": case["bootstrap"],
        "security.protocol": {"": "PLAINTEXT", "SASL_": "SASL_PLAINTEXT"}.get(protocol, protocol),
        "error_cb": errors.append,
        "log_level": 0,
    }
    if case.get("trust"):
        own["ssl.ca.location"] = case["trust"]
    if case.get("certificate"):
        own["ssl.certificate.location"] = case["certificate"] + ".pem"
        own["ssl.key.location"] = case["certificate"] + ".key"
    if case.get("mechanism"):
        own["sasl.mechanisms"] = case["mechanism"]
    if case.get("token"):
        own["oauth_cb"] = lambda _: (open(case["token"]).read(), time.time() + 600)
    elif case.get("mechanism"):
        own |= {"sasl.username": case["user"], "sasl.password": case["password"]}
    return own


def refuse(errors, deadline):
    reasons = [error for error in errors if error.code() != ALL_DOWN]
    is_late = time.time() > deadline
    if is_late or (reasons and len(reasons) < len(errors)):
        raise KafkaException(*reasons[:1] or [KafkaError(KafkaError._TIMED_OUT)])


def send(case):
    errors, delivered = [], []
    producer = Producer(settings(case, errors))
    for number in range(RECORDS):
        sent = lambda error, _: delivered.append(error)
        producer.produce(case["topic"], str(number).encode(), on_delivery=sent)
    deadline = time.time() + PATIENCE
    while len(delivered) < RECORDS:
        producer.poll(0.1)
        refuse(errors, deadline)
    return sum(error is None for error in delivered)


def read(case):
    errors, count = [], 0
    own = {"group.id": case["topic"], "auto.offset.reset": "earliest", "enable.auto.commit": False}
    consumer = Consumer(settings(case, errors) | own)
    try:
        consumer.subscribe([case["topic"]])
        deadline = time.time() + PATIENCE
        while count < RECORDS:
            message = consumer.poll(0.1)
            refuse(errors, deadline)
            if message is not None and message.error() is None:
                count += 1
        consumer.commit(asynchronous=False)
    finally:
        consumer.close()
    return count


def line(case, what, done):
    try:
        said = done(case)
    except KafkaException as raised:
        error = raised.args[0]
        said = f"{error.name()}: {error.str()}"
    return f"{case['name']}\t{what}\t" + str(said).replace("\n", " ")


def both(case):
    return [line(case, "sent", send), line(case, "read", read)]


cases = json.load(open(sys.argv[1]))
with ThreadPoolExecutor(len(cases)) as threads:
    for lines in threads.map(both, cases):
        print("\n".join(lines))
