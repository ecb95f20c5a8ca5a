// Building Go, in the real sandbox, with the toolchain of this machine.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { systemClock } from "../core/clock.ts";
import { createBuild } from "./build.ts";
import { FIXED_LIMITS } from "./build/failure.ts";
import { BuildsUnderTest, hasGo } from "./build/builds-under-test.ts";

const HELLO = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n';
const ECHO = `package main

import (
	"io"
	"os"
)

func main() {
	data, _ := io.ReadAll(os.Stdin)
	os.Stdout.Write(append([]byte("got "), data...))
	os.Exit(3)
}
`;
const MIB = 1024 * 1024;
const dir = mkdtempSync(join(tmpdir(), "cloche-built-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

/** Runs what we wrote ourselves. */
function run(program: Buffer | undefined, input = ""): string {
  const file = join(dir, "program");
  rmSync(file, { force: true });
  writeFileSync(file, program ?? assert.fail("there is no program"));
  chmodSync(file, 0o755);
  return outcomeOf(file, [], input);
}

const RUN_WASM = `
  const { readFileSync } = require("node:fs");
  const { WASI } = require("node:wasi");
  const wasi = new WASI({ version: "preview1" });
  WebAssembly.instantiate(readFileSync(process.argv[1]), wasi.getImportObject()).then(({ instance }) => {
    process.exitCode = wasi.start(instance);
  });
`;

function runWasm(module: Buffer | undefined, input: string): string {
  const file = join(dir, "program.wasm");
  writeFileSync(file, module ?? assert.fail("there is no module"));
  return outcomeOf(process.execPath, ["--no-warnings", "-e", RUN_WASM, file], input);
}

function outcomeOf(program: string, args: readonly string[], input: string): string {
  try {
    return execFileSync(program, args, {
      input,
      encoding: "utf8",
      env: {},
      timeout: 60_000,
      stdio: ["pipe", "pipe", "inherit"],
    });
  } catch (error) {
    const { status, stdout } = error as { readonly status: number; readonly stdout: string };
    return `${stdout} exit ${status}`;
  }
}

suite("a build", { skip: hasGo ? false : "there is no Go on this machine" }, () => {
  let builds: BuildsUnderTest;
  before(async () => {
    builds = await BuildsUnderTest.open();
  });
  after(() => builds.close());

  test("makes one file an executable and a WebAssembly module", async () => {
    const { artifacts, style, warnings } = await builds.build({ "main.go": ECHO }, "", ["native", "wasm"]);

    assert.deepEqual([style, warnings, Object.keys(artifacts)], ["program", [], ["native", "wasm"]]);
    assert.equal(run(artifacts.native, "abc"), "got abc exit 3");
    assert.equal(runWasm(artifacts.wasm, "abc"), "got abc exit 3");
    builds.assertNothingLeft();
  });

  test("takes a module of several packages, built in a folder of it, with files that are embedded", async () => {
    const { artifacts } = await builds.build(
      {
        "go.mod": "module example.org/shop\n\ngo 1.21\n",
        "internal/words/words.go":
          'package words\n\nimport _ "embed"\n\n//go:embed greeting.txt\nvar Greeting string\n',
        "internal/words/greeting.txt": "good day",
        "cmd/greet/main.go":
          'package main\n\nimport (\n\t"fmt"\n\t"example.org/shop/internal/words"\n)\n\nfunc main() { fmt.Print(words.Greeting) }\n',
      },
      "cmd/greet",
    );

    assert.equal(run(artifacts.native), "good day");
  });

  test("takes a module with its modules in vendor/", async () => {
    const { artifacts } = await builds.build({
      "go.mod": "module example.org/shop\n\ngo 1.21\n\nrequire example.org/words v1.2.3\n",
      "vendor/modules.txt": "# example.org/words v1.2.3\n## explicit; go 1.21\nexample.org/words\n",
      "vendor/example.org/words/words.go": 'package words\n\nconst Greeting = "vendored"\n',
      "main.go":
        'package main\n\nimport (\n\t"fmt"\n\t"example.org/words"\n)\n\nfunc main() { fmt.Print(words.Greeting) }\n',
    });

    assert.equal(run(artifacts.native), "vendored");
  });

  test("takes a module that another one of the upload replaces", async () => {
    const { artifacts } = await builds.build(
      {
        "app/go.mod":
          "module example.org/app\n\ngo 1.21\n\nrequire example.org/words v0.0.0\n\nreplace example.org/words => ../words\n",
        "app/main.go":
          'package main\n\nimport (\n\t"fmt"\n\t"example.org/words"\n)\n\nfunc main() { fmt.Print(words.Greeting) }\n',
        "words/go.mod": "module example.org/words\n\ngo 1.21\n",
        "words/words.go": 'package words\n\nconst Greeting = "replaced"\n',
      },
      "app",
    );

    assert.equal(run(artifacts.native), "replaced");
  });

  test("takes assembly and linkname, which are Go", async () => {
    const { artifacts } = await builds.build({
      "go.mod": "module example.org/fast\n\ngo 1.21\n",
      "main.go":
        'package main\n\nimport (\n\t"fmt"\n\t_ "unsafe"\n)\n\nfunc answer() int\n\n//go:linkname nanotime runtime.nanotime\nfunc nanotime() int64\n\nfunc main() { fmt.Print(answer(), nanotime() > 0) }\n',
      "answer_amd64.s": '#include "textflag.h"\n\nTEXT ·answer(SB), NOSPLIT, $0-8\n\tMOVQ $42, ret+0(FP)\n\tRET\n',
      "answer_arm64.s":
        '#include "textflag.h"\n\nTEXT ·answer(SB), NOSPLIT, $0-8\n\tMOVD $42, R0\n\tMOVD R0, ret+0(FP)\n\tRET\n',
    });

    assert.equal(run(artifacts.native), "42 true");
  });

  test("makes a program of a handler, whatever its package is called and its go.mod says", async () => {
    const handler =
      'import "net/http"\n\nfunc Handler(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hi")) }\n';
    for (const [name, files, folder] of [
      ["package", { "hello.go": `package hello\n\n${handler}` }, ""],
      ["package main", { "main.go": `package main\n\n${handler}` }, ""],
      ["old go.mod", { "go.mod": "module a.example/b\n\ngo 1.13\n", "hello.go": `package hello\n\n${handler}` }, ""],
      ["subfolder", { "go.mod": "module a.example/b\n", "api/hello.go": `package api\n\n${handler}` }, "api"],
    ] as const) {
      const { artifacts, style } = await builds.build(files, folder, ["native", "wasm"]);
      assert.deepEqual([style, Object.keys(artifacts)], ["handler", ["native"]], name);
    }
    const program = `package main\n\n/*\nfunc Handler(\n*/\nvar text = \`\nfunc Handler(\n\`\n\nfunc main() { println(text) }\n`;
    assert.equal((await builds.build({ "main.go": program })).style, "program");
    const wasm = await builds.fails({ "hello.go": `package hello\n\n${handler}` }, "", ["wasm"]);
    assert.match(wasm.message, /^a handler is built for native only/);
    for (const name of ["main", "hello"]) {
      const { message } = await builds.fails({ "hello.go": `package ${name}\n\nfunc Handler(number int) {}\n` });
      assert.equal(message, "Handler in the root must be func Handler(w http.ResponseWriter, r *http.Request)");
    }
  });

  test("that fails tells the uploader's files and lines, and a first line for people", async () => {
    const { message, output, files } = await builds.fails(
      {
        "go.mod": "module example.org/shop\n\ngo 1.21\n",
        "lib/lib.go": "package lib\n\nfunc Price() int {\n\treturn nope\n}\n",
        "cmd/shop/main.go": 'package main\n\nimport "example.org/shop/lib"\n\nfunc main() { lib.Price() }\n',
      },
      "cmd/shop",
    );

    assert.equal(message, "lib/lib.go:4:9: undefined: nope");
    assert.equal(output, "# example.org/shop/lib\nlib/lib.go:4:9: undefined: nope");
    assert.deepEqual(files, [{ file: "lib/lib.go", line: 4, column: 9, message: "undefined: nope" }]);
    builds.assertNothingLeft();
  });

  test("that has an error in the syntax, or nothing in it that could run, says so", async () => {
    const syntax = await builds.fails({ "main.go": "package main\n\nfunc main() {\n" });
    assert.match(syntax.message, /^main\.go:4:1: syntax error/);
    const library = await builds.fails({ "lib.go": "package lib\n\nfunc Price() int { return 1 }\n" });
    assert.match(library.message, /^package lib in the root is no program: it needs "package main"/);
    const empty = await builds.fails({ "readme.txt": "nothing" });
    assert.match(empty.message, /no Go files/);
    const folder = await builds.fails({ "main.go": HELLO }, "cmd");
    assert.equal(folder.message, 'there is no folder "cmd" among the uploaded files');
    const mixed = await builds.fails({ "a.go": "package a\n", "b.go": "package b\n" });
    assert.match(mixed.message, /found packages a \(a\.go\) and b \(b\.go\)/);
  });

  test("that works for one target only gives that one and says what is wrong with the other", async () => {
    const source = 'package main\n\nimport "syscall"\n\nfunc main() { syscall.Setpgid(0, 0) }\n';
    const { artifacts, warnings } = await builds.build({ "main.go": source }, "", ["native", "wasm"]);

    assert.deepEqual(Object.keys(artifacts), ["native"]);
    assert.match(warnings.join(), /^wasm: main\.go:5:23: undefined: syscall\.Setpgid$/);
    const { message } = await builds.fails({ "main.go": source }, "", ["wasm"]);
    assert.equal(message, "main.go:5:23: undefined: syscall.Setpgid");
  });

  test("and one that only compiles for WASI is a module alone", async () => {
    const source = 'package main\n\nimport "syscall"\n\nfunc main() { println(syscall.FDFLAG_APPEND) }\n';
    const { artifacts, warnings } = await builds.build({ "main.go": source }, "", ["native", "wasm"]);

    assert.deepEqual(Object.keys(artifacts), ["wasm"]);
    assert.match(warnings.join(), /^native: main\.go:5:31: undefined: syscall\.FDFLAG_APPEND$/);
  });

  test("asks for a newer Go, and is told which one there is", async () => {
    const { message } = await builds.fails({ "main.go": HELLO, "go.mod": "module a\n\ngo 99.0\n" });

    assert.match(message, /^go\.mod asks for Go 99\.0; this server has Go 1\.\d+/);
    const { artifacts } = await builds.build({
      "main.go": HELLO,
      "go.mod": "module a\n\ngo 1.21\n\ntoolchain go1.99.0\n",
    });
    assert.equal(run(artifacts.native), "hello\n"); // that line is a wish
  });

  test("without modules to fetch says how to bring them along", async () => {
    const source = 'package main\n\nimport _ "github.com/google/uuid"\n\nfunc main() {}\n';
    const { message } = await builds.fails({ "main.go": source });

    assert.match(message, /^main\.go:3:8: .*github\.com\/google\/uuid.*upload them in vendor\//);
  });

  test("of a small program takes less than a second, of both targets less than two", async () => {
    const tries = { native: [] as number[], both: [] as number[] };
    const areFast = (): boolean => Math.min(...tries.native) < 1000 && Math.min(...tries.both) < 2000;
    for (let number = 0; number < 12 && !areFast(); number++) {
      for (const [name, targets] of [
        ["native", ["native"]],
        ["both", ["native", "wasm"]],
      ] as const) {
        const startedMs = performance.now();
        await builds.build({ "main.go": `${HELLO}\nvar number = ${number}\n` }, "", targets);
        tries[name].push(performance.now() - startedMs);
      }
    }
    assert.ok(Math.min(...tries.native) < 1000, `native: ${tries.native.join(" ")} ms`);
    assert.ok(Math.min(...tries.both) < 2000, `both: ${tries.both.join(" ")} ms`);
  });

  test("uses the compiled standard library that is there, and needs seconds without it", async (t) => {
    const bare = await BuildsUnderTest.open({ primed: false });
    t.after(() => bare.close());
    const [cold, warm] = await Promise.all([timed(bare), timed(builds)]);

    assert.ok(cold > warm * 3, `${cold} ms without, ${warm} ms with`);
  });

  test("waits for its turn, and more than so many may not wait", async () => {
    const running = Array.from({ length: 17 }, () => builds.build({ "main.go": HELLO }));
    await assert.rejects(builds.build({ "main.go": HELLO }), {
      code: "POOL_SATURATED",
      message: /16 builds are waiting/,
    });
    const live = builds.pids().length;
    const all = await Promise.all(running);

    assert.equal(all.length, 17);
    assert.ok(live < 40, `${live} processes`); // of one box
    builds.assertNothingLeft();
  });
});

async function timed(builds: BuildsUnderTest): Promise<number> {
  const startedMs = performance.now();
  await builds.build({ "main.go": HELLO });
  return performance.now() - startedMs;
}

suite("builds that are closed", { skip: hasGo ? false : "there is no Go on this machine" }, () => {
  test("end at once, those that wait, too, and leave nothing", async (t) => {
    const builds = await BuildsUnderTest.open();
    t.after(() => builds.close());
    const ended = Promise.allSettled([builds.build({ "main.go": HELLO }), builds.build({ "main.go": HELLO })]);
    while (builds.pids().length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
    builds.service.close();

    const codes = (await ended).map((result) =>
      result.status === "rejected" ? (result.reason as { code: string }).code : "built",
    );
    assert.deepEqual(codes, ["DRAINING", "DRAINING"]);
    await assert.rejects(builds.build({ "main.go": HELLO }), { code: "DRAINING" });
    builds.assertNothingLeft();
  });
});

test("a build without a toolchain says what is missing and how to get it", async () => {
  const service = createBuild({
    sandbox: undefined as never, // none is started
    builder: { found: false, language: "go", reason: "no Go in PATH; install it" },
    limits: { ...FIXED_LIMITS, timeoutMs: 1000, memoryBytes: MIB, diskBytes: MIB, cpus: 1, concurrency: 1 },
    modules: { proxy: "off", sumDb: "off", egress: "none" },
    ...{ clock: systemClock, cache: undefined, log: () => {} },
  });

  await assert.rejects(service.build({ files: { "main.go": Buffer.from(HELLO) }, folder: "", targets: ["native"] }), {
    code: "TOOLCHAIN_MISSING",
    status: 503,
    message: "Go programs cannot be built: no Go in PATH; install it",
  });
  service.close();
});
