// Uploads that attack the build: each in the real box, with a clear word for who uploaded it, and nothing left of it on the host.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, suite, test } from "node:test";
import { text } from "node:stream/consumers";
import { systemClock } from "../../src/core/clock.ts";
import { goBuilder } from "../../src/runtimes/go/builder.ts";
import { findToolchain } from "../../src/runtimes/go/toolchain.ts";
import { NurserySandbox } from "../../src/sandbox/nursery-sandbox.ts";
import { BuildsUnderTest, type Files, hasGo } from "../../src/services/build/builds-under-test.ts";
import { cachedName, openModuleCache } from "../../src/services/build/module-cache.ts";

const MIB = 1024 * 1024;
const HELLO = "package main\n\nfunc main() { println(1) }\n";
const MODULE = "module example.org/app\n\ngo 1.21\n";
const skip = hasGo ? false : "there is no Go on this machine";

/** Comparing two of these takes code for each of their millions of fields. */
function deepTypes(depth: number): string {
  const types = Array.from({ length: depth }, (_, level) => `type T${level + 1} struct{ a, b T${level} }`).join("\n");
  return `package main\n\ntype T0 struct{ a, b string }\n${types}\n\nvar x, y T${depth}\n\nfunc main() { println(x == y) }\n`;
}

/** A text of a gigabyte, in thirty lines. */
function doublingText(times: number): string {
  const texts = Array.from({ length: times }, (_, level) => `const c${level + 1} = c${level} + c${level}`).join("\n");
  return `package main\n\nconst c0 = "0123456789abcdef"\n${texts}\n\nvar all = c${times}\n\nfunc main() { println(all) }\n`;
}

/** Packages in each other, each of which embeds the same file: each one's compiled form holds it again. */
function manyCopies(packages: number, bytes: number): Files {
  const files: Record<string, string | Buffer> = { "go.mod": MODULE };
  for (let level = 0; level < packages; level++) {
    const file = `${"d/".repeat(packages - 1 - level)}data.bin`;
    const next = level + 1 < packages ? `import _ "example.org/app/m${"/d".repeat(level + 1)}"\n` : "";
    files[`m/${"d/".repeat(level)}p.go`] =
      `package p\n\nimport _ "embed"\n${next}\n//go:embed ${file}\nvar data${level} string\n`;
  }
  files[`m/${"d/".repeat(packages - 1)}data.bin`] = Buffer.alloc(bytes, "x");
  return { ...files, "main.go": 'package main\n\nimport _ "example.org/app/m"\n\nfunc main() {}\n' };
}

