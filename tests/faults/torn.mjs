// Damages copies of a journal, each at another place, and reads every damaged copy.
// Usage: node torn.mjs <journal.mjs> <complete journal> <folder>
//
// Prints for each copy [damage, messages while reading, number of records, size afterwards, whether appending works].

import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [program, original, folder] = process.argv.slice(2);
const { Journal, JournalError } = await import(pathToFileURL(program).href);
const whole = readFileSync(original);
const lines = whole.toString().split("\n").slice(0, -1);
const path = join(folder, "journal.jsonl");
const results = [];

function read(said) {
  const journal = new Journal(path);
  let records = 0;
  for (const _ of journal.read((facts) => said.push(`repaired at line ${facts.line}`))) records += 1;
  return [journal, records];
}

function attempt(what, bytes) {
  writeFileSync(path, bytes);
  const said = [];
  let records = 0;
  let goesOn = false;
  try {
    let journal;
    [journal, records] = read(said);
    const size = statSync(path).size;
    journal.append({ after: "0x00", method: "evm_mine", params: [], time: 1 });
    journal.close();
    goesOn = read([])[1] === records + 1;
    results.push([what, said, records, size, goesOn]);
  } catch (error) {
    const named = error instanceof JournalError ? `${error.code} at line ${error.details.line}` : `foreign: ${error}`;
    results.push([what, [named], records, statSync(path).size, false]);
  }
}

const last = whole.lastIndexOf("\n", whole.length - 2) + 1;
for (let end = last; end < whole.length; end += 1) attempt("torn", whole.subarray(0, end));
for (let end = last; end < whole.length; end += 1) {
  // After a power cut, a file can have its full length and zeros at its end. This copy is such a file.
  attempt("zeros", Buffer.concat([whole.subarray(0, end), Buffer.alloc(whole.length - end)]));
}
for (let place = 0; place < whole.length; place += 1) {
  const changed = Buffer.from(whole);
  changed[place] ^= 0x01;
  attempt("flipped", changed);
}
for (let line = 0; line < lines.length - 1; line += 1) {
  const without = lines.filter((_, place) => place !== line);
  attempt("a line is lost", `${without.join("\n")}\n`);
  attempt("a line is doubled", `${[...lines.slice(0, line), lines[line], ...lines.slice(line)].join("\n")}\n`);
}
copyFileSync(original, path);
console.log(JSON.stringify({ whole: whole.length, last, lines: lines.length, results }));
