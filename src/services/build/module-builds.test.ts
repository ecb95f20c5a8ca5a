// The shared module cache: real builds, through the real gate, with a module proxy in an internet of the test's own.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { EgressGateProcess } from "../../sandbox/egress/gate-process.ts";
import { Internet } from "../../sandbox/egress/internet.fixture.ts";
import { zipOf } from "../zip.fixture.ts";
import { BuildsUnderTest, type Files, hasGo } from "./builds-under-test.ts";
import { parseGoSum } from "./go-sum.ts";
import { cachedName } from "./module-cache.ts";
import { archiveOf, goSumOf, publishModule, type TestModule } from "./module-proxy.fixture.ts";
import { moduleSources } from "./module-sources.ts";

const PUBLIC = "93.184.216.34";
const PROXY = "proxy.web.example";
const MIB = 1024 * 1024;
const canFetch = hasGo && process.getuid?.() === 0;

function moduleNamed(name: string, text = name): TestModule {
  return { path: `example.org/${name}`, source: `package lib\n\nconst Text = "text of ${text}"\n` };
}

/** A program that needs the module; without go.sum where it is undefined. */
function programWith(module: TestModule, goSum: string | undefined = goSumOf(module)): Files {
  return {
    "main.go": `package main\n\nimport lib "${module.path}"\n\nfunc main() { print(lib.Text) }\n`,
    "go.mod": `module example.org/app\n\ngo 1.21\n\nrequire ${module.path} v1.2.3\n`,
    ...(goSum === undefined ? {} : { "go.sum": goSum }),
  };
}