suite("a hostile build", { skip }, () => {
  let builds: BuildsUnderTest;
  before(async () => {
    builds = await BuildsUnderTest.open({ limits: { diskBytes: 192 * MIB } });
  });
  afterEach(() => builds.assertNothingLeft());
  after(() => builds.close());

  test("BLD-05: that never ends is ended, and named by its setting", async (t) => {
    const hasty = await BuildsUnderTest.open({ limits: { timeoutMs: 1500 } });
    t.after(() => hasty.close());
    const { message } = await hasty.fails({ "main.go": deepTypes(27) });

    assert.equal(message, "the build took longer than 1.5 s (BUILD_TIMEOUT)");
    hasty.assertNothingLeft();
  });

  test("BLD-05: that takes all memory is ended", async () => {
    const { message } = await builds.fails({ "main.go": doublingText(26) });

    assert.equal(message, "the build needed more memory than 1024 MiB, its files included (BUILD_MEMORY)");
  });

  test("BLD-05: that fills the disk is ended", async () => {
    const { message } = await builds.fails(manyCopies(16, 20 * MIB));

    assert.equal(message, "the build's files needed more than 192 MiB (BUILD_DISK)");
  });

  test("BLD-05: that makes one giant file is ended", async () => {
    const { message } = await builds.fails({
      "main.go": "package main\n\nvar x = [1 << 29]byte{1}\n\nfunc main() { println(x[0]) }\n",
    });

    assert.match(message, /^the build wrote a file of more than 64 MiB/);
  });

  test("BLD-05: that needs more processes than it may have is told so", async (t) => {
    const narrow = await BuildsUnderTest.open({ limits: { pids: 14 } });
    t.after(() => narrow.close());
    const { message } = await narrow.fails({ "main.go": HELLO });

    assert.equal(message, "the build needed more than 14 processes and threads");
    narrow.assertNothingLeft();
  });

  test("BLD-05: that makes a program larger than may be kept is told so", async (t) => {
    const small = await BuildsUnderTest.open({ limits: { artifactBytes: MIB } });
    t.after(() => small.close());
    const { message } = await small.fails({
      "main.go": 'package main\n\nimport "net/http"\n\nfunc main() { http.ListenAndServe("", nil) }\n',
    });

    assert.match(message, /^the native program has \d+ bytes; 1048576 are allowed$/);
  });

  test("BLD-03: generic types without end are an error", async () => {
    const { message } = await builds.fails({
      "main.go":
        "package main\n\ntype P[A any] struct{ a A }\n\nfunc f[T any](t T) { f(P[T]{t}) }\n\nfunc main() { f(1) }\n",
    });

    assert.match(message, /^main\.go:\d+:\d+: instantiation cycle/);
  });

  test("BLD-06: settings of Go's in the upload are files like others", async () => {
    const evil =
      "GOFLAGS=-toolexec=/tmp/src/evil.sh\nGOPROXY=https://evil.example\nCGO_ENABLED=1\nGOTOOLCHAIN=go9.9.9\n";
    const { artifacts } = await builds.build({
      ...{
        "main.go": `package main\n\n//go:generate touch /tmp/src/generated\n\nfunc main() { println(1) }\n`,
        "go.mod": MODULE,
      },
      ...{
        "go.env": evil,
        ".config/go/env": evil,
        "config/go/env": evil,
        ".env": evil,
        "evil.sh": "#!/bin/sh\nexit 1\n",
      },
      "go.work": "go 1.99\n\nuse ../../etc\n",
    });

    assert.ok(artifacts.native !== undefined);
  });

  test("BLD-06: C code is refused, with the file that has it", async () => {
    const c =
      'package main\n\n/*\n#cgo LDFLAGS: -Wl,-rpath,/etc\n#include "/etc/passwd"\n*/\nimport "C"\n\nfunc main() { C.exit(1) }\n';
    const direct = await builds.fails({ "cmd/main.go": c }, "cmd");
    assert.equal(direct.message, 'cmd/main.go: import "C": C code (cgo) cannot be built here');
    const inPackage = await builds.fails({
      "go.mod": MODULE,
      "main.go": 'package main\n\nimport "example.org/app/lib"\n\nfunc main() { lib.Exit() }\n',
      "lib/lib.go": c.replace("package main", "package lib").replace("func main", "func Exit"),
    });
    assert.match(inPackage.message, /build constraints exclude all Go files in lib/);
  });

  for (const pattern of ["/etc/passwd", "../../../etc/passwd", "../x", "/proc/self/environ"]) {
    test(`BLD-06: the pattern ${pattern} embeds nothing from outside`, async () => {
      const main = `package main\n\nimport "embed"\n\n//go:embed ${pattern}\nvar all embed.FS\n\nfunc main() {}\n`;
      const { message } = await builds.fails({ "cmd/main.go": main, x: "outside" }, "cmd");

      assert.match(message, /invalid pattern syntax/);
    });
  }

  for (const target of ["../../etc", "/etc", "/usr/local/go/src", "..", "./a/../../b"]) {
    test(`BLD-06: a module cannot be replaced by ${target}`, async () => {
      const goMod = `${MODULE}\nrequire example.org/x v1.0.0\n\nreplace example.org/x => ${target}\n`;
      const { message } = await builds.fails({ "go.mod": goMod, "main.go": HELLO });

      assert.equal(message, `go.mod replaces example.org/x by "${target}", which is not among the uploaded files`);
    });
  }

  for (const name of ["../../etc", "/etc", "std", "cmd/go", "fmt", "example.org/../x", '"a\\nb"', "C:\\\\x"]) {
    test(`BLD-06: a module named ${name} builds nothing or itself`, async () => {
      const built = builds.build({ "go.mod": `module ${name}\n\ngo 1.21\n`, "main.go": HELLO });
      const outcome = await built.then(
        () => "built",
        (error: { readonly code: string }) => error.code,
      );

      assert.equal(outcome, "BUILD_FAILED");
    });
  }

  test("BLD-08: paths that lead out, or are none, are refused before there is a box", async () => {
    const long = "x".repeat(256);
    const names = [
      "../x.go",
      "a/../../x.go",
      "/etc/x.go",
      "a//b.go",
      "./a.go",
      "a/.",
      "a\0b.go",
      "a\nb.go",
      "a\\b.go",
      "",
      long,
      "\ud800.go",
    ];
    const boxes = builds.launched.length;
    for (const name of names) {
      const { message } = await builds.fails({ "main.go": HELLO, [name]: "" });
      assert.match(message, /^the path ".*" (is|has) /s);
    }
    for (const folder of ["..", "/", "a/../..", "a\0"]) {
      const { message } = await builds.fails({ "main.go": HELLO }, folder);
      assert.match(message, /^the folder ".*" (is|has) /);
    }
    const both = await builds.fails({ "main.go": HELLO, a: "", "a/b": "" });
    assert.equal(both.message, '"a" is a file and a folder at once');
    assert.equal(builds.launched.length, boxes);
  });

  test("BLD-08: ten thousand files are built, one more and too many bytes are refused", async () => {
    const files: Record<string, string> = { "go.mod": MODULE, "main.go": HELLO };
    for (let number = Object.keys(files).length; number < 10_000; number++) {
      files[`d${number % 100}/f${number}.go`] = `package d${number % 100}\n`;
    }
    const { artifacts } = await builds.build(files);
    assert.ok(artifacts.native !== undefined);

    const tooMany = await builds.fails({ ...files, more: "" });
    assert.equal(tooMany.message, "10001 files were uploaded; 10000 are allowed");
    const tooLarge = await builds.fails({ "main.go": HELLO, x: Buffer.alloc(50 * MIB) });
    assert.match(tooLarge.message, /^the uploaded files have \d+ bytes together; 52428800 are allowed$/);
  });

  test("BLD-07: attacks on the cache change nothing of what the next build gets", async () => {
    const cache = builds.cache?.dir ?? assert.fail("there is no shared cache");
    const before = fingerprint(cache);
    const { artifacts: first } = await builds.build({ "main.go": HELLO });
    const part = readdirSync(cache).find((name) => /^[0-9a-f]{2}$/.test(name)) ?? "";
    const sample = readdirSync(join(cache, part))[0] ?? "";
    // Its own std, its own cache folder with an entry's name, and a package that shadows one of the standard library.
    await builds
      .build({
        "go.mod": MODULE,
        "main.go": HELLO,
        "vendor/fmt/print.go": 'package fmt\n\nfunc Println(a ...any) { panic("poisoned") }\n',
        [`cache/${part}/${sample}`]: "poison",
      })
      .catch(() => {});
    const { artifacts: second } = await builds.build({ "main.go": HELLO });

    assert.equal(sha256(second.native), sha256(first.native));
    assert.deepEqual(fingerprint(cache), before);
  });
});

