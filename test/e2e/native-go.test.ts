// Go through the native API and the management API: built in a sandbox, run as a module or as an executable.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { zipOf } from "../../src/services/zip.fixture.ts";
import { NO_GO } from "../go-here.ts";
import { called, filesOnDisk, listed, refusal, remove, uploaded } from "../native-under-test.ts";
import { ServerUnderTest, startServer } from "../server-under-test.ts";

const skip = NO_GO;
const BUILD_LIMIT_MS = 300_000; // the standard library is compiled once on each machine

const ECHO = `package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	input, _ := io.ReadAll(os.Stdin)
	fmt.Printf("got %q", input)
	fmt.Fprintln(os.Stderr, "oh")
	if string(input) == "fail" {
		os.Exit(7)
	}
}
`;
const HANDLER = `package main

import (
	"fmt"
	"net/http"
)

func Handler(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s", r.Method, r.URL.Path)
}
`;
const MODULE = {
  "go.mod": "module example.com/app\n\ngo 1.21\n\nrequire example.com/greet v1.0.0\n",
  "vendor/modules.txt": "# example.com/greet v1.0.0\n## explicit; go 1.21\nexample.com/greet\n",
  "vendor/example.com/greet/greet.go": 'package greet\n\nfunc Word() string { return "greetings" }\n',
  "cmd/app/main.go":
    'package main\n\nimport (\n\t_ "embed"\n\t"fmt"\n\n\t"example.com/greet"\n)\n\n//go:embed pixel.bin\nvar pixel []byte\n\n' +
    "func main() { fmt.Println(greet.Word(), len(pixel)) }\n",
  "cmd/app/pixel.bin": Buffer.from([0xff, 0xfe, 0, 1]),
  "examples/deep/er/main.go": "package main\n\nfunc main() { broken }\n",
};

function zipped(files: Readonly<Record<string, string | Buffer>>): Buffer {
  return zipOf(Object.entries(files).map(([name, content]) => ({ name, content })));
}

