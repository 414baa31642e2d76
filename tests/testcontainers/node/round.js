// @testcontainers/kafka with our image in place of the one it names.
//
// Words: IMAGE CASE... (kraft, embedded, zookeeper). For each case the container is started,
// `started CASE ID` printed, a hundred records are produced and consumed, `consumed CASE N in order`
// printed, and the container stopped once a line was read from standard input.

import { createInterface } from "node:readline/promises";
import { KafkaContainer } from "@testcontainers/kafka";
import { Kafka, logLevel } from "kafkajs";
import { GenericContainer, Network, Wait } from "testcontainers";

const PORT = 9093;
const VALUES = Array.from({ length: 100 }, (_, i) => `value-${i}`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Starts a case; what is to be stopped afterwards comes first in `others`. */
async function start(image, name) {
  const kafka = new KafkaContainer(image);
  if (name === "kraft") return { kafka: await kafka.withKraft().start(), others: [] };
  if (name === "embedded") return { kafka: await kafka.start(), others: [] };
  const network = await new Network().start();
  const zookeeper = await new GenericContainer(image)
    .withNetwork(network)
    .withNetworkAliases("zookeeper")
    .withEnvironment({ ZOOKEEPER_CLIENT_PORT: "2181" })
    .withExposedPorts(2181)
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  const started = await kafka.withNetwork(network).withZooKeeper("zookeeper", 2181).start();
  return { kafka: started, others: [zookeeper, network] };
}

/** Produces to a topic that is created for it, and reads it as a group. */
async function round(broker) {
  const client = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR });
  const producer = client.producer({ allowAutoTopicCreation: true });
  await producer.connect();
  const messages = VALUES.map((value) => ({ key: "key", value }));
  await producer.send({ topic: "round", acks: -1, messages });
  await producer.disconnect();
  const consumer = client.consumer({ groupId: "readers" });
  await consumer.connect();
  await consumer.subscribe({ topic: "round", fromBeginning: true });
  const consumed = [];
  await new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 20_000);
    const eachMessage = async ({ message }) => {
      consumed.push(message.value.toString());
      if (consumed.length === VALUES.length) {
        clearTimeout(timer);
        resolve();
      }
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return consumed;
}

const [image, ...cases] = process.argv.slice(2);
for (const name of cases) {
  const { kafka, others } = await start(image, name);
  try {
    console.log("started", name, kafka.getId());
    const consumed = await round(`${kafka.getHost()}:${kafka.getMappedPort(PORT)}`);
    const same = JSON.stringify(consumed) === JSON.stringify(VALUES);
    const verdict = same ? "in order" : `not what was sent: ${consumed}`;
    console.log("consumed", name, consumed.length, verdict);
    await lines.next();
  } finally {
    await kafka.stop();
    for (const other of others) await other.stop();
  }
}
process.exit(0);
