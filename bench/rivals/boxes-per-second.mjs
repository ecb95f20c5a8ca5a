// How many fresh sandboxes with an interpreter this machine can start: two at a time, bare `bwrap --unshare-all`.
//   node boxes-per-second.mjs <seconds> <interpreter> [arguments]
import { spawn } from "node:child_process";

const [, , seconds, ...command] = process.argv;
const untilMs = performance.now() + Number(seconds) * 1000;
const startedMs = performance.now();
let count = 0;

async function starter() {
  while (performance.now() < untilMs) {
    await new Promise((resolve, reject) => {
      const box = ["--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"];
      const child = spawn("/usr/bin/bwrap", [...box, "--", ...command], { stdio: "ignore" });
      child.on("error", reject);
      child.on("close", (status) => (status === 0 ? resolve() : reject(new Error(`bwrap ended with ${status}`))));
    });
    count++;
  }
}

await Promise.all([starter(), starter()]);
process.stdout.write(`${(count * 1000) / (performance.now() - startedMs)}\n`);
