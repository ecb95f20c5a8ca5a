// The process: reads the configuration, starts the app, ends it on a signal.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type App, startApp } from "./app.ts";
import { type Config, readConfig } from "./config/config.ts";
import { readEnvironment } from "./config/environment.ts";
import { systemClock } from "./core/clock.ts";
import { messageOf, PlatformError } from "./core/errors.ts";
import { settleHeapWhenQuiet } from "./core/settle-heap.ts";
import { isLoopback } from "./http/guard.ts";
import { startMessage } from "./start-message.ts";

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")) as {
  readonly version: string;
};

process.umask(0o077); // what the server writes is for nobody else to read

try {
  const config = readConfig(readEnvironment());
  const app = await startApp({ config, version, log, onLost: (reason) => fail(reason) });
  endOnSignal(app);
  process.stdout.write(startMessage(app, config, version));
  warnWhenUnencrypted(config);
  settleHeapWhenQuiet();
} catch (error) {
  const why = messageOf(error);
  const lacksSomething = error instanceof PlatformError && error.code === "SANDBOX_START_FAILED";
  fail(lacksSomething ? `${why}\n\n${await complaints()}` : why);
}

/** What the doctor finds wrong with this machine, and the commands that repair it. */
async function complaints(): Promise<string> {
  const [{ examine }, { report }, { thisMachine }] = await Promise.all([
    import("../scripts/doctor/examine.mjs"),
    import("../scripts/doctor/report.mjs"),
    import("../scripts/doctor/this-machine.mjs"),
  ]);
  const findings = await examine(thisMachine(join(import.meta.dirname, "..")));
  const asRoot = process.getuid?.() === 0;
  return report(
    findings.filter(({ level }) => level === "problem" || level === "warning"),
    { colour: false, asRoot },
  );
}

/** Ctrl-C under `npm start` arrives twice, from the terminal and from npm: only a later signal is a second one. */
const SAME_KEYPRESS_MS = 500;

function endOnSignal(app: App): void {
  let firstAtMs: number | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    const nowMs = systemClock.monotonicMs();
    if (firstAtMs !== undefined) {
      if (nowMs - firstAtMs > SAME_KEYPRESS_MS) fail("stopped at once"); // the nursery ends every sandbox when we are gone
      return;
    }
    firstAtMs = nowMs;
    log(`${signal}: finishing what runs (again to stop at once)`);
    app.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(messageOf(error)),
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  process.on("SIGHUP", stop); // the terminal is gone
}

function warnWhenUnencrypted({ host }: Config): void {
  if (isLoopback(host)) return;
  log(`warning: keys travel unencrypted to HOST=${host}; put a proxy with TLS in front, or keep the network private`);
}

function fail(reason: string): never {
  process.stderr.write(`cloche: ${reason}\n`);
  process.exit(1);
}

function log(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}