const FETCHED = { name: "example.org/a/@v/v1.0.0.zip", kind: "zip", hash: "0a".repeat(32) } as const;
const ATTACK = `
  const fs = require("node:fs");
  const net = require("node:net");
  const done = [];
  const attempt = (what, task) => { try { task(); done.push(what); } catch {} };
  const part = fs.readdirSync("/go-cache").find((name) => name.length === 2);
  const entry = "/go-cache/" + part + "/" + fs.readdirSync("/go-cache/" + part)[0];
  attempt("write an entry", () => fs.writeFileSync(entry, "x"));
  attempt("append to an entry", () => fs.appendFileSync(entry, "x"));
  attempt("remove an entry", () => fs.unlinkSync(entry));
  attempt("change an entry's mode", () => fs.chmodSync(entry, 0o777));
  attempt("touch an entry", () => fs.utimesSync(entry, 1, 1));
  attempt("add an entry", () => fs.writeFileSync("/go-cache/" + part + "/new", "x"));
  attempt("change a compiler", () => fs.writeFileSync("/rt/go/bin/go", "x"));
  attempt("change a source", () => fs.writeFileSync("/rt/go/src/fmt/print.go", "x"));
  attempt("change the shim", () => fs.writeFileSync("/shim/main.cjs", "x"));
  const module = "/go-modules/MODULE_FILE";
  const hasModules = fs.existsSync("/go-modules");
  if (hasModules) {
    const isThere = fs.readFileSync(module, "utf8") === "a module";
    if (!isThere) done.push("find no module that it knows the hash of");
    attempt("write a module", () => fs.writeFileSync(module, "x"));
    attempt("append to a module", () => fs.appendFileSync(module, "x"));
    attempt("remove a module", () => fs.unlinkSync(module));
    attempt("rename a module", () => fs.renameSync(module, "/go-modules/other.zip"));
    attempt("change a module's mode", () => fs.chmodSync(module, 0o777));
    attempt("let others write to the modules", () => fs.chmodSync("/go-modules", 0o777));
    attempt("touch a module", () => fs.utimesSync(module, 1, 1));
    attempt("add a module", () => fs.writeFileSync("/go-modules/" + "1".repeat(64) + ".zip", "x"));
    fs.symlinkSync(module, "/tmp/module");
    attempt("write to a module through a link", () => fs.writeFileSync("/tmp/module", "x"));
    // Where root runs the server, a box's user owns nothing: it sees no module of which it does not know the hash.
    if (OWNS_NOTHING) attempt("list what others build with", () => fs.readdirSync("/go-modules"));
  }
  attempt("read the host's passwords", () => fs.readFileSync("/etc/passwd"));
  fs.symlinkSync(entry, "/tmp/link");
  attempt("write through a link", () => fs.writeFileSync("/tmp/link", "x"));
  const others = { "10.0.0.1": 80, "169.254.169.254": 80, "93.184.216.34": 443, "127.0.0.1": HOST_PORT, "::1": HOST_PORT };
  const tries = Object.entries(others).map(([host, port]) => new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: 2000 });
    const end = (word) => { if (word) done.push(word); socket.destroy(); resolve(); };
    socket.on("connect", () => end("connect to " + host)).on("error", () => end()).on("timeout", () => end());
  }));
  const own = new Promise((resolve) => {
    const server = net.createServer((socket) => socket.end("me")).listen(0, "127.0.0.1", () => {
      net.connect(server.address().port, "127.0.0.1").on("data", () => resolve("me")).on("error", (error) => resolve(error.code));
    });
    server.on("error", (error) => resolve(error.code));
  });
  Promise.all(tries).then(() => own).then((reached) => { console.log(JSON.stringify({ done, reached, hasModules })); process.exit(0); });
`;

