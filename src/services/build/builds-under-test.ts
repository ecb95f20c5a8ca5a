// Builds in real boxes, as the server does them, without a server around.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BaseImage } from "../../core/base-image.ts";
import { systemClock } from "../../core/clock.ts";
import { PlatformError } from "../../core/errors.ts";
import type { ArtifactMode } from "../../core/program.ts";
import { cacheKeyOf, goBuilder } from "../../runtimes/go/builder.ts";
import { findTinyGo } from "../../runtimes/go/tinygo.ts";
import { findToolchain } from "../../runtimes/go/toolchain.ts";
import { folderName, pidsIn } from "../../sandbox/cgroup/files.ts";
import { withCertificates } from "../../sandbox/egress/certificates.ts";
import type { EgressGateProcess } from "../../sandbox/egress/gate-process.ts";
import { NurserySandbox } from "../../sandbox/nursery-sandbox.ts";
import type { Sandbox, SandboxedProcess } from "../../sandbox/sandbox.ts";
import { type Built, type BuildService, createBuild, type ModuleSources } from "../build.ts";
import { type BuildLimits, FIXED_LIMITS } from "./failure.ts";
import { type GoCache, openGoCache } from "./go-cache.ts";
import { type ModuleCache, openModuleCache } from "./module-cache.ts";
import { createModuleFetch, type FetchLimits } from "./module-fetch.ts";
import { primeGoCache } from "./prime.ts";

const MIB = 1024 * 1024;
const NO_MODULES: ModuleSources = { proxy: "off", sumDb: "off", egress: "none" };
const LIMITS: BuildLimits = {
  ...FIXED_LIMITS,
  ...{ timeoutMs: 300_000, memoryBytes: 1024 * MIB, diskBytes: 512 * MIB, cpus: 2, concurrency: 1 },
};

export interface Wishes {
  readonly limits?: Partial<BuildLimits>;
  readonly modules?: ModuleSources;
  readonly gate?: EgressGateProcess | undefined;
  /** The certificate authority to trust, instead of the host's. */
  readonly caFile?: string;
  /** Undefined: all modules are fetched by the box. */
  readonly fetchLimits?: Partial<FetchLimits>;
  /** False: the standard library is compiled by each build. */
  readonly primed?: boolean;
  /** As the setting: undefined is none, wherever it may be on this machine. */
  readonly tinyGoRoot?: string;
}

export interface Files {
  readonly [path: string]: string | Buffer;
}

export interface Failure {
  readonly message: string;
  readonly output: string;
  readonly files: readonly { file: string; line: number; column: number; message: string }[];
}

/** True where this machine has Go; tests that need it are skipped elsewhere. */
export const hasGo = findToolchain({ goRoot: undefined, path: [] }, process.getuid?.() === 0).found;

export class BuildsUnderTest {
  readonly service: BuildService;
  readonly cache: GoCache | undefined;
  readonly moduleCache: ModuleCache | undefined;
  /** Of the names that the server has asked the gate for. */
  readonly connections: readonly string[];
  readonly #dir: string;
  readonly #sandbox: NurserySandbox;
  readonly #places: readonly string[];
  /** The boxes of all builds so far. */
  readonly launched: readonly SandboxedProcess[];

