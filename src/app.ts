// Wires the parts together; the only file that names adapters. It never works itself.
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config/config.ts";
import { type Clock, systemClock } from "./core/clock.ts";
import { PlatformError } from "./core/errors.ts";
import { describeRedis } from "./core/redis-settings.ts";
import { functionRoutes } from "./http/doors/functions/door.ts";
import { StoredExchange } from "./http/doors/functions/kept-exchange.ts";
import { nativeRoutes } from "./http/doors/native/door.ts";
import { scriptRoutes } from "./http/doors/script-api.ts";
import { Access } from "./http/access.ts";
import { managementRoutes } from "./http/api/routes.ts";
import { openDashboard } from "./http/dashboard/routes.ts";
import { isLoopback } from "./http/guard.ts";
import { healthRoutes } from "./http/health.ts";
import { homeRoutes } from "./http/home.ts";
import { HttpServer } from "./http/server.ts";
import { Pool } from "./pool/pool.ts";
import type { JobRetention, Queue } from "./queue/queue.ts";
import { openSqliteQueue } from "./queue/sqlite/sqlite-queue.ts";
import { openWhenUsed } from "./queue/sqlite/when-used.ts";
import { findLuaRuntime } from "./runtimes/lua/runtime.ts";
import { findNativeRuntime } from "./runtimes/native/runtime.ts";
import { findNodeRuntime } from "./runtimes/node/runtime.ts";
import { findPythonRuntime } from "./runtimes/python/runtime.ts";
import { cacheKeyOf, goBuilder } from "./runtimes/go/builder.ts";
import { findTinyGo } from "./runtimes/go/tinygo.ts";
import { findToolchain } from "./runtimes/go/toolchain.ts";
import type { BuilderSearch, RuntimeSearch } from "./runtimes/runtime.ts";
import { findCertificates, withCertificates } from "./sandbox/egress/certificates.ts";
import { EgressGateProcess } from "./sandbox/egress/gate-process.ts";
import { findGpu, type Gpu, withGpu } from "./sandbox/gpu.ts";
import { NurserySandbox } from "./sandbox/nursery-sandbox.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import { createBackground } from "./services/background.ts";
import { createBuild } from "./services/build.ts";
import { FIXED_LIMITS } from "./services/build/failure.ts";
import { openGoCache } from "./services/build/go-cache.ts";
import { openModuleCache } from "./services/build/module-cache.ts";
import { createModuleFetch } from "./services/build/module-fetch.ts";
import { moduleSources } from "./services/build/module-sources.ts";
import { followChanges } from "./services/cluster-changes.ts";
import { RunsElsewhere } from "./services/runs-elsewhere.ts";
import { describeNode } from "./services/node-report.ts";
import { Capabilities } from "./services/capabilities.ts";
import { Catalog } from "./services/catalog.ts";
import { createDeploy } from "./services/deploy.ts";
import { Executions } from "./services/executions.ts";
import { checkFolders } from "./services/folder-check.ts";
import { FunctionFolders } from "./services/function-folders.ts";
import { Functions } from "./services/functions.ts";
import { Inventory } from "./services/inventory.ts";
import { createInvoke } from "./services/invoke.ts";
import { InTurn } from "./services/in-turn.ts";
import { Keys } from "./services/keys.ts";
import { Kv } from "./services/kv.ts";
import { LiveExecutions } from "./services/live.ts";
import { NativeFunctions } from "./services/native-functions.ts";
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
import type { RedisStore } from "./store/redis/redis-store.ts";
import type { Store } from "./store/store.ts";

// In the data folder:
const DATABASE = "cloche.db";
const QUEUE_DATABASE = "queue.db";
const MASTER_KEY_FILE = "master.key";
const DAY_MS = 86_400_000;
/** What `scripts/setup.mjs` has built of dashboard/. */
const DASHBOARD_DIR = join(import.meta.dirname, "../dashboard/dist");

