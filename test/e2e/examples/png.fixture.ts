// Pictures as other programs make them: every colour type, and rows with every filter.
import { crc32, deflateSync, inflateSync } from "node:zlib";

type Rgba = readonly [red: number, green: number, blue: number, alpha: number];
type ColourType = keyof typeof TYPES;

/** PNG's number of the type, and the bytes of a pixel. */
const TYPES = {
  grey: { number: 0, bytes: 1 },
  rgb: { number: 2, bytes: 3 },
  palette: { number: 3, bytes: 1 },
  "grey-alpha": { number: 4, bytes: 2 },
  rgba: { number: 6, bytes: 4 },
} as const;
const FILTERS = 5;
const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");

/** @returns the file, and what it shows as RGBA */
export function makePng(
  width: number,
  height: number,
  type: ColourType,
  colourAt: (x: number, y: number) => Rgba = noise,
): { readonly file: Buffer; readonly pixels: Buffer } {
  const { number, bytes } = TYPES[type];
  const palette: Rgba[] = [];
  const shown: number[] = [];
  const rows: Buffer[] = [];
  let above = Buffer.alloc(width * bytes);
  for (let y = 0; y < height; y++) {
    const plain: number[] = [];
    for (let x = 0; x < width; x++) {
      const { stored, seen } = pixelOf(type, colourAt(x, y), palette);
      plain.push(...stored);
      shown.push(...seen);
    }
    const row = Buffer.from(plain);
    rows.push(filtered(y % FILTERS, row, above, bytes));
    above = row;
  }
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, number, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const packed = deflateSync(Buffer.concat(rows));
  const file = Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    ...(type === "palette" ? paletteChunks(palette) : []),
    chunk("IDAT", packed.subarray(0, 10)), // encoders cut where they like
    chunk("IDAT", packed.subarray(10)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
  return { file, pixels: Buffer.from(shown) };
}

/** The pixels of an RGBA picture of that size without filters, checked against its checksums. */
export function readPixels(file: Buffer, width: number, height: number): Buffer {
  const chunks = new Map<string, Buffer>();
  for (let at = SIGNATURE.length; at < file.length;) {
    const length = file.readUInt32BE(at);
    const typed = file.subarray(at + 4, at + 8 + length);
    if (crc32(typed) !== file.readUInt32BE(at + 8 + length)) throw new Error("a checksum is wrong");
    chunks.set(typed.toString("latin1", 0, 4), typed.subarray(4));
    at += length + 12;
  }
  const header = chunks.get("IHDR");
  if (header?.readUInt32BE(0) !== width || header.readUInt32BE(4) !== height || header[9] !== TYPES.rgba.number) {
    throw new Error(`not RGBA of ${width}x${height}: ${header?.toString("hex")}`);
  }
  const rows = inflateSync(chunks.get("IDAT") ?? Buffer.alloc(0));
  const rowBytes = width * 4 + 1;
  return Buffer.concat(Array.from({ length: height }, (_, y) => rows.subarray(y * rowBytes + 1, (y + 1) * rowBytes)));
}

/** The same each time, and never even. */
function noise(x: number, y: number): Rgba {
  const value = (x * 73 + y * 151) % 256;
  return [value, (value * 7 + 13) % 256, 255 - value, 255 - ((x + y) % 3) * 60];
}

function pixelOf(type: ColourType, colour: Rgba, palette: Rgba[]): { stored: readonly number[]; seen: Rgba } {
  const [red, green, blue, alpha] = colour;
  switch (type) {
    case "grey":
      return { stored: [red], seen: [red, red, red, 255] };
    case "grey-alpha":
      return { stored: [red, alpha], seen: [red, red, red, alpha] };
    case "rgb":
      return { stored: [red, green, blue], seen: [red, green, blue, 255] };
    case "rgba":
      return { stored: colour, seen: colour };
    case "palette":
      return { stored: [palette.push(colour) - 1], seen: colour };
  }
}

function paletteChunks(palette: readonly Rgba[]): Buffer[] {
  return [
    chunk("PLTE", Buffer.from(palette.flatMap(([red, green, blue]) => [red, green, blue]))),
    chunk("tRNS", Buffer.from(palette.map(([, , , alpha]) => alpha))),
  ];
}

/** https://www.w3.org/TR/png-3/#9Filters */
function filtered(filter: number, row: Buffer, above: Buffer, pixelBytes: number): Buffer {
  const bytes = [...row].map((value, x) => {
    const a = row[x - pixelBytes] ?? 0;
    const b = above[x] ?? 0;
    const c = above[x - pixelBytes] ?? 0;
    const p = a + b - c;
    const nearest = [a, b, c].toSorted((m, n) => Math.abs(p - m) - Math.abs(p - n))[0] ?? 0; // the first of equals
    return value - ([0, a, b, Math.floor((a + b) / 2), nearest][filter] ?? 0);
  });
  return Buffer.from([filter, ...bytes]);
}

function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(typed), 4);
  return Buffer.concat([frame.subarray(0, 4), typed, frame.subarray(4)]);
}
