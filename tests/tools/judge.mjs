// Holds the documents of files against a topic's contract: node judge.mjs CONTRACTS_MODULE TOPICS_FOLDER TOPIC KEY FILE...
// Prints {file: [complaint, ...]}.
import { readFileSync } from "node:fs";

const [module, folder, topic, key, ...files] = process.argv.slice(2);
const { readContracts } = await import(module);
const contract = readContracts(folder).get(topic);
const judged = files.map((file) => [
  file,
  contract.complaints({ topic, key, value: readFileSync(file, "utf8"), headers: {} }),
]);
console.log(JSON.stringify(Object.fromEntries(judged)));
