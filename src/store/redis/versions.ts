import { createHash } from "node:crypto";
import { PlatformError } from "../../core/errors.ts";
import { DEFAULT_SETTINGS } from "../../core/function.ts";
import { newId } from "../../core/id.ts";
import { decodeCursor, pageOf, wholeLimit } from "../../core/cursor.ts";
import { type Content, contentOf } from "../content.ts";
import type { NewVersion, Page, StoredVersion, VersionSummary } from "../store.ts";
import { nameTaken } from "../name-taken.ts";
import { type Functions, ruleOf } from "./functions.ts";
import type { MetaScripts } from "./meta-scripts.ts";
import type { Reply } from "./redis-connection.ts";

/** Texts and bytes wait so long for the version that they belong to; what no version takes goes by itself. */
const STAGED_S = 600;
const MAX_ATTEMPTS = 5; // others must have deleted the last version with the same code each time

/** What is kept of a version under its number; the rest is its place. */
type Meta = Omit<VersionSummary, "functionId" | "functionName" | "number"> & { readonly sameKey: string };
type Code = Pick<StoredVersion, "source" | "files">;

/** The uploads of every function, and their bytes. */
export class Versions {
  readonly #scripts: MetaScripts;
  readonly #functions: Functions;

  constructor(scripts: MetaScripts, functions: Functions) {
    this.#scripts = scripts;
    this.#functions = functions;
  }

  async add(upload: NewVersion): Promise<{ version: StoredVersion; isNew: boolean }> {
    const content = contentOf(upload);
    const name = upload.functionName.toWellFormed();
    const { source, files } = content;
    const meta = metaOf(upload, content);
    const newFunction = (await this.#functions.find({ name })) === undefined ? newId() : "";
    const settings = upload.newFunction ?? DEFAULT_SETTINGS;
    if (newFunction === "" && upload.newFunction !== undefined) throw nameTaken(name);
    if (newFunction !== "") await this.#functions.enliven(newFunction);
    const pieces = new Map<string, string | Uint8Array>([
      [`code:${content.contentHash}`, JSON.stringify({ source, files } satisfies Code)],
      ...content.artifacts.map(({ blob, bytes }): [string, Uint8Array] => [`blob:${blob.hash}`, bytes]),
    ]);
    const references = [`code:${content.contentHash}`, ...content.artifacts.map(({ blob }) => `blob:${blob.hash}`)];

    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      await this.#stage(pieces);
      const reply = await this.#scripts.run(
        "add-version",
        newFunction === "" ? newId() : newFunction,
        name,
        JSON.stringify(settings),
        upload.number ?? Math.floor(upload.nowMs / 1000),
        upload.nowMs,
        upload.activate === false ? "0" : "1",
        upload.reuse === true ? "1" : "0",
        meta.sameKey,
        JSON.stringify(meta),
        meta.language,
        ruleOf(settings),
        upload.newFunction === undefined ? "0" : "1",
        ...references,
      );
      const [end, id, number, isNew, stored] = reply as string[];
      if (end === "taken") {
        await this.#functions.bury(newFunction);
        throw nameTaken(name);
      }
      if (end === "exists") {
        const label = JSON.stringify(upload.upload?.label);
        throw new PlatformError("VERSION_EXISTS", `function "${name}" has a version "${label}" already`);
      }
      if (end !== "done") continue;
      // Where the function was deleted just now, the script has made another one.
      if (newFunction === "") await this.#functions.enliven(id ?? "");
      return {
        version: { ...toSummary([id ?? "", name, number ?? "", stored ?? ""]), source, files },
        isNew: isNew === "1",
      };
    }
    throw new PlatformError("STORE_UNAVAILABLE", "the same code was deleted again and again while it was stored");
  }

  async find(functionId: string, number: number | undefined): Promise<StoredVersion | undefined> {
    const reply = await this.#scripts.run("find-version", functionId, number ?? "");
    if (!Array.isArray(reply)) return undefined;
    const code = JSON.parse(String(reply[4])) as Code;
    return { ...toSummary(reply), source: code.source, files: code.files };
  }

  async list(functionId: string, query: { limit: number; cursor?: string | undefined }): Promise<Page<VersionSummary>> {
    const limit = wholeLimit(query.limit);
    const place = query.cursor === undefined ? [Number.MAX_SAFE_INTEGER] : decodeCursor(query.cursor, [0] as const);
    if (place === undefined || limit === 0) return { items: [], cursor: undefined };
    const reply = await this.#scripts.run("list-versions", functionId, place[0] ?? 0, limit + 1);
    return pageOf((reply as Reply[]).map(toSummary), limit, ({ number }) => [number]);
  }

  async findUpload(id: string): Promise<VersionSummary | undefined> {
    const reply = await this.#scripts.run("list-uploads", id, "id");
    return reply === null ? undefined : toSummary(reply);
  }

  async listUploads(query: { limit: number; cursor?: string | undefined }): Promise<Page<VersionSummary>> {
    const limit = wholeLimit(query.limit);
    const place = query.cursor === undefined ? [""] : decodeCursor(query.cursor, [""] as const);
    if (place === undefined || limit === 0) return { items: [], cursor: undefined };
    const reply = await this.#scripts.run("list-uploads", place[0] ?? "", limit + 1);
    return pageOf((reply as Reply[]).map(toSummary), limit, ({ createdAtMs, number, upload }) => [
      `${padded(createdAtMs)}:${padded(number)}:${upload?.id}`,
    ]);
  }

  async findBlob(hash: string): Promise<Buffer | undefined> {
    return await this.#scripts.runForBytes("find-blob", hash);
  }

  async activate(functionId: string, number: number, nowMs: number): Promise<"done" | "missing"> {
    return (await this.#scripts.run("activate-version", functionId, number, nowMs)) as "done" | "missing";
  }

  async delete(functionId: string, number: number, nowMs: number): Promise<"done" | "missing" | "in-use"> {
    const done = await this.#scripts.run("delete-version", functionId, number, nowMs);
    return done as "done" | "missing" | "in-use";
  }

  /** Brings what is not there yet. */
  async #stage(pieces: ReadonlyMap<string, string | Uint8Array>): Promise<void> {
    const { connection, keyspace } = this.#scripts;
    for (const [reference, content] of pieces) {
      const key = `${keyspace.meta}:${reference}`;
      if ((await connection.command("EXISTS", key)) === 1) continue;
      await connection.command("SET", key, content, "NX", "EX", STAGED_S);
    }
  }
}

