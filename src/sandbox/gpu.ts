// The parts of an NVIDIA driver that a program in a box needs. Off unless the operator asks: a GPU's memory and its driver
// are shared by all who may use it.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import type { BaseImage } from "../core/base-image.ts";

export interface Gpu {
  /** Device nodes, absolute. */
  readonly devices: readonly string[];
  /** The driver's libraries, absolute, by the names under which programs load them. */
  readonly libraries: readonly string[];
}

export type GpuSearch =
  | { readonly found: true; readonly gpu: Gpu }
  | { readonly found: false; readonly reason: string };

/** What is looked at; tests describe other machines with it. */
export interface GpuMachine {
  /** Names in a folder; none where it is missing. */
  list(dir: string): readonly string[];
  /** What `ldconfig -p` prints. */
  libraryCache(): string;
}

const CONTROL = ["nvidiactl", "nvidia-uvm"];
const CARD = /^nvidia\d+$/;
const LIBRARY = /=> (\/\S*\/lib(?:cuda|nvidia-[a-z]+)\.so(?:\.\d+)?)$/gm;

export function findGpu(machine: GpuMachine = THIS_MACHINE): GpuSearch {
  const names = machine.list("/dev");
  const cards = names.filter((name) => CARD.test(name));
  if (cards.length === 0) return { found: false, reason: "there is no NVIDIA device (/dev/nvidia0)" };
  const missing = CONTROL.find((name) => !names.includes(name));
  if (missing !== undefined) {
    return { found: false, reason: `/dev/${missing} is missing; "nvidia-modprobe -u -c 0" makes it` };
  }
  const libraries = [...machine.libraryCache().matchAll(LIBRARY)].map((match) => match[1] ?? "");
  if (!libraries.some((path) => path.includes("/libcuda.so"))) {
    return { found: false, reason: "the driver's libcuda.so.1 is not installed" };
  }
  return {
    found: true,
    gpu: {
      devices: [...CONTROL, ...cards.toSorted()].map((name) => `/dev/${name}`),
      libraries: [...new Set(libraries)],
    },
  };
}

/** The image with the GPU in it. The libraries are read-only binds, like all that a box shows of the host. */
export function withGpu(image: BaseImage, gpu: Gpu): BaseImage {
  const binds = gpu.libraries.map((path) => ({ from: path, to: path }));
  return { ...image, devices: [...image.devices, ...gpu.devices], binds: [...image.binds, ...binds] };
}

const LDCONFIG = ["/sbin/ldconfig", "/usr/sbin/ldconfig"];

const THIS_MACHINE: GpuMachine = {
  list: (dir) => (existsSync(dir) ? readdirSync(dir) : []),
  libraryCache() {
    const command = LDCONFIG.find((path) => existsSync(path));
    return command === undefined ? "" : execFileSync(command, ["-p"], { encoding: "utf8", env: {} });
  },
};
