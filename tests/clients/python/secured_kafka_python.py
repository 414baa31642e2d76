"""Logs in on kafka-python, sends ten records and reads them in a group that commits:

    secured_kafka_python.py CASES

CASES is a file of JSON, as tests/src/secured_clients.rs writes it. All cases run at once. For each
a line `NAME<tab>sent<tab>WHAT` and one `NAME<tab>read<tab>WHAT`: a count, or an error in the words
of the client. It raises after a minute that it has no metadata, and logs why: both are printed.
"""

import json
import logging
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.sasl.oauth import AbstractTokenProvider

RECORDS = 10
PATIENCE = 30
# What has been logged of the case of this thread.
own = threading.local()


class OfTheCase(logging.Handler):
    def emit(self, record):
        if hasattr(own, "logged"):
            own.logged.append(record.getMessage())


class Token(AbstractTokenProvider):
    def __init__(self, path):
        self.path = path

    def token(self):
        return open(self.path).read()


def settings(case):
    protocol = ("SASL_" if case.get("mechanism") else "") + ("SSL" if case.get("trust") else "")
    asked = {
        "bootstrap_servers": case["bootstrap"],
        "security_protocol": {"": "PLAINTEXT", "SASL_": "SASL_PLAINTEXT"}.get(protocol, protocol),
    }
    if case.get("trust"):
        asked["ssl_cafile"] = case["trust"]
    if case.get("certificate"):
        of = case["certificate"]
        asked |= {"ssl_certfile": of + ".pem", "ssl_keyfile": of + ".key"}
    if case.get("mechanism"):
        asked["sasl_mechanism"] = case["mechanism"]
    if case.get("token"):
        asked["sasl_oauth_token_provider"] = Token(case["token"])
    elif case.get("mechanism"):
        asked |= {"sasl_plain_username": case["user"], "sasl_plain_password": case["password"]}
    return asked


def send(case):
    producer = KafkaProducer(acks="all", **settings(case))
    for number in range(RECORDS):
        producer.send(case["topic"], str(number).encode()).get(PATIENCE)
    producer.close()
    return RECORDS


def read(case):
    group = {"group_id": case["topic"], "auto_offset_reset": "earliest"}
    consumer = KafkaConsumer(case["topic"], enable_auto_commit=False, **group, **settings(case))
    count, deadline = 0, time.time() + PATIENCE
    while count < RECORDS:
        count += sum(len(records) for records in consumer.poll(200).values())
        if time.time() > deadline:
            raise KafkaTimeoutError(f"{count} records within thirty seconds")
    consumer.commit()
    consumer.close()
    return count


def line(case, what, done):
    own.logged = []
    try:
        said = done(case)
    except KafkaError as error:
        said = "; ".join([repr(error), *own.logged])
    return f"{case['name']}\t{what}\t" + str(said).replace("\n", " ")


def both(case):
    return [line(case, "sent", send), line(case, "read", read)]


logging.getLogger("kafka").addHandler(OfTheCase(logging.ERROR))
logging.getLogger("kafka").propagate = False
cases = json.load(open(sys.argv[1]))
with ThreadPoolExecutor(len(cases)) as threads:
    for lines in threads.map(both, cases):
        print("\n".join(lines))
