import assert from "node:assert/strict";
import { test } from "node:test";
import { policyFor } from "./policy.ts";
import { SYSCALL_NUMBERS } from "./syscalls.ts";

test("every name of the policy is a system call of one of the architectures", () => {
  const known = new Set([...SYSCALL_NUMBERS.x64().keys(), ...SYSCALL_NUMBERS.arm64().keys()]);
  const unknown = [...policyFor({ memfd: true }).keys()].filter((name) => !known.has(name));

  assert.deepEqual(unknown, []);
});

test("what arm64 lacks of the policy are the old calls that newer ones have replaced", () => {
  const numbers = SYSCALL_NUMBERS.arm64();
  const missing = [...policyFor({ memfd: true })].filter(([name, rule]) => rule === "allow" && !numbers.has(name));

  assert.equal(
    missing
      .map(([name]) => name)
      .toSorted()
      .join(" "),
    "access alarm arch_prctl chmod chown creat dup2 epoll_create epoll_wait eventfd fork futimesat getdents getpgrp " +
      "lchown link lstat mkdir open pause pipe poll readlink rename rmdir select signalfd stat symlink " +
      "time unlink utime utimes vfork",
  );
});

test("memfd_create is allowed only where its memory is counted, memfd_secret never", () => {
  assert.equal(policyFor({ memfd: true }).get("memfd_create"), "allow");
  assert.equal(policyFor({ memfd: false }).get("memfd_create"), "ENOSYS");
  assert.equal(policyFor({ memfd: true }).get("memfd_secret"), "ENOSYS");
});