suite("code that has taken over a build box", { skip }, () => {
  for (const fetches of [true, false]) {
    test(`BLD-07, BLD-09: changes nothing and reaches nobody (modules ${fetches ? "on" : "off"})`, async (t) => {
      const primed = await BuildsUnderTest.open();
      t.after(() => primed.close());
      const host = createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
      t.after(() => host.close());
      const address = host.address();
      assert.ok(address !== null && typeof address === "object");
      const cache = primed.cache?.dir ?? assert.fail("there is no shared cache");
      const before = fingerprint(cache);
      const dir = mkdtempSync(join(tmpdir(), "cloche-attack-"));
      t.after(() => rmSync(dir, { recursive: true, force: true }));
      chmodSync(dir, 0o711); // as a data folder has it
      const modules = openModuleCache({ dataDir: dir, asRoot: false, clock: systemClock });
      assert.ok(modules !== undefined);
      await modules.add(FETCHED, Buffer.from("a module"));
      const asRoot = process.getuid?.() === 0;
      const search = findToolchain({ goRoot: undefined, path: [] }, asRoot);
      const builder = goBuilder(search, {
        cacheDir: cache,
        modulesDir: fetches ? modules.dir : undefined,
        ...{ limits: { memoryBytes: 256 * MIB }, fetches },
      });
      assert.ok(builder.found);
      const script = ATTACK.replaceAll("HOST_PORT", String(address.port))
        .replace("MODULE_FILE", cachedName(FETCHED))
        .replace("OWNS_NOTHING", String(asRoot));
      const sandbox = await NurserySandbox.open(
        {
          images: [{ ...builder.image, command: ["/rt/node", "-e", script] }],
          limits: { memoryBytes: 256 * MIB, cpus: 1, pids: 64, tmpBytes: MIB },
          ...{ rootsDir: join(dir, "roots"), allowSoftLimits: false, maxBoxes: 1 },
        },
        () => {},
      );
      t.after(() => sandbox.close());
      const box = await sandbox.launch(builder.base);
      const printed = await text(box.stdout);
      await box.ended;

      const { done, reached, hasModules } = JSON.parse(printed) as {
        readonly done: string[];
        readonly reached: string;
        readonly hasModules: boolean;
      };
      assert.deepEqual(done, []);
      assert.equal(hasModules, fetches);
      assert.deepEqual(readdirSync(modules.dir), [cachedName(FETCHED)]);
      assert.equal(readFileSync(join(modules.dir, cachedName(FETCHED)), "utf8"), "a module");
      assert.equal(reached, fetches ? "me" : "EAFNOSUPPORT");
      assert.deepEqual(fingerprint(cache), before);
    });
  }
});

