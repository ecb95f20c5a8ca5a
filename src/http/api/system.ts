import type { Route } from "../router.ts";
import { sendJson, sendJsonFault, sendText } from "../answer.ts";

/** What `/api/system` shows, gathered by whoever knows it. */
export type DescribeSystem = () => Promise<object>;

/** The state of the server, for operators and machines. */
export function systemRoutes(describe: DescribeSystem, version: string): Route[] {
  const dialect: Route["dialect"] = (error, _request, response) => sendJsonFault(response, error);
  return [
    {
      method: "GET",
      path: "/api/system",
      scope: "read",
      dialect,
      handle: async (_request, response) => sendJson(response, 200, JSON.stringify(await describe())),
    },
    // It answers, so it lives; what is asked at a server that is draining is answered 503 before any route.
    {
      method: "GET",
      path: "/healthz",
      scope: "none",
      dialect,
      handle: (_request, response) => sendText(response, 200, "ok"),
    },
    {
      method: "GET",
      path: "/readyz",
      scope: "none",
      dialect,
      handle: (_request, response) => sendText(response, 200, "ok"),
    },
    {
      method: "GET",
      path: "/version",
      scope: "none",
      dialect,
      handle: (_request, response) => sendJson(response, 200, JSON.stringify({ name: "cloche", version })),
    },
  ];
}
