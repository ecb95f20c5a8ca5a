// The management API stands on a framework with schemas, which costs 35 MB and a tenth of a second: it is loaded when the
// first request for it comes, so that a server which only runs functions never pays for it.
import type { IncomingMessage, ServerResponse } from "node:http";
import { sendJsonFault } from "../answer.ts";
import type { Route } from "../router.ts";
import type { ManagementParts } from "./parts.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
/** Beside everything below `/api/`. */
const PAGES = ["/docs", "/metrics", "/llms.txt"];

type Answer = (message: IncomingMessage, response: ServerResponse) => void;

export function managementRoutes(parts: ManagementParts): Route[] {
  let loading: Promise<Answer> | undefined;

  async function load(): Promise<Answer> {
    const { openManagementApi } = await import("./management-api.ts");
    const api = await openManagementApi(parts);
    return (message, response) => api.routing(message, response);
  }

  const route = (method: Route["method"], path: string): Route => ({
    ...{ method, path },
    scope: "none", // each route in there names its own
    dialect: (error, _request, response) => sendJsonFault(response, error),
    async handle({ message }, response) {
      loading ??= load();
      const answer = await loading;
      answer(message, response);
    },
  });
  return [...METHODS.map((method) => route(method, "/api/*")), ...PAGES.map((path) => route("GET", path))];
}
