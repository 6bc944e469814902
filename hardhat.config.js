import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "hardhat/config";
import branches from "./scripts/branches.mjs";

const settings = JSON.parse(readFileSync(new URL("./contracts/solc-settings.json", import.meta.url), "utf8"));
const solc = JSON.parse(readFileSync(new URL("./node_modules/solc/package.json", import.meta.url), "utf8"));

export default defineConfig({
  plugins: [branches],
  // The harness makes the libraries callable for the Python tests. It is never deployed, so it needs no coverage.
  coverage: { skipFiles: ["contracts/harness/**"] },
  solidity: {
    version: solc.version,
    // Use the compiler in the npm package `solc`, so that Hardhat downloads no compiler.
    path: fileURLToPath(new URL("./node_modules/solc/soljson.js", import.meta.url)),
    preferWasm: true,
    settings,
  },
  paths: { sources: "./contracts", tests: { solidity: "./tests/contracts" }, cache: "./cache", artifacts: "./build" },
});
