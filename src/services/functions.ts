import type { Clock } from "../core/clock.ts";
import { PlatformError } from "../core/errors.ts";
import { DEFAULT_SETTINGS, type FunctionSettings } from "../core/function.ts";
import type { EgressPolicy } from "../core/egress-policy.ts";
import type { Store, StoredAlias, StoredFunction } from "../store/store.ts";
import { type Catalog, LIVE_ALIAS, noVersion } from "./catalog.ts";
import { grantEgress } from "./egress.ts";
import { fireTimes } from "./fire-times.ts";
import type { Deployed } from "./deploy.ts";
import type { FunctionFolders } from "./function-folders.ts";
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
  readonly folders: FunctionFolders;
}

/** Functions beside their code: made, changed and deleted; each change is durable first and then in force. */
export class Functions {
  readonly #deps: FunctionsDeps;
  /** Told of functions that were made or changed, before whoever asked for it is. */
  onChanged: (stored: StoredFunction) => Promise<void> = () => Promise.resolve();

  constructor(deps: FunctionsDeps) {
    this.#deps = deps;
  }

  /**
   * Makes it with its first version: both are there afterwards, or neither.
   *
   * @param deploy stores the version, for a function of that name with these settings
   * @throws PlatformError NAME_TAKEN, INVALID_REQUEST, and what `deploy` throws
   */
  async create(
    name: string,
    changes: Partial<FunctionSettings>,
    deploy: (name: string, settings: FunctionSettings) => Promise<Deployed>,
  ): Promise<StoredFunction> {
    const { catalog } = this.#deps;
    checkName(name);
    const settings = await this.#settings(DEFAULT_SETTINGS, changes);
    if (catalog.function(name) !== undefined) throw taken(name); // before anybody looks at the code
    const { version } = await deploy(name, settings);
    const created = catalog.require(version.functionId);
    await this.onChanged(created);
    return created;
  }

  /** @throws PlatformError FUNCTION_NOT_FOUND, NAME_TAKEN, INVALID_REQUEST */
  async update(
    idOrName: string,
    changes: { readonly name?: string | undefined; readonly settings?: Partial<FunctionSettings> },
  ): Promise<StoredFunction> {
    const { store, catalog, clock, inTurn, folders } = this.#deps;
    const { name } = changes;
    if (name !== undefined) checkName(name);
    return await inTurn.run(catalog.require(idOrName).name, async () => {
      const { id, name: oldName, settings: before } = catalog.require(idOrName);
      const settings = await this.#settings(before, changes.settings ?? {});
      const hidden = name === undefined || name === oldName ? undefined : await folders.hide(oldName);
      let isRenamed = false;
      try {
        const updated = await store.updateFunction(id, { name, settings, nowMs: clock.now() });
        if (updated === "taken") throw taken(name ?? "");
        if (updated === "missing") throw new PlatformError("FUNCTION_NOT_FOUND", "the function is gone");
        isRenamed = true;
        catalog.put(updated);
        await this.onChanged(updated);
        return updated;
      } finally {
        await hidden?.restore(isRenamed ? (name ?? oldName) : oldName);
      }
    });
  }

  /** @throws PlatformError FUNCTION_NOT_FOUND */
  async remove(idOrName: string): Promise<void> {
    const { catalog, inTurn } = this.#deps;
    const { id, name } = catalog.require(idOrName);
    await inTurn.run(name, async () => await this.#remove(id, name));
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
    const { catalog, inTurn } = this.#deps;
    const { id, name } = catalog.require(idOrName);
    await inTurn.run(name, async () => await this.#removeVersion(id, name, number));
  }

  /**
   * Removes a version whatever it is: where it is active the newest other one becomes so, and the last one goes with its function.
   *
   * @throws PlatformError FUNCTION_NOT_FOUND, VERSION_NOT_FOUND; IN_USE where an alias points to it
   */
  async dropVersion(functionId: string, number: number): Promise<void> {
    const { store, catalog, clock, inTurn } = this.#deps;
    const { id, name } = catalog.require(functionId);
    await inTurn.run(name, async () => {
      const { items } = await store.listVersions(id, { limit: 2 });
      const newestOther = items.find((version) => version.number !== number)?.number;
      if (newestOther === undefined && items.length === 1) {
        await this.#remove(id, name);
        return;
      }
      const aliases = await store.listAliases(id);
      if (aliases.some(({ targets }) => targets.some(({ version }) => version === number))) throw inUse(number);
      if (catalog.require(id).activeVersion === number && newestOther !== undefined) {
        await store.activateVersion(id, newestOther, clock.now());
        await catalog.activated(id);
      }
      await this.#removeVersion(id, name, number);
    });
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

  // Within the function's turn. A folder goes out of sight first: one that is there without its version would be taken in at the next start.

  async #remove(id: string, name: string): Promise<void> {
    const { store, catalog, folders } = this.#deps;
    const hidden = await folders.hide(name);
    catalog.remove(id);
    try {
      await store.deleteFunction(id);
    } catch (error) {
      await hidden.restore(name);
      throw error;
    }
    await hidden.remove();
  }

  async #removeVersion(id: string, name: string, number: number): Promise<void> {
    const { store, catalog, clock, folders } = this.#deps;
    const label = (await store.findVersion(id, number))?.upload?.label;
    const hidden = label === undefined ? undefined : await folders.hide(name, label);
    const done = await store.deleteVersion(id, number, clock.now());
    if (done === "done") {
      catalog.removeVersion(id, number);
      await hidden?.remove();
      return;
    }
    await hidden?.restore(name);
    if (done === "missing") throw noVersion(name, number);
    throw inUse(number);
  }

  async #settings(before: FunctionSettings, changes: Partial<FunctionSettings>): Promise<FunctionSettings> {
    grantEgress(changes.egress, this.#deps.egress);
    if (changes.schedule !== undefined) await fireTimes(changes.schedule);
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

function inUse(number: number): PlatformError {
  return new PlatformError("IN_USE", `version ${number} is active, or an alias points to it; change that first`);
}

function taken(name: string): PlatformError {
  return new PlatformError("NAME_TAKEN", `there is a function named ${JSON.stringify(name)} already`);
}