function metaOf(upload: NewVersion, content: Content): Meta {
  const { language, entry, artifacts, contentHash, sizeBytes } = content;
  const { mode, style, egress, createdBy, nowMs: createdAtMs } = upload;
  const same = JSON.stringify([contentHash, egress ?? null, style ?? null, mode ?? null]);
  return {
    language,
    entry,
    artifacts: Object.fromEntries(artifacts.map(({ mode: own, blob }) => [own, blob])),
    mode,
    upload: upload.upload && {
      id: upload.upload.id,
      label: upload.upload.label.toWellFormed(),
      description: upload.upload.description.toWellFormed(),
    },
    style,
    egress,
    createdBy: createdBy?.toWellFormed(),
    createdAtMs,
    contentHash,
    sizeBytes,
    sameKey: createHash("sha256").update(same).digest("hex"),
  };
}

/** From id and name of the function, number, meta. */
function toSummary(reply: Reply): VersionSummary {
  const [functionId, functionName, number, stored] = reply as string[];
  const meta = JSON.parse(stored ?? "") as Meta;
  return {
    functionId: functionId ?? "",
    functionName: functionName ?? "",
    number: Number(number),
    language: meta.language,
    entry: meta.entry,
    artifacts: meta.artifacts,
    mode: meta.mode,
    upload: meta.upload,
    style: meta.style,
    egress: meta.egress,
    createdBy: meta.createdBy,
    createdAtMs: meta.createdAtMs,
    contentHash: meta.contentHash,
    sizeBytes: meta.sizeBytes,
  };
}

function padded(number: number): string {
  return String(number).padStart(16, "0");
}
