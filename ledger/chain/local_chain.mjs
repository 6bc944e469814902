// A local chain that outlives its process: Hardhat's simulated network behind JSON-RPC, and a journal of every
// request that changed it. Starting again replays the journal at the recorded times, which gives the same blocks.
//
//   node local_chain.mjs <node_modules> <port> <chain id> <block gas limit> <journal file, or "">

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const [nodeModules, port, chainId, blockGasLimit, journalPath] = process.argv.slice(2);
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const TOLD_EVERY = 1000; // so that whoever waits for a long replay sees it go on
const GENESIS = "2026-01-01T00:00:00Z";
const CHANGING = new Set(["eth_sendRawTransaction", "hardhat_setBalance", "evm_mine"]);
const LATER_TIME = new Set(["evm_increaseTime"]);

const { createHardhatRuntimeEnvironment } = await import(
  pathToFileURL(join(nodeModules, "hardhat", "dist", "src", "hre.js")).href
);
const network = {
  type: "edr-simulated",
  accounts: [],
  allowBlocksWithSameTimestamp: true,
  blockGasLimit: BigInt(blockGasLimit),
  chainId: Number(chainId),
  hardfork: "merge",
  initialDate: GENESIS,
  minGasPrice: 0n,
};
// Hardhat wants the folder of a project; the one that holds its package will do.
const runtime = await createHardhatRuntimeEnvironment({ networks: { local: network } }, {}, dirname(nodeModules));
const { provider } = await runtime.network.connect("local");
const request = (method, params) => provider.request({ method, params });
const latestTime = async () => Number((await request("eth_getBlockByNumber", ["latest", false])).timestamp);
const now = () => Math.floor(Date.now() / 1000);

let journal = null;
let ahead = 0;
let queue = Promise.resolve();

async function replay() {
  if (!journalPath) return;
  if (existsSync(journalPath)) {
    const text = readFileSync(journalPath, "utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    // What a crash left of a last line was never answered.
    if (whole.length !== text.length) truncateSync(journalPath, Buffer.byteLength(whole));
    for (const [place, line] of whole.split("\n").filter(Boolean).entries()) {
      if (place > 0 && place % TOLD_EVERY === 0) console.log("Replayed", place);
      const { method, params, time } = JSON.parse(line);
      if (time !== null) await request("evm_setNextBlockTimestamp", [time]);
      await request(method, params).catch(() => {});
    }
  }
  journal = openSync(journalPath, "a");
}

async function change(method, params) {
  const before = Number(await request("eth_blockNumber", []));
  const time = method === "hardhat_setBalance" ? null : Math.max(now() + ahead, await latestTime());
  if (time !== null) await request("evm_setNextBlockTimestamp", [time]);
  let failure = null;
  const result = await request(method, params).catch((error) => (failure = error));
  const mined = Number(await request("eth_blockNumber", [])) > before;
  if (journal !== null && (mined || failure === null)) {
    writeSync(journal, JSON.stringify({ method, params, time }) + "\n");
    fsyncSync(journal);
  }
  if (failure !== null) throw failure;
  return result;
}

async function answer({ id, method, params = [] }) {
  try {
    let result;
    if (LATER_TIME.has(method)) result = ahead += Number(params[0]);
    else if (CHANGING.has(method)) {
      const turn = queue.then(() => change(method, params));
      queue = turn.catch(() => {});
      result = await turn;
    } else if (journal !== null && /^(evm|hardhat|debug)_/.test(method)) throw new Error(`${method} is not journaled`);
    else result = await request(method, params);
    return { jsonrpc: "2.0", id, result };
  } catch (error) {
    return { jsonrpc: "2.0", id, error: { code: error.code ?? -32603, message: error.message, data: error.data } };
  }
}

async function handle(incoming, outgoing) {
  const chunks = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return outgoing.writeHead(413).end();
    chunks.push(chunk);
  }
  try {
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const result = Array.isArray(body) ? await Promise.all(body.map(answer)) : await answer(body);
    outgoing.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(result));
  } catch {
    outgoing.writeHead(400).end();
  }
}

await replay();
const server = createServer(handle);
server.keepAliveTimeout = 60_000;
server.on("error", (error) => {
  console.log(error.code);
  process.exit(1);
});
server.listen(Number(port), "127.0.0.1", () => console.log("RPC Listening on", port));
process.on("SIGTERM", () => {
  if (journal !== null) closeSync(journal);
  process.exit(0);
});
