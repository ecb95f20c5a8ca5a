import { PlatformError } from "../core/errors.ts";
import type {
  FunctionQuery,
  Page,
  Store,
  StoredAlias,
  StoredFunction,
  StoredVersion,
  VersionSummary,
} from "../store/store.ts";
import { type Catalog, noVersion } from "./catalog.ts";

export type { AliasTarget } from "../core/function.ts";
export type {
  FunctionQuery,
  Page,
  StoredAlias,
  StoredFunction,
  StoredVersion,
  VersionSummary,
} from "../store/store.ts";

/** What there is, for those who look: functions, their versions and aliases. Calls take another way, `Catalog`. */
export class Inventory {
  readonly #store: Store;
  readonly #catalog: Catalog;

  constructor(store: Store, catalog: Catalog) {
    this.#store = store;
    this.#catalog = catalog;
  }

  async functions(query: FunctionQuery): Promise<Page<StoredFunction>> {
    return await this.#store.listFunctions(query);
  }

  /** @throws PlatformError FUNCTION_NOT_FOUND */
  function(idOrName: string): StoredFunction {
    return this.#catalog.require(idOrName);
  }

  /** The newest first. Rejects with PlatformError FUNCTION_NOT_FOUND. */
  async versions(
    idOrName: string,
    query: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<VersionSummary>> {
    return await this.#store.listVersions(this.function(idOrName).id, query);
  }

  /** With its code. Rejects with PlatformError FUNCTION_NOT_FOUND, VERSION_NOT_FOUND. */
  async version(idOrName: string, number: number): Promise<StoredVersion> {
    const { id, name } = this.function(idOrName);
    const version = await this.#store.findVersion(id, number);
    if (version !== undefined) return version;
    throw noVersion(name, number);
  }

  /** The active one; undefined where there is none yet. */
  async activeVersion(stored: StoredFunction): Promise<StoredVersion | undefined> {
    return await this.#store.findVersion(stored.id, undefined);
  }

  /** In the order of their names. Rejects with PlatformError FUNCTION_NOT_FOUND. */
  async aliases(idOrName: string): Promise<StoredAlias[]> {
    const aliases = await this.#store.listAliases(this.function(idOrName).id);
    return aliases.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Rejects with PlatformError FUNCTION_NOT_FOUND, NOT_FOUND. */
  async alias(idOrName: string, name: string): Promise<StoredAlias> {
    const alias = (await this.aliases(idOrName)).find((one) => one.name === name);
    if (alias !== undefined) return alias;
    throw new PlatformError("NOT_FOUND", `there is no alias ${JSON.stringify(name)}`);
  }
}
