// The moment before a box is one: the launcher must rather not start than start without its limits.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Writable } from "node:stream";
import { suite, test } from "node:test";
import { LAUNCH_FD, launchScript } from "../../src/sandbox/bubblewrap.ts";

const REFUSED = 125;
const STARTED = 42;
const NOBODY = 65_534;
/** In place of bubblewrap: whoever gets here was started. */
const PROGRAM = `/bin/sh -c 'exit ${STARTED}' --`;

/** Runs the launch script as an ordinary user, below `limits` of prlimit(1); resolves to its exit code. */
function launch(limits: readonly string[], atTheGate: (gate: Writable) => void): Promise<number | null> {
  const script = launchScript(PROGRAM, 64, false);
  const nothing = openSync("/dev/null", "r");
  const fds = Object.values(LAUNCH_FD).map((fd) => (fd === LAUNCH_FD.gate ? ("pipe" as const) : nothing));
  const args = [...limits, "/bin/sh", "-c", script, "sh", "--", "/bin/true"];
  const launcher = spawn("/usr/bin/prlimit", args, {
    uid: NOBODY,
    gid: NOBODY,
    cwd: "/",
    env: {},
    stdio: ["ignore", "ignore", "ignore", ...fds],
  });
  closeSync(nothing);
  const gate = launcher.stdio[LAUNCH_FD.gate] as Writable;
  gate.on("error", () => {}); // the launcher may have given up before it reads
  atTheGate(gate);
  return new Promise((resolve) => {
    launcher.on("exit", (code) => resolve(code));
  });
}

suite("a launcher", () => {
  test("ESC-24: starts what it is for when it is told to, and all limits can be set", async () => {
    assert.equal(await launch([], (gate) => gate.end("go\n")), STARTED);
  });

  test("ESC-24: starts nothing when whoever would limit it dies first", async () => {
    assert.equal(await launch([], (gate) => gate.destroy()), REFUSED);
    assert.equal(await launch([], (gate) => gate.end()), REFUSED);
  });

  const TOO_LOW = [
    "--nofile=100:100",
    "--memlock=1024:1024",
    "--fsize=4096:4096",
    "--stack=65536:65536",
    "--nproc=10:10",
  ];
  for (const limit of TOO_LOW) {
    test(`ESC-25: starts nothing when its own limit cannot be set (${limit})`, async () => {
      assert.equal(await launch([limit], (gate) => gate.end("go\n")), REFUSED);
    });
  }
});
