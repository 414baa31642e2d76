"""Logs in on aiokafka, sends ten records and reads them in a group that commits:

    secured_aiokafka.py CASES

CASES is a file of JSON, as tests/src/secured_clients.rs writes it. All cases run at once. For each
a line `NAME<tab>sent<tab>WHAT` and one `NAME<tab>read<tab>WHAT`: a count, or an error in the words
of the client. It raises that it could not connect, and logs why: both are printed.
"""

import asyncio
import json
import logging
import ssl
import sys
from contextvars import ContextVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError

RECORDS = 10
PATIENCE = 30
# What has been logged of a case, whose task has this variable for itself.
logged = ContextVar("logged")


class OfTheCase(logging.Handler):
    def emit(self, record):
        logged.get([]).append(record.getMessage())


class Token(AbstractTokenProvider):
    def __init__(self, path):
        self.path = path

    async def token(self):
        return open(self.path).read()


def settings(case):
    protocol = ("SASL_" if case.get("mechanism") else "") + ("SSL" if case.get("trust") else "")
    own = {
        "bootstrap_servers": case["bootstrap"],
        "security_protocol": {"": "PLAINTEXT", "SASL_": "SASL_PLAINTEXT"}.get(protocol, protocol),
    }
    if case.get("trust"):
        own["ssl_context"] = ssl.create_default_context(cafile=case["trust"])
    if case.get("certificate"):
        of = case["certificate"]
        own["ssl_context"].load_cert_chain(of + ".pem", of + ".key")
    if case.get("mechanism"):
        own["sasl_mechanism"] = case["mechanism"]
    if case.get("token"):
        own["sasl_oauth_token_provider"] = Token(case["token"])
    elif case.get("mechanism"):
        own |= {"sasl_plain_username": case["user"], "sasl_plain_password": case["password"]}
    return own


async def send(case):
    producer = AIOKafkaProducer(acks="all", **settings(case))
    try:
        await producer.start()
        for number in range(RECORDS):
            await producer.send_and_wait(case["topic"], str(number).encode())
    finally:
        await producer.stop()
    return RECORDS


async def read(case):
    own = {"group_id": case["topic"], "auto_offset_reset": "earliest", "enable_auto_commit": False}
    consumer = AIOKafkaConsumer(case["topic"], **own, **settings(case))
    try:
        await consumer.start()
        for _ in range(RECORDS):
            await consumer.getone()
        await consumer.commit()
    finally:
        await consumer.stop()
    return RECORDS


async def line(case, what, done):
    logged.set([])
    try:
        said = await asyncio.wait_for(done(case), PATIENCE)
    except (KafkaError, asyncio.TimeoutError) as error:
        said = "; ".join([repr(error), *logged.get()])
    return f"{case['name']}\t{what}\t" + str(said).replace("\n", " ")


async def both(case):
    return [await line(case, "sent", send), await line(case, "read", read)]


async def main():
    logging.getLogger("aiokafka").addHandler(OfTheCase(logging.WARNING))
    cases = json.load(open(sys.argv[1]))
    for lines in await asyncio.gather(*(both(case) for case in cases)):
        print("\n".join(lines))


asyncio.run(main())
