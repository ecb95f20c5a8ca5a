// Wires the parts together; the only file that names adapters. It never works itself.
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config/config.ts";
import { systemClock } from "./core/clock.ts";
import { PlatformError } from "./core/errors.ts";
import { functionRoutes } from "./http/doors/functions/door.ts";
import { scriptRoutes } from "./http/doors/script-api.ts";
import { Access } from "./http/access.ts";
import { managementRoutes } from "./http/api/routes.ts";
import { isLoopback } from "./http/guard.ts";
import { healthRoutes } from "./http/health.ts";
import { homeRoutes } from "./http/home.ts";
import { HttpServer } from "./http/server.ts";
import { Pool } from "./pool/pool.ts";
import { findLuaRuntime } from "./runtimes/lua/runtime.ts";
import { findNodeRuntime } from "./runtimes/node/runtime.ts";
import { findPythonRuntime } from "./runtimes/python/runtime.ts";
import type { RuntimeSearch } from "./runtimes/runtime.ts";
import { findCertificates, withCertificates } from "./sandbox/egress/certificates.ts";
import { EgressGateProcess } from "./sandbox/egress/gate-process.ts";
import { findGpu, type Gpu, withGpu } from "./sandbox/gpu.ts";
import { NurserySandbox } from "./sandbox/nursery-sandbox.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import { Capabilities } from "./services/capabilities.ts";
import { Catalog } from "./services/catalog.ts";
import { createDeploy } from "./services/deploy.ts";
import { Executions } from "./services/executions.ts";
import { Functions } from "./services/functions.ts";
import { Inventory } from "./services/inventory.ts";
import { createInvoke } from "./services/invoke.ts";
import { InTurn } from "./services/in-turn.ts";
import { Keys } from "./services/keys.ts";
import { Kv } from "./services/kv.ts";
import { LiveExecutions } from "./services/live.ts";
import { createOutbound } from "./services/outbound/outbound.ts";
import { Programs } from "./services/programs.ts";
import type { Scrape } from "./services/prometheus.ts";
import { RateLimits } from "./services/rate-limits.ts";
import { CountedHistory } from "./services/run-counters.ts";
import { masterKey, SecretBox } from "./services/secret-box.ts";
import { selfTest } from "./services/self-test.ts";
import { Sessions } from "./services/sessions.ts";
import { describeSystem } from "./services/system.ts";
import { Variables } from "./services/variables.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";
import type { Store } from "./store/store.ts";

// In the data folder:
const DATABASE = "cloche.db";
const MASTER_KEY_FILE = "master.key";

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
  const { egress, scriptEgress } = config;
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
    const history = new CountedHistory(store, clock, log);
    closers.push(() => history.settle());
    const gate = egress === "none" ? undefined : await EgressGateProcess.open({ log });
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
    let url = ""; // known once the server listens
    const baseUrl = (): string => config.baseUrl ?? url;
    const pool = new Pool(sandbox, { ...config, bases, outputLimitBytes, baseUrl }, clock, log);
    closers.push(() => pool.end());
    await pool.warmUp();

    const hostPaths = ["/etc/passwd", "/root", "/home", "/var", join(config.dataDir, DATABASE), import.meta.filename];
    await selfTest(found, { pool, clock, hostPaths, serverPid: process.pid });

    const keys = await Keys.open(store, clock, config.adminKey);
    const firstKey = !isLoopback(config.host) && keys.none ? (await keys.create("first", "admin")).secret : undefined;
    const programs = new Programs(runtimes);
    const secretBox = new SecretBox(masterKey(config.masterKey, join(config.dataDir, MASTER_KEY_FILE)));
    const variables = new Variables(store, secretBox, clock);
    const onStale = (versionId: string): void => pool.forget(versionId);
    const catalog = await Catalog.open({ store, programs, variables, egress, onStale });
    const { timeoutMs } = config.runLimits;
    const inTurn = new InTurn();
    const deploy = createDeploy({ store, catalog, programs, pool, inTurn, egress, clock, checkTimeoutMs: timeoutMs });
    const kv = new Kv(store, clock);
    const live = new LiveExecutions(clock, (running) => history.record(() => running));
    closers.push(async () => live.close());
    const outbound = createOutbound({
      connect: gate && ((target, signal) => gate.connect(target, signal)),
      ...{ caFile: findCertificates(), clock },
      // On stderr, as what goes to stdout may be a script's result.
      onRecord: (executionId, kind, record) =>
        live.find(executionId)?.print({ stream: "stderr", level: "info", text: `${kind} ${JSON.stringify(record)}\n` }),
    });
    const capabilities = new Capabilities({ kv, variables, outbound });
    await store.endInterrupted("interrupted: the server ended while it ran");
    const invoke = createInvoke({ pool, history, live, capabilities, clock, timeoutMs });
    const sessions = await Sessions.open(store, keys, clock);
    const access = new Access({ host: config.host, keys, sessions, clock, baseUrl: config.baseUrl });
    let scraper: Promise<() => Promise<Scrape>> | undefined;
    async function scrape(): Promise<Scrape> {
      scraper ??= import("./services/prometheus.ts").then(({ prometheus }) =>
        prometheus({ pool, history, catalog, version }),
      );
      return await (
        await scraper
      )();
    }
    const describe = describeSystem({ version, runtimes, sandbox, pool, history, runLimits: config.runLimits, clock });
    const server = await HttpServer.listen({
      host: config.host,
      port: config.port,
      routes: [
        ...functionRoutes({
          ...{ catalog, invoke, access, rateLimits: new RateLimits(clock) },
          bodyBytes: config.runLimits.httpBodyBytes,
        }),
        ...scriptRoutes({ catalog, programs, deploy, invoke, limits: config.runLimits, egress, scriptEgress }),
        ...healthRoutes(version),
        ...managementRoutes({
          ...{ access, keys, catalog, deploy, variables, kv, invoke, clock, log, version, baseUrl, scrape },
          inventory: new Inventory(store, catalog),
          functions: new Functions({ store, catalog, inTurn, egress, clock }),
          executions: new Executions(store, history, live),
          limits: config.runLimits,
          languages: programs.languages,
          describeSystem: describe,
        }),
        ...homeRoutes(version),
      ],
      access,
      log,
    });
    closers.push(async () => {
      server.drain();
      await pool.drain();
      server.close();
    });
    const { address, family, port } = server.address;
    url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
    return {
      url,
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
