// Makes a browser's screenshot small enough for a README: 256 colours are plenty for flat areas and letters, and the browser packs
// for speed. Takes what Chromium writes: 8 bits for each of red, green and blue, in rows from top to bottom.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE_BYTES = 8;
const CHUNK_EXTRA_BYTES = 12; // length, type and checksum
const MAX_COLOURS = 256;
const RGB_BYTES = 3;

/**
 * @param {Buffer} png
 * @returns {Buffer} the same picture; no colour is further from its own than it must be
 */
export function smallPng(png) {
  const chunks = chunksOf(png);
  const head = chunks.find(({ type }) => type === "IHDR").data;
  const [width, height, depth, colourType] = [head.readUInt32BE(0), head.readUInt32BE(4), head[8], head[9]];
  if (depth !== 8 || colourType !== 2) throw new Error(`a PNG of depth ${depth} and type ${colourType}, not 8 and 2`);
  const packed = chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data);
  const pixels = unfiltered(inflateSync(Buffer.concat(packed)), width * RGB_BYTES, height);
  const { palette, indexOf } = paletteOf(pixels);

  const rows = Buffer.alloc((width + 1) * height); // each begins with its filter: none
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rows[y * (width + 1) + 1 + x] = indexOf.get(pixels.readUIntBE((y * width + x) * RGB_BYTES, RGB_BYTES));
    }
  }
  const newHead = Buffer.from(head);
  newHead[9] = 3; // of a palette
  return Buffer.concat([
    png.subarray(0, SIGNATURE_BYTES),
    chunk("IHDR", newHead),
    chunk("PLTE", Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]))),
    chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** The most frequent colours that are not too near to each other, and which of them stands for each colour. */
function paletteOf(pixels) {
  const counts = new Map();
  for (let at = 0; at < pixels.length; at += RGB_BYTES) {
    const colour = pixels.readUIntBE(at, RGB_BYTES);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const colours = [...counts.keys()].toSorted((a, b) => counts.get(b) - counts.get(a));
  for (let distance = 0; ; distance++) {
    const palette = [];
    for (const colour of colours) {
      if (palette.every((other) => apart(colour, other) > distance)) palette.push(colour);
      if (palette.length > MAX_COLOURS) break;
    }
    if (palette.length > MAX_COLOURS) continue;
    return { palette, indexOf: new Map(colours.map((colour) => [colour, nearest(colour, palette)])) };
  }
}

function nearest(colour, palette) {
  let best = 0;
  for (let index = 1; index < palette.length; index++) {
    if (apart(colour, palette[index]) < apart(colour, palette[best])) best = index;
  }
  return best;
}

function apart(one, other) {
  const of = (shift) => Math.abs(((one >> shift) & 255) - ((other >> shift) & 255));
  return Math.max(of(16), of(8), of(0));
}

/** Takes back what each row says of itself by the row above and the pixel before. */
function unfiltered(filtered, rowBytes, height) {
  const rows = Buffer.alloc(rowBytes * height);
  for (let y = 0; y < height; y++) {
    const filter = filtered[y * (rowBytes + 1)];
    for (let x = 0; x < rowBytes; x++) {
      const at = y * rowBytes + x;
      const left = x < RGB_BYTES ? 0 : rows[at - RGB_BYTES];
      const above = y === 0 ? 0 : rows[at - rowBytes];
      const corner = x < RGB_BYTES || y === 0 ? 0 : rows[at - rowBytes - RGB_BYTES];
      const guesses = [0, left, above, (left + above) >> 1, paeth(left, above, corner)];
      rows[at] = filtered[y * (rowBytes + 1) + 1 + x] + guesses[filter];
    }
  }
  return rows;
}

function paeth(left, above, corner) {
  const guess = left + above - corner;
  const [toLeft, toAbove, toCorner] = [left, above, corner].map((value) => Math.abs(guess - value));
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

function chunksOf(png) {
  const chunks = [];
  for (let at = SIGNATURE_BYTES; at < png.length;) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString("latin1", at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += length + CHUNK_EXTRA_BYTES;
  }
  return chunks;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
