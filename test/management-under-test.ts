// The management API as its own OpenAPI document describes it: every answer is held against that.
import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

interface Operation {
  readonly operationId: string;
  readonly "x-scope": string;
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, object>> }>>;
  readonly requestBody?: object;
}

export interface DescribedRoute {
  readonly id: string;
  readonly method: string;
  /** With `{name}` for each parameter. */
  readonly path: string;
  readonly operation: Operation;
}

export interface Given {
  /** By name; encoded here. */
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number>>;
  /** Sent as JSON where it is neither text nor bytes. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- what it is has just been checked against its schema
  readonly json: any;
}

const ROOT = "openapi.json";

export class ManagementUnderTest {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();
  readonly routes: readonly DescribedRoute[];
  /** `createFunction 201` for every answer that was seen and fitted. */
  readonly seen = new Set<string>();

  static async open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<ManagementUnderTest> {
    const response = await fetch(`${url}/api/openapi.json`, { headers });
    assert.equal(response.status, 200);
    return new ManagementUnderTest(url, headers, (await response.json()) as object);
  }

  private constructor(url: string, headers: Readonly<Record<string, string>>, document: object) {
    this.#url = url;
    this.#headers = headers;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(document, ROOT);
    const { paths } = document as { paths: Record<string, Record<string, Operation>> };
    this.routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ id: operation.operationId, method, path, operation })),
    );
  }

  route(id: string): DescribedRoute {
    const route = this.routes.find((candidate) => candidate.id === id);
    assert.ok(route, `there is an operation ${id}`);
    return route;
  }

  /** Fails where the status is another one, or the answer does not fit its schema. */
  async call(id: string, status: number, given: Given = {}): Promise<Answered> {
    const route = this.route(id);
    const answer = await this.send(route, given);
    assert.equal(answer.status, status, `${id}: ${answer.text.slice(0, 1000)}`);
    this.#check(route, answer);
    this.seen.add(`${id} ${status}`);
    return answer;
  }

  async send({ method, path }: DescribedRoute, { params = {}, query = {}, body, headers }: Given): Promise<Answered> {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(params[name] ?? "x"));
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) parameters.set(name, String(value));
    const search = parameters.size === 0 ? "" : `?${parameters.toString()}`;
    const response = await fetch(this.#url + filled + search, {
      method: method.toUpperCase(),
      redirect: "manual",
      headers: { ...this.#headers, ...headers },
      ...(body === undefined ? {} : { body: isRaw(body) ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    return { status: response.status, text, headers: response.headers, json: isJson ? JSON.parse(text) : undefined };
  }

  #check({ method, path, operation }: DescribedRoute, { status, text, json }: Answered): void {
    const key = [String(status), `${String(status)[0]}XX`].find((name) => name in operation.responses);
    assert.ok(key, `${operation.operationId} says nothing of ${status}`);
    if (operation.responses[key]?.content === undefined) {
      assert.equal(text, "", `${operation.operationId} ${status} has no body`);
      return;
    }
    if (json === undefined) {
      assert.equal(
        operation.responses[key].content["application/json"],
        undefined,
        `${operation.operationId} answers JSON`,
      );
      return;
    }
    const pointer = ["paths", path, method, "responses", key, "content", "application/json", "schema"]
      .map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1"))
      .join("/");
    const $ref = `${ROOT}#/${encodeURI(pointer)}`;
    const validate = this.#validators.get($ref) ?? this.#ajv.compile({ $ref });
    this.#validators.set($ref, validate);
    assert.ok(validate(json), `${operation.operationId} ${status}: ${this.#ajv.errorsText(validate.errors)}\n${text}`);
  }
}

function isRaw(body: unknown): body is string | Buffer<ArrayBuffer> {
  return typeof body === "string" || Buffer.isBuffer(body);
}
