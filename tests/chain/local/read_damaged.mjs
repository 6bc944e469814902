// Reads every copy of a journal with one changed bit, and every copy that is cut off. Prints the results as JSON.
//
//   node read_damaged.mjs <journal.mjs> <a good journal> <a path to write to>

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [program, good, path] = process.argv.slice(2);
const { Journal } = await import(pathToFileURL(program).href);
const whole = readFileSync(good);

function read(bytes) {
  writeFileSync(path, bytes);
  const journal = new Journal(path);
  const repairs = [];
  let records = 0;
  try {
    for (const _ of journal.read((repair) => repairs.push(repair))) records += 1;
  } catch (error) {
    return { code: error.code, line: error.details.line, isUntouched: readFileSync(path).equals(bytes) };
  } finally {
    journal.close();
  }
  return { records, repairs, size: readFileSync(path).length };
}

function flipped(bit) {
  const bytes = Buffer.from(whole);
  bytes[bit >> 3] ^= 1 << (bit & 7);
  return bytes;
}

const flips = Array.from({ length: whole.length * 8 }, (_, bit) => read(flipped(bit)));
const beginnings = Array.from({ length: whole.length + 1 }, (_, size) => read(whole.subarray(0, size)));
console.log(JSON.stringify({ flips, beginnings }));
