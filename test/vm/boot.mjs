// Boots a guest in QEMU and reads what its tests report. The processor is emulated: nested KVM hangs on some hosts, and
// emulation is fast enough.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const LIMIT_MS = 8 * 60_000; // twice what a guest takes on two slow, busy cores
const MACHINE = [
  // One processor on one thread: with a thread for each, one start of Node in twenty crashes (QEMU 7.2).
  ...["-accel", "tcg,thread=single", "-cpu", "max", "-smp", "1", "-m", "2048"],
  ...["-nodefaults", "-no-reboot", "-display", "none"],
];
const CONSOLE_TAIL = 4000; // characters

/**
 * @param options more of the kernel's command line
 * @param onResult called with each test's result, `{ name, result, seconds, error? }`
 * @returns undefined, or why the guest did not come to its end, with the end of its console
 */
export async function boot({ kernel, image, options, consoleFile, onResult }) {
  const kernelOptions = `console=ttyS0 loglevel=3 panic=-1 mitigations=off ${options}`;
  const machine = spawn(
    "nice",
    [
      ...["-n", "10", "qemu-system-x86_64", ...MACHINE, "-kernel", kernel, "-initrd", image, "-append", kernelOptions],
      ...["-serial", `file:${consoleFile}`, "-serial", "stdio"],
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const limit = setTimeout(() => machine.kill("SIGKILL"), LIMIT_MS);
  const stop = () => machine.kill("SIGKILL");
  process.once("exit", stop);
  let done = false;
  for await (const line of createInterface({ input: machine.stdout })) {
    const message = JSON.parse(line);
    if (message.done) done = true;
    else onResult(message);
  }
  clearTimeout(limit);
  process.off("exit", stop);
  if (done) return undefined;
  return `the guest ended, or was ended after ${LIMIT_MS / 60_000} minutes, before its tests did. Its console:\n${readFileSync(consoleFile, "utf8").slice(-CONSOLE_TAIL)}`;
}
