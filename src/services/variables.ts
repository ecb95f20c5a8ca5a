import type { Clock } from "../core/clock.ts";
import { PlatformError } from "../core/errors.ts";
import type { Store } from "../store/store.ts";
import type { SecretBox } from "./secret-box.ts";

const VARIABLE_LIMITS = { count: 100, nameChars: 100, valueBytes: 10_000 } as const;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What a worker gets of them. */
export interface LoadedVariables {
  readonly env: Readonly<Record<string, string>>;
  /** The values of the secrets among them. */
  readonly secrets: readonly string[];
}

/** Variables and secrets of functions. Secrets are sealed before the store sees them, and go only to the workers. */
export class Variables {
  readonly #store: Store;
  readonly #box: SecretBox;
  readonly #clock: Clock;

  constructor(store: Store, box: SecretBox, clock: Clock) {
    this.#store = store;
    this.#box = box;
    this.#clock = clock;
  }

  async load(functionId: string): Promise<LoadedVariables> {
    const env: Record<string, string> = {};
    const secrets: string[] = [];
    for (const variable of await this.#store.listVariables(functionId)) {
      const value = variable.secret
        ? this.#box.open(variable.sealed, about(functionId, variable.name))
        : variable.value;
      env[variable.name] = value;
      if (variable.secret) secrets.push(value);
    }
    return { env, secrets };
  }

  /** Plain values; of secrets only the names. */
  async list(functionId: string): Promise<{ readonly env: Record<string, string>; readonly secrets: string[] }> {
    const stored = await this.#store.listVariables(functionId);
    return {
      env: Object.fromEntries(stored.flatMap((one) => (one.secret ? [] : [[one.name, one.value]]))),
      secrets: stored.filter(({ secret }) => secret).map(({ name }) => name),
    };
  }

  async replace(functionId: string, values: Readonly<Record<string, string>>): Promise<void> {
    const { secrets } = await this.list(functionId);
    if (Object.keys(values).length + secrets.length > VARIABLE_LIMITS.count) throw tooMany();
    for (const [name, value] of Object.entries(values)) check(name, value);
    settle(await this.#store.replaceVariables(functionId, values, this.#clock.now()), "one of these is a secret");
  }

  async put(functionId: string, name: string, value: string): Promise<void> {
    await this.#checkRoom(functionId, name, value);
    const done = await this.#store.putVariable(functionId, { name, secret: false, value }, this.#clock.now());
    settle(done, `${name} is a secret`);
  }

  async putSecret(functionId: string, name: string, value: string): Promise<void> {
    await this.#checkRoom(functionId, name, value);
    const sealed = this.#box.seal(value, about(functionId, name));
    const done = await this.#store.putVariable(functionId, { name, secret: true, sealed }, this.#clock.now());
    settle(done, `${name} is a plain variable`);
  }

  /** False where there was none. */
  async remove(functionId: string, name: string, secret: boolean): Promise<boolean> {
    return await this.#store.deleteVariable(functionId, { name, secret }, this.#clock.now());
  }

  async #checkRoom(functionId: string, name: string, value: string): Promise<void> {
    check(name, value);
    const known = await this.#store.listVariables(functionId);
    if (known.length >= VARIABLE_LIMITS.count && !known.some((one) => one.name === name)) throw tooMany();
  }
}

function about(functionId: string, name: string): string {
  return `${functionId}/${name}`;
}

function check(name: string, value: string): void {
  if (!NAME.test(name) || name.length > VARIABLE_LIMITS.nameChars) {
    const rule = `letters, digits and _, not a digit first, ${VARIABLE_LIMITS.nameChars} characters at most`;
    throw new PlatformError("INVALID_REQUEST", `env: the name ${JSON.stringify(name.slice(0, 200))} must be ${rule}`);
  }
  const bytes = Buffer.byteLength(value);
  if (bytes > VARIABLE_LIMITS.valueBytes) {
    throw new PlatformError("INVALID_REQUEST", `env: ${name} has ${bytes} bytes (max ${VARIABLE_LIMITS.valueBytes})`);
  }
  if (value.includes("\0")) throw new PlatformError("INVALID_REQUEST", `env: ${name} holds a NUL character`);
}

function tooMany(): PlatformError {
  return new PlatformError("INVALID_REQUEST", `env: more than ${VARIABLE_LIMITS.count} variables and secrets`);
}

function settle(done: "done" | "missing" | "taken", why: string): void {
  if (done === "missing") throw new PlatformError("FUNCTION_NOT_FOUND", "the function is gone");
  if (done === "taken") throw new PlatformError("NAME_TAKEN", `env: ${why}`);
}