suite("Go", { skip, timeout: BUILD_LIMIT_MS }, () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startServer();
  });
  after(() => server.dispose());

  test("source becomes an executable and a module; a call may choose, and both tell the program's own exit code", async () => {
    const { id, binPath, wasmPath } = await uploaded(server, ECHO, "Echo.GO", { name: "echo", version: "v1" });

    assert.deepEqual([binPath, wasmPath], ["functions/echo/v1/main.bin", "functions/echo/v1/main.wasm"]);
    assert.deepEqual(
      filesOnDisk(server),
      ["main.bin", "main.go", "main.wasm", "meta.json"].map((file) => `echo/v1/${file}`),
    );
    assert.equal(readFileSync(join(server.dataDir, "functions/echo/v1/main.go"), "utf8"), ECHO);
    for (const fields of [{}, { mode: "native" }, { mode: "wasm" }]) {
      const { DurationMs: _ms, ...fine } = await called(server, id, "é", fields);
      assert.deepEqual(fine, { Stdout: 'got "é"', Stderr: "oh\n", ExitCode: 0 });
      assert.equal((await called(server, id, "fail", fields)).ExitCode, 7);
    }
    const versions = (await (await fetch(`${server.url}/api/functions/echo/versions`)).json()) as {
      items: { mode: string; style: string; artifacts: { mode: string }[] }[];
    };
    const [{ mode, style, artifacts } = { mode: "", style: "", artifacts: [] }] = versions.items;
    assert.deepEqual([mode, style, artifacts.map((each) => each.mode)], ["wasm", "program", ["native", "wasm"]]);
  });

  test("source that is uploaded for native runs is run so", async () => {
    const { id, wasmPath } = await uploaded(server, ECHO, "main.go", { name: "natively", mode: "native" });

    assert.match(wasmPath, /main\.wasm$/, "the module is there all the same");
    assert.equal((await called(server, id, "x")).Stdout, 'got "x"');
    const { version } = (await (await fetch(`${server.url}/api/functions/natively`)).json()) as {
      version: { mode: string };
    };
    assert.equal(version.mode, "native");
  });

  test("that does not compile is refused with what the compiler says, and leaves nothing", async () => {
    const before = [filesOnDisk(server), await listed(server)];
    const fault = await refusal(server, "package main\n\nfunc main() {\n\tundefinedThing()\n}\n", "main.go", {
      name: "bad",
    });

    assert.match(fault, /^422 [\s\S]*main\.go:4:2: undefined: undefinedThing/);
    assert.match(await refusal(server, "no Go", "main.go"), /^422 [\s\S]*main\.go:1/);
    assert.deepEqual([filesOnDisk(server), await listed(server)], before);
    assert.equal((await fetch(`${server.url}/api/functions/bad`)).status, 404);
  });

  test("in an archive is built from the main.go that is nearest the root, with vendored modules and files of bytes", async () => {
    const { id, name, version } = await uploaded(server, zipped(MODULE), "app.zip");

    assert.equal(name, "app");
    assert.equal((await called(server, id)).Stdout, "greetings 4\n");
    assert.equal((await called(server, id, "", { mode: "native" })).Stdout, "greetings 4\n");
    const folder = join(server.dataDir, "functions/app", version);
    assert.deepEqual(readFileSync(join(folder, "cmd/app/pixel.bin")), MODULE["cmd/app/pixel.bin"]);
    const { version: shown } = (await (await fetch(`${server.url}/api/functions/app`)).json()) as {
      version: { entry: string; files: Record<string, string> };
    };
    assert.equal(shown.entry, "cmd/app/main.go");
    assert.equal(shown.files["go.mod"], MODULE["go.mod"]);
    assert.equal(shown.files["cmd/app/pixel.bin"], undefined, "it is no text");
  });

  test("with a Handler answers HTTP requests, natively only", async () => {
    const { id, wasmPath } = await uploaded(server, HANDLER, "main.go", { name: "web", version: "v1" });

    assert.equal(wasmPath, "");
    assert.match(await (await fetch(`${server.url}/fn/web/a/b`)).text(), /^GET .*\/a\/b$/);
    assert.equal((await called(server, id, '{"n":1}')).ExitCode, 0);
    assert.match(
      await refusal(server, HANDLER, "main.go", { name: "web", mode: "wasm" }),
      /^400 mode: "wasm" is not possible: a Handler runs natively$/,
    );
  });

  test("is deployed by the management API as text, files or an archive, and built natively", async () => {
    const post = await server.post("/api/functions", { name: "api-go", language: "go", code: ECHO });
    assert.equal(post.status, 201, await post.clone().text());
    const made = (await post.json()) as { id: string; version: { artifacts: { mode: string }[]; style: string } };
    assert.deepEqual([made.version.style, made.version.artifacts.map(({ mode }) => mode)], ["program", ["native"]]);
    assert.equal(await (await server.post("/fn/api-go", "x")).text(), 'got "x"');
    assert.equal((await called(server, made.id, "x")).Stdout, 'got "x"');

    const url = `${server.url}/api/functions/api-go/versions`;
    const send = async (body: object): Promise<Response> =>
      await fetch(url, { method: "POST", body: JSON.stringify(body) });
    assert.equal((await send({ code: ECHO })).status, 200, "the same code is the same version");
    const files = { "go.mod": "module x\n\ngo 1.21\n", "app/main.go": HANDLER, "app/util.go": "package main\n" };
    const second = await send({ files });
    assert.equal(second.status, 201, await second.clone().text());
    assert.equal(((await second.json()) as { entry: string }).entry, "app/main.go");
    assert.match(await (await fetch(`${server.url}/fn/api-go/x`)).text(), /^GET .*\/x$/);
    const bad = await send({ code: "package main\n\nfunc main() { oops }\n" });
    assert.equal(bad.status, 422);
    const { error } = (await bad.json()) as { error: { code: string; details: { output: string } } };
    assert.equal(error.code, "BUILD_FAILED");
    assert.match(error.details.output, /main\.go:3:15: undefined: oops/);
    const archive = zipped({ "main.go": ECHO, "go.mod": "module x\n\ngo 1.21\n" });
    const put = await fetch(`${server.url}/api/functions/zip-go?language=go`, {
      ...{ method: "PUT", body: new Uint8Array(archive), headers: { "content-type": "application/zip" } },
    });
    assert.equal(put.status, 201, await put.clone().text());
    assert.equal(await (await server.post("/fn/zip-go", "z")).text(), 'got "z"');
    assert.ok(!existsSync(join(server.dataDir, "functions/zip-go")), "folders are the native API's");
  });

  test("that is deleted leaves neither folder nor function", async () => {
    const { id } = await uploaded(server, ECHO, "main.go", { name: "short-lived" });
    assert.equal((await remove(server, id)).status, 200);
    assert.deepEqual(
      filesOnDisk(server).filter((path) => path.startsWith("short-lived")),
      [],
    );
  });
});

test("a folder with source alone is built after the start", { skip, timeout: BUILD_LIMIT_MS }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "cloche-test-"));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  for (const [label, code] of [
    ["v1", ECHO],
    ["v2", "package main\n\nfunc main() { broken }\n"],
  ] as const) {
    mkdirSync(join(dataDir, "functions/copied", label), { recursive: true });
    writeFileSync(join(dataDir, "functions/copied", label, "main.go"), code);
  }
  const server = new ServerUnderTest(dataDir);
  t.after(() => server.process.kill("SIGKILL"));
  await server.started;

  while (!/copied\/v2: not taken in/.test(server.stderr) || !/copied\/v1: taken in/.test(server.stderr))
    await delay(50);

  const [copied, another] = await listed(server);
  assert.deepEqual([copied?.name, copied?.version, another], ["copied", "v1", undefined]);
  assert.equal((await called(server, copied?.id ?? "", "x")).Stdout, 'got "x"');
  await server.stop();
});

test("where Go is missing an upload of source says so, and programs are taken", async () => {
  const server = await startServer({ GOROOT: "/nonexistent" });

  assert.match(await refusal(server, ECHO, "main.go"), /^503 .*Go.*\/nonexistent.*https:\/\/go\.dev/);
  assert.deepEqual(await listed(server), []);
  await server.dispose();
});