suite("the shared module cache", { skip: canFetch ? false : "takes Go, and root for network namespaces" }, () => {
  let internet: Internet;
  let gate: EgressGateProcess;
  let builds: BuildsUnderTest;
  before(async () => {
    internet = await Internet.open();
    gate = await EgressGateProcess.open({ log: () => {}, launcher: internet.launcher });
    const modules = moduleSources(`https://${PROXY}/go`, "off", "public");
    const fetchLimits = { timeoutMs: 60_000, zipBytes: MIB, unpacked: { files: 100, bytes: 4 * MIB } };
    builds = await BuildsUnderTest.open({
      ...{ modules, gate, caFile: internet.caFile, fetchLimits },
      limits: { concurrency: 2 },
    });
  });
  after(async () => {
    await builds?.close();
    await gate?.close();
    await internet?.close();
  });

  const up = (): Promise<void> => internet.setName(PROXY, [PUBLIC]);
  const down = (): Promise<void> => internet.setName(PROXY, []);
  const kept = (): string[] => readdirSync(builds.moduleCache?.dir ?? "").toSorted();
  const isKept = (module: TestModule): boolean =>
    parseGoSum(goSumOf(module)).some((file) => file.kind === "zip" && kept().includes(cachedName(file)));

  async function builtText(files: Files, text: string): Promise<void> {
    const { artifacts } = await builds.build(files);
    assert.ok(artifacts.native?.includes(`text of ${text}`));
    builds.assertNothingLeft();
  }

  test("fetches what go.sum names once; the next build needs no proxy", async () => {
    const module = moduleNamed("first");
    await publishModule(internet, module);
    await up();
    const before = builds.connections.length;
    await builtText(programWith(module), "first");
    assert.equal(builds.connections.length - before, 2); // its go.mod and its archive
    assert.equal(await internet.timesResolved(PROXY), 2); // the box has asked for nothing
    assert.ok(isKept(module));

    await down();
    await builtText(programWith(module), "first");
    assert.equal(builds.connections.length - before, 2);
    assert.equal(await internet.timesResolved(PROXY), 0);
  });

  test("gives nothing to an upload that does not name it by its hash", async () => {
    const module = moduleNamed("named");
    await publishModule(internet, module);
    await up();
    await builtText(programWith(module), "named");

    await down();
    const { output } = await builds.fails(programWith(module, ""));
    assert.match(output, /example\.org\/named/);
    await up();
    await builtText(programWith(module, ""), "named"); // the box fetches it
  });

  test("keeps nothing that is not what go.sum says, and Go refuses the build in its own words", async () => {
    const honest = moduleNamed("swapped");
    await publishModule(internet, moduleNamed("swapped", "another"));
    await up();
    const before = kept();
    const { message, output } = await builds.fails(programWith(honest));

    assert.match(message + output, /checksum mismatch/);
    assert.equal(isKept(honest), false);
    assert.equal(kept().length, before.length + 1); // go.mod is what it should be
  });

  test("an upload's claim about a name changes nothing for others", async () => {
    const [one, other] = [moduleNamed("one"), moduleNamed("other")];
    for (const module of [one, other]) await publishModule(internet, module);
    await up();
    await builtText(programWith(other), "other");
    // "one" is claimed to be what "other" is, which is in the cache.
    await builds.fails(programWith(one, goSumOf(other).replaceAll(other.path, one.path)));

    await builtText(programWith(one), "one");
    await builtText(programWith(other), "other");
  });

  const good = moduleNamed("wicked");
  const WICKED: Readonly<Record<string, Buffer>> = {
    "cut off": archiveOf(good).subarray(0, -30),
    "a liar about a file's size": zipOf([{ name: "example.org/wicked@v1.2.3/x", content: "xyz", claimedBytes: 1 }]),
    "a liar about a file's checksum": zipOf([
      { name: `${good.path}@v1.2.3/go.mod`, content: `module ${good.path}\n\ngo 1.21\n`, claimedCrc: 1 },
      { name: `${good.path}@v1.2.3/main.go`, content: good.source },
    ]),
    "one that leads out": zipOf([{ name: "../../x", content: good.source }]),
    "no archive": Buffer.from("<html>"),
  };
  for (const [what, archive] of Object.entries(WICKED)) {
    test(`an archive that is ${what} is not kept, and fails the build alone`, async () => {
      await publishModule(internet, good, archive);
      await up();
      await builds.fails(programWith(good));

      assert.equal(isKept(good), false);
      assert.deepEqual(
        kept().filter((name) => name.startsWith(".")),
        [],
      );
      builds.assertNothingLeft();
    });
  }

  const LARGE: Readonly<Record<string, string>> = {
    "larger than may be": `// ${randomBytes(2 * MIB).toString("hex")}\n`,
    "small and unpacks to more than may be": `// ${"x".repeat(5 * MIB)}\n`,
  };
  for (const [what, text] of Object.entries(LARGE)) {
    test(`an archive that is ${what} is not kept, and the box fetches it`, async () => {
      const name = what.replaceAll(" ", "-");
      const module = { ...moduleNamed(name), source: `${moduleNamed(name).source}${text}` };
      await publishModule(internet, module);
      await up();
      await builtText(programWith(module), name);

      assert.equal(isKept(module), false);
    });
  }

  test("a module whose name has large letters is found", async () => {
    const module = { ...moduleNamed("Big"), path: "example.org/BurntSushi/Big" };
    await publishModule(internet, module);
    await up();
    await builtText(programWith(module), "Big");

    await down();
    await builtText(programWith(module), "Big");
  });

  test("two builds at once fetch once", async () => {
    const module = moduleNamed("shared");
    await publishModule(internet, module);
    await up();
    const before = builds.connections.length;
    const both = await Promise.all([builds.build(programWith(module)), builds.build(programWith(module))]);

    for (const { artifacts } of both) assert.ok(artifacts.native?.includes("text of shared"));
    assert.equal(builds.connections.length - before, 2);
  });

  test("names that climb out are asked of nobody and laid nowhere", async () => {
    const hash = goSumOf(good).split(" ").at(-1) ?? "";
    const before = builds.connections.length;
    const boxes = builds.launched.length;
    await up();
    const names = [
      "../../etc/x",
      "example.org/../x",
      "/etc/x",
      "example.org/./x",
      "example.org//x",
      "a?b",
      "a%2e%2e/x",
      "a@b",
    ];
    const goSum = names.map((name) => `${name} v1.2.3 ${hash}`).join("");
    await builds.build({ "main.go": "package main\n\nfunc main() {}\n", "go.mod": "module a.b/c\n", "go.sum": goSum });

    assert.equal(builds.launched.length, boxes + 1);
    assert.equal(builds.connections.length, before);
  });

  test("entries are for all to read and for nobody else to write, and are not listed", () => {
    const { dir } = builds.moduleCache ?? assert.fail("there is no cache");
    const module = moduleNamed("first");
    const [name = ""] = parseGoSum(goSumOf(module)).map(cachedName);

    assert.equal(statSync(dir).mode & 0o777, 0o711);
    assert.equal(statSync(join(dir, name)).mode & 0o777, 0o644);
    assert.deepEqual(readFileSync(join(dir, name)), archiveOf(module));
  });
});
