// Wires the parts together; the only file that names adapters. It never works itself.
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config/config.ts";
import { systemClock } from "./core/clock.ts";
import { PlatformError } from "./core/errors.ts";
import { scriptRoutes } from "./http/doors/script-api.ts";
import { Access } from "./http/access.ts";
import { keyRoutes } from "./http/api/keys.ts";
import { isLoopback } from "./http/guard.ts";
import { homeRoutes } from "./http/home.ts";
import { HttpServer } from "./http/server.ts";
import { systemRoutes } from "./http/api/system.ts";
import { Pool } from "./pool/pool.ts";
import { findLuaRuntime } from "./runtimes/lua/runtime.ts";
import { findNodeRuntime } from "./runtimes/node/runtime.ts";
import { findPythonRuntime } from "./runtimes/python/runtime.ts";
import type { RuntimeSearch } from "./runtimes/runtime.ts";
import { withCertificates } from "./sandbox/egress/certificates.ts";
import { EgressGateProcess } from "./sandbox/egress/gate-process.ts";
import { findGpu, type Gpu, withGpu } from "./sandbox/gpu.ts";
import { NurserySandbox } from "./sandbox/nursery-sandbox.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import { Catalog } from "./services/catalog.ts";
import { createDeploy } from "./services/deploy.ts";
import { History } from "./services/history.ts";
import { createInvoke } from "./services/invoke.ts";
import { Keys } from "./services/keys.ts";
import { Programs } from "./services/programs.ts";
import { selfTest } from "./services/self-test.ts";
import { describeSystem } from "./services/system.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";
import type { Store } from "./store/store.ts";

const DATABASE = "cloche.db"; // in the data folder

export interface App {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly runtimes: readonly RuntimeSearch[];
  readonly sandbox: Sandbox;
  /** An admin key that has just been made, since there was none; it can be shown now and never again. */
  readonly firstKey: string | undefined;
  /** Takes no new work, lets what runs end within its time, and leaves nothing behind. */
  stop(): Promise<void>;
}

export interface AppOptions {
  readonly config: Config;
  /** The product's version. */
  readonly version: string;
  readonly log: (line: string) => void;
  /** The sandboxes are lost and cannot come back; the server had better end. */
  readonly onLost: (reason: string) => void;
}

function requireGpu(): Gpu {
  const search = findGpu();
  if (search.found) return search.gpu;
  throw new PlatformError("SANDBOX_START_FAILED", `GPU_ENABLED=true, but ${search.reason}`);
}

/** Rejects with PlatformError, naming what is missing, where the server cannot serve as configured; then nothing runs. */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, log, version } = options;
  const { egress } = config;
  const clock = systemClock;
  // Others may pass, so that the sandboxes' users reach their root folders in it; whatever holds data is the server's alone.
  if (mkdirSync(config.dataDir, { recursive: true }) !== undefined) chmodSync(config.dataDir, 0o711);
  const runtimes = [findNodeRuntime(config.sandboxLimits.memoryBytes), findPythonRuntime(), findLuaRuntime()];
  const found = runtimes.flatMap((search) => (search.found ? [search.runtime] : []));
  const gpu = config.gpuEnabled ? requireGpu() : undefined;
  const images = found
    .map(({ image }) => (egress === "none" ? image : withCertificates(image)))
    .map((image) => (gpu === undefined ? image : withGpu(image, gpu)));
  const closers: (() => Promise<void>)[] = [];
  async function closeAll(): Promise<void> {
    for (const close of closers.splice(0).toReversed()) await close();
  }
  try {
    const store: Store = await openSqliteStore({
      file: join(config.dataDir, DATABASE),
      keepExecutions: config.keepExecutions,
    });
    closers.push(() => store.close());
    const history = new History(store, clock, log);
    closers.push(() => history.settle());
    const gate = egress === "none" ? undefined : await EgressGateProcess.open({ log, onLost: options.onLost });
    if (gate !== undefined) closers.push(() => gate.close());
    const sandbox = await NurserySandbox.open(
      {
        images,
        limits: config.sandboxLimits,
        rootsDir: join(config.dataDir, "boxes"),
        allowSoftLimits: config.allowSoftLimits,
        maxBoxes: config.maxWorkers,
      },
      options.onLost,
      gate,
    );
    closers.push(() => sandbox.close());
    const { outputBytes: outputLimitBytes } = config.runLimits;
    const bases = images.map((image) => image.base);
    const pool = new Pool(sandbox, { ...config, bases, outputLimitBytes }, clock, log);
    closers.push(() => pool.end());
    await pool.warmUp();

    const hostPaths = ["/etc/passwd", "/root", "/home", "/var", join(config.dataDir, DATABASE), import.meta.filename];
    await selfTest(found, { pool, clock, hostPaths, serverPid: process.pid });

    const keys = await Keys.open(store, clock, config.adminKey);
    const firstKey = !isLoopback(config.host) && keys.none ? (await keys.create("first", "admin")).secret : undefined;
    const programs = new Programs(runtimes);
    const catalog = new Catalog(store, programs, egress);
    const deploy = createDeploy({ store, catalog, programs, egress, clock });
    const invoke = createInvoke({ pool, history, clock, timeoutMs: config.runLimits.timeoutMs });
    const describe = describeSystem({ version, runtimes, sandbox, pool, history, runLimits: config.runLimits, clock });
    const server = await HttpServer.listen({
      host: config.host,
      port: config.port,
      routes: [
        ...scriptRoutes({ catalog, programs, deploy, invoke, limits: config.runLimits, egress }),
        ...systemRoutes(describe, version),
        ...keyRoutes(keys),
        ...homeRoutes(version),
      ],
      access: new Access(config.host, keys, clock),
      log,
    });
    closers.push(async () => {
      server.drain();
      await pool.drain();
      server.close();
    });
    const { address, family, port } = server.address;
    return {
      url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`,
      runtimes,
      sandbox,
      firstKey,
      stop: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
