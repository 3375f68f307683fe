// Reads topics of Runledger as any program may: committed records only, each held against its topic's contract.
//
//   npm start -- [--until-idle SECONDS] [TOPIC ...]
//
// Prints a line of JSON for each record, until it is told to end, or until nothing came for so long. RUNLEDGER_KAFKA says
// where the brokers are. Exits with 1 if a record broke its contract; stderr says what was wrong with it.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { createKafkaClient, setLogger, type Message } from "kafka-ts";
import { readContracts, type Contract } from "./contracts.ts";

const PREFIX = "runledger."; // in the contracts; a cluster may use another one
const READ_COMMITTED = 1; // as Kafka's protocol numbers it
const EARLIEST = -2n;

const { values: options, positionals: topics } = parseArgs({
  options: { "until-idle": { type: "string" } },
  allowPositionals: true,
});
const {
  RUNLEDGER_KAFKA: brokers = "127.0.0.1:9092",
  RUNLEDGER_TOPIC_PREFIX: prefix = PREFIX,
  RUNLEDGER_CONTRACTS: folder = join(process.cwd(), "..", "..", "contracts", "topics"),
} = process.env;

const contracts = new Map<string, Contract>();
for (const [topic, contract] of readContracts(folder)) {
  const suffix = topic.slice(PREFIX.length);
  if (topics.length === 0 || topics.includes(suffix)) {
    contracts.set(prefix + suffix, contract);
  }
}

let broken = 0;
let heard = Date.now();

function take(record: Required<Message>): void {
  const { topic, partition, offset, key, value, headers } = record;
  const complaints = contracts.get(topic)?.complaints({ topic, key, value, headers }) ?? ["it has no contract"];
  for (const complaint of complaints) {
    console.error(`${topic} ${partition} ${offset}: ${complaint}`);
  }
  broken += complaints.length > 0 ? 1 : 0;
  console.log(JSON.stringify({ topic, partition, offset: Number(offset), key, what: named(value, headers) }));
}

function named(value: string | null, headers: Record<string, string>): string {
  if (value === null) {
    return `Tombstone: ${headers["runledger_reason"] ?? "removed"}`;
  }
  return /"type": ?"([^"]+)"/.exec(value)?.[1] ?? "Record";
}

const quiet = (): void => {};
setLogger({
  debug: quiet,
  info: quiet,
  warn: (message) => console.error(message),
  error: (message, error) => console.error(`${message}: ${error instanceof Error ? error.message : String(error)}`),
});
let end: () => void = () => process.exit();
process.once("SIGINT", () => end()).once("SIGTERM", () => end());
const client = createKafkaClient({
  clientId: "runledger-subscriber-ts",
  bootstrapServers: brokers.split(",").map((broker) => {
    const [host = "127.0.0.1", port = "9092"] = broker.split(":");
    return { host, port: Number(port) };
  }),
});
const consumer = await client.startConsumer({
  topics: [...contracts.keys()],
  isolationLevel: READ_COMMITTED,
  fromTimestamp: EARLIEST,
  maxWaitMs: 500,
  onBatch: (records) => {
    heard = Date.now();
    records.forEach(take);
  },
});

heard = Date.now();
await new Promise<void>((resolve) => {
  end = resolve;
  const patience = Number(options["until-idle"] ?? Infinity) * 1000;
  setInterval(() => Date.now() - heard > patience && resolve(), 100).unref();
});
await consumer.close();
process.exitCode = broken > 0 ? 1 : 0;
