// A server that has TinyGo: what it says of it, and what who uploads gets to know. It is the stand-in of the build's own tests.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MARK, plantStandIn } from "../../src/services/build/tinygo-stand-in.fixture.ts";
import { NO_GO } from "../go-here.ts";
import { called, uploaded } from "../native-under-test.ts";
import { startServer } from "../server-under-test.ts";

const PROGRAM = 'package main\n\nvar by = "Go"\n\nfunc main() { println("compiled by", by) }\n';

test("TinyGo is named, makes the modules, and an upload is told where Go did", { skip: NO_GO }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "cloche-tinygo-"));
  chmodSync(dir, 0o755);
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const tinyGo = plantStandIn(join(dir, "tinygo"));
  const server = await startServer({ TINYGOROOT: tinyGo });
  t.after(() => server.dispose());

  const system = (await (await fetch(`${server.url}/api/system`)).json()) as { builders: Record<string, unknown>[] };
  const [builder] = system.builders;
  assert.match(String(builder?.["title"]), /^Go 1\.\d+\S*, TinyGo$/);
  assert.deepEqual(builder?.["tinyGo"], { path: tinyGo });
  assert.match(server.stdout, /^  Go 1\.\d+\S*, TinyGo +compiles go;/m);

  const plain = await uploaded(server, PROGRAM, "main.go", { name: "plain" });
  const failing = await uploaded(server, `// stand-in: fail\n${PROGRAM}`, "main.go", { name: "failing" });
  assert.equal((await called(server, plain.id)).Stderr, `compiled by ${MARK}\n`);
  assert.equal((await called(server, failing.id)).Stderr, "compiled by Go\n");
  assert.deepEqual(
    [plain, failing].map((answer) => (answer as { warnings?: unknown }).warnings),
    [undefined, ["wasm: Go compiled it, as TinyGo could not: main.go:3:8: undefined: os.Missing"]],
  );
});

test(
  "a TinyGo that is not where the operator says is missed aloud, and modules are Go's",
  { skip: NO_GO },
  async (t) => {
    const nowhere = join(tmpdir(), "cloche-without-tinygo");
    const server = await startServer({ TINYGOROOT: nowhere });
    t.after(() => server.dispose());
    const reason = `no TinyGo at TINYGOROOT=${nowhere}`;

    assert.match(server.stdout, /^  Go 1\.\d+\S* +compiles go;/m);
    assert.ok(server.stdout.includes(`\n  not used: ${reason}\n`), server.stdout);
    const system = (await (await fetch(`${server.url}/api/system`)).json()) as { builders: Record<string, unknown>[] };
    assert.deepEqual(system.builders[0]?.["tinyGo"], { reason });
  },
);
