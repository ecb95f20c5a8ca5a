import assert from "node:assert/strict";
import { test } from "node:test";
import type { BaseImage } from "../core/base-image.ts";
import { bubblewrapOptions } from "./bubblewrap.ts";
import { findGpu, type GpuMachine, withGpu } from "./gpu.ts";

const MIB = 1024 * 1024;
const CACHE = `	libnvidia-ml.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libnvidia-ml.so.1
	libnvidia-ptxjitcompiler.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libnvidia-ptxjitcompiler.so.1
	libcuda.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libcuda.so.1
	libcuda.so (libc6,x86-64) => /lib/x86_64-linux-gnu/libcuda.so
	libcurl.so.4 (libc6,x86-64) => /lib/x86_64-linux-gnu/libcurl.so.4
`;
const IMAGE: BaseImage = {
  base: "python",
  command: ["/usr/bin/python3"],
  copies: [],
  binds: [{ from: "/usr/bin/python3", to: "/usr/bin/python3" }],
  devices: [],
  librariesOf: [],
  env: {},
};

function machine(names: readonly string[], cache = CACHE): GpuMachine {
  return { list: () => names, libraryCache: () => cache };
}

test("a machine with two cards shows both, and the driver's libraries read-only", () => {
  const search = findGpu(machine(["null", "nvidia1", "nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-modeset"]));
  assert.ok(search.found);
  const image = withGpu(IMAGE, search.gpu);
  const limits = { memoryBytes: MIB, cpus: 1, pids: 1, tmpBytes: MIB };
  const { devices, binds } = image;
  const options = bubblewrapOptions({ rootDir: "/r", binds, devices, env: {}, limits, procMasks: undefined }).join(" ");

  for (const name of ["nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1"]) {
    assert.ok(options.includes(`--dev-bind /dev/${name} /dev/${name}`), name);
  }
  for (const name of ["libcuda.so.1", "libcuda.so", "libnvidia-ml.so.1", "libnvidia-ptxjitcompiler.so.1"]) {
    assert.ok(options.includes(` --ro-bind /lib/x86_64-linux-gnu/${name} `), name);
  }
  assert.doesNotMatch(options, /modeset|libcurl/);
});

test("each thing that is missing is named", () => {
  const reasonOf = (described: GpuMachine): string => {
    const search = findGpu(described);
    return search.found ? "found" : search.reason;
  };

  assert.match(reasonOf(machine(["null"])), /no NVIDIA device \(\/dev\/nvidia0\)/);
  assert.match(reasonOf(machine(["nvidia0", "nvidiactl"])), /\/dev\/nvidia-uvm is missing/);
  assert.match(reasonOf(machine(["nvidia0", "nvidiactl", "nvidia-uvm"], "")), /libcuda\.so\.1 is not installed/);
});

test("this machine is looked at without an error", () => {
  assert.equal(typeof findGpu().found, "boolean");
});
