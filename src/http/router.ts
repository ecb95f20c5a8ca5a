import type { IncomingMessage, ServerResponse } from "node:http";
import type { Scope } from "../core/access.ts";
import { PlatformError } from "../core/errors.ts";

export interface HttpRequest {
  readonly message: IncomingMessage;
  /** The path without the query, still percent-encoded. */
  readonly path: string;
  /** The part behind `?`, `""` where there is none. */
  readonly query: string;
}

/** Answers one request. What it throws is answered by the route's dialect. */
export type Handler = (request: HttpRequest, response: ServerResponse) => Promise<void> | void;

/** How a family of routes tells its callers about faults. */
export type Dialect = (error: PlatformError, request: HttpRequest, response: ServerResponse) => void;

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";
  /** What a key must be good for where keys are needed; `none`: open to everyone. */
  readonly scope: Scope | "none";
  /** An exact path, or with `/*` at its end all paths below it. */
  readonly path: string;
  /** True for requests that web pages of other origins may send even to a server on loopback; absent: none of them. */
  readonly anyOrigin?: (request: HttpRequest) => boolean;
  readonly dialect: Dialect;
  readonly handle: Handler;
}

/** Finds the route of a request. Some ten routes, looked up in two maps: no library is smaller than that. */
export class Router {
  readonly #exact = new Map<string, Route[]>();
  readonly #below: { readonly prefix: string; readonly routes: Route[] }[] = [];

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      if (route.path.endsWith("/*")) this.#addBelow(route.path.slice(0, -1), route);
      else this.#exact.set(route.path, [...(this.#exact.get(route.path) ?? []), route]);
    }
  }

  /** @throws PlatformError ROUTE_NOT_FOUND, METHOD_NOT_ALLOWED */
  find(method: string, path: string): Route {
    const routes = this.#at(path);
    const wanted = method === "HEAD" ? "GET" : method;
    const route = routes.find((candidate) => candidate.method === wanted);
    if (route !== undefined) return route;
    if (routes.length === 0) throw new PlatformError("ROUTE_NOT_FOUND", `no route ${path}`);
    throw new PlatformError("METHOD_NOT_ALLOWED", `${path} takes ${this.allowed(path).join(", ")}, not ${method}`);
  }

  allowed(path: string): string[] {
    return this.#at(path).map((route) => route.method);
  }

  /** The dialect for faults at `path`; undefined where no route is near. */
  dialectAt(path: string): Dialect | undefined {
    return this.#at(path)[0]?.dialect;
  }

  #at(path: string): readonly Route[] {
    return this.#exact.get(path) ?? this.#below.find(({ prefix }) => path.startsWith(prefix))?.routes ?? [];
  }

  #addBelow(prefix: string, route: Route): void {
    const known = this.#below.find((entry) => entry.prefix === prefix);
    if (known === undefined) this.#below.push({ prefix, routes: [route] });
    else known.routes.push(route);
  }
}
