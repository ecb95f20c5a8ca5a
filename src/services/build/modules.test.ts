// Modules that a build fetches: by the real gate, from a module proxy in an internet of the test's own.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { EgressGateProcess } from "../../sandbox/egress/gate-process.ts";
import { Internet } from "../../sandbox/egress/internet.fixture.ts";
import { BuildsUnderTest, hasGo } from "./builds-under-test.ts";
import { goSumOf, publishModule } from "./module-proxy.fixture.ts";
import { moduleSources } from "./module-sources.ts";

const PUBLIC = "93.184.216.34";
const GREETER = { path: "example.org/greeter", source: 'package greeter\n\nconst Greeting = "fetched"\n' };
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
    await publishModule(internet, GREETER);
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
    const { artifacts } = await builds.build({ ...files, "go.sum": goSumOf(GREETER) });
    assert.ok(artifacts.native?.includes("fetched"));

    const wrongSum = goSumOf({ ...GREETER, source: "package greeter\n" });
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
    await publishModule(internet, { path: "example.org/lured", source: "package lured\n" });
    const place = "/go/example.org/lured/@v/v1.2.3.zip";
    await internet.publish(place, { location: "https://elsewhere.web.example/lured.zip" });
    const source = 'package main\n\nimport _ "example.org/lured"\n\nfunc main() {}\n';
    gateLog.length = 0;
    await builds.fails({ "main.go": source });

    assert.match(gateLog.join("\n"), /elsewhere\.web\.example is not in the list of allowed hosts/);
  });
});
