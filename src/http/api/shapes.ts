// What the services hold, in the shapes of the API.
import type { z } from "zod";
import type { ExecutionSummary } from "../../core/execution.ts";
import type { Schedule } from "../../core/function.ts";
import { parseKeepingDigits } from "../../core/json-text.ts";
import type { LogLine } from "../../core/log-line.ts";
import type { StoredFunction, StoredVersion, VersionSummary } from "../../services/inventory.ts";
import type { executionOut, functionOut, logLine, scheduleOut, versionOut, versionWithCode } from "./schemas.ts";

const MODES = ["native", "wasm"] as const;

export function isoTime(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

/** To a microsecond: what the clock says beyond is noise. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

export function pageShape<Item, Shape>(
  { items, cursor }: { readonly items: readonly Item[]; readonly cursor: string | undefined },
  shape: (item: Item) => Shape,
): { items: Shape[]; nextCursor: string | undefined } {
  return { items: items.map(shape), nextCursor: cursor };
}

export function functionShape(stored: StoredFunction, baseUrl: string): z.infer<typeof functionOut> {
  const { id, name, settings, language, activeVersion, createdAtMs, updatedAtMs } = stored;
  const { egress, corsOrigins, schedule, retry, ...plain } = settings;
  return {
    ...{ id, name, language, activeVersion },
    ...plain,
    egress: mutable(egress),
    corsOrigins: [...corsOrigins],
    retry: { ...retry },
    schedule: schedule && scheduleShape(schedule),
    url: `${baseUrl}/fn/${name}`,
    createdAt: isoTime(createdAtMs),
    updatedAt: isoTime(updatedAtMs),
  };
}

export function scheduleShape({ input, ...schedule }: Schedule): z.infer<typeof scheduleOut> {
  return { ...schedule, input: input === undefined ? undefined : parseKeepingDigits(input) };
}

export function versionShape(version: VersionSummary, active: number | undefined): z.infer<typeof versionOut> {
  const { number, language, style, entry, egress, createdBy, createdAtMs, contentHash, sizeBytes } = version;
  const artifacts = MODES.flatMap((mode) => {
    const blob = version.artifacts[mode];
    return blob === undefined ? [] : [{ mode, sizeBytes: blob.sizeBytes, sha256: blob.hash }];
  });
  return {
    ...{ version: number, language, style, entry, createdBy, contentHash, sizeBytes },
    ...{ mode: version.mode, artifacts: artifacts.length === 0 ? undefined : artifacts, upload: version.upload },
    egress: mutable(egress),
    createdAt: isoTime(createdAtMs),
    active: number === active,
  };
}

export function codeShape(version: StoredVersion, active: number | undefined): z.infer<typeof versionWithCode> {
  const { source, entry } = version;
  const files = entry === undefined ? undefined : filesOf(version);
  return { ...versionShape(version, active), code: source, files };
}

/** All files by path; a single text has the name that is given. */
export function filesOf({ source, entry, files }: StoredVersion, nameOfText = "code"): Record<string, string> {
  return { [entry ?? nameOfText]: source, ...files };
}

export function executionShape(execution: ExecutionSummary): z.infer<typeof executionOut> {
  const { queuedAtMs, waitMs, runMs, cpuMs, errorLine: _line, errorTip: _tip, ...rest } = execution;
  return {
    ...rest,
    queuedAt: isoTime(queuedAtMs),
    waitMs: roundMs(waitMs),
    runMs: roundMs(runMs),
    ...(cpuMs === undefined ? {} : { cpuMs: roundMs(cpuMs) }),
  };
}

export function logShape({ level, stream, atMs, text }: LogLine): z.infer<typeof logLine> {
  return { level, stream, at: isoTime(atMs), text };
}

function mutable<Word extends string>(policy: Word | readonly string[] | undefined): Word | string[] | undefined {
  return typeof policy === "object" ? [...policy] : policy;
}
