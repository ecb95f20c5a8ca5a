import type { App } from "./app.ts";
import type { Config } from "./config/config.ts";
import { isLoopback } from "./http/guard.ts";
import { describeRedis } from "./core/redis-settings.ts";

const MIB = 1024 * 1024;

/** What `npm start` prints: what was found, what is in force, and what to try first. */
export function startMessage(app: App, config: Config, version: string): string {
  const runtimes = app.runtimes.map((search) =>
    search.found
      ? `  ${search.runtime.title.padEnd(20)} ${search.runtime.languages.join(", ")}`
      : `  ${search.languages.join(", ")}: not available: ${search.reason}`,
  );
  const builders = app.builders.flatMap((search) =>
    search.found
      ? [
          `  ${search.title.padEnd(20)} compiles ${search.language}; modules: ${app.moduleProxy}`,
          ...(search.tinyGo !== undefined && "reason" in search.tinyGo ? [`  not used: ${search.tinyGo.reason}`] : []),
        ]
      : [`  ${search.language}: cannot be compiled: ${search.reason}`],
  );
  const features = app.sandbox.features.map(
    ({ name, inForce, detail }) => `  ${inForce ? "+" : "-"} ${name.padEnd(18)} ${detail}`,
  );
  const { timeoutMs, memoryBytes, outputBytes, codeBytes } = config.runLimits;
  const limits = [
    `${timeoutMs / 1000} s`,
    `${memoryBytes / MIB} MiB`,
    `${config.sandboxLimits.cpus} CPU`,
    `${outputBytes / MIB} MiB of output`,
    `${codeBytes / 1024} KiB of code`,
  ];
  return [
    `Cloche ${version}`,
    "",
    "Languages",
    ...runtimes,
    ...builders,
    "Sandbox (+ in force, - not)",
    ...features,
    `Limits of a run: ${limits.join(", ")}; ${config.maxWorkers} sandboxes at once`,
    `Data: ${config.dataDir}`,
    ...(config.redis === undefined ? [] : [`Store: ${describeRedis(config.redis)}, shared with other servers`]),
    `Listening on ${app.url}`,
    app.hasDashboard ? `Dashboard: ${app.url}/` : "Dashboard: not built; node scripts/setup.mjs builds it",
    ...(app.firstKey === undefined ? [] : ["", "An admin key, shown this once:", `  ${app.firstKey}`]),
    "",
    "Try it:",
    `  curl ${app.url}/run-now${isLoopback(config.host) ? "" : ' -H "Authorization: Bearer $KEY"'} -d '{"language":"python","code":"return 6 * event[\\"n\\"]","input":{"n":7}}'`,
    "",
  ].join("\n");
}