export interface App {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly runtimes: readonly RuntimeSearch[];
  readonly builders: readonly BuilderSearch[];
  /** From where builds get modules; `off` */
  readonly moduleProxy: string;
  readonly sandbox: Sandbox;
  /** False where `scripts/setup.mjs` has not run: then there are no pages. */
  readonly hasDashboard: boolean;
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

/** `shared` is there where other servers may have the same store open. */
async function openStore(
  { redis, dataDir, keepExecutions }: Config,
  log: (line: string) => void,
): Promise<{ readonly store: Store; readonly shared: RedisStore | undefined }> {
  if (redis === undefined) {
    return { store: await openSqliteStore({ file: join(dataDir, DATABASE), keepExecutions }), shared: undefined };
  }
  const { openRedisStore } = await import("./store/redis/redis-store.ts"); // tens of MiB that others need not pay for
  const shared = await openRedisStore({ settings: redis, keepExecutions });
  for (const warning of shared.warnings) log(warning);
  return { store: shared.store, shared };
}

/** Where the store is. */
async function openQueue({ redis, dataDir, jobs }: Config, clock: Clock, log: (line: string) => void): Promise<Queue> {
  const keep: JobRetention = {
    completed: { count: jobs.keep, ageMs: 7 * DAY_MS },
    dead: { count: jobs.keep, ageMs: 30 * DAY_MS },
  };
  if (redis === undefined) {
    const file = join(dataDir, QUEUE_DATABASE);
    return await openWhenUsed(file, () => openSqliteQueue({ file, keep, clock }));
  }
  const { openBullmqQueue } = await import("./queue/bullmq/bullmq-queue.ts");
  const stalledCheckMs = Math.round(jobs.leaseMs / 3);
  return await openBullmqQueue({ settings: redis, keep, clock, log, stalledCheckMs });
}

/** @throws PlatformError INTERNAL where another server on the same store has another one: neither could read the other's secrets */
async function requireSameKey(shared: RedisStore, fingerprint: string): Promise<void> {
  if ((await shared.agree("master-key", fingerprint)) === fingerprint) return;
  throw new PlatformError(
    "INTERNAL",
    "the secrets in Redis are sealed with another master key: give every server the same MASTER_KEY",
  );
}

/** Rejects with PlatformError, naming what is missing, where the server cannot serve as configured; then nothing runs. */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, log, version } = options;
  const { egress, scriptEgress } = config;
  const clock = systemClock;
  // Others may pass, so that the sandboxes' users reach their root folders in it; whatever holds data is the server's alone.
  if (mkdirSync(config.dataDir, { recursive: true }) !== undefined) chmodSync(config.dataDir, 0o711);
  const runtimes = [findNodeRuntime(config.sandboxLimits), findPythonRuntime(), findLuaRuntime(), findNativeRuntime()];
  const found = runtimes.flatMap((search) => (search.found ? [search.runtime] : []));
  const asRoot = process.getuid?.() === 0;
  const { builds } = config;
  const buildLimits = { ...FIXED_LIMITS, ...builds };
  const modules = moduleSources(builds.goProxy, builds.goSumDb, egress);
  const toolchain = findToolchain(builds, asRoot);
  const goCache = toolchain.found
    ? openGoCache({ key: cacheKeyOf(toolchain.toolchain), dataDir: config.dataDir, asRoot })
    : undefined;
  const fetches = modules.proxy !== "off";
  const moduleCache =
    toolchain.found && fetches ? openModuleCache({ dataDir: config.dataDir, asRoot, clock }) : undefined;
  const builder = goBuilder(toolchain, {
    cacheDir: goCache?.dir,
    modulesDir: moduleCache?.dir,
    tinyGo: findTinyGo(builds, asRoot),
    limits: {
      memoryBytes: builds.memoryBytes,
      cpus: builds.cpus,
      pids: buildLimits.pids,
      tmpBytes: builds.diskBytes,
    },
    fetches,
  });
  const gpu = config.gpuEnabled ? requireGpu() : undefined;
  const images = found
    .map(({ image }) => (egress === "none" ? image : withCertificates(image)))
    .map((image) => (gpu === undefined ? image : withGpu(image, gpu)));
  const buildImages = builder.found ? [egress === "none" ? builder.image : withCertificates(builder.image)] : [];
  const closers: (() => Promise<void>)[] = [];
  async function closeAll(): Promise<void> {
    for (const close of closers.splice(0).toReversed()) await close();
  }
  try {
    const { store, shared } = await openStore(config, log);
    closers.push(() => store.close());
    const history = new CountedHistory(store, clock, log);
    closers.push(() => history.settle());
    const gate = egress === "none" ? undefined : await EgressGateProcess.open({ log });
    if (gate !== undefined) closers.push(() => gate.close());
    const sandbox = await NurserySandbox.open(
      {
        images: [...images, ...buildImages],
        limits: config.sandboxLimits,
        rootsDir: join(config.dataDir, "boxes"),
        allowSoftLimits: config.allowSoftLimits,
        maxBoxes: config.maxWorkers + (builder.found ? builds.concurrency + 1 : 0), // one more prepares the cache of builds
      },
      options.onLost,
      gate,
    );
    closers.push(() => sandbox.close());
    const fetchModules =
      gate &&
      moduleCache &&
      createModuleFetch({
        ...{ proxy: modules.proxy, egress: modules.egress, cache: moduleCache, clock },
        connect: (target, signal) => gate.connect(target, signal),
        caFile: findCertificates(),
      });
    const buildService = createBuild({
      ...{ sandbox, builder, limits: buildLimits, modules, cache: goCache, clock, log },
      fetchModules,
    });
    closers.push(async () => buildService.close());
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
    const master = masterKey(config.masterKey, join(config.dataDir, MASTER_KEY_FILE));
    const secretBox = new SecretBox(master);
    if (shared !== undefined) await requireSameKey(shared, secretBox.fingerprint);
    const variables = new Variables(store, secretBox, clock);
    const onStale = (versionId: string): void => pool.forget(versionId);
    const catalog = await Catalog.open({ store, programs, variables, egress, onStale });
    const { timeoutMs } = config.runLimits;
    const inTurn = new InTurn();
    const { build } = buildService;
    const deploy = createDeploy({
      ...{ store, catalog, programs, pool, inTurn, build, egress, clock },
      checkTimeoutMs: timeoutMs,
    });
    const folders = new FunctionFolders(config.dataDir);
    const functions = new Functions({ store, catalog, inTurn, folders, egress, clock });
    const { memoryBytes } = config.runLimits;
    const native = new NativeFunctions({
      ...{ store, catalog, functions, deploy, build, memoryBytes, folders, inTurn, clock },
    });
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
    // With several servers a folder here may be of a version that was deleted there: the store alone is right.
    const takeInSources =
      shared === undefined ? await checkFolders({ store, folders, native, clock, log }) : () => Promise.resolve();
    const invoke = createInvoke({ pool, history, live, capabilities, clock, timeoutMs });
    const queue = await openQueue(config, clock, log);
    closers.push(() => queue.close());
    const background = createBackground({
      ...{ queue, catalog, functions, invoke, clock, log, ...config.jobs },
      openExchange: (request) => new StoredExchange(request),
      callbacks: {
        connect: gate && ((target, signal) => gate.connect(target, signal)),
        secret: config.jobs.webhookSecret === undefined ? master : masterKey(config.jobs.webhookSecret, ""),
        ...{ caFile: findCertificates(), egress },
      },
      longestRunMs: timeoutMs + config.queueTimeoutMs,
    });
    const { jobs, schedules, callbacks } = background;
    const sessions = await Sessions.open(store, keys, clock);
    let elsewhere: RunsElsewhere | undefined;
    if (shared !== undefined) {
      const runs = new RunsElsewhere({ changes: shared.changes, store, live, history, clock, log });
      elsewhere = runs;
      closers.push(async () => runs.close());
      const stopFollowing = await followChanges({ changes: shared.changes, catalog, keys, sessions, log });
      closers.push(async () => stopFollowing());
    }
    const access = new Access({ host: config.host, keys, sessions, clock, baseUrl: config.baseUrl });
    let scraper: Promise<() => Promise<Scrape>> | undefined;
    async function scrape(): Promise<Scrape> {
      scraper ??= import("./services/prometheus.ts").then(({ prometheus }) =>
        prometheus({ pool, history, catalog, queue, version }),
      );
      return await (
        await scraper
      )();
    }
    const describe = describeSystem({
      version,
      runtimes,
      builders: [builder],
      sandbox,
      pool,
      history,
      runLimits: config.runLimits,
      jobs: () => background.report(),
      store: config.redis === undefined ? { kind: "sqlite" } : { kind: "redis", place: describeRedis(config.redis) },
      nodes: shared && (() => shared.nodes.list()),
      clock,
    });
    const dashboard = openDashboard(DASHBOARD_DIR);
    const server = await HttpServer.listen({
      host: config.host,
      port: config.port,
      routes: [
        ...functionRoutes({
          ...{ catalog, invoke, jobs, access, rateLimits: new RateLimits(clock) },
          bodyBytes: config.runLimits.httpBodyBytes,
        }),
        ...scriptRoutes({
          ...{ catalog, programs, deploy, invoke, jobs, access },
          limits: config.runLimits,
          egress,
          scriptEgress,
        }),
        ...nativeRoutes({ native, catalog, invoke, access, bodyBytes: config.runLimits.bodyBytes }),
        ...healthRoutes(version),
        ...managementRoutes({
          ...{ access, keys, catalog, deploy, variables, kv, invoke, clock, log, version, baseUrl, scrape },
          ...{ jobs, schedules, callbacks },
          inventory: new Inventory(store, catalog),
          functions,
          executions: new Executions(store, history, live, elsewhere),
          limits: config.runLimits,
          languages: programs.languages,
          describeSystem: describe,
          recentRuns: history.recent,
        }),
        ...homeRoutes(version, dashboard.isBuilt),
        ...dashboard.routes,
      ],
      access,
      log,
    });
    closers.push(async () => {
      await Promise.all([background.drain(), server.leave(config.drainMs).then(() => pool.drain())]);
      server.close();
    });
    background.start();
    const sourcesTaken = takeInSources();
    closers.push(() => {
      buildService.close(); // what it builds is seen to at the next start
      return sourcesTaken;
    });
    const { address, family, port } = server.address;
    url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
    await shared?.nodes.describeBy(describeNode({ version, url: baseUrl(), pool, clock }));
    return {
      url,
      runtimes,
      builders: [builder],
      moduleProxy: modules.proxy,
      sandbox,
      hasDashboard: dashboard.isBuilt(),
      firstKey,
      stop: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
