// The nursery process: it boots, limits and reaps boxes, so that the server's process never forks (a spawn blocks its
// thread for 2 ms, 27 at the worst). It hands the boxes' sockets over and keeps none. When the server is gone, it ends every box.
import { readFileSync } from "node:fs";
import { messageOf } from "../../core/errors.ts";
import { settleHeapWhenQuiet } from "../../core/settle-heap.ts";
import { gateOptions, launchScript } from "../bubblewrap.ts";
import type { CgroupFactory } from "../cgroup/cgroup.ts";
import { openCgroups } from "../cgroup/open-cgroups.ts";
import { findBubblewrap } from "../find-bubblewrap.ts";
import { onServerGone } from "../lifeline.ts";
import { procMasks } from "../proc-masks.ts";
import type { SandboxLimits } from "../sandbox.ts";
import { placeForRoots, removeRoots } from "../roots-place.ts";
import { seccompFilter } from "../seccomp/compile.ts";
import { tryBubblewrap } from "../try-bubblewrap.ts";
import { Box } from "./box.ts";
import type { FromNursery, NurserySettings, SocketName, ToNursery } from "./messages.ts";
import { UidSlots } from "./uid-slots.ts";
import { featuresInForce } from "./features.ts";
import { closeInheritedDescriptors } from "./inherited-descriptors.ts";
import { type Launch, prepareLaunches } from "./launches.ts";

interface Nursery {
  readonly cgroups: CgroupFactory;
  readonly scriptFor: (limits: SandboxLimits) => string;
  readonly uids: UidSlots | undefined;
  readonly launches: ReadonlyMap<string, Launch>;
  readonly rootsDir: string;
}

let nursery: Nursery | undefined;
const boxes = new Map<number, Box>();

process.on("message", (message: ToNursery) => {
  handle(message).catch((error: unknown) => {
    process.stderr.write(`nursery: ${messageOf(error)}\n`);
    process.exit(1);
  });
});
onServerGone(() => void closeAll());
// Ctrl-C reaches the whole process group; the server decides when its sandboxes end, and tells us.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("SIGHUP", () => {});

async function handle(message: ToNursery): Promise<void> {
  switch (message.t) {
    case "open":
      open(message.settings);
      break;
    case "launch":
      launch(message.id, message.base, message.gateSocket);
      break;
    case "kill":
      boxes.get(message.id)?.kill();
      break;
    case "background":
      boxes.get(message.id)?.setBackground(message.background);
      break;
    case "relieve":
      boxes.get(message.id)?.relieve();
      break;
    case "measure":
      tell({ t: "measured", question: message.question, memoryBytes: boxes.get(message.id)?.memoryBytes() });
      break;
    case "close":
      await closeAll();
      break;
  }
}

function open(settings: NurserySettings): void {
  const undo: (() => void)[] = [];
  try {
    closeInheritedDescriptors();
    const bubblewrap = findBubblewrap();
    const ability = tryBubblewrap(bubblewrap.path);
    const asRoot = process.getuid?.() === 0;
    const cgroups = openCgroups(asRoot, [process.ppid, process.pid]);
    undo.push(() => cgroups.close());
    if (!cgroups.enforces.memory && !settings.allowSoftLimits) {
      throw new Error(
        `memory and CPU of sandboxes cannot be limited here: ${cgroups.title}. Start as root, or as a user with a delegated ` +
          `cgroup ("systemd-run --user --scope -p Delegate=yes npm start"), or accept it by name: ALLOW_SOFT_LIMITS=true`,
      );
    }
    const rootsDir = asRoot ? placeForRoots(settings.rootsDir) : settings.rootsDir;
    undo.push(() => removeRoots(rootsDir));
    const launches = prepareLaunches({
      rootsDir,
      images: settings.images,
      gated: settings.gate !== undefined,
      limits: settings.limits,
      procMasks: ability.proc ? procMasks(asRoot) : undefined,
      // Memory of a memfd is nobody's resident memory: without a cgroup only its absence bounds it.
      seccomp: (extraCalls) => seccompFilter(process.arch, { memfd: cgroups.enforces.memory, ...extraCalls }),
    });
    const maxProcesses = ({ pids }: SandboxLimits): number => (cgroups.enforces.pids ? PROCESSES_BEHIND_CGROUP : pids);
    nursery = {
      cgroups,
      scriptFor: (limits) =>
        launchScript(bubblewrap.path, asRoot ? maxProcesses(limits) : undefined, cgroups.held ?? false),
      uids: asRoot ? new UidSlots(settings.maxBoxes, process.pid, readFileSync("/etc/passwd", "utf8")) : undefined,
      launches,
      rootsDir,
    };
    tell({
      t: "opened",
      features: featuresInForce({ bubblewrap, ability, cgroups, asRoot, limits: settings.limits, gate: settings.gate }),
    });
    settleHeapWhenQuiet();
  } catch (error) {
    for (const step of undo) step();
    tell({ t: "refused", message: messageOf(error) });
  }
}

/** Of a box's own user: a second line behind the cgroup's limit, which tells more. */
const PROCESSES_BEHIND_CGROUP = 512;

function launch(id: number, base: string, gateSocket: string | undefined): void {
  const plan = nursery?.launches.get(base);
  if (nursery === undefined || plan === undefined) {
    tell({ t: "not-launched", id, message: `the nursery knows no base "${base}"` });
    return;
  }
  const { uids } = nursery;
  let uid: number | undefined;
  let box: Box;
  try {
    uid = uids?.take();
    const { cgroups } = nursery;
    box = new Box({
      launchScript: nursery.scriptFor(plan.limits),
      optionsFile: plan.optionsFile,
      seccompFile: plan.seccompFile,
      ownOptions: gateSocket === undefined ? [] : gateOptions(gateSocket),
      command: plan.command,
      createCgroup: () => cgroups.create(String(id), plan.limits),
      held: cgroups.held ?? false,
      uid,
    });
  } catch (error) {
    if (uid !== undefined) uids?.giveBack(uid);
    tell({ t: "not-launched", id, message: messageOf(error) });
    return;
  }
  boxes.set(id, box);
  for (const name of ["control", "stdout", "stderr"] as const) handOver(id, name, box);
  void bury(id, box, uid);
}

async function bury(id: number, box: Box, uid: number | undefined): Promise<void> {
  const ending = await box.ended;
  boxes.delete(id);
  if (uid !== undefined) nursery?.uids?.giveBack(uid);
  tell({ t: "ended", id, ending });
}

function handOver(id: number, name: SocketName, box: Box): void {
  if (!process.connected) return;
  process.send?.({ t: "socket", id, name } satisfies FromNursery, box[name], { keepOpen: false }, ignoreLostServer);
}

function tell(message: FromNursery): void {
  if (process.connected) process.send?.(message, undefined, undefined, ignoreLostServer);
}

/** A server that dies while we tell it something must not take us with it: its boxes are still to be ended. */
function ignoreLostServer(): void {}

async function closeAll(): Promise<void> {
  for (const box of boxes.values()) box.kill();
  await Promise.all([...boxes.values()].map((box) => box.ended));
  nursery?.cgroups.close();
  if (nursery !== undefined) removeRoots(nursery.rootsDir);
  process.exit(0);
}
