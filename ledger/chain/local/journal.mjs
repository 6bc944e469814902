// The journal of a local chain. It has one line for each change, and the line is on the disk before the change is run.
//
//   {"journal":2,"id":…,"chain_id":…,"gas_limit":…,"genesis":…,"hardhat":…,"sum":…}      the first line
//   {"after":…,"method":…,"params":…,"time":…,"sum":…}                     a change; "after" is the block before it
//
// The "sum" is a checksum of the line's text and the previous line's checksum. So a changed, lost, repeated or moved
// line is noticed.

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

/** The journal cannot be used to start a chain; `details` are for programs. */
export class JournalError extends Error {
  constructor(code, message, details = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** A change could not be written, so it was not run. The chain still works, and a later change may succeed. */
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
  #end = 0; // the length in bytes of the file up to the end of the last good line
  #sum = "";
  #lines = 0;
  #before = [0, ""]; // the values of #end and #sum before the last line was added
  #leftover = false; // whether the file may contain more bytes after #end
  #unbroken = false; // whether the last line lacks its line break

  constructor(path) {
    this.#path = path;
  }

  get lines() {
    return this.#lines;
  }

  /** Whether the journal exists and is not empty. */
  get exists() {
    return (statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0) > 0;
  }

  /** The file's device and inode numbers: two programs compare them to find out that they use the same journal. */
  get identity() {
    const { dev, ino } = statSync(this.#path, { bigint: true });
    return { device: String(dev), inode: String(ino) };
  }

  /** Write a complete new journal, with `settings` in its first line and then `records`; replaces an existing one. */
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
   * Check and yield every record in order; the first one is the header. If a crash left an incomplete last line, its
   * change was never answered: the incomplete line is cut off, and `repaired` is called. Records of the old format,
   * which has no header and no sums, are yielded unchecked, with `old` set.
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

  /** Write a record completely to the disk. If writing fails, throw NotWritten; then no part of the record remains. */
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
   * Remove the last record, because its change was refused. If the process ends before the record is removed, the
   * change is refused again when the journal is read.
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

  /** Open the journal; check that the path still leads to the same file, which ends with the last good line. */
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

  /** Repair the end of the file now if possible, else before the next record is written. */
  #mendQuietly() {
    try {
      this.#mend();
    } catch {
      // The disk is full or read-only. #leftover and #unbroken stay set, so that the file is repaired later.
    }
  }
}

function damaged(line) {
  return new JournalError("JOURNAL_DAMAGED", `line ${line} does not match its sum, or lines are missing`, { line });
}

/** Return the line of a record and the line's sum; `before` is the sum of the previous line. */
function sealed(record, before) {
  const body = JSON.stringify(record).slice(0, -1);
  const sum = sumOf(Buffer.from(body), before);
  return [Buffer.from(`${body},"sum":"${sum}"}\n`), sum];
}

/** Return the record and the sum of a line; the record is null if the sum is wrong. */
function unsealed(bytes, before) {
  const body = bytes.subarray(0, -SUM_BYTES);
  const sum = sumOf(body, before);
  const fits = bytes.subarray(-SUM_BYTES).equals(Buffer.from(`,"sum":"${sum}"}`));
  return fits ? [JSON.parse(`${body}}`), sum] : [null, ""];
}

function sumOf(body, before) {
  return createHash("sha256").update(before).update(body).digest("hex").slice(0, 16);
}

/** Return the record of a line in the old format, which has no sums, or null for any other line. */
function oldRecord(bytes) {
  try {
    const record = JSON.parse(bytes);
    return typeof record?.method === "string" && record.sum === undefined ? record : null;
  } catch {
    return null;
  }
}

/**
 * For a file that does not end with a line break: return how many bytes of its last line are a complete record, and how
 * the end is repaired. After the record only zero bytes are accepted, because a power cut leaves them; other bytes mean
 * that the line break was changed.
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

/** Yield the file's lines without their line breaks, and at the end the bytes after the last line break. */
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

/** Write all bytes, with as many calls as the system needs. */
function writeWhole(descriptor, bytes) {
  for (let done = 0; done < bytes.length; ) {
    const written = writeSync(descriptor, bytes, done, bytes.length - done);
    if (written === 0) throw Object.assign(new Error("nothing was written"), { code: "EIO" });
    done += written;
  }
}

/** Wait until the disk has stored the name of a new file, not only its content. */
function syncFolder(folder) {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
