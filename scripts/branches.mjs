// A Hardhat plugin that also counts branches with --coverage. Hardhat 3 counts only statements.
//
// A branch is one outcome (true or false) of a condition. Conditions are those of an `if`, a loop, a `?:` or a
// `require`, and each operand of `&&` and `||`. In the instrumented source, every condition is wrapped in a call that
// reports its outcome. lcov.info gets a BRDA line for each outcome. Conditions in assembly and in initial values are
// not counted.
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, relative } from "node:path";

const LIBRARY = "__NomicFoundationCoverage";
const EITHER = `
  function either(bool outcome, uint256 ifTrue, uint256 ifFalse) internal pure returns (bool) {
    sendHit(outcome ? ifTrue : ifFalse);
    return outcome;
  }
`;
const JOINING = ["&&", "||"];

/** @type {Map<string, {line: number, tags: string[]}[]>} The conditions of each source file; the key is its path. */
const conditions = new Map();

function syntaxTree(content) {
  const solc = createRequire(import.meta.url)("solc");
  const settings = { stopAfter: "parsing", outputSelection: { "*": { "": ["ast"] } } };
  const input = { language: "Solidity", sources: { source: { content } }, settings };
  return JSON.parse(solc.compile(JSON.stringify(input))).sources.source.ast;
}

// Return the conditions to count: the operands of `&&` and `||`, or the whole condition if it contains neither.
function operands(node) {
  if (node.nodeType === "TupleExpression" && node.components.length === 1) return operands(node.components[0]);
  if (JOINING.includes(node.operator)) return [...operands(node.leftExpression), ...operands(node.rightExpression)];
  return [node];
}

function conditionOf(node) {
  if (node.nodeType === "FunctionCall" && ["require", "assert"].includes(node.expression.name)) return node.arguments[0];
  if (JOINING.includes(node.operator)) return node;
  return node.condition; // the condition of an if, a loop or a ?:
}

// Return the byte ranges of all conditions below a node. If two ranges begin at the same byte, the longer range comes
// first.
function ranges(tree) {
  const found = new Map();
  const visit = (node, inside) => {
    if (node === null || typeof node !== "object" || node.nodeType === "InlineAssembly") return;
    const body = inside || node.nodeType === "FunctionDefinition" || node.nodeType === "ModifierDefinition";
    const condition = body && conditionOf(node);
    for (const { src } of condition ? operands(condition) : []) {
      const [start, length] = src.split(":").map(Number);
      found.set(src, { start, end: start + length });
    }
    for (const child of Object.values(node)) visit(child, body);
  };
  visit(tree, false);
  return [...found.values()].sort((a, b) => a.start - b.start || b.end - a.end);
}

function wrap(source, path, original) {
  const bytes = Buffer.from(source);
  const lines = original.split("\n");
  const counted = [];
  const insertions = [];
  for (const [number, { start, end }] of ranges(syntaxTree(source)).entries()) {
    const line = bytes.subarray(0, start).toString().split("\n").length;
    const text = bytes.subarray(start, end).toString().split("\n")[0];
    if (!lines[line - 1].includes(text)) throw new Error(`${path}:${line}: the condition is not on its line: ${text}`);
    const tags = [true, false].map((way) => createHash("sha256").update(`${path}:${number}:${way}`).digest("hex"));
    counted.push({ line, tags });
    insertions.push({ at: start, order: insertions.length, text: `${LIBRARY}.either(` });
    insertions.push({ at: end, order: -insertions.length, text: `, 0x${tags[0]}, 0x${tags[1]})` });
  }
  conditions.set(path, counted);
  insertions.sort((a, b) => a.at - b.at || a.order - b.order);
  const parts = [];
  let done = 0;
  for (const { at, text } of insertions) {
    parts.push(bytes.subarray(done, at), Buffer.from(text));
    done = at;
  }
  return Buffer.concat([...parts, bytes.subarray(done)]).toString();
}

const solidity = {
  async preprocessProjectFileBeforeBuilding(context, sourceName, path, content, version, next) {
    const source = await next(context, sourceName, path, content, version);
    const instrumented = context.globalOptions.coverage && source.includes(`${LIBRARY}.sendHit`);
    return instrumented ? wrap(source, relative(context.config.paths.root, path), content) : source;
  },
  async preprocessSolcInputBeforeBuilding(context, given, next) {
    const input = await next(context, given);
    for (const [name, source] of Object.entries(input.sources)) {
      if (name.startsWith(LIBRARY)) source.content = source.content.replace(/\}\s*$/, `${EITHER}}\n`);
    }
    return input;
  },
};

function branchLines(path, hits) {
  const counted = conditions.get(path) ?? [];
  const outcomes = counted.flatMap(({ tags }) => tags.map((tag) => hits.has(tag)));
  const lines = outcomes.map((hit, i) => `BRDA:${counted[i >> 1].line},${i >> 1},${i % 2},${hit ? 1 : 0}`);
  return [...lines, `BRF:${outcomes.length}`, `BRH:${outcomes.filter(Boolean).length}`];
}

const test = {
  async onTestRunDone(context, id, next) {
    await next(context, id);
    if (!context.globalOptions.coverage) return;
    const folder = join(context.config.paths.root, "coverage");
    const data = join(folder, "data", id);
    const hits = new Set();
    for (const name of await readdir(data)) {
      for (const tag of Object.keys(JSON.parse(await readFile(join(data, name), "utf8")))) hits.add(tag);
    }
    const file = join(folder, "lcov.info");
    let path;
    const report = (await readFile(file, "utf8")).split("\n").flatMap((line) => {
      if (line.startsWith("SF:")) path = line.slice(3);
      return line === "end_of_record" ? [...branchLines(path, hits), line] : [line];
    });
    await writeFile(file, report.join("\n"));
  },
};

export default {
  id: "branches",
  hookHandlers: {
    solidity: async () => ({ default: async () => solidity }),
    test: async () => ({ default: async () => test }),
  },
};
