import type { AliasTarget } from "../../core/function.ts";
import type { StoredAlias, StoredVariable } from "../store.ts";
import type { MetaScripts } from "./meta-scripts.ts";

type Done = "done" | "missing" | "taken";

/** What a function has under names of its own, beside its code. */
export class AliasesAndVariables {
  readonly #scripts: MetaScripts;

  constructor(scripts: MetaScripts) {
    this.#scripts = scripts;
  }

  async putAlias(functionId: string, { name, targets }: StoredAlias, nowMs: number): Promise<boolean> {
    const numbers = targets.map(({ version }) => version);
    const stored = JSON.stringify(targets);
    const done = await this.#scripts.run("put-alias", functionId, name.toWellFormed(), stored, nowMs, ...numbers);
    return done === 1;
  }

  async listAliases(functionId: string): Promise<StoredAlias[]> {
    const stored = await this.#read("aliases", functionId);
    return stored.map(([name, targets]) => ({ name, targets: JSON.parse(targets) as AliasTarget[] }));
  }

  async deleteAlias(functionId: string, name: string): Promise<boolean> {
    return (await this.#scripts.run("delete-alias", functionId, name)) === 1;
  }

  async listVariables(functionId: string): Promise<StoredVariable[]> {
    const stored = await this.#read("variables", functionId);
    return stored.map(([name, value]) =>
      value.startsWith("s")
        ? { name, secret: true, sealed: value.slice(1) }
        : { name, secret: false, value: value.slice(1) },
    );
  }

  async replaceVariables(functionId: string, values: Readonly<Record<string, string>>, nowMs: number): Promise<Done> {
    const pairs = Object.entries(values).flatMap(([name, value]) => [name, `p${value}`]);
    return (await this.#scripts.run("put-variables", functionId, nowMs, "replace", ...pairs)) as Done;
  }

  async putVariable(functionId: string, variable: StoredVariable, nowMs: number): Promise<Done> {
    const value = variable.secret ? `s${variable.sealed}` : `p${variable.value}`;
    return (await this.#scripts.run("put-variables", functionId, nowMs, "put", variable.name, value)) as Done;
  }

  async deleteVariable(
    functionId: string,
    { name, secret }: { readonly name: string; readonly secret: boolean },
    nowMs: number,
  ): Promise<boolean> {
    return (await this.#scripts.run("delete-variable", functionId, nowMs, name, secret ? "s" : "p")) === 1;
  }

  /** In the order of the names' bytes. */
  async #read(kind: "aliases" | "variables", functionId: string): Promise<[string, string][]> {
    const key = `${this.#scripts.keyspace.meta}:${kind}:${functionId}`;
    const reply = (await this.#scripts.connection.command("HGETALL", key)) as object as Record<string, string>;
    return Object.entries(reply).toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }
}
