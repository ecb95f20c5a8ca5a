// @ts-check
// What a box cannot help: traces that tenants leave in the processor and in shared memory. Advice for those who let
// strangers run code; for one's own code there is nothing to do.

/** @typedef {import("./examine.mjs").Finding} Finding */
/** @typedef {import("./examine.mjs").Machine} Machine */

const SMT = "/sys/devices/system/cpu/smt/active";
const KSM = "/sys/kernel/mm/ksm/run";

/**
 * @param {Machine} machine
 * @returns {Finding[]}
 */
export function checkHostileTenants(machine) {
  /** @type {Finding[]} */
  const findings = [];
  if (machine.read(SMT)?.trim() === "1") {
    findings.push({
      id: "smt",
      level: "info",
      what: "two threads share each core (SMT)",
      cost: "with strangers as users: one sandbox can watch another on the same core (L1TF, MDS and their like)",
      fix: ["as root: echo off > /sys/devices/system/cpu/smt/control (costs throughput)"],
      canFix: false,
    });
  }
  if (machine.read(KSM)?.trim() === "1") {
    findings.push({
      id: "ksm",
      level: "info",
      what: "the kernel merges equal pages of memory (KSM)",
      cost: "with strangers as users: by the time of a write, one sandbox can tell what another holds",
      fix: ["as root: echo 2 > /sys/kernel/mm/ksm/run"],
      canFix: false,
    });
  }
  return findings;
}
