import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BaseImage, ExtraCalls } from "../../core/base-image.ts";
import { makeFolder, placeFile, prepareBoxRoot } from "../box-root.ts";
import { bubblewrapOptions, GATE_SOCKET, type ProcMasks } from "../bubblewrap.ts";
import type { SandboxLimits } from "../sandbox.ts";

/** Everything of a launch that is the same for every box of a base. */
export interface Launch {
  /** bwrap's options, each ended by NUL. */
  readonly optionsFile: string;
  readonly seccompFile: string;
  readonly command: readonly string[];
  readonly limits: SandboxLimits;
}

/** Writes what launches read, and the root folder of each base, below `rootsDir`; base -> what launches it. */
export function prepareLaunches(plan: {
  readonly rootsDir: string;
  readonly images: readonly BaseImage[];
  /** True when every box gets a socket of the network gate. */
  readonly gated: boolean;
  readonly limits: SandboxLimits;
  readonly procMasks: ProcMasks | undefined;
  /** The filter, compiled as the kernel takes it. */
  readonly seccomp: (extraCalls: ExtraCalls) => Uint8Array;
}): ReadonlyMap<string, Launch> {
  const { rootsDir, procMasks } = plan;
  makeFolder(rootsDir); // the boxes' users pass through it to their root folders
  const launchDir = join(rootsDir, "launch");
  mkdirSync(launchDir, { recursive: true, mode: 0o700 });
  const ofBase = plan.images.map((image): [string, Launch] => {
    const { base, devices, env, command, extraCalls = {} } = image;
    const limits = { ...plan.limits, ...image.limits };
    const rootDir = join(rootsDir, base);
    const binds = prepareBoxRoot(rootDir, image);
    if (plan.gated) placeFile(join(rootDir, GATE_SOCKET));
    const options = bubblewrapOptions({ rootDir, binds, devices, env, limits, procMasks });
    const optionsFile = join(launchDir, base);
    writeFileSync(optionsFile, `${options.join("\0")}\0`);
    const seccompFile = join(launchDir, `${base}.seccomp`);
    writeFileSync(seccompFile, plan.seccomp(extraCalls));
    return [base, { optionsFile, seccompFile, command, limits }];
  });
  return new Map(ofBase);
}
