import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { seccompFilter } from "./compile.ts";
import { evaluate } from "./evaluate.fixture.ts";
import { ERRNO, policyFor, type PolicyOptions, type Rule, type Verdict } from "./policy.ts";
import { SYSCALL_NUMBERS } from "./syscalls.ts";

const AUDIT_ARCH = { x64: 0xc000_003e, arm64: 0xc000_00b7 };
const I386 = 0x4000_0003;
const ARM = 0x4000_0028;
const HIGH = 1n << 32n;

/** Values to try for every argument of every call: none, all, each single bit, and what the policy itself compares with. */
const SINGLE_BITS = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit));
const PLAIN_VALUES = [0n, 1n, 0xffff_ffffn, 0xffff_ffff_ffff_ffffn];

function returnValueOf(verdict: Verdict): number {
  if (verdict === "allow") return 0x7fff_0000;
  if (verdict === "kill") return 0x8000_0000;
  return 0x0005_0000 + ERRNO[verdict];
}

/** The policy read directly, without any of the compiler's ways. */
function expectedFor(rule: Rule, args: readonly bigint[]): Verdict {
  if (typeof rule === "string") return rule;
  const compared = BigInt.asUintN(32, args[rule.argument] ?? 0n) & BigInt(rule.mask);
  return expectedFor(rule.values.some((value) => BigInt(value) === compared) ? rule.listed : rule.otherwise, args);
}

function valuesFor(rule: Rule): bigint[] {
  if (typeof rule === "string") return PLAIN_VALUES;
  const near = rule.values.flatMap((value) => [BigInt(value), BigInt(value) + 1n, BigInt(value) + HIGH]);
  return [...PLAIN_VALUES, ...SINGLE_BITS, ...near];
}

const VARIANTS: { readonly [name: string]: PolicyOptions } = {
  "with memfd": { memfd: true },
  "without memfd": { memfd: false },
  "with locks and loopback": { memfd: true, fileLocks: true, loopback: true },
};

for (const arch of ["x64", "arm64"] as const) {
  for (const [variant, options] of Object.entries(VARIANTS)) {
    suite(`the filter for ${arch} ${variant}`, () => {
      const filter = seccompFilter(arch, options);
      const policy = policyFor(options);
      const nameOf = new Map([...SYSCALL_NUMBERS[arch]()].map(([name, number]) => [number, name]));

      test("says what the policy says, for every number and many arguments, in few steps", () => {
        let longest = 0;
        for (let nr = 0; nr < 1200; nr++) {
          const name = nameOf.get(nr) ?? "";
          const rule = policy.get(name) ?? "ENOSYS";
          for (const value of valuesFor(rule)) {
            for (const argument of typeof rule === "string" ? [0] : [0, 1, 2, 3, 4, 5]) {
              const args = [0n, 0n, 0n, 0n, 0n, 0n].with(argument, value);
              const { value: actual, steps } = evaluate(filter, { nr, arch: AUDIT_ARCH[arch], args });
              if (actual !== returnValueOf(expectedFor(rule, args)))
                assert.fail(`${nr} ${name} ${args.join(" ")}: ${actual}`);
              longest = Math.max(longest, steps);
            }
          }
        }
        assert.ok(longest <= 25, `${longest} steps`);
      });

      test("is small", () => {
        assert.ok(filter.length / 8 <= 250, `${filter.length / 8} instructions`);
      });

      test("kills what belongs to another architecture, whatever its number", () => {
        const others = [I386, ARM, 0, 0xffff_ffff, AUDIT_ARCH[arch] - 1, AUDIT_ARCH[arch] + 1];
        for (const other of [...others, AUDIT_ARCH[arch === "x64" ? "arm64" : "x64"]]) {
          for (const nr of [0, 20, 39, 172, 1199]) {
            assert.equal(evaluate(filter, { nr, arch: other }).value, returnValueOf("kill"));
          }
        }
      });
    });
  }
}

