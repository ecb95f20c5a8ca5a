// Modules of uploads, whole: a server that fetches them through its gate, from a module proxy in an internet of the test's own.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import { findCertificates } from "../../src/sandbox/egress/certificates.ts";
import { Internet } from "../../src/sandbox/egress/internet.fixture.ts";
import { hasGo } from "../../src/services/build/builds-under-test.ts";
import { parseGoSum } from "../../src/services/build/go-sum.ts";
import { cachedName } from "../../src/services/build/module-cache.ts";
import { goSumOf, publishModule } from "../../src/services/build/module-proxy.fixture.ts";
import { zipOf } from "../../src/services/zip.fixture.ts";
import { ServerUnderTest } from "../server-under-test.ts";

const PROXY = "proxy.web.example";
const PUBLIC = "93.184.216.34";
const CACHE = "/var/cache/cloche/go-modules"; // of servers that root runs
const LONG_MS = 300_000;
/** No other test, and no server of this machine, has ever had this one. */
const MODULE = { path: "example.org/greeter", source: `package lib\n\nconst Text = "fetched ${randomUUID()}"\n` };
const certificates = findCertificates();
const canFetch = hasGo && process.getuid?.() === 0 && certificates !== undefined;

suite("modules of uploads", { skip: canFetch ? false : "takes Go, and root for network namespaces" }, () => {
  let internet: Internet;
  let server: ServerUnderTest;
  const dir = mkdtempSync(join(tmpdir(), "cloche-upload-"));
  const archive = join(dir, "app.zip");
  const kept = parseGoSum(goSumOf(MODULE)).map((file) => join(CACHE, cachedName(file)));
  before(async () => {
    const main = `package main\n\nimport lib "${MODULE.path}"\n\nfunc main() { println(lib.Text) }\n`;
    const goMod = `module example.org/app\n\ngo 1.21\n\nrequire ${MODULE.path} v1.2.3\n`;
    const files = { "main.go": main, "go.mod": goMod, "go.sum": goSumOf(MODULE) };
    writeFileSync(archive, zipOf(Object.entries(files).map(([name, content]) => ({ name, content }))));
    internet = await Internet.open();
    await publishModule(internet, MODULE);
    await onHost("mount", "--bind", internet.caFile, certificates ?? ""); // for this "host" alone
    const settings = { EGRESS: "public", GOPROXY: `https://${PROXY}/go`, GOSUMDB: "off" };
    server = new ServerUnderTest(mkdtempSync(join(tmpdir(), "cloche-test-")), settings, internet.launcher);
    await server.started;
  });
  after(async () => {
    await server?.dispose();
    await internet?.close();
    for (const file of [dir, ...kept]) rmSync(file, { recursive: true, force: true });
  });

  async function onHost(...command: string[]): Promise<string> {
    const [program, ...args] = internet.launcher;
    return (await promisify(execFile)(program, [...args, ...command], { timeout: LONG_MS })).stdout;
  }

  async function upload(version: string): Promise<string> {
    const fields = ["name=greeter", `version=${version}`, `file=@${archive}`].flatMap((field) => ["-F", field]);
    const { id } = JSON.parse(await onHost("curl", "-sS", ...fields, `${server.url}/functions`)) as { id: string };
    return await onHost("curl", "-sS", "-d", "input=", `${server.url}/invoke/${id}`);
  }

  test("are fetched once, and built from the cache when the proxy is gone", async () => {
    await internet.setName(PROXY, [PUBLIC]);
    assert.match(await upload("1"), /fetched [0-9a-f-]{36}/);
    assert.equal(await internet.timesResolved(PROXY), 2); // by the server: the box has asked for nothing
    for (const file of kept) assert.ok(existsSync(file), file);

    await internet.setName(PROXY, []);
    assert.match(await upload("2"), /fetched [0-9a-f-]{36}/);
    assert.equal(await internet.timesResolved(PROXY), 0);
  });
});
