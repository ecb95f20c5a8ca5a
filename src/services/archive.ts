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

/**
 * The files of a zip archive by path, as text.
 *
 * @throws PlatformError INVALID_REQUEST, CODE_TOO_LARGE
 */
export async function unzip(archive: Buffer): Promise<Record<string, string>> {
  const zip = await open(archive);
  const files = new Map<string, string>();
  let totalBytes = 0;
  if (zip.entryCount > SOURCE_LIMITS.files * 2) throw tooManyFiles(); // folders count as entries, too
  for await (const entry of entriesOf(zip)) {
    if (CLUTTER.test(entry.fileName)) continue;
    checkEntry(entry);
    if (entry.fileName.endsWith("/")) continue;
    checkFilePath(entry.fileName);
    if (files.has(entry.fileName)) throw refused(`there are two files ${JSON.stringify(entry.fileName)}`);
    if (files.size === SOURCE_LIMITS.files) throw tooManyFiles();
    totalBytes += entry.uncompressedSize;
    if (totalBytes > SOURCE_LIMITS.totalBytes) throw tooManyBytes();
    files.set(entry.fileName, await textOf(zip, entry));
  }
  return Object.fromEntries(files);
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
      zip.once("error", (error: Error) => settle(() => reject(refused(error.message)))());
      zip.readEntry();
    });
    if (entry === undefined) return;
    yield entry;
  }
}

function checkEntry(entry: Entry): void {
  const { fileName, uncompressedSize, compressedSize, externalFileAttributes } = entry;
  const shown = JSON.stringify(fileName);
  if (entry.isEncrypted()) throw refused(`${shown} is encrypted`);
  const type = (externalFileAttributes >>> 16) & TYPE_MASK;
  const isFolder = fileName.endsWith("/");
  if (type !== 0 && !isFolder && type !== REGULAR) {
    throw refused(`${shown} is no plain file (links and devices are not taken)`);
  }
  if (uncompressedSize > SOURCE_LIMITS.totalBytes) throw tooManyBytes();
  if (uncompressedSize > RATIO_FROM_BYTES && uncompressedSize > compressedSize * MOST_RATIO) {
    throw refused(`${shown} is packed more than ${MOST_RATIO} to 1, as no source code is`);
  }
}

async function textOf(zip: ZipFile, entry: Entry): Promise<string> {
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
  if (!isUtf8(bytes))
    throw refused(`${JSON.stringify(entry.fileName)} is not text in UTF-8; only source code is taken`);
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

function refused(why: string): PlatformError {
  return new PlatformError("INVALID_REQUEST", `archive: ${why}`);
}
