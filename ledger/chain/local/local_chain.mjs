// A local chain that outlives its process. It is Hardhat's simulated network with a JSON-RPC server, and a journal of
// every request that changed the chain. A new process replays the journal with the recorded times, and so gets the
// same blocks.
//
//   node local_chain.mjs <node_modules> <options as JSON: port, chainId, blockGasLimit, journal, create, ahead>
//
// `journal` is the path of the journal, or null for a chain that is not stored. If `create` is false, the journal must
// already exist.
// Standard output contains the lines "Replayed <line>", "Repaired <JSON>", "Failed <JSON>" and
// "RPC Listening on <port>".

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Journal, JournalError } from "./journal.mjs";

const [nodeModules, given] = process.argv.slice(2);
const options = JSON.parse(given);
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const MAX_BATCH = 1000;
const MAX_CONNECTIONS = 1024;
const BODY_TIMEOUT_MS = 30_000;
const MAX_AHEAD = 2 ** 39; // maximum seconds that the clock may be ahead; the contracts store times in 40 bits
const CHECKED_EVERY = 100;
const REPORTED_EVERY = 1000; // lines between two progress reports of a replay
const GENESIS = "2026-01-01T00:00:00Z";
const CHANGING = new Set(["eth_sendRawTransaction", "hardhat_setBalance", "evm_mine"]);
const READING = /^(eth|net|web3)_(?!sendTransaction$)/;

const hardhat = join(nodeModules, "hardhat");
const { createHardhatRuntimeEnvironment } = await import(pathToFileURL(join(hardhat, "dist", "src", "hre.js")).href);
const network = {
  type: "edr-simulated",
  accounts: [],
  allowBlocksWithSameTimestamp: true,
  blockGasLimit: BigInt(options.blockGasLimit),
  chainId: options.chainId,
  hardfork: "merge",
  initialDate: GENESIS,
  minGasPrice: 0n,
};
// Hardhat needs a project folder; any folder that contains its package is accepted.
const runtime = await createHardhatRuntimeEnvironment({ networks: { local: network } }, {}, dirname(nodeModules));
const { provider } = await runtime.network.connect("local");
const request = (method, params) => provider.request({ method, params });
const now = () => Math.floor(Date.now() / 1000);

const journal = options.journal === null ? null : new Journal(options.journal);
let ahead = options.ahead;
let queue = Promise.resolve();

async function latest() {
  const { number, hash, timestamp } = await request("eth_getBlockByNumber", ["latest", false]);
  return { number: Number(number), hash, time: Number(timestamp) };
}

/**
 * Run a change at its recorded time, after block `number`. `stays` is false if the change was refused and made no
 * block. A transaction that reverts makes a block, so its change stays.
 */
async function run({ method, params, time }, number) {
  try {
    if (time !== null) await request("evm_setNextBlockTimestamp", [time]);
    const result = await request(method, params);
    return { result, stays: true, number: method === "hardhat_setBalance" ? number : number + 1 };
  } catch (error) {
    const head = await latest();
    return { error, stays: head.number > number, number: head.number };
  }
}

async function change(method, params) {
  const head = await latest();
  const time = method === "hardhat_setBalance" ? null : Math.max(now() + ahead, head.time);
  const record = { after: head.hash, method, params, time };
  journal?.append(record);
  const { result, error, stays } = await run(record, head.number);
  if (!stays) journal?.takeBack();
  if (error) throw error;
  return result;
}

async function replay() {
  const settings = {
    chain_id: options.chainId,
    gas_limit: options.blockGasLimit,
    genesis: GENESIS,
    hardhat: JSON.parse(readFileSync(join(hardhat, "package.json"), "utf8")).version,
  };
  if (!journal.exists) {
    if (!options.create) throw new JournalError("JOURNAL_MISSING", "the journal is missing or empty");
    return journal.create(settings);
  }
  const old = [];
  let [unchecked, refused, number] = [[], null, 0];
  for (const { record, line, old: isOld } of journal.read(report("Repaired"))) {
    if (refused !== null) {
      await requireKnown(unchecked);
      throw differs(refused, "its change is refused");
    }
    if (line === 1 && !isOld) requireSame(record, settings);
    else {
      if (isOld) old.push({ after: (await latest()).hash, ...record });
      else unchecked.push([line, record.after]);
      const done = await run(record, number);
      if (!done.stays) refused = line;
      number = done.number;
    }
    if (line % CHECKED_EVERY === 0) await requireKnown(unchecked.splice(0));
    if (line % REPORTED_EVERY === 0) console.log("Replayed", line);
  }
  await requireKnown(unchecked);
  if (old.length > 0) journal.create(settings, refused === null ? old : old.slice(0, -1));
  else if (refused !== null) journal.takeBack();
  if (refused !== null) report("Repaired")({ line: refused, bytes: 0, reason: "refused" });
}

