// Finds the Go toolchain of the host by looking at files only: starting it would block the server.
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Mount } from "../../core/base-image.ts";

export interface Toolchain {
  /** Its root folder as it was found; parts of it may be links. */
  readonly root: string;
  /** `1.26.8` */
  readonly version: string;
}

export type ToolchainSearch =
  | { readonly found: true; readonly toolchain: Toolchain }
  | { readonly found: false; readonly reason: string };

/** Where `go` is looked for. */
export interface Places {
  /** The operator's word for it, which then is the only place. */
  readonly goRoot: string | undefined;
  /** Folders of programs, as in `PATH`. */
  readonly path: readonly string[];
}

/** Compiles for WASI since then, and since then refuses what is newer than itself. */
const LEAST_MINOR = 21;

/** Usual places beside `PATH`: the tarball's, Fedora's, Arch's and Alpine's, then Debian's, the newest first. */
const FIXED_ROOTS = ["/usr/local/go", "/usr/lib/golang", "/usr/lib/go"];
const DEBIAN_PARENT = "/usr/lib";

/** What of the root a build reads. */
const PARTS = ["bin", "src", "lib", "pkg/tool", "pkg/include", "VERSION", "go.env"];
const NEEDED_PARTS = new Set(["bin", "src", "pkg/tool", "VERSION"]);

/** @param asOthers true where boxes run as users of their own, who must be able to read it */
export function findToolchain({ goRoot, path }: Places, asOthers: boolean): ToolchainSearch {
  const roots =
    goRoot === undefined
      ? [...path.flatMap((folder) => rootOfProgramIn(folder, "go")), ...FIXED_ROOTS, ...debianRoots()]
      : [goRoot];
  const refused: string[] = [];
  for (const root of new Set(roots)) {
    const version = versionOf(root);
    if (version === undefined) continue;
    const why = whyUnfit({ root, version }, asOthers);
    if (why === undefined) return { found: true, toolchain: { root, version } };
    refused.push(`Go ${version} at ${root} ${why}`);
  }
  const looked = goRoot === undefined ? `in PATH or at ${FIXED_ROOTS.join(", ")}` : `at GOROOT=${goRoot}`;
  const what = refused.length > 0 ? refused.join("; ") : `no Go ${looked}`;
  return { found: false, reason: `${what}; Go 1.${LEAST_MINOR} or newer is needed: ${HOW_TO_INSTALL}` };
}

const HOW_TO_INSTALL =
  "unpack it to /usr/local/go (https://go.dev/doc/install), or `apt install golang-go` (Debian 13, Ubuntu 24.04), " +
  "`apt install -t bookworm-backports golang-go` (Debian 12), `dnf install golang` (Fedora), `pacman -S go` (Arch) or " +
  "`apk add go` (Alpine), then start again";

/** The folders and files of a toolchain, each where it really lies: distributions spread them over /usr and link them together. */
export function mountsOf({ root }: Toolchain, to: string): Mount[] {
  return PARTS.filter((part) => existsSync(join(root, part))).map((part) => ({
    from: realpathSync(join(root, part)),
    to: join(to, part),
  }));
}

/** The root folder that a program of `PATH` belongs to, behind any link. */
export function rootOfProgramIn(folder: string, name: string): string[] {
  const program = join(folder, name);
  return existsSync(program) ? [dirname(dirname(realpathSync(program)))] : [];
}

function debianRoots(): string[] {
  if (!existsSync(DEBIAN_PARENT)) return [];
  return readdirSync(DEBIAN_PARENT)
    .flatMap((name) => /^go-1\.(\d+)$/.exec(name) ?? [])
    .filter((match) => /^\d+$/.test(match))
    .sort((a, b) => Number(b) - Number(a))
    .map((minor) => join(DEBIAN_PARENT, `go-1.${minor}`));
}

function versionOf(root: string): string | undefined {
  const file = join(root, "VERSION");
  return existsSync(file) ? /^go(1\.\d+\S*)/.exec(readFileSync(file, "utf8"))?.[1] : undefined;
}

function whyUnfit(toolchain: Toolchain, asOthers: boolean): string | undefined {
  const { root, version } = toolchain;
  if (Number(/^1\.(\d+)/.exec(version)?.[1]) < LEAST_MINOR) return "is too old";
  const missing = [...NEEDED_PARTS].find((part) => !existsSync(join(root, part)));
  if (missing !== undefined) return `lacks ${missing}`;
  const barred = asOthers ? mountsOf(toolchain, "/").flatMap(({ from }) => barredOn(from))[0] : undefined;
  return barred === undefined ? undefined : `is behind ${barred}, which the users of sandboxes cannot pass`;
}

/** The folders on the way to `path` that other users cannot pass. */
export function barredOn(path: string): string[] {
  const parent = dirname(path);
  const above = parent === path ? [] : barredOn(parent);
  const { mode } = statSync(path);
  return statSync(path).isDirectory() && (mode & 0o001) === 0 ? [...above, path] : above;
}
