// What can be checked of the deploy folder without systemd, Docker or AppArmor.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SETTINGS } from "../../src/config/settings.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What bubblewrap calls to make a sandbox; bubblewrap.c of 0.11. */
const NEEDED = ["clone", "clone3", "unshare", "mount", "umount2", "pivot_root", "chdir", "prctl", "seccomp", "capset"];
/** Each was a way out of a container, or into the kernel, before. */
const DENIED = [
  "bpf",
  "keyctl",
  "add_key",
  "open_by_handle_at",
  "userfaultfd",
  "init_module",
  "kexec_load",
  "io_uring_setup",
];

interface SeccompProfile {
  readonly defaultAction: string;
  readonly archMap: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] }[];
  readonly syscalls: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet: number;
  }[];
}

function text(path: string): string {
  return readFileSync(join(ROOT, "deploy", path), "utf8");
}

test("the container's seccomp profile lets sandboxes be made, and denies what leads out", () => {
  const profile = JSON.parse(text("container/seccomp.json")) as SeccompProfile;
  const denied = profile.syscalls.flatMap(({ names }) => names);

  assert.equal(profile.defaultAction, "SCMP_ACT_ALLOW");
  for (const { action, errnoRet } of profile.syscalls) {
    assert.equal(action, "SCMP_ACT_ERRNO");
    assert.ok(errnoRet > 0, "errno 0 would tell the caller that it worked");
  }
  assert.deepEqual(
    NEEDED.filter((name) => denied.includes(name)),
    [],
  );
  assert.deepEqual(
    DENIED.filter((name) => !denied.includes(name)),
    [],
  );
  assert.equal(new Set(denied).size, denied.length, "each once");
  // 32-bit calls have other numbers, so a deny list must not let them in at all.
  assert.deepEqual(
    profile.archMap.flatMap(({ subArchitectures }) => subArchitectures),
    [],
  );
});

test("the unit delegates a cgroup, and sets nothing that keeps sandboxes from starting", () => {
  const lines = text("systemd/cloche.service").split("\n");

  assert.ok(lines.includes("Delegate=yes"));
  assert.ok(lines.includes("NoNewPrivileges=yes"));
  const harmful =
    /^(ProtectKernelTunables|ProtectKernelLogs|ProtectControlGroups|RestrictNamespaces|MemoryDenyWriteExecute|PrivateUsers)=/;
  assert.deepEqual(
    lines.filter((line) => harmful.test(line)),
    [],
  );
});

test("every file that the deploy folder starts or copies is in the project, and every setting is one", () => {
  const dockerfile = text("container/Dockerfile");
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, sources = ""]) =>
    sources.split(" "),
  );
  assert.ok(copied.length >= 3);
  for (const path of copied) assert.ok(existsSync(join(ROOT, path)), path);
  for (const started of [dockerfile, text("systemd/cloche.service")]) assert.ok(started.includes("src/main.ts"));

  const names = new Set<string>(Object.values(SETTINGS).map(({ name }) => name));
  const set = [
    ...[...text("container/compose.yaml").matchAll(/^ {6}([A-Z_]+):/gm)].map(([, name = ""]) => name),
    ...[...(/^ENV (.*)$/m.exec(dockerfile)?.[1] ?? "").matchAll(/([A-Z_]+)=/g)].map(([, name = ""]) => name),
  ];
  assert.ok(set.length >= 4, set.join());
  assert.deepEqual(
    set.filter((name) => !names.has(name)),
    [],
  );
});

test("the AppArmor profile is for the places where bubblewrap is looked for", () => {
  const profile = text("apparmor/cloche-bwrap");
  assert.match(profile, /^ {2}userns,$/m);
  assert.match(profile, /^profile cloche-bwrap \/\{usr\/,usr\/local\/,\}bin\/bwrap /m);
});