/** Throw if the replayed blocks differ from those in the journal. A block's hash covers all earlier blocks. */
async function requireKnown(lines) {
  const isKnown = async ([, after]) => (await request("eth_getBlockByHash", [after, false])) !== null;
  if (lines.length === 0 || (await isKnown(lines.at(-1)))) return;
  for (const each of lines)
    if (!(await isKnown(each))) throw differs(each[0], `the replay has not made block ${each[1]}, which it follows`);
}

function requireSame(header, settings) {
  const differing = ["chain_id", "gas_limit", "genesis"].filter((name) => header[name] !== settings[name]);
  if (header.journal !== 2) differing.push("journal");
  if (differing.length === 0) return;
  const found = differing.map((name) => `${name} is ${header[name]}, not ${settings[name] ?? 2}`).join("; ");
  throw new JournalError("JOURNAL_OF_ANOTHER_CHAIN", found, { line: 1 });
}

function differs(line, why) {
  return new JournalError("JOURNAL_DIFFERS", `line ${line} is whole, but ${why}`, { line });
}

function report(word) {
  return (facts) => console.log(word, JSON.stringify(facts));
}

function setAhead(seconds) {
  if (!Number.isSafeInteger(seconds) || Math.abs(seconds) > MAX_AHEAD)
    throw Object.assign(new Error("The clock takes whole seconds, in 40 bits"), { code: -32602 });
  return (ahead = seconds);
}

async function ask(method, params) {
  if (method === "evm_increaseTime") return setAhead(ahead + Number(params[0]));
  if (method === "pingzheng_setAhead") return setAhead(params[0]);
  if (method === "pingzheng_journal") return journal && { ...journal.identity, lines: journal.lines };
  if (CHANGING.has(method)) {
    const turn = queue.then(() => change(method, params));
    queue = turn.catch(() => {});
    return turn;
  }
  if (journal !== null && !READING.test(method)) throw new Error(`${method} is not journaled`);
  return request(method, params);
}

function refusal(id, code, message, data) {
  return { jsonrpc: "2.0", id, error: { code, message, data } };
}

async function answer(call) {
  const id = ["string", "number"].includes(typeof call?.id) ? call.id : null;
  const { method, params = [] } = call ?? {};
  if (typeof method !== "string") return refusal(id, -32600, "A call is an object with the name of a method");
  if (!Array.isArray(params)) return refusal(id, -32602, "The parameters of a call are a list");
  try {
    return { jsonrpc: "2.0", id, result: (await ask(method, params)) ?? null };
  } catch (error) {
    return refusal(id, Number.isInteger(error.code) ? error.code : -32603, String(error.message), error.data);
  }
}

async function answerAll(text) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    return refusal(null, -32700, "The body is not JSON");
  }
  if (!Array.isArray(body)) return answer(body);
  if (body.length === 0 || body.length > MAX_BATCH)
    return refusal(null, -32600, `A batch has 1 to ${MAX_BATCH} calls`);
  return Promise.all(body.map(answer));
}

async function handle(incoming, outgoing) {
  const send = (status, result, headers = {}) =>
    outgoing.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(result));
  const tooLarge = () => send(413, refusal(null, -32600, "The body is too large"), { Connection: "close" });
  try {
    if (Number(incoming.headers["content-length"]) > MAX_BODY_BYTES) return tooLarge();
    const chunks = [];
    let size = 0;
    for await (const chunk of incoming) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) return tooLarge();
      chunks.push(chunk);
    }
    send(200, await answerAll(Buffer.concat(chunks).toString()));
  } catch {
    // The client closed the connection, or the answer cannot be written as JSON: close the connection in both cases,
    // and keep the chain running.
    outgoing.destroy();
  }
}

function fail(error) {
  const { code, message, details = {} } = error;
  report("Failed")({ code: code ?? null, message, ...details });
  process.exit(1);
}

if (journal !== null) await replay().catch(fail);
const server = createServer({ requestTimeout: BODY_TIMEOUT_MS, keepAliveTimeout: 60_000 }, handle);
server.maxConnections = MAX_CONNECTIONS;
server.on("error", fail);
server.listen(options.port, "127.0.0.1", () => console.log("RPC Listening on", options.port));
process.on("SIGTERM", () => {
  journal?.close();
  process.exit(0);
});
