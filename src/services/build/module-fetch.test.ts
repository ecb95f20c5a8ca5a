// What the server fetches for the module cache: through the real gate, from module proxies in an internet of the test's own.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { systemClock } from "../../core/clock.ts";
import { EgressGateProcess } from "../../sandbox/egress/gate-process.ts";
import { Internet } from "../../sandbox/egress/internet.fixture.ts";
import { parseGoSum } from "./go-sum.ts";
import { type ModuleCache, openModuleCache } from "./module-cache.ts";
import { createModuleFetch, type FetchModules, type ModuleFetchDeps } from "./module-fetch.ts";
import { goSumOf, publishModule, type TestModule } from "./module-proxy.fixture.ts";

const PUBLIC = "93.184.216.34";
const PROXY = "proxy.web.example";
const NONE = new AbortController().signal;
const WHILE_MS = 60_000;

function moduleNamed(name: string): TestModule {
  return { path: `example.org/${name}`, source: "package lib\n" };
}

suite(
  "the fetching of modules",
  { skip: process.getuid?.() === 0 ? false : "takes root, for network namespaces" },
  () => {
    let internet: Internet;
    let gate: EgressGateProcess;
    let cache: ModuleCache;
    const dataDir = mkdtempSync(join(tmpdir(), "cloche-fetch-"));
    before(async () => {
      cache = openModuleCache({ dataDir, asRoot: false, clock: systemClock }) ?? assert.fail("there is no cache");
      internet = await Internet.open();
      gate = await EgressGateProcess.open({ log: () => {}, launcher: internet.launcher });
      await internet.setName(PROXY, [PUBLIC]);
    });
    after(async () => {
      await gate?.close();
      await internet?.close();
      rmSync(dataDir, { recursive: true, force: true });
    });

    function fetcher(proxy: string, own: Partial<ModuleFetchDeps> = {}): FetchModules {
      return createModuleFetch({
        ...{ proxy, egress: [`${PROXY}:443`], caFile: internet.caFile, clock: systemClock },
        ...{ connect: (target, signal) => gate.connect(target, signal) },
        cache,
        ...own,
      });
    }

    test("the next proxy is asked where one has not got it, and not where one is broken", async () => {
      for (const [status, expected] of [
        [404, 2],
        [410, 2],
        [500, 0],
      ] as const) {
        const module = moduleNamed(`behind${status}`);
        const files = parseGoSum(goSumOf(module));
        await publishModule(internet, module);
        for (const { name } of files) await internet.publish(`/none/${name}`, { location: `/status?code=${status}` });
        const fetch = fetcher(`https://${PROXY}/none,https://${PROXY}/go/`);

        assert.equal((await fetch(files, WHILE_MS, NONE)).length, expected, `${status}`);
      }
    });

    test("a proxy may send the server on to hosts that are allowed, and to no others", async () => {
      await internet.setName("elsewhere.web.example", [PUBLIC]);
      const module = moduleNamed("moved");
      const files = parseGoSum(goSumOf(module));
      await publishModule(internet, module);
      for (const { name } of files)
        await internet.publish(`/moved/${name}`, { location: `https://elsewhere.web.example/go/${name}` });
      const proxy = `https://${PROXY}/moved`;

      assert.equal((await fetcher(proxy)(files, WHILE_MS, NONE)).length, 0);
      const egress = [`${PROXY}:443`, "elsewhere.web.example:443"];
      assert.equal((await fetcher(proxy, { egress })(files, WHILE_MS, NONE)).length, 2);
    });

    test("a build gets so many bytes and no more", async () => {
      const modules = ["many1", "many2", "many3"].map((name) => ({
        ...moduleNamed(name),
        source: `${moduleNamed(name).source}// ${randomBytes(100_000).toString("hex")}\n`,
      }));
      for (const module of modules) await publishModule(internet, module);
      const archives = modules.flatMap((module) => parseGoSum(goSumOf(module))).filter(({ kind }) => kind === "zip");
      const fetch = fetcher(`https://${PROXY}/go`, { limits: { buildBytes: 150_000, concurrency: 1 } });

      assert.equal((await fetch(archives, WHILE_MS, NONE)).length, 2); // the second one goes beyond
      assert.equal((await fetch(archives, WHILE_MS, NONE)).length, 3);
    });

    test("a proxy that never answers takes the time that there is, and not the server's end", async (t) => {
      const deaf = createServer();
      await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve));
      t.after(() => deaf.close());
      const address = deaf.address();
      assert.ok(address !== null && typeof address === "object");
      const fetch = fetcher(`https://${PROXY}/go`, {
        connect: async (_target, signal) => connect({ port: address.port, host: "127.0.0.1", signal }),
        limits: { timeoutMs: 2_000 },
      });
      const files = parseGoSum(goSumOf(moduleNamed("never")));

      assert.deepEqual(await fetch(files, 100, NONE), []);
      assert.deepEqual(await fetch(files, WHILE_MS, AbortSignal.abort()), []);
      const closing = new AbortController();
      const fetching = fetch(files, WHILE_MS, closing.signal);
      closing.abort();
      assert.deepEqual(await fetching, []);
      assert.deepEqual(await fetch(files, WHILE_MS, NONE), []); // by the limit of one request
    });
  },
);
