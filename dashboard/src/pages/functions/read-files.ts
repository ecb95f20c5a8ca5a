// What somebody drops or chooses: one file, an archive, or a folder with all that is in it.
import { languageOfFile } from "../../templates/templates.ts";

/** Of the API: texts of one version together. */
const MAX_BYTES = 50 * 1024 * 1024;
const MAX_FILES = 1000;
const LEFT_OUT = /(?:^|\/)(?:\.git|\.DS_Store|__pycache__)(?:\/|$)/;
const MAIN = /^(?:index|main|app)\.\w+$/;

export type Program = (
  | { readonly kind: "code"; readonly code: string }
  | { readonly kind: "files"; readonly files: Readonly<Record<string, string>> }
  | { readonly kind: "zip"; readonly archive: File }
  /** A Linux executable or a WebAssembly module, deployed byte by byte. */
  | { readonly kind: "binary"; readonly binary: File }
) & {
  /** What it would be called. */
  readonly name: string;
  /** By the endings of its files; undefined for an archive, which nobody has looked into. */
  readonly language: string | undefined;
  readonly paths: readonly string[];
  readonly bytes: number;
};

/** Why a choice cannot be deployed; the page has the words for it. */
export class UnfitFiles extends Error {
  readonly reason: "empty" | "too-big" | "too-many" | "not-text";
  readonly path: string;

  constructor(reason: UnfitFiles["reason"], path = "") {
    super(reason);
    this.reason = reason;
    this.path = path;
  }
}

/** How finished programs begin, by their language. */
const MAGIC = { native: [0x7f, 0x45, 0x4c, 0x46], wasm: [0x00, 0x61, 0x73, 0x6d] } as const;

interface Found {
  readonly path: string;
  readonly file: File;
}

/** @throws UnfitFiles */
export async function programOfDrop(items: DataTransferItemList): Promise<Program> {
  // The list is empty once the event is over: everything is taken from it before anything is waited for.
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const found = (await Promise.all(entries.map((entry) => filesOf(entry)))).flat();
  return await programOf(found);
}

/** @throws UnfitFiles */
export async function programOfChoice(files: FileList): Promise<Program> {
  return await programOf([...files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

async function programOf(all: readonly Found[]): Promise<Program> {
  const found = all.filter(({ path }) => !LEFT_OUT.test(path));
  const [first] = found;
  if (first === undefined) throw new UnfitFiles("empty");
  const bytes = found.reduce((sum, { file }) => sum + file.size, 0);
  if (bytes > MAX_BYTES) throw new UnfitFiles("too-big");
  if (found.length > MAX_FILES) throw new UnfitFiles("too-many");
  if (found.length === 1 && /\.zip$/i.test(first.path)) {
    const { path, file } = first;
    return { kind: "zip", archive: file, name: nameOf(path), language: undefined, paths: [path], bytes };
  }
  const binary = found.length === 1 ? await binaryLanguage(first.file) : undefined;
  if (binary !== undefined) {
    const { path, file } = first;
    return { kind: "binary", binary: file, name: nameOf(path), language: binary, paths: [path], bytes };
  }
  const root = rootOf(found);
  const texts = await Promise.all(
    found.map(async ({ path, file }) => [path.slice(root.length), await textOf(file, path)] as const),
  );
  const paths = texts.map(([path]) => path);
  const shared = { language: languageOf(paths), paths, bytes, name: nameOf(root === "" ? first.path : root) };
  const [only] = texts;
  if (texts.length === 1 && only !== undefined) return { kind: "code", code: only[1], ...shared };
  return { kind: "files", files: Object.fromEntries(texts), ...shared };
}

async function filesOf(entry: FileSystemEntry, below = ""): Promise<Found[]> {
  const path = below + entry.name;
  if (entry instanceof FileSystemFileEntry || entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ path, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Found[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found; // a folder is told a hundred at a time
    for (const one of some) if (!LEFT_OUT.test(one.name)) found.push(...(await filesOf(one, `${path}/`)));
  }
}

async function binaryLanguage(file: File): Promise<string | undefined> {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  return Object.entries(MAGIC).find(([, magic]) => magic.every((byte, place) => head[place] === byte))?.[0];
}

/** The folder that everything lies in, with its slash; "" where there is none. */
function rootOf(found: readonly Found[]): string {
  const [first = ""] = found.map(({ path }) => path.slice(0, path.indexOf("/") + 1));
  return first !== "" && found.every(({ path }) => path.startsWith(first)) ? first : "";
}

async function textOf(file: File, path: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    throw new UnfitFiles("not-text", path);
  }
}

/** That of the main file, else the one that most files have. */
function languageOf(paths: readonly string[]): string | undefined {
  const main = paths.find((path) => MAIN.test(path) && languageOfFile(path) !== undefined);
  if (main !== undefined) return languageOfFile(main);
  const counts = new Map<string, number>();
  for (const path of paths) {
    const language = languageOfFile(path);
    if (language !== undefined) counts.set(language, (counts.get(language) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
}

/** What a function may be called, of the name of a file or folder. */
function nameOf(path: string): string {
  const last = path.replace(/\/$/, "").split("/").at(-1) ?? "";
  return (
    last
      .replace(/\.\w+$/, "")
      .replaceAll(/[^\w.-]+/g, "-")
      .slice(0, 100) || "function"
  );
}
