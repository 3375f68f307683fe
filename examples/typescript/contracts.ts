// The topics' contracts: JSON Schema 2020-12, one file per topic and version, as Runledger's repository holds them.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";

/** A record as the log has it; a tombstone has no value. */
export interface LogRecord {
  topic: string;
  key: string | null;
  value: string | null;
  headers: Record<string, string>;
}

interface Kafka {
  topic: string;
  key: object;
  headers: object;
  tombstone_headers: object | null;
}

/** What one topic promises. */
export class Contract {
  readonly topic: string;
  readonly #value: ValidateFunction;
  readonly #key: ValidateFunction;
  readonly #headers: ValidateFunction;
  readonly #tombstoneHeaders: ValidateFunction;

  constructor(ajv: Ajv2020, schema: { "x-kafka": Kafka }) {
    const kafka = schema["x-kafka"];
    this.topic = kafka.topic;
    this.#value = ajv.compile(schema);
    this.#key = ajv.compile(kafka.key);
    this.#headers = ajv.compile(kafka.headers);
    this.#tombstoneHeaders = ajv.compile(kafka.tombstone_headers ?? false);
  }

  /** Say what breaks the contract, with its place and without the payload; nothing if all is well. */
  complaints({ key, value, headers }: LogRecord): string[] {
    const found = broken("key", this.#key, key);
    if (value === null) {
      return [...found, ...broken("headers", this.#tombstoneHeaders, headers)];
    }
    return [...found, ...broken("headers", this.#headers, headers), ...broken("value", this.#value, parsed(value))];
  }
}

/** Read every contract of a folder; the highest version of each topic comes last and counts. */
export function readContracts(folder: string): Map<string, Contract> {
  const ajv = new Ajv2020({ discriminator: true, allowUnionTypes: true, keywords: ["x-kafka", "x-unit"] });
  formats.default(ajv);
  const contracts = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort((one, other) => one.localeCompare(other, "en", { numeric: true }))
    .map((name) => new Contract(ajv, JSON.parse(readFileSync(join(folder, name), "utf8"))));
  return new Map(contracts.map((contract) => [contract.topic, contract]));
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined; // nothing that a contract allows
  }
}

function broken(part: string, validate: ValidateFunction, document: unknown): string[] {
  if (validate(document)) {
    return [];
  }
  return (validate.errors ?? []).map((error) => `${part}${error.instancePath}: ${error.message}`);
}
