import { crc32, deflateRawSync } from "node:zlib";

/** What a zip archive holds, and what it says of it, which may be a lie. */
export interface ZipEntry {
  readonly name: string;
  readonly content: string | Buffer;
  /** As Unix has it in the upper half of the attributes; a plain file where absent. */
  readonly unixMode?: number;
  readonly claimedBytes?: number;
  readonly claimedCrc?: number;
  readonly encrypted?: boolean;
}

const UNIX = 3 << 8;
const DEFLATED = 8;
const UTF8_NAMES = 0x800;
const ENCRYPTED = 1;

/** A zip archive by hand, since no honest library makes the wicked ones. */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const { name, content, unixMode = 0o100644, claimedBytes, claimedCrc, encrypted = false } of entries) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const nameBytes = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(UTF8_NAMES | (encrypted ? ENCRYPTED : 0), 2);
    common.writeUInt16LE(DEFLATED, 4);
    common.writeUInt32LE(claimedCrc ?? crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(claimedBytes ?? bytes.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, nameBytes, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((unixMode << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    const madeBy = Buffer.alloc(2);
    madeBy.writeUInt16LE(UNIX | 20);
    centrals.push(Buffer.concat([Buffer.from("PK\u0001\u0002"), madeBy, common, tail, nameBytes]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from("PK\u0005\u0006"), end]);
}