  static async open({
    limits = {},
    modules = NO_MODULES,
    gate,
    caFile,
    fetchLimits,
    primed = true,
    tinyGoRoot = "off",
  }: Wishes = {}): Promise<BuildsUnderTest> {
    const all = { ...LIMITS, ...limits };
    const asRoot = process.getuid?.() === 0;
    const dir = mkdtempSync(join(tmpdir(), "cloche-builds-"));
    const search = findToolchain({ goRoot: undefined, path: [] }, asRoot);
    assert.ok(search.found);
    const cache = primed ? openGoCache({ key: cacheKeyOf(search.toolchain), dataDir: dir, asRoot }) : undefined;
    chmodSync(dir, 0o711); // as a data folder has it
    const moduleCache =
      fetchLimits === undefined ? undefined : openModuleCache({ dataDir: dir, asRoot: false, clock: systemClock });
    const builder = goBuilder(search, {
      cacheDir: cache?.dir,
      modulesDir: moduleCache?.dir,
      tinyGo: findTinyGo({ tinyGoRoot, path: [] }, asRoot),
      limits: { memoryBytes: all.memoryBytes, cpus: all.cpus, pids: all.pids, tmpBytes: all.diskBytes },
      fetches: modules.proxy !== "off",
    });
    assert.ok(builder.found);
    const before = new Set(children());
    const opening = NurserySandbox.open(
      {
        images: [caFile === undefined ? withCertificates(builder.image) : trusting(builder.image, caFile)],
        limits: { memoryBytes: 96 * MIB, cpus: 1, pids: 64, tmpBytes: MIB },
        rootsDir: join(dir, "roots"),
        allowSoftLimits: false,
        maxBoxes: all.concurrency + 1,
      },
      () => {},
      gate,
    );
    const nurseryPid = Number(children().find((pid) => !before.has(pid))); // it was forked at once
    const sandbox = await opening;
    if (cache !== undefined) {
      const signal = new AbortController().signal;
      await primeGoCache({ sandbox, clock: systemClock, base: builder.base, cpus: all.cpus, cache, signal });
      assert.ok(cache.has("native") && cache.has("wasm"));
    }
    const launched: SandboxedProcess[] = [];
    const watched: Sandbox = {
      features: sandbox.features,
      limits: sandbox.limits,
      launch: async (base) => {
        const box = await sandbox.launch(base);
        launched.push(box);
        return box;
      },
      close: () => sandbox.close(),
    };
    const connections: string[] = [];
    const fetchModules =
      moduleCache &&
      createModuleFetch({
        ...{ proxy: modules.proxy, egress: modules.egress, cache: moduleCache, clock: systemClock, caFile },
        connect: async (target, signal) => {
          connections.push(target.host);
          return await (gate ?? assert.fail("there is no gate")).connect(target, signal);
        },
        limits: fetchLimits ?? {},
      });
    const service = createBuild({
      ...{ sandbox: watched, builder, limits: all, modules, clock: systemClock, cache: undefined },
      fetchModules,
      log: () => {},
    });
    const places = placesOf(nurseryPid);
    assert.ok(places.length > 0, "the nursery has cgroups");
    return new BuildsUnderTest({ service, sandbox, dir, cache, moduleCache, connections, launched, places });
  }

  private constructor(parts: {
    readonly service: BuildService;
    readonly sandbox: NurserySandbox;
    readonly dir: string;
    readonly cache: GoCache | undefined;
    readonly moduleCache: ModuleCache | undefined;
    readonly connections: readonly string[];
    readonly launched: readonly SandboxedProcess[];
    readonly places: readonly string[];
  }) {
    this.service = parts.service;
    this.cache = parts.cache;
    this.moduleCache = parts.moduleCache;
    this.connections = parts.connections;
    this.launched = parts.launched;
    this.#sandbox = parts.sandbox;
    this.#dir = parts.dir;
    this.#places = parts.places;
  }

  async build(files: Files, folder = "", targets: readonly ArtifactMode[] = ["native"]): Promise<Built> {
    const contents = Object.entries(files).map(([path, content]) => [path, Buffer.from(content)] as const);
    return await this.service.build({ files: Object.fromEntries(contents), folder, targets });
  }

  /** What a build that must fail says, all of it without a path of the box. */
  async fails(files: Files, folder = "", targets: readonly ArtifactMode[] = ["native"]): Promise<Failure> {
    const error = await this.build(files, folder, targets).then(
      () => assert.fail("it was built"),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof PlatformError)) throw error;
    assert.deepEqual([error.code, error.status], ["BUILD_FAILED", 422], error.message);
    const { output = "", files: places = [] } = error.details as Partial<Failure>;
    const told = JSON.stringify([error.message, output, places]);
    assert.doesNotMatch(told, /\/tmp\/|\/rt\/|\/shim\/|go-cache/);
    assert.doesNotMatch(error.message, /\n/);
    return { message: error.message, output, files: places };
  }

  /** Host pids of all that runs in boxes of builds. */
  pids(): number[] {
    return this.#cgroups().flatMap((folder) => pidsIn(folder));
  }

  /** Fails where a build has left a process or a cgroup. */
  assertNothingLeft(): void {
    assert.deepEqual(this.#cgroups(), []);
  }

  async close(): Promise<void> {
    this.service.close();
    await this.#sandbox.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Of boxes that live, in every hierarchy of this machine. */
  #cgroups(): string[] {
    return this.#places.flatMap((place) =>
      readdirSync(place, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && /^\d+$/.test(entry.name))
        .map((entry) => join(place, entry.name)),
    );
  }
}

function trusting(image: BaseImage, caFile: string): BaseImage {
  const to = "/etc/ssl/ca.pem";
  return { ...image, binds: [...image.binds, { from: caFile, to }], env: { ...image.env, SSL_CERT_FILE: to } };
}

function children(): string[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean);
}

/** The folders in which a nursery has the cgroups of its boxes. */
function placesOf(nurseryPid: number): string[] {
  const candidates = readFileSync("/proc/self/cgroup", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, controllers = "", path = ""] = line.split(":");
      return [join("/sys/fs/cgroup", controllers, path), join("/sys/fs/cgroup", controllers), "/sys/fs/cgroup"];
    });
  return [...new Set(candidates.map((place) => join(place, folderName(nurseryPid))))].filter((place) =>
    existsSync(place),
  );
}
