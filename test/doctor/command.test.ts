// The doctor as a user runs it, on the machine that the tests run on.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Finding } from "../../scripts/doctor/examine.mjs";
import { repair } from "../../scripts/doctor/repair.mjs";
import { report } from "../../scripts/doctor/report.mjs";

const DOCTOR = join(import.meta.dirname, "../../scripts/doctor.mjs");

let dir = "";
before(() => {
  dir = mkdtempSync(join(tmpdir(), "cloche-doctor-"));
});
after(() => rmSync(dir, { recursive: true, force: true }));

/** Runs it in a folder without a `.env`, on a port that is free. */
function doctor(
  options: readonly string[],
  env: Record<string, string> = { HTTP_PORT: "0" },
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [DOCTOR, ...options], { cwd: dir, env }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

async function findings(env?: Record<string, string>): Promise<Finding[]> {
  return JSON.parse((await doctor(["--json"], env)).stdout) as Finding[];
}

test("the doctor finds that a sandbox starts here, as the other tests need it", async () => {
  const { code, stdout } = await doctor([]);

  assert.equal(code, 0, stdout);
  assert.match(stdout, /^ok {7}a sandbox starts as (an ordinary|this) user/m);
  assert.match(stdout, /hard limits on memory, CPU and processes by cgroup v[12]/);
  assert.match(stdout, /\n\n\d+ ok, \d+ warnings, 0 problems\n$/);
  assert.ok(!stdout.includes("\u001B"), "no colours where no terminal is");
});

test("the doctor leaves nothing in the folder that it runs in", async () => {
  await doctor([]);

  assert.deepEqual(readdirSync(dir), []);
});

test("--json gives findings of the documented shape, each with an id of its own", async () => {
  const found = await findings();

  for (const { id, level, what, canFix } of found) {
    assert.match(id, /^[a-z][a-z-]*$/);
    assert.ok(["ok", "info", "warning", "problem"].includes(level), level);
    assert.notEqual(what, "");
    assert.equal(typeof canFix, "boolean");
  }
  assert.equal(new Set(found.map(({ id }) => id)).size, found.length);
});

test("the doctor finds a port that is really taken, and exits with 1", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");

  const { code, stdout } = await doctor([], { HTTP_PORT: String(address.port) });
  server.close();

  assert.equal(code, 1);
  assert.match(stdout, new RegExp(`^problem  127\\.0\\.0\\.1:${address.port} is taken$`, "m"));
});

test("settings come from .env, too, and the environment wins", async () => {
  const file = join(dir, ".env");
  writeFileSync(file, "MAX_CONTAINERS=3\nHTTP_PORT=0\n");
  const memory = async (env: Record<string, string>): Promise<string | undefined> =>
    (await findings(env)).find(({ id }) => id === "memory")?.what;

  const [fromFile, fromEnvironment] = [await memory({}), await memory({ MAX_CONTAINERS: "2" })];
  rmSync(file);

  assert.match(fromFile ?? "", /for 3 sandboxes/);
  assert.match(fromEnvironment ?? "", /for 2 sandboxes/);
});

test("an option that nobody knows is refused", async () => {
  const { code, stderr } = await doctor(["--fxi"]);

  assert.equal(code, 2);
  assert.match(stderr, /"--fxi" is none of --fix, --json/);
});

suite("repairing", () => {
  const base = { id: "x", what: "something is wrong", canFix: true } as const;
  function repaired(finding: Finding, asRoot: boolean): { said: string[]; written: string } {
    const said: string[] = [];
    const file = join(dir, "written");
    repair([finding], { asRoot, dir, say: (text) => said.push(text) });
    const written = existsSync(file) ? readFileSync(file, "utf8") : "";
    rmSync(file, { force: true });
    return { said, written };
  }

  test("runs the commands in order, and says each", () => {
    const fix = ["echo one > written", "echo two >> written"];
    assert.deepEqual(repaired({ ...base, level: "problem", fix }, false), { said: fix, written: "one\ntwo\n" });
  });

  test("stops at a command that fails", () => {
    const fix = ["exit 3", "echo two > written"];
    assert.deepEqual(repaired({ ...base, level: "warning", fix }, false), {
      said: ["exit 3", "failed, exit code 3"],
      written: "",
    });
  });

  test("leaves alone what needs root, what is only advice, and what is no complaint", () => {
    const fix = ["echo one > written"];
    const needsRoot = repaired({ ...base, level: "problem", fix, needsRoot: true }, false);
    assert.deepEqual(needsRoot, { said: ["needs root, not repaired: something is wrong"], written: "" });
    assert.equal(repaired({ ...base, level: "problem", fix, needsRoot: true }, true).written, "one\n");
    for (const finding of [
      { ...base, level: "problem", fix, canFix: false },
      { ...base, level: "info", fix },
    ] as const) {
      assert.deepEqual(repaired(finding, true), { said: [], written: "" });
    }
  });
});

test("a report shows cost and commands, with sudo for those who are not root", () => {
  const fix = ["chmod u-s /usr/bin/bwrap", "echo a=1 > /etc/sysctl.d/x"];
  const finding: Finding = { id: "x", level: "problem", what: "bad", cost: "much", fix, canFix: true, needsRoot: true };
  const ok: Finding = { id: "y", level: "ok", what: "good", canFix: false };

  assert.equal(
    report([ok, finding], { colour: false, asRoot: false }),
    [
      "ok       good",
      "problem  bad",
      "         costs: much",
      "         fix:   sudo chmod u-s /usr/bin/bwrap",
      '                sudo sh -c "echo a=1 > /etc/sysctl.d/x"',
      "",
      "1 ok, 0 warnings, 1 problems\n",
    ].join("\n"),
  );
  assert.ok(!report([finding], { colour: false, asRoot: true }).includes("sudo"));
  assert.ok(report([ok], { colour: true, asRoot: true }).startsWith("\u001B[32mok "));
});
