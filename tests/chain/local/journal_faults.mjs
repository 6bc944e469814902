// A Node process loads this file before its program. The file lets chosen system calls on a journal fail, or kills the
// process before such a call.
//
//   NODE_OPTIONS=--import=<this file>   JOURNAL_FAULT={"fault": …, "at": …, "times": …, "on": […], "fired": <path>}
//
// Calls on the journal, its draft or their folder are counted from 1; `on` names the system calls that count (by
// default all in NAMES). From call number `at` on, `fault` happens in `times` calls (1 by default):
//   "kill"          the process is killed before the call
//   "short"         a write accepts half of the bytes, and returns that number
//   "nothing"       a write accepts no byte, and returns 0
//   "half ENOSPC"   a write accepts half of the bytes; the later writes among the `times` calls fail with ENOSPC
//   "ENOSPC", …     the call fails with this error
// The file `fired` is written when the fault happens, so that a test knows whether there was such a call.

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
