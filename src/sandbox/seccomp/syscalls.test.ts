import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { SYSCALL_NUMBERS } from "./syscalls.ts";

// From the kernel's own tables, at the ends of their rows and gaps.
const SAMPLES = {
  x64: {
    read: 0,
    getpid: 39,
    unlink: 87,
    ptrace: 101,
    arch_prctl: 158,
    futex: 202,
    openat: 257,
    unshare: 272,
    rseq: 334,
  },
  arm64: {
    io_setup: 0,
    renameat: 38,
    openat: 56,
    ptrace: 117,
    getpid: 172,
    clone: 220,
    recvmmsg: 243,
    wait4: 260,
    rseq: 293,
  },
};
const OF_ALL = { pidfd_send_signal: 424, clone3: 435, futex_waitv: 449, fchmodat2: 452, mseal: 462, file_setattr: 469 };

for (const arch of ["x64", "arm64"] as const) {
  suite(`the table of ${arch}`, () => {
    const numbers = SYSCALL_NUMBERS[arch]();

    test("has the kernel's numbers", () => {
      for (const [name, number] of Object.entries({ ...SAMPLES[arch], ...OF_ALL })) {
        assert.equal(numbers.get(name), number, name);
      }
    });

    test("names every call and every number once", () => {
      const rows = [...numbers];

      assert.equal(new Set(rows.map(([, number]) => number)).size, rows.length);
      assert.equal(rows.length, { x64: 384, arm64: 326 }[arch]);
    });
  });
}
