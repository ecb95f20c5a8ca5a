// What the doctor says of the limits.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";

export const DOCTOR = [process.execPath, "/opt/cloche/scripts/doctor.mjs", "--json"];

/** The finding about cgroups, `{ level, what, fix, … }`, in what the doctor printed. */
export function limitsIn(json) {
  return JSON.parse(json).find(({ id }) => id === "limits");
}

/** The same, asked from a group and by a user of the test's choice. */
export async function askDoctor({ group, uid, settings = {} }) {
  const child = spawn("/bin/sh", ["-c", 'read -r _; exec "$@"', "sh", ...DOCTOR], {
    cwd: "/tmp",
    env: { PATH: process.env.PATH, ...settings },
    stdio: ["pipe", "pipe", "inherit"],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  writeFileSync(join(group, "cgroup.procs"), String(child.pid));
  child.stdin.end("go\n");
  return limitsIn(await text(child.stdout));
}
