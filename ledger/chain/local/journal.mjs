// The journal of a local chain: every change, one line each, whole on disk before the change is run and answered.
//
//   {"journal":2,"id":…,"chain_id":…,"gas_limit":…,"genesis":…,"hardhat":…,"sum":…}      the first line
//   {"after":…,"method":…,"params":…,"time":…,"sum":…}                     a change, and the block that it follows
//
// The sum covers a line's text and the sum before it, so a changed, lost, doubled or moved line breaks the sums.

import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

const FORMAT = 2;
const SUM_BYTES = ',"sum":"0123456789abcdef"}'.length;
const READ_BYTES = 1 << 20;
const NEWLINE = 0x0a;

/** Why a chain cannot be started on its journal; `details` are for machines. */
export class JournalError extends Error {
  constructor(code, message, details = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** Why a change was not written, and so not run. The chain goes on; the next change may be written again. */
export class NotWritten extends Error {
  constructor(errno, message) {
    super(`The journal cannot be written: ${message}`);
    this.code = -32010;
    this.data = { errno };
  }
}

export class Journal {
  #path;
  #descriptor = null;
  #end = 0; // where the last good line ends, in bytes
  #sum = "";
  #lines = 0;
  #before = [0, ""]; // end and sum without the last line
  #leftover = false; // the file may go on behind #end
  #unbroken = false; // the last line lacks its line break

  constructor(path) {
    this.#path = path;
  }

  get lines() {
    return this.#lines;
  }

  /** Whether there is a journal with anything in it. */
  get exists() {
    return (statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0) > 0;
  }

  /** Device and inode: two programs that name the same ones mean the same journal. */
  get identity() {
    const { dev, ino } = statSync(this.#path, { bigint: true });
    return { device: String(dev), inode: String(ino) };
  }

  /** Write the journal whole: its first line with `settings`, and records. One that is there is replaced. */
  create(settings, records = []) {
    this.close();
    const draft = `${this.#path}.draft`;
    const descriptor = openSync(draft, "w", 0o600);
    [this.#end, this.#sum, this.#lines] = [0, "", 0];
    this.#leftover = this.#unbroken = false;
    try {
      for (const record of [{ journal: FORMAT, id: randomBytes(8).toString("hex"), ...settings }, ...records]) {
        const [line, sum] = sealed(record, this.#sum);
        writeWhole(descriptor, line);
        this.#advance(line.length, sum);
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, this.#path);
    syncFolder(dirname(this.#path));
  }

  /**
   * Every record in order, each checked; the first is the header. What a crash left of a last line was never answered
   * and is cut off: `repaired` is told. The records of a journal without header and sums come as they are, `old`.
   */
  *read(repaired) {
    if (!statSync(this.#path).isFile()) throw damaged(1);
    const descriptor = openSync(this.#path, "r");
    let old = false;
    try {
      for (const [bytes, isWhole] of pieces(descriptor)) {
        const line = this.#lines + 1;
        if (line === 1) old = oldRecord(bytes) !== null;
        const [length, reason] = isWhole ? [bytes.length, ""] : lengthOfEnd(bytes, old ? null : this.#sum);
        if (isWhole || length > 0) {
          const [record, sum] = old ? [oldRecord(bytes), ""] : unsealed(bytes.subarray(0, length), this.#sum);
          if (record === null) throw damaged(line);
          this.#advance(isWhole ? length + 1 : length, sum);
          yield { record, line, old };
        }
        if (isWhole) continue;
        if (this.#lines === 0) throw damaged(line);
        this.#leftover = bytes.length > length;
        this.#unbroken = length > 0;
        this.#mendQuietly();
        repaired({ line, bytes: bytes.length - length, reason });
      }
    } finally {
      closeSync(descriptor);
    }
  }

  /** Write a record, whole and on disk. Throws NotWritten; nothing of the record stays then. */
  append(record) {
    const [line, sum] = sealed(record, this.#sum);
    try {
      this.#prepare();
      this.#leftover = true;
      writeWhole(this.#descriptor, line);
      fsyncSync(this.#descriptor);
      this.#leftover = false;
    } catch (error) {
      this.#mendQuietly();
      throw error instanceof NotWritten ? error : new NotWritten(error.code ?? "EIO", error.message);
    }
    this.#advance(line.length, sum);
  }

  /**
   * Take the last record back, whose change was refused. A process that ends before this leaves a last line that is
   * refused again when the journal is read.
   */
  takeBack() {
    [this.#end, this.#sum] = this.#before;
    this.#lines -= 1;
    this.#leftover = true;
    this.#mendQuietly();
  }

  close() {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #advance(bytes, sum) {
    this.#before = [this.#end, this.#sum];
    this.#end += bytes;
    this.#sum = sum;
    this.#lines += 1;
  }

  /** Have the file open: still the same one, and with nothing behind its last good line. */
  #prepare() {
    this.#mend();
    const held = fstatSync(this.#descriptor);
    const found = statSync(this.#path, { throwIfNoEntry: false });
    if (held.size !== this.#end || held.ino !== found?.ino || held.dev !== found.dev)
      throw new NotWritten("ESTALE", "another program changed, replaced or removed it");
  }

  #mend() {
    this.#descriptor ??= openSync(this.#path, "a");
    if (!this.#leftover && !this.#unbroken) return;
    if (this.#leftover) ftruncateSync(this.#descriptor, this.#end);
    if (this.#unbroken) writeWhole(this.#descriptor, Buffer.of(NEWLINE));
    fsyncSync(this.#descriptor);
    if (this.#unbroken) this.#end += 1;
    this.#leftover = this.#unbroken = false;
  }

  /** Mend now, or before the next record is written. */
  #mendQuietly() {
    try {
      this.#mend();
    } catch {
      // The disk is full, or read only. The marks stay.
    }
  }
}

function damaged(line) {
  return new JournalError("JOURNAL_DAMAGED", `line ${line} does not match its sum, or lines are missing`, { line });
}

/** The line of a record, which follows the sum before it, and its own sum. */
function sealed(record, before) {
  const body = JSON.stringify(record).slice(0, -1);
  const sum = sumOf(Buffer.from(body), before);
  return [Buffer.from(`${body},"sum":"${sum}"}\n`), sum];
}

/** The record of a line and its sum, or null where the sum does not fit. */
function unsealed(bytes, before) {
  const body = bytes.subarray(0, -SUM_BYTES);
  const sum = sumOf(body, before);
  const fits = bytes.subarray(-SUM_BYTES).equals(Buffer.from(`,"sum":"${sum}"}`));
  return fits ? [JSON.parse(`${body}}`), sum] : [null, ""];
}

function sumOf(body, before) {
  return createHash("sha256").update(before).update(body).digest("hex").slice(0, 16);
}

/** The record of a line from before lines had sums, or null. */
function oldRecord(bytes) {
  try {
    const record = JSON.parse(bytes);
    return typeof record?.method === "string" && record.sum === undefined ? record : null;
  } catch {
    return null;
  }
}

/**
 * How much of an end without line break is a whole line. All but the break may be there; what comes behind it can only
 * be the zeros that a power cut leaves: anything else is a line break that was changed.
 */
function lengthOfEnd(bytes, before) {
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  const sums = before === null ? [] : bytes.toString("latin1").matchAll(/,"sum":"[0-9a-f]{16}"}/g);
  for (const { index } of sums) {
    const length = index + SUM_BYTES;
    if (unsealed(bytes.subarray(0, length), before)[0] === null) continue;
    return length === end ? [length, "without its line break"] : [bytes.length, ""];
  }
  return [0, "torn"];
}

/** The file's lines without their line breaks, and what follows the last line break. */
function* pieces(descriptor) {
  const chunk = Buffer.alloc(READ_BYTES);
  let rest = [];
  for (let size; (size = readSync(descriptor, chunk, 0, READ_BYTES, null)) > 0; ) {
    let [start, end] = [0, 0];
    while ((end = chunk.subarray(0, size).indexOf(NEWLINE, start)) >= 0) {
      yield [Buffer.concat([...rest, chunk.subarray(start, end)]), true];
      [start, rest] = [end + 1, []];
    }
    rest.push(Buffer.from(chunk.subarray(start, size)));
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield [last, false];
}

/** All bytes, however many the system takes at a time. */
function writeWhole(descriptor, bytes) {
  for (let done = 0; done < bytes.length; ) {
    const written = writeSync(descriptor, bytes, done, bytes.length - done);
    if (written === 0) throw Object.assign(new Error("nothing was written"), { code: "EIO" });
    done += written;
  }
}

/** Wait until the disk has the name of a new file. */
function syncFolder(folder) {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
