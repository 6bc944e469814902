import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "hardhat/config";
import branches from "./scripts/branches.mjs";

const settings = JSON.parse(readFileSync(new URL("./contracts/solc-settings.json", import.meta.url), "utf8"));
const solc = JSON.parse(readFileSync(new URL("./node_modules/solc/package.json", import.meta.url), "utf8"));

export default defineConfig({
  plugins: [branches],
  // The harness opens the libraries to Python's tests and is no part of the product.
  coverage: { skipFiles: ["contracts/harness/**"] },
  solidity: {
    version: solc.version,
    // The compiler of the npm package: nothing is downloaded.
    path: fileURLToPath(new URL("./node_modules/solc/soljson.js", import.meta.url)),
    preferWasm: true,
    settings,
  },
  paths: { sources: "./contracts", tests: { solidity: "./tests/contracts" }, cache: "./cache", artifacts: "./build" },
});