suite("on x86-64", () => {
  const filter = seccompFilter("x64", { memfd: true });

  test("every call of x32 kills, also those whose number without the bit is allowed", () => {
    for (const nr of [0x4000_0000, 0x4000_0000 + 39, 0x4000_0000 + 520, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      assert.equal(evaluate(filter, { nr, arch: AUDIT_ARCH.x64 }).value, returnValueOf("kill"), String(nr));
    }
  });

  test("the numbers below the x32 bit are unknown calls", () => {
    for (const nr of [512, 520, 547, 0x3fff_ffff]) {
      assert.equal(evaluate(filter, { nr, arch: AUDIT_ARCH.x64 }).value, returnValueOf("ENOSYS"), String(nr));
    }
  });
});

suite("one argument decides", () => {
  const SIGCHLD = 17n;
  const THREAD_FLAGS = 0x3d0f00n; // what pthread_create asks for
  const NAMESPACES = [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n, 0x80n];
  const OTHER_FAMILIES = [0n, 2n, 10n, 16n, 17n, 38n, 40n, 2n + HIGH]; // inet, inet6, netlink, packet, alg, vsock
  const CHR = 0o020666n;
  const BLK = 0o060666n;
  const REG = 0o100666n;
  const FIFO = 0o010666n;
  const SOCK = 0o140666n;
  const cases: readonly (readonly [string, readonly bigint[], Verdict])[] = [
    ["clone", [SIGCHLD], "allow"],
    ["clone", [THREAD_FLAGS], "allow"],
    ["clone", [THREAD_FLAGS + HIGH], "allow"],
    ...NAMESPACES.map((flag) => ["clone", [SIGCHLD | flag], "EPERM"] as const),
    ...NAMESPACES.map((flag) => ["clone", [(SIGCHLD | flag) + HIGH], "EPERM"] as const),
    ["ioctl", [0n, 0x5401n], "allow"], // TCGETS: isatty
    ["ioctl", [0n, 0x541bn], "allow"], // FIONREAD
    ...[0x5412n, 0x541cn, 0x541dn, 0x5423n].flatMap((request) => [
      ["ioctl", [0n, request], "EPERM"] as const,
      ["ioctl", [0n, request + HIGH], "EPERM"] as const, // CVE-2019-10063
    ]),
    ["socket", [1n, 1n, 0n], "allow"],
    ["socket", [1n + HIGH, 1n, 0n], "allow"], // the kernel reads an int: a unix socket
    ...OTHER_FAMILIES.map((family) => ["socket", [family, 1n, 0n], "EAFNOSUPPORT"] as const),
    ["socketpair", [1n, 1n, 0n], "allow"],
    ...OTHER_FAMILIES.map((family) => ["socketpair", [family, 1n, 0n], "EAFNOSUPPORT"] as const),
    ["setsockopt", [3n, 1n, 7n], "allow"], // SO_SNDBUF
    ...[26n, 50n, 51n, 52n, 26n + HIGH].map((option) => ["setsockopt", [3n, 1n, option], "EPERM"] as const),
    ["sendto", [3n, 0n, 1n, 0x4000n], "allow"], // MSG_NOSIGNAL
    ["sendto", [3n, 0n, 1n, 0x4001n], "EOPNOTSUPP"],
    ["sendmsg", [3n, 0n, 0x4000n], "allow"],
    ["sendmsg", [3n, 0n, 1n + HIGH], "EOPNOTSUPP"],
    ["sendmmsg", [3n, 0n, 1n, 0n], "allow"],
    ["sendmmsg", [3n, 0n, 1n, 1n], "EOPNOTSUPP"],
    ...[2n, 4n, 15n, 16n, 23n, 29n, 38n, 41n, 0x53564d41n].map((option) => ["prctl", [option], "allow"] as const),
    // PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_MM, PR_CAP_AMBIENT, PR_SET_SYSCALL_USER_DISPATCH
    ...[1n, 22n, 24n, 35n, 47n, 59n, 35n + HIGH].map((option) => ["prctl", [option], "EINVAL"] as const),
    ["personality", [0n], "allow"],
    ["personality", [0xffffffffn], "allow"],
    ["personality", [0xffffffffffffffffn], "allow"],
    ["personality", [0x40000n], "EPERM"], // ADDR_NO_RANDOMIZE
    ["personality", [0x400000n + HIGH], "EPERM"], // READ_IMPLIES_EXEC
    ...[REG, FIFO, SOCK, 0o666n, REG + HIGH].map((mode) => ["mknodat", [0n, 0n, mode], "allow"] as const),
    ...[CHR, BLK, 0o040666n, 0o120666n, CHR + HIGH].map((mode) => ["mknodat", [0n, 0n, mode], "EPERM"] as const),
    ...[REG, FIFO, SOCK, 0o666n].map((mode) => ["mknod", [0n, mode], "allow"] as const),
    ...[CHR, BLK].map((mode) => ["mknod", [0n, mode], "EPERM"] as const),
  ];
  for (const arch of ["x64", "arm64"] as const) {
    test(`in ${cases.length} cases on ${arch}`, () => {
      const filter = seccompFilter(arch, { memfd: true });
      const numbers = SYSCALL_NUMBERS[arch]();
      for (const [name, args, verdict] of cases) {
        const nr = numbers.get(name);
        if (nr === undefined) assert.ok(arch === "arm64" && name === "mknod", name);
        else {
          const { value } = evaluate(filter, { nr, arch: AUDIT_ARCH[arch], args });
          assert.equal(value, returnValueOf(verdict), `${name} ${args.join(" ")}`);
        }
      }
    });
  }
});

test("with loopback, TCP over IPv4 is the one family beside unix sockets; and pairs stay unix", () => {
  const STREAM = 1n;
  const FLAGS = 0o2004000n;
  const cases: readonly (readonly [string, readonly bigint[], Verdict])[] = [
    ["socket", [1n, STREAM, 0n], "allow"],
    ["socket", [2n, STREAM, 0n], "allow"],
    ["socket", [2n, STREAM | FLAGS, 6n], "allow"],
    ["socket", [2n, STREAM, 132n], "EAFNOSUPPORT"], // SCTP
    ["socket", [2n, STREAM, 262n], "EAFNOSUPPORT"], // MPTCP
    ["socket", [2n, 2n, 0n], "EAFNOSUPPORT"], // UDP
    ["socket", [2n, 3n | FLAGS, 6n], "EAFNOSUPPORT"], // raw
    ...[10n, 16n, 17n, 38n, 40n].map((family) => ["socket", [family, STREAM, 0n], "EAFNOSUPPORT"] as const),
    ["socketpair", [2n, STREAM, 0n], "EAFNOSUPPORT"],
    ["flock", [0n, 1n], "ENOSYS"], // that is another option
  ];
  const filter = seccompFilter("x64", { memfd: true, loopback: true });
  for (const [name, args, verdict] of cases) {
    const nr = SYSCALL_NUMBERS.x64().get(name) ?? assert.fail(name);
    const { value } = evaluate(filter, { nr, arch: AUDIT_ARCH.x64, args });
    assert.equal(value, returnValueOf(verdict), `${name} ${args.join(" ")}`);
  }
});

test("an architecture without a table is an error that names it", () => {
  assert.throws(() => seccompFilter("riscv64", { memfd: true }), /architecture "riscv64", only for x64 and arm64/);
});
