import type { Clock } from "../core/clock.ts";
import type { EgressPolicy } from "../core/egress-policy.ts";
import { PlatformError } from "../core/errors.ts";
import type { FunctionSettings, Style } from "../core/function.ts";
import { STYLES } from "../core/function.ts";
import { contentHash, newId } from "../core/id.ts";
import type { Source, Version } from "../core/program.ts";
import type { Pool } from "../pool/pool.ts";
import type { NativeUpload, Store, StoredVersion } from "../store/store.ts";
import type { Build } from "./build.ts";
import type { Catalog } from "./catalog.ts";
import { codeFrame } from "./code-frame.ts";
import { grantEgress } from "./egress.ts";
import { explain } from "./explain.ts";
import { goFilesOf } from "./go-source.ts";
import type { InTurn } from "./in-turn.ts";
import type { Programs } from "./programs.ts";

export interface Upload {
  readonly functionName: string;
  /** Of a function that is made with this version, and must not be there yet. */
  readonly newFunction?: FunctionSettings | undefined;
  readonly language: string;
  readonly source: Source;
  /** Undefined: whatever the function or the server allows. */
  readonly egress?: EgressPolicy | undefined;
  /** Name of the key that it came with. */
  readonly createdBy?: string | undefined;
  /** When it was made, Unix milliseconds; now where absent. */
  readonly nowMs?: number | undefined;
  /** False: it is stored, and calls go on getting the version that is active. */
  readonly activate?: boolean;
  /** How the native API knows it. */
  readonly upload?: NativeUpload | undefined;
  /** Where it is known already; then nobody looks. */
  readonly style?: Style | undefined;
  /** Called when the version is durable and before the upload is answered; nobody else changes the function meanwhile. */
  readonly onStored?: ((version: StoredVersion) => Promise<void>) | undefined;
  /** Looks at the code before it is stored, and takes what is there already for the same code. */
  readonly checked?: boolean;
}

export interface Deployed {
  readonly version: StoredVersion;
  /** False where the function had this version already. */
  readonly isNew: boolean;
}

export type Deploy = (upload: Upload) => Promise<Deployed>;

export interface DeployDeps {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly programs: Programs;
  readonly pool: Pool;
  readonly inTurn: InTurn;
  readonly build: Build;
  readonly egress: EgressPolicy;
  readonly checkTimeoutMs: number;
  readonly clock: Clock;
}

/** Makes a new version of a function: durable first, then in force, then answered. */
export function createDeploy(deps: DeployDeps): Deploy {
  const { store, catalog, programs, clock } = deps;

  async function put(upload: Upload, style: Style | undefined): Promise<Deployed> {
    const { source, functionName, newFunction, language, egress, createdBy, activate = true, checked = false } = upload;
    const deployed = await store.addVersion({
      ...{ functionName, newFunction, language, egress, createdBy, activate, style },
      reuse: checked && upload.upload === undefined,
      ...{ source: source.text, entry: source.entry, files: source.files },
      ...{ artifacts: source.artifacts, mode: source.mode, upload: upload.upload },
      nowMs: upload.nowMs ?? clock.now(),
    });
    const { functionId } = deployed.version;
    await (activate ? catalog.activated(functionId) : catalog.refresh(functionId));
    await upload.onStored?.(deployed.version);
    return deployed;
  }

  return async function deploy(given) {
    programs.check(given.language);
    grantEgress(given.egress, deps.egress);
    const upload = await built(given, deps.build);
    const style = upload.style ?? (upload.checked === true ? await styleOf(upload, deps) : undefined);
    return await deps.inTurn.run(upload.functionName, async () => await put(upload, style));
  };
}

/** With its program, where its language is one that is built. */
async function built(upload: Upload, build: Build): Promise<Upload> {
  const { source, language } = upload;
  if (source.artifacts !== undefined) return upload;
  if (language === "native" || language === "wasm") {
    throw new PlatformError("INVALID_REQUEST", `a program of language "${language}" is a file, not a text`);
  }
  if (language !== "go") return upload;
  const { artifacts, style } = await build({ ...goFilesOf(source), targets: ["native"] });
  return { ...upload, style, source: { ...source, artifacts, mode: "native" } };
}

/**
 * Lets a worker compile the code, which is not run.
 *
 * @throws PlatformError CODE_REJECTED with what is wrong, and where
 */
async function styleOf({ language, source }: Upload, deps: DeployDeps): Promise<Style> {
  const program = await deps.programs.prepare(language, source);
  const id = `check:${contentHash(language, program.code)}`;
  const version: Version = {
    ...{ id, function: undefined, program, egress: "none", concurrency: 1, singleUse: true },
    ...{ env: {}, secrets: [] },
  };
  const run = deps.pool.run({
    version,
    executionId: newId(),
    input: { kind: "check" },
    timeoutMs: deps.checkTimeoutMs,
    onLog: () => {},
    onCall: () => Promise.reject(new PlatformError("INVALID_REQUEST", "nothing is run yet")),
  });
  const { outcome } = await run.report;
  if (outcome.kind === "ok" && outcome.json !== undefined) {
    const { style } = JSON.parse(outcome.json) as { readonly style?: unknown };
    const known = STYLES.find((candidate) => candidate === style);
    if (known !== undefined) return known;
  }
  if (outcome.kind === "ok" || outcome.kind === "responded") {
    throw new PlatformError("INTERNAL", "the shim does not say what the code is");
  }
  if (outcome.kind !== "failed")
    throw new PlatformError("CODE_REJECTED", `the code cannot be loaded: ${explain(outcome)}`);
  const { name, message, line, tip } = outcome;
  const frame = line === undefined ? undefined : codeFrame(source.text, line);
  throw new PlatformError("CODE_REJECTED", `${name}: ${message}`, { details: { name, message, line, frame, tip } });
}
