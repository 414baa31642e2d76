// Logs in on kafkajs, sends ten records and reads them in a group that commits:
//
//   node secured.js CASES
//
// CASES is a file of JSON, as tests/src/secured_clients.rs writes it. All cases run at once. For
// each a line `NAME<tab>sent<tab>WHAT` and one `NAME<tab>read<tab>WHAT`: a count, or an error in the
// words of the client.
import { readFileSync } from "node:fs";
import { Kafka, Partitioners, logLevel } from "kafkajs";

const RECORDS = 10;
const PATIENCE = 30_000;

function kafkaOf({ bootstrap, trust, certificate, mechanism, user, password, token }) {
  const settings = { brokers: [bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 2 } };
  const of = (ending) => readFileSync(certificate + ending, "utf8");
  if (trust) settings.ssl = { ca: [readFileSync(trust, "utf8")] };
  if (certificate) Object.assign(settings.ssl, { cert: of(".pem"), key: of(".key") });
  if (token) {
    const oauthBearerProvider = async () => ({ value: readFileSync(token, "utf8") });
    settings.sasl = { mechanism: "oauthbearer", oauthBearerProvider };
  } else if (mechanism) {
    settings.sasl = { mechanism: mechanism.toLowerCase(), username: user, password };
  }
  return new Kafka(settings);
}

async function send(kafka, topic) {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  try {
    await producer.connect();
    const messages = Array.from({ length: RECORDS }, (_, number) => ({ value: String(number) }));
    await producer.send({ topic, messages, acks: -1 });
  } finally {
    await producer.disconnect();
  }
  return RECORDS;
}

async function read(kafka, topic) {
  const consumer = kafka.consumer({ groupId: topic });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    let count = 0;
    await new Promise((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      const eachMessage = async () => {
        if (++count === RECORDS) resolve();
      };
      consumer.run({ autoCommit: false, eachMessage }).catch(reject);
    });
    await consumer.commitOffsets([{ topic, partition: 0, offset: String(count) }]);
    return count;
  } finally {
    await consumer.disconnect();
  }
}

async function line(one, what, done) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("nothing within thirty seconds")), PATIENCE);
  });
  const ended = Promise.race([done(kafkaOf(one), one.topic), late]);
  const said = await ended.catch((error) => `${error.name}: ${error.message}`);
  clearTimeout(timer);
  return `${one.name}\t${what}\t${String(said).replaceAll("\n", " ")}`;
}

const both = async (one) => [await line(one, "sent", send), await line(one, "read", read)];
const cases = JSON.parse(readFileSync(process.argv[2], "utf8"));
const lines = await Promise.all(cases.map(both));
console.log(lines.flat().join("\n"));
process.exit(0);
