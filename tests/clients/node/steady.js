// A producer and a committing consumer of default settings on kafkajs, until SIGTERM:
//
//   node steady.js produce SERVERS TOPIC PARTITIONS PAUSE_MICROS [debug]
//   node steady.js consume SERVERS TOPIC GROUP [debug]
//
// They print `ack,` and `got,partition,offset,number,milliseconds` for each record, and a line that
// begins with `failed,` or `exception` for what went wrong.
import { Kafka, Partitioners, logLevel } from "kafkajs";

const [role, servers, topic, third, ...rest] = process.argv.slice(2);
const debug = Boolean(rest.at(role === "produce" ? 1 : 0));
const kafka = new Kafka({
  brokers: servers.split(","),
  logLevel: debug ? logLevel.DEBUG : logLevel.WARN,
});
let ending = false;
process.on("SIGTERM", () => (ending = true));
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function produce(partitions, pauseMicros) {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const pending = new Set();
  let number = 0;
  const begun = performance.now();
  while (!ending) {
    // A timer of Node's is a millisecond late and more: what is due by the clock is sent.
    const due = ((performance.now() - begun) * 1000) / pauseMicros;
    while (number < due) {
      const own = number++;
      const partition = own % partitions;
      const sent = producer
        .send({ topic, messages: [{ value: String(own), partition }] })
        .then(([{ baseOffset: at }]) => console.log(`ack,${partition},${at},${own},${Date.now()}`))
        .catch((error) => console.log(`failed,${own},${Date.now()}: ${error}`))
        .finally(() => pending.delete(sent));
      pending.add(sent);
    }
    await pause(pauseMicros / 1000);
  }
  await Promise.all(pending);
  await producer.disconnect();
}

async function consume(groupId) {
  const consumer = kafka.consumer({ groupId });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) console.log(`exception ${payload.error}`);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic] });
  await consumer.run({
    autoCommitInterval: 50,
    eachMessage: async ({ partition, message: { offset, value } }) =>
      console.log(`got,${partition},${offset},${value},${Date.now()}`),
  });
  while (!ending) await pause(20);
  await consumer.disconnect();
}

if (role === "produce") await produce(Number(third), Number(rest[0]));
else await consume(third);
process.exit(0);
