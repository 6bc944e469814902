// Loaded into a node before its own program: makes one of the system calls on a journal fail, or be the last one.
//
//   NODE_OPTIONS=--import=<this file>   JOURNAL_FAULT={"fault": …, "at": …, "times": …, "on": […], "fired": <path>}
//
// The calls counted, from 1, are those in `on` (all below by default) on the journal, its draft and their folder.
// From call `at` on, `times` calls (1 by default) are met by `fault`:
//   "kill"          the process is killed before the call
//   "short"         a write takes half of the bytes, and says so
//   "nothing"       a write takes nothing, and says so
//   "half ENOSPC"   a write takes half of the bytes; all writes after it fail with ENOSPC, until `times` are over
//   "ENOSPC", …     the call fails so
// The file `fired` is written when the fault happens, so that a test knows when it has been at every call.

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";

const { fault, at, times = 1, on = null, fired } = JSON.parse(process.env.JOURNAL_FAULT);
const real = { ...fs };
const NAMES = ["openSync", "writeSync", "fsyncSync", "ftruncateSync", "renameSync"];
const descriptors = new Set();
let calls = 0;

const isOurs = (target) =>
  typeof target === "number"
    ? descriptors.has(target)
    : /^(journal\.jsonl(\.draft)?|chain)$/.test(basename(String(target)));

function meet(name, given) {
  const [target, bytes, start, length] = given;
  if (fault === "kill") process.kill(process.pid, "SIGKILL");
  if (fault === "nothing") return 0;
  const isShort = fault === "short" || (fault === "half ENOSPC" && calls === at);
  if (isShort) return real.writeSync(target, bytes, start, Math.ceil(length / 2));
  const code = fault.split(" ").at(-1);
  throw Object.assign(new Error(`${code}: as a test wants it, ${name}`), { code });
}

for (const name of NAMES)
  fs[name] = (...given) => {
    if (isOurs(given[0]) && (on ?? NAMES).includes(name)) {
      calls += 1;
      if (calls >= at && calls < at + times) {
        real.writeFileSync(fired, name);
        return meet(name, given);
      }
    }
    const result = real[name](...given);
    if (name === "openSync" && isOurs(given[0])) descriptors.add(result);
    return result;
  };
fs.closeSync = (descriptor) => {
  descriptors.delete(descriptor);
  return real.closeSync(descriptor);
};
syncBuiltinESMExports();
