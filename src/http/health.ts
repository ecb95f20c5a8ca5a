import { sendJson, sendJsonFault, sendText } from "./answer.ts";
import type { Route } from "./router.ts";

/** For machines that look whether the server lives; open to all, and never more than a few bytes. */
export function healthRoutes(version: string): Route[] {
  const shared = {
    method: "GET",
    scope: "none",
    dialect: (error, _request, response) => sendJsonFault(response, error),
  } as const satisfies Partial<Route>;
  return [
    // It answers, so it lives. A server that is stopping answers 503 before any route; at `/readyz` also while it still takes work.
    { ...shared, path: "/healthz", handle: (_request, response) => sendText(response, 200, "ok") },
    { ...shared, path: "/readyz", handle: (_request, response) => sendText(response, 200, "ok") },
    {
      ...shared,
      path: "/version",
      handle: (_request, response) => sendJson(response, 200, JSON.stringify({ name: "cloche", version })),
    },
  ];
}
