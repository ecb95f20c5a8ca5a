import type { Clock } from "../core/clock.ts";
import { PlatformError } from "../core/errors.ts";
import { DEFAULT_SETTINGS, type FunctionSettings } from "../core/function.ts";
import type { EgressPolicy } from "../core/egress-policy.ts";
import type { Store, StoredAlias, StoredFunction } from "../store/store.ts";
import { type Catalog, LIVE_ALIAS, noVersion } from "./catalog.ts";
import { grantEgress } from "./egress.ts";
import type { InTurn } from "./in-turn.ts";

const MAX_NAME_BYTES = 200;
const NAME = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;
const ALIAS = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;
/** As ids are, so that a name is never taken for one. */
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

export interface FunctionsDeps {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly inTurn: InTurn;
  readonly egress: EgressPolicy;
  readonly clock: Clock;
}

/** Functions beside their code: made, changed and deleted; each change is durable first and then in force. */
export class Functions {
  readonly #deps: FunctionsDeps;

  constructor(deps: FunctionsDeps) {
    this.#deps = deps;
  }

  /** @throws PlatformError NAME_TAKEN, INVALID_REQUEST */
  async create(name: string, changes: Partial<FunctionSettings>): Promise<StoredFunction> {
    const { store, catalog, clock, inTurn } = this.#deps;
    checkName(name);
    const settings = this.#settings(DEFAULT_SETTINGS, changes);
    return await inTurn.run(name, async () => {
      const created = await store.createFunction({ name, settings, nowMs: clock.now() });
      if (created === undefined) throw taken(name);
      catalog.put(created);
      return created;
    });
  }

  /** @throws PlatformError FUNCTION_NOT_FOUND, NAME_TAKEN, INVALID_REQUEST */
  async update(
    idOrName: string,
    changes: { readonly name?: string | undefined; readonly settings?: Partial<FunctionSettings> },
  ): Promise<StoredFunction> {
    const { store, catalog, clock, inTurn } = this.#deps;
    const { name } = changes;
    if (name !== undefined) checkName(name);
    return await inTurn.run(catalog.require(idOrName).name, async () => {
      const { id, settings: before } = catalog.require(idOrName);
      const settings = this.#settings(before, changes.settings ?? {});
      const updated = await store.updateFunction(id, { name, settings, nowMs: clock.now() });
      if (updated === "taken") throw taken(name ?? "");
      if (updated === "missing") throw new PlatformError("FUNCTION_NOT_FOUND", "the function is gone");
      catalog.put(updated);
      return updated;
    });
  }

  /** @throws PlatformError FUNCTION_NOT_FOUND */
  async remove(idOrName: string): Promise<void> {
    const { store, catalog, inTurn } = this.#deps;
    const { id, name } = catalog.require(idOrName);
    await inTurn.run(name, async () => {
      catalog.remove(id);
      await store.deleteFunction(id);
    });
  }

  /** @throws PlatformError FUNCTION_NOT_FOUND, VERSION_NOT_FOUND */
  async activate(idOrName: string, number: number): Promise<StoredFunction> {
    const { store, catalog, clock, inTurn } = this.#deps;
    const { id, name } = catalog.require(idOrName);
    return await inTurn.run(name, async () => {
      if ((await store.activateVersion(id, number, clock.now())) === "missing") throw noVersion(name, number);
      const stored = await catalog.activated(id);
      if (stored === undefined) throw new PlatformError("FUNCTION_NOT_FOUND", "the function is gone");
      catalog.put(stored);
      return stored;
    });
  }

  /** @throws PlatformError FUNCTION_NOT_FOUND, VERSION_NOT_FOUND, IN_USE */
  async removeVersion(idOrName: string, number: number): Promise<void> {
    const { store, catalog, clock } = this.#deps;
    const { id, name } = catalog.require(idOrName);
    const done = await store.deleteVersion(id, number, clock.now());
    if (done === "missing") throw noVersion(name, number);
    if (done === "in-use") {
      throw new PlatformError("IN_USE", `version ${number} is active, or an alias points to it; change that first`);
    }
    catalog.removeVersion(id, number);
  }

  /**
   * Points an alias to a version, or to two that share its calls. `live` is what calls without a version get: one
   * version there is the same as activating it.
   *
   * @throws PlatformError FUNCTION_NOT_FOUND, VERSION_NOT_FOUND, INVALID_REQUEST
   */
  async putAlias(idOrName: string, alias: StoredAlias): Promise<void> {
    const { store, catalog, clock } = this.#deps;
    const { id, name } = catalog.require(idOrName);
    checkAlias(alias);
    const [only, other] = alias.targets;
    if (alias.name === LIVE_ALIAS && only !== undefined && other === undefined) {
      await this.activate(id, only.version);
      return;
    }
    if (!(await store.putAlias(id, alias, clock.now()))) {
      const wanted = alias.targets.map(({ version }) => version).join(" and ");
      throw new PlatformError("VERSION_NOT_FOUND", `function "${name}" does not have version ${wanted}`);
    }
    catalog.realias(id);
  }

  /** @throws PlatformError FUNCTION_NOT_FOUND, NOT_FOUND */
  async removeAlias(idOrName: string, alias: string): Promise<void> {
    const { store, catalog } = this.#deps;
    const { id, name } = catalog.require(idOrName);
    if (!(await store.deleteAlias(id, alias))) {
      throw new PlatformError("NOT_FOUND", `function "${name}" has no alias ${JSON.stringify(alias)}`);
    }
    catalog.realias(id);
  }

  #settings(before: FunctionSettings, changes: Partial<FunctionSettings>): FunctionSettings {
    grantEgress(changes.egress, this.#deps.egress);
    return { ...before, ...changes };
  }
}

/** @throws PlatformError INVALID_REQUEST */
export function checkName(name: string): void {
  if (NAME.test(name) && Buffer.byteLength(name) <= MAX_NAME_BYTES && !name.includes("..") && !UUID.test(name)) return;
  throw new PlatformError(
    "INVALID_REQUEST",
    `name: 1 to ${MAX_NAME_BYTES} of A-Z a-z 0-9 . _ - with single slashes between, no ".." and no UUID`,
  );
}

function checkAlias({ name, targets }: StoredAlias): void {
  if (!ALIAS.test(name)) {
    throw new PlatformError("INVALID_REQUEST", "alias: a letter, then up to 63 letters, digits, dots, _ or -");
  }
  const sum = targets.reduce((total, { weight }) => total + weight, 0);
  const different = new Set(targets.map(({ version }) => version)).size === targets.length;
  if (targets.length === 0 || targets.length > 2 || sum !== 100 || !different) {
    throw new PlatformError("INVALID_REQUEST", "alias: one version, or two different ones whose weights add up to 100");
  }
}

function taken(name: string): PlatformError {
  return new PlatformError("NAME_TAKEN", `there is a function named ${JSON.stringify(name)} already`);
}
