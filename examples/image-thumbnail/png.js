// Reads and writes PNG (https://www.w3.org/TR/png-3/) with nothing but zlib: 8 bits a channel, not interlaced.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");
const MAX_PIXELS = 8_000_000; // 32 MB as RGBA; a file of some KB can claim to be a picture of gigabytes
const RGBA = 6;
/** Bytes of a pixel by colour type: grey, RGB, palette, grey with alpha, RGBA. */
const CHANNELS = new Map([
  [0, 1],
  [2, 3],
  [3, 1],
  [4, 2],
  [RGBA, 4],
]);

/** The file is no PNG, or one of a kind that is not read here. */
export class NotSupported extends Error {}

/** @returns `{width, height, pixels}`, pixels as RGBA, row by row */
export function decodePng(file) {
  const chunks = chunksOf(file);
  const header = chunks.get("IHDR");
  const packed = chunks.get("IDAT");
  if (header?.length !== 13 || packed === undefined) throw new NotSupported("the PNG is not complete");
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const [depth, type, , , interlaced] = header.subarray(8);
  const channels = CHANNELS.get(type);
  if (depth !== 8 || interlaced !== 0 || channels === undefined) {
    throw new NotSupported("only PNGs of 8 bits a channel that are not interlaced are read");
  }
  if (width * height === 0 || width * height > MAX_PIXELS)
    throw new NotSupported(`more than ${MAX_PIXELS} pixels, or none`);
  const rows = unfilter(unpack(packed, (width * channels + 1) * height), width * channels, channels);
  return { width, height, pixels: toRgba(rows, type, channels, chunks) };
}

export function encodePng({ width, height, pixels }) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, RGBA], 8);
  const rows = Buffer.alloc((width * 4 + 1) * height); // the byte before each row: not filtered
  for (let y = 0; y < height; y++) pixels.copy(rows, y * (width * 4 + 1) + 1, y * width * 4, (y + 1) * width * 4);
  const chunks = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([SIGNATURE, ...chunks]);
}

/** By type; several of one type are one. */
function chunksOf(file) {
  if (!file.subarray(0, 8).equals(SIGNATURE)) throw new NotSupported("the body is not a PNG");
  const chunks = new Map();
  for (let at = 8; at + 12 <= file.length;) {
    const length = file.readUInt32BE(at);
    const type = file.toString("latin1", at + 4, at + 8);
    chunks.set(type, [...(chunks.get(type) ?? []), file.subarray(at + 8, at + 8 + length)]);
    at += length + 12;
  }
  return new Map([...chunks].map(([type, parts]) => [type, parts.length === 1 ? parts[0] : Buffer.concat(parts)]));
}

function unpack(packed, bytes) {
  try {
    const rows = inflateSync(packed, { maxOutputLength: bytes });
    if (rows.length === bytes) return rows;
  } catch {
    // told below: not zlib, or longer than the header says
  }
  throw new NotSupported("the pixels of the PNG are damaged");
}

/** Each row says in its first byte how its bytes follow from those to the left (a), above (b) and above left (c). */
function unfilter(rows, rowBytes, pixelBytes) {
  const height = rows.length / (rowBytes + 1);
  const plain = Buffer.alloc(rowBytes * height);
  for (let y = 0; y < height; y++) {
    const predict = PREDICTORS[rows[y * (rowBytes + 1)]];
    if (predict === undefined) throw new NotSupported("the PNG has a filter that is not known");
    for (let x = 0; x < rowBytes; x++) {
      const at = y * rowBytes + x;
      const a = x < pixelBytes ? 0 : plain[at - pixelBytes];
      const b = y === 0 ? 0 : plain[at - rowBytes];
      const c = x < pixelBytes || y === 0 ? 0 : plain[at - rowBytes - pixelBytes];
      plain[at] = rows[at + y + 1] + predict(a, b, c); // a Buffer keeps the lowest 8 bits
    }
  }
  return plain;
}

const PREDICTORS = [() => 0, (a) => a, (_a, b) => b, (a, b) => (a + b) >> 1, paeth];

function paeth(a, b, c) {
  const [toA, toB, toC] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (toA <= toB && toA <= toC) return a;
  return toB <= toC ? b : c;
}

function toRgba(rows, type, channels, chunks) {
  if (type === RGBA) return rows;
  const palette = chunks.get("PLTE") ?? Buffer.alloc(0);
  const paletteAlpha = chunks.get("tRNS") ?? Buffer.alloc(0);
  const pixels = Buffer.alloc((rows.length / channels) * 4, 255);
  for (let from = 0, to = 0; from < rows.length; from += channels, to += 4) {
    const first = rows[from];
    if (type === 3) {
      pixels.set(palette.subarray(first * 3, first * 3 + 3), to);
      pixels[to + 3] = paletteAlpha[first] ?? 255;
    } else if (type === 2) rows.copy(pixels, to, from, from + 3);
    else {
      pixels.fill(first, to, to + 3);
      if (channels === 2) pixels[to + 3] = rows[from + 1];
    }
  }
  return pixels;
}

function chunk(type, data) {
  const bytes = Buffer.alloc(data.length + 12);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, "latin1");
  data.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), data.length + 8);
  return bytes;
}
