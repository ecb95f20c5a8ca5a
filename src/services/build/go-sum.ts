// What a go.sum names: the files of a module proxy, each with the hash that its content must have.

export interface ModuleFile {
  /** As a module proxy has it: `github.com/!burnt!sushi/toml/@v/v1.4.0.zip`. */
  readonly name: string;
  /** What Go calls `h1:`, 64 hexadecimal digits. */
  readonly hash: string;
  readonly kind: "zip" | "mod";
}

/** Those of the largest programs have some thousand lines; what is beyond the limits is fetched by the build itself. */
const MAX_BYTES = 4_194_304;
const MAX_FILES = 4_000;
const MAX_NAME_CHARS = 400;

const LINE = /^(\S+) (v\d+\.\d+\.\d+[-+.0-9A-Za-z]*?)(\/go\.mod)? h1:([A-Za-z0-9+/]{43}=)$/;
const ELEMENT = /^(?!\.+$)[-.~_+0-9A-Za-z]+$/;

/**
 * The files that belong to the go.sum of the package in `folder`; none where its modules lie beside it (`vendor/`).
 *
 * @param files path -> content of an upload
 */
export function moduleFilesOf(files: Readonly<Record<string, Buffer>>, folder: string): readonly ModuleFile[] {
  const root = moduleRoot(files, folder);
  const sums = files[`${root}go.sum`];
  if (sums === undefined || sums.length > MAX_BYTES) return [];
  if (Object.keys(files).some((path) => path.startsWith(`${root}vendor/`))) return [];
  return parseGoSum(sums.toString("utf8"));
}

/** Lines that are none are left to the go command, which says what is wrong with them. */
export function parseGoSum(text: string): readonly ModuleFile[] {
  const found = new Map<string, ModuleFile>();
  for (const line of text.split("\n")) {
    const [, path = "", version = "", isMod, base64 = ""] = LINE.exec(line.trim()) ?? [];
    if (path === "" || !path.split("/").every((element) => ELEMENT.test(element))) continue;
    const kind = isMod === undefined ? "zip" : "mod";
    const name = `${escaped(path)}/@v/${escaped(version)}.${kind}`;
    if (name.length > MAX_NAME_CHARS || found.has(name)) continue;
    if (found.size === MAX_FILES) break;
    found.set(name, { name, kind, hash: Buffer.from(base64, "base64").toString("hex") });
  }
  return [...found.values()];
}

/** With a slash at its end, unless it is the root of all. */
function moduleRoot(files: Readonly<Record<string, Buffer>>, folder: string): string {
  for (let at = folder; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) {
    if (files[`${at}/go.mod`] !== undefined) return `${at}/`;
  }
  return "";
}

/** Some file systems do not tell large letters from small ones; the protocol of module proxies does it for them. */
function escaped(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}