/** Locks every file of the shared folders that it can open, says how many, and holds them until its box is ended. */
const LOCKER = `package main

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime/debug"
	"syscall"
)

func main() {
	debug.SetGCPercent(-1)
	locked := map[string]int{}
	for _, root := range []string{"/go-cache", "/go-modules", "/rt/go/bin", "/rt/go/pkg", "/rt/go/src/fmt"} {
		filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			descriptor, err := syscall.Open(path, syscall.O_RDONLY, 0)
			if err != nil {
				return nil
			}
			if syscall.Flock(descriptor, syscall.LOCK_EX|syscall.LOCK_NB) == nil && locked[root] < 150 {
				locked[root]++
			} else {
				syscall.Close(descriptor)
			}
			return nil
		})
	}
	fmt.Println(len(locked))
	select {}
}
`;

suite("locks of code that has taken over a build box", { skip }, () => {
  test("BLD-07: on all that boxes share, keep no other build from its end", async (t) => {
    const builds = await BuildsUnderTest.open();
    t.after(() => builds.close());
    const { artifacts } = await builds.build({ "main.go": LOCKER });
    const dir = mkdtempSync(join(tmpdir(), "cloche-locks-"));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    chmodSync(dir, 0o711);
    const program = join(dir, "locker");
    writeFileSync(program, artifacts.native ?? assert.fail("it was not built"), { mode: 0o755 });
    const search = findToolchain({ goRoot: undefined, path: [] }, process.getuid?.() === 0);
    const cacheDir = builds.cache?.dir;
    const builder = goBuilder(search, { cacheDir, limits: { memoryBytes: 256 * MIB }, fetches: true });
    assert.ok(builder.found);
    const image = { ...builder.image, command: ["/shim/locker"] };
    const sandbox = await NurserySandbox.open(
      {
        images: [{ ...image, copies: [...image.copies, { from: program, to: "/shim/locker" }] }],
        limits: { memoryBytes: 256 * MIB, cpus: 1, pids: 64, tmpBytes: MIB },
        ...{ rootsDir: join(dir, "roots"), allowSoftLimits: false, maxBoxes: 1 },
      },
      () => {},
    );
    t.after(() => sandbox.close());
    const box = await sandbox.launch(builder.base);
    const [said] = (await once(box.stdout, "data")) as [Buffer];
    assert.ok(Number(said.toString()) >= 3, `it has locked files in ${said.toString()} folders`);
    const other = await builds.build({ "main.go": HELLO });
    box.kill();
    await box.ended;

    assert.ok(other.artifacts.native !== undefined);
  });
});

function fingerprint(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
    if (/-[ad]$/.test(name)) hash.update(`${name} ${sha256(readFileSync(join(folder, name)))}\n`);
  }
  return hash.digest("hex");
}

function sha256(bytes: Buffer | undefined): string {
  return createHash("sha256")
    .update(bytes ?? assert.fail("there is no program"))
    .digest("hex");
}
