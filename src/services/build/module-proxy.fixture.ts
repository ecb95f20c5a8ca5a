// Modules on a module proxy in an internet of a test's own, at https://<any name>/go, and what a go.sum says of them.
import { createHash } from "node:crypto";
import type { Internet } from "../../sandbox/egress/internet.fixture.ts";
import { zipOf } from "../zip.fixture.ts";

const VERSION = "v1.2.3";

/** Version v1.2.3 of a module with one file. */
export interface TestModule {
  readonly path: string;
  readonly source: string;
}

export async function publishModule(
  internet: Internet,
  module: TestModule,
  archive = archiveOf(module),
): Promise<void> {
  const folder = `/go/${escaped(module.path)}/@v`;
  await internet.publish(`${folder}/list`, `${VERSION}\n`);
  await internet.publish(`${folder}/${VERSION}.info`, `{"Version":"${VERSION}","Time":"2026-01-01T00:00:00Z"}`);
  await internet.publish(`${folder}/${VERSION}.mod`, goModOf(module));
  await internet.publish(`${folder}/${VERSION}.zip`, archive);
}

export function archiveOf(module: TestModule): Buffer {
  return zipOf(Object.entries(filesOf(module)).map(([name, content]) => ({ name, content })));
}

export function goSumOf(module: TestModule): string {
  const zip = hashOf(filesOf(module));
  const mod = hashOf({ "go.mod": goModOf(module) });
  return `${module.path} ${VERSION} ${zip}\n${module.path} ${VERSION}/go.mod ${mod}\n`;
}

function goModOf({ path }: TestModule): string {
  return `module ${path}\n\ngo 1.21\n`;
}

function filesOf(module: TestModule): Readonly<Record<string, string>> {
  const folder = `${module.path}@${VERSION}`;
  return { [`${folder}/go.mod`]: goModOf(module), [`${folder}/main.go`]: module.source };
}

/** golang.org/x/mod/sumdb/dirhash, Hash1. */
function hashOf(files: Readonly<Record<string, string>>): string {
  const lines = Object.entries(files)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, content]) => `${createHash("sha256").update(content).digest("hex")}  ${name}\n`);
  return `h1:${createHash("sha256").update(lines.join("")).digest("base64")}`;
}

function escaped(path: string): string {
  return path.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}
