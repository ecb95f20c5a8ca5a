// Go's hash of a module (golang.org/x/mod/sumdb/dirhash, "h1"): SHA-256 of a list of its files with the SHA-256 of each.
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { type Entry, fromBufferPromise, type ZipFile } from "yauzl";

/** What an archive may unpack to; nothing is kept of what is read, so this bounds time alone. */
export interface UnpackedLimits {
  readonly files: number;
  readonly bytes: number;
}

/** As 64 hexadecimal digits. */
export function hashOfMod(content: Buffer): string {
  return hashOf([["go.mod", sha256(content)]]);
}

/**
 * As 64 hexadecimal digits.
 *
 * @throws Error where it is no zip archive, lies about its sizes, names a file twice, or unpacks to more than `limits`
 */
export async function hashOfZip(archive: Buffer, limits: UnpackedLimits): Promise<string> {
  const zip = await fromBufferPromise(archive, { lazyEntries: true, strictFileNames: true });
  const files = new Map<string, string>();
  let bytes = 0;
  if (zip.entryCount > limits.files) throw new Error(`it has more than ${limits.files} files`);
  for await (const entry of zip.eachEntry()) {
    bytes += entry.uncompressedSize;
    if (bytes > limits.bytes) throw new Error(`it unpacks to more than ${limits.bytes} bytes`);
    if (files.has(entry.fileName)) throw new Error("it has two files of one name");
    files.set(entry.fileName, await hashOfEntry(zip, entry));
  }
  return hashOf([...files]);
}

/** Sizes are held against what comes out by the library; the checksum is not, and Go would stop at a wrong one. */
async function hashOfEntry(zip: ZipFile, entry: Entry): Promise<string> {
  const hash = createHash("sha256");
  let checksum = 0;
  for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    checksum = crc32(chunk, checksum);
  }
  if (checksum !== entry.crc32) throw new Error("it is damaged");
  return hash.digest("hex");
}

function hashOf(files: readonly (readonly [name: string, sha256: string])[]): string {
  const lines = files
    .toSorted(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
    .map(([name, hash]) => `${hash}  ${name}\n`);
  return sha256(lines.join(""));
}

function sha256(content: Buffer | string): string {
  return createHash("sha256").update(content).digest("hex");
}
