import type { ServerResponse } from "node:http";
import { type Scope, SCOPES } from "../../core/access.ts";
import { PlatformError } from "../../core/errors.ts";
import type { KeyRecord, Keys } from "../../services/keys.ts";
import { sendJson, sendJsonFault } from "../answer.ts";
import { readBody } from "../body.ts";
import type { HttpRequest, Route } from "../router.ts";

const PATH = "/api/keys";
const BODY_BYTES = 4096;
const NAME_CHARS = 100;

/** Makes, lists and removes API keys. */
export function keyRoutes(keys: Keys): Route[] {
  const shared = {
    scope: "admin",
    dialect: (error, _request, response) => sendJsonFault(response, error),
  } as const satisfies Partial<Route>;

  async function create(request: HttpRequest, response: ServerResponse): Promise<void> {
    const { name, scope } = parseNewKey(await readBody(request.message, BODY_BYTES));
    const { record, secret } = await keys.create(name, scope);
    sendJson(response, 201, JSON.stringify({ ...shown(record), key: secret }));
  }

  async function remove(request: HttpRequest, response: ServerResponse): Promise<void> {
    const id = request.path.slice(PATH.length + 1);
    if (!(await keys.remove(id))) throw new PlatformError("KEY_NOT_FOUND", `no key with id ${JSON.stringify(id)}`);
    response.writeHead(204).end();
  }

  return [
    {
      ...shared,
      method: "GET",
      path: PATH,
      handle: (_request, response) => sendJson(response, 200, JSON.stringify({ items: keys.list().map(shown) })),
    },
    { ...shared, method: "POST", path: PATH, handle: create },
    { ...shared, method: "DELETE", path: `${PATH}/*`, handle: remove },
  ];
}

function shown({ id, name, scope, hint, createdAtMs }: KeyRecord): object {
  return { id, name, scope, hint: `${hint}…`, createdAt: new Date(createdAtMs).toISOString() };
}

function parseNewKey(text: string): { readonly name: string; readonly scope: Scope } {
  let fields: { readonly name?: unknown; readonly scope?: unknown };
  try {
    fields = Object(JSON.parse(text)) as typeof fields;
  } catch {
    throw new PlatformError("INVALID_REQUEST", "the body is not JSON");
  }
  const { name, scope } = fields;
  if (typeof name !== "string" || name.trim() === "" || name.length > NAME_CHARS) {
    throw new PlatformError("INVALID_REQUEST", `name: text of 1 to ${NAME_CHARS} characters is required`);
  }
  const known = SCOPES.find((candidate) => candidate === scope);
  if (known === undefined) throw new PlatformError("INVALID_REQUEST", `scope: one of ${SCOPES.join(", ")} is required`);
  return { name, scope: known };
}
