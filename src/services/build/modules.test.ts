// Modules that a build fetches: by the real gate, from a module proxy in an internet of the test's own.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { EgressGateProcess } from "../../sandbox/egress/gate-process.ts";
import { Internet } from "../../sandbox/egress/internet.fixture.ts";
import { zipOf } from "../zip.fixture.ts";
import { BuildsUnderTest, hasGo } from "./builds-under-test.ts";
import { moduleSources } from "./module-sources.ts";

const PUBLIC = "93.184.216.34";
const GREETER = 'package greeter\n\nconst Greeting = "fetched"\n';
const MAIN = 'package main\n\nimport "example.org/greeter"\n\nfunc main() { print(greeter.Greeting) }\n';
const REQUIRING = "module example.org/app\n\ngo 1.21\n\nrequire example.org/greeter v1.2.3\n";
const canFetch = hasGo && process.getuid?.() === 0;

suite("modules of a build", { skip: canFetch ? false : "takes Go, and root for network namespaces" }, () => {
  let internet: Internet;
  let gate: EgressGateProcess;
  let builds: BuildsUnderTest;
  const gateLog: string[] = [];
  before(async () => {
    internet = await Internet.open();
    await internet.setName("proxy.web.example", [PUBLIC]);
    await internet.setName("elsewhere.web.example", [PUBLIC]);
    await publish(internet, "example.org/greeter", GREETER);
    gate = await EgressGateProcess.open({ log: (line) => gateLog.push(line), launcher: internet.launcher });
    const modules = moduleSources("https://proxy.web.example/go", "off", "public");
    builds = await BuildsUnderTest.open({ modules, gate, caFile: internet.caFile });
  });
  after(async () => {
    await builds?.close();
    await gate?.close();
    await internet?.close();
  });

  test("come from the proxy, named in go.mod or not", async () => {
    for (const files of [{ "main.go": MAIN }, { "main.go": MAIN, "go.mod": REQUIRING }]) {
      const { artifacts } = await builds.build(files);
      assert.ok(artifacts.native?.includes("fetched"));
    }
    builds.assertNothingLeft();
  });

  test("are what go.sum says, or nothing is built", async () => {
    const files = { "main.go": MAIN, "go.mod": REQUIRING };
    const rightSum = `example.org/greeter v1.2.3 ${moduleHash(GREETER)}\n`;
    const { artifacts } = await builds.build({ ...files, "go.sum": rightSum });
    assert.ok(artifacts.native?.includes("fetched"));

    const wrongSum = `example.org/greeter v1.2.3 ${moduleHash("package greeter\n")}\n`;
    const { message, output } = await builds.fails({ ...files, "go.sum": wrongSum });
    assert.match(message + output, /checksum mismatch/);
  });

  test("that the proxy does not have are an error that says so", async () => {
    await internet.publish("/go/example.org/absent/@v/list", "");
    const source = 'package main\n\nimport _ "example.org/absent"\n\nfunc main() {}\n';
    const { message } = await builds.fails({ "main.go": source });

    assert.match(message, /example\.org\/absent/);
  });

  test("come from nowhere else, also where the proxy sends the build there", async () => {
    await publish(internet, "example.org/lured", "package lured\n");
    const place = "/go/example.org/lured/@v/v1.2.3.zip";
    await internet.publish(place, { location: "https://elsewhere.web.example/lured.zip" });
    const source = 'package main\n\nimport _ "example.org/lured"\n\nfunc main() {}\n';
    gateLog.length = 0;
    await builds.fails({ "main.go": source });

    assert.match(gateLog.join("\n"), /elsewhere\.web\.example is not in the list of allowed hosts/);
  });
});

async function publish(internet: Internet, module: string, source: string): Promise<void> {
  const version = `/go/${module}/@v/v1.2.3`;
  await internet.publish(`/go/${module}/@v/list`, "v1.2.3\n");
  await internet.publish(`${version}.info`, '{"Version":"v1.2.3","Time":"2026-01-01T00:00:00Z"}');
  await internet.publish(`${version}.mod`, goMod(module));
  const files = Object.entries(moduleFiles(module, source));
  await internet.publish(`${version}.zip`, zipOf(files.map(([name, content]) => ({ name, content }))));
}

function goMod(module: string): string {
  return `module ${module}\n\ngo 1.21\n`;
}

function moduleFiles(module: string, source: string): Readonly<Record<string, string>> {
  return { [`${module}@v1.2.3/go.mod`]: goMod(module), [`${module}@v1.2.3/main.go`]: source };
}

/** golang.org/x/mod/sumdb/dirhash, Hash1. */
function moduleHash(source: string): string {
  const lines = Object.entries(moduleFiles("example.org/greeter", source))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, content]) => `${createHash("sha256").update(content).digest("hex")}  ${name}\n`);
  return `h1:${createHash("sha256").update(lines.join("")).digest("base64")}`;
}
