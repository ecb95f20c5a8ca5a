// Tests what needs cgroup v2 or systemd, in virtual machines made of this machine's files; docs/testing-in-a-vm.md.
//   npm run test:vm               both guests
//   npm run test:vm -- plain      one of them: plain, systemd
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boot } from "./boot.mjs";
import { buildImage } from "./image.mjs";
import { findKernel, provide } from "./requirements.mjs";

const GUESTS = {
  plain: { title: "cgroup v2, without systemd", systemd: false, options: "vm.init=/vm/boot-plain.sh" },
  systemd: {
    title: "systemd",
    systemd: true,
    options: "vm.init=/usr/lib/systemd/systemd systemd.unit=vm-tests.target systemd.show_status=0",
  },
};
const MARKS = { passed: "✔", failed: "✖", skipped: "﹣" };

const named = process.argv.slice(2);
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1)); // a guest ends with us
try {
  const unknown = named.find((name) => GUESTS[name] === undefined);
  if (unknown !== undefined) throw new Error(`"${unknown}" is none of ${Object.keys(GUESTS).join(", ")}`);
  for (const name of named.length > 0 ? named : Object.keys(GUESTS)) await runGuest(GUESTS[name]);
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
process.stdout.write(
  `\n${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""}\n`,
);
// In here nothing has a reason to be skipped: a skipped test is a promise that nobody checked.
if (counts.failed > 0 || counts.skipped > 0 || counts.passed === 0) process.exitCode = 1;

async function runGuest({ title, systemd, options }) {
  provide({ systemd, say });
  const kernel = findKernel();
  const folder = mkdtempSync(join(tmpdir(), "cloche-vm-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const image = join(folder, "initrd");
  buildImage({ file: image, kernelVersion: kernel.version, systemd });
  say(`${title}: booting Linux ${kernel.version}, emulated`);
  const problem = await boot({
    kernel: kernel.path,
    image,
    options,
    consoleFile: join(folder, "console"),
    onResult: show,
  });
  rmSync(folder, { recursive: true, force: true });
  if (problem === undefined) return;
  counts.failed++;
  say(problem);
}

function show({ name, result, seconds, error }) {
  counts[result]++;
  process.stdout.write(`${MARKS[result]} ${name} (${seconds} s)\n${error === undefined ? "" : `${error}\n`}`);
}

function say(text) {
  process.stdout.write(`vm: ${text}\n`);
}
