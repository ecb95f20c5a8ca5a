// Zip archives from strangers: names that climb out, bombs, links and lies about sizes are all refused.
import { isUtf8 } from "node:buffer";
import { crc32 } from "node:zlib";
import { type Entry, fromBuffer, type ZipFile } from "yauzl";
import { messageOf, PlatformError } from "../core/errors.ts";
import { checkFilePath, SOURCE_LIMITS, tooManyBytes, tooManyFiles } from "./source-files.ts";

/** Source code is never packed as tightly as this; a bomb is. Small files may be: a page of blanks. */
const MOST_RATIO = 200;
const RATIO_FROM_BYTES = 1024 * 1024;
const TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
/** What some systems put into every archive beside the files. */
const CLUTTER = /^__MACOSX\/|(?:^|\/)\.DS_Store$/;

/** The most that an archive may hold. */
export interface ArchiveLimits {
  readonly files: number;
  readonly totalBytes: number;
}

/**
 * The files of a zip archive by path, as text.
 *
 * @throws PlatformError INVALID_REQUEST, CODE_TOO_LARGE
 */
export async function unzip(archive: Buffer): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for await (const [path, bytes] of filesOf(archive, SOURCE_LIMITS)) {
    if (!isUtf8(bytes)) throw refused(`${JSON.stringify(path)} is not text in UTF-8; only source code is taken`);
    texts[path] = bytes.toString("utf8").replace(/^\uFEFF/, "");
  }
  return texts;
}

/**
 * The files of a zip archive by path, whatever they hold. Archives among them are files like others.
 *
 * @throws PlatformError INVALID_REQUEST, CODE_TOO_LARGE
 */
export async function unzipBytes(archive: Buffer, limits: ArchiveLimits): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const [path, bytes] of filesOf(archive, limits)) files.set(path, bytes);
  return files;
}

async function* filesOf(archive: Buffer, limits: ArchiveLimits): AsyncGenerator<[path: string, bytes: Buffer]> {
  const zip = await open(archive);
  const seen = new Set<string>();
  let totalBytes = 0;
  if (zip.entryCount > limits.files * 2) throw tooManyFiles(limits.files); // folders count as entries, too
  for await (const entry of entriesOf(zip)) {
    const { fileName } = entry;
    if (CLUTTER.test(fileName)) continue;
    checkEntry(entry, limits.totalBytes);
    if (fileName.endsWith("/")) continue;
    checkFilePath(fileName);
    if (seen.has(fileName)) throw refused(`there are two files ${JSON.stringify(fileName)}`);
    if (seen.size === limits.files) throw tooManyFiles(limits.files);
    seen.add(fileName);
    totalBytes += entry.uncompressedSize;
    if (totalBytes > limits.totalBytes) throw tooManyBytes(limits.totalBytes);
    yield [fileName, await bytesOf(zip, entry)];
  }
}

function open(archive: Buffer): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    // strictFileNames: a backslash is an error instead of becoming a slash. Sizes are held against what comes out.
    const options = { lazyEntries: true, strictFileNames: true, validateEntrySizes: true, decodeStrings: true };
    fromBuffer(archive, options, (error, zip) => {
      if (error) reject(refused(messageOf(error)));
      else resolve(zip);
    });
  });
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      const settle = (act: () => void) => (): void => {
        zip.removeAllListeners();
        act();
      };
      zip.once("entry", (next: Entry) => settle(() => resolve(next))());
      zip.once(
        "end",
        settle(() => resolve(undefined)),
      );
      zip.once("error", (error: Error) => settle(() => reject(refused(nameFault(error.message))))());
      zip.readEntry();
    });
    if (entry === undefined) return;
    yield entry;
  }
}

/** What is wrong with an entry's name is said in words that clients look for. */
function nameFault(why: string): string {
  return /^(?:invalid relative path|absolute path|invalid characters)/.test(why)
    ? `illegal file path in zip: ${why}`
    : why;
}

function checkEntry(entry: Entry, mostBytes: number): void {
  const { fileName, uncompressedSize, compressedSize, externalFileAttributes } = entry;
  const shown = JSON.stringify(fileName);
  if (entry.isEncrypted()) throw refused(`${shown} is encrypted`);
  const type = (externalFileAttributes >>> 16) & TYPE_MASK;
  const isFolder = fileName.endsWith("/");
  if (type !== 0 && !isFolder && type !== REGULAR) {
    throw refused(`${shown} is no plain file (links and devices are not taken)`);
  }
  if (uncompressedSize > mostBytes) throw tooManyBytes(mostBytes);
  if (uncompressedSize > RATIO_FROM_BYTES && uncompressedSize > compressedSize * MOST_RATIO) {
    throw refused(`${shown} is packed more than ${MOST_RATIO} to 1, as no source code is`);
  }
}

async function bytesOf(zip: ZipFile, entry: Entry): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    const stream = await new Promise<AsyncIterable<Buffer>>((resolve, reject) => {
      zip.openReadStream(entry, (error, readable) => {
        if (error) reject(error);
        else resolve(readable as AsyncIterable<Buffer>);
      });
    });
    for await (const chunk of stream) chunks.push(chunk);
  } catch (error) {
    throw refused(`${JSON.stringify(entry.fileName)}: ${messageOf(error)}`);
  }
  const bytes = Buffer.concat(chunks);
  if (crc32(bytes) !== entry.crc32) throw refused(`${JSON.stringify(entry.fileName)} is damaged`);
  return bytes;
}

function refused(why: string): PlatformError {
  return new PlatformError("INVALID_REQUEST", `archive: ${why}`);
}
