// Tries the classic ways out of a box and tells which of them work: none, or the server does not start. It is run like any
// caller's script. `input`: { hostPaths: string[], serverPid: number }.
/* global input, result */
import { appendFileSync, closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";

const holes = [];

function mustFail(what, attempt) {
  try {
    attempt();
  } catch {
    return;
  }
  holes.push(what);
}

mustFail("open /proc/sys/kernel/core_pattern for writing", () =>
  closeSync(openSync("/proc/sys/kernel/core_pattern", "r+")),
);
for (const path of input.hostPaths) mustFail(`see the host's ${path}`, () => statSync(path));
for (const path of ["/written", "/rt/written", "/dev/written", "/lib/written"]) {
  mustFail(`write to ${path}`, () => writeFileSync(path, ""));
}
mustFail("change its interpreter", () => appendFileSync(process.execPath, ""));
if (input.serverPid !== process.pid) mustFail("signal the server", () => process.kill(input.serverPid, 0));

const refusal = await new Promise((resolve) => {
  const server = createServer().on("error", (error) => resolve(error.code));
  server.listen({ host: "127.0.0.1", port: 0 }, () => {
    server.close();
    resolve("listening");
  });
});
// Only the system call filter answers so.
if (refusal !== "EAFNOSUPPORT") holes.push(`make a network socket (${refusal})`);

/** Empty in a box without `/proc`. */
function readProc(name) {
  try {
    return readFileSync(`/proc/self/${name}`, "utf8");
  } catch {
    return "";
  }
}

const status = readProc("status");
if (status !== "") {
  if (!/^Seccomp:\s+2$/m.test(status)) holes.push("make any system call: no filter is in force");
  if (!/^NoNewPrivs:\s+1$/m.test(status)) holes.push("gain privileges by running a setuid program");
  if (!/^CapEff:\s+0+$/m.test(status)) holes.push("use capabilities");
  if (!/^\s*\d+\s+[1-9]\d*\s+1\s*$/.test(readProc("uid_map"))) holes.push("act as root of the host");
  const others = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  if (others.length > 0) holes.push(`see processes of others (${others.join(", ")})`);
}

globalThis.result = holes;
