import assert from "node:assert/strict";
import { test } from "node:test";
import { type Dialect, type Route, Router } from "./router.ts";

function route(method: "GET" | "POST", path: string, dialect: Dialect = () => {}): Route {
  return { method, path, scope: "read", dialect, handle: () => {} };
}

const get = route("GET", "/a");
const post = route("POST", "/a");
const below = route("POST", "/run/*");
const home = route("GET", "/");
const router = new Router([home, get, post, below]);

test("a route is found by its method and its exact path", () => {
  assert.equal(router.find("GET", "/a"), get);
  assert.equal(router.find("POST", "/a"), post);
  assert.equal(router.find("GET", "/"), home);
});

test("a route with a star takes every path below it, and only those", () => {
  assert.equal(router.find("POST", "/run/x"), below);
  assert.equal(router.find("POST", "/run/x/y%2Fz"), below);
  assert.equal(router.find("POST", "/run/"), below);
  assert.throws(() => router.find("POST", "/run"), { code: "ROUTE_NOT_FOUND" });
  assert.throws(() => router.find("POST", "/runs/x"), { code: "ROUTE_NOT_FOUND" });
});

test("HEAD is answered by the route of GET", () => {
  assert.equal(router.find("HEAD", "/a"), get);
});

test("an unknown path is told from a method that is not taken", () => {
  assert.throws(() => router.find("GET", "/b"), { code: "ROUTE_NOT_FOUND", message: "no route /b" });
  assert.throws(() => router.find("DELETE", "/a"), {
    code: "METHOD_NOT_ALLOWED",
    message: "/a takes GET, POST, not DELETE",
  });
  assert.deepEqual(router.allowed("/run/x"), ["POST"]);
});

test("names that every object has are no paths", () => {
  assert.throws(() => router.find("GET", "constructor"), { code: "ROUTE_NOT_FOUND" });
  assert.throws(() => router.find("GET", "__proto__"), { code: "ROUTE_NOT_FOUND" });
});

test("a fault near a route is told in that route's dialect", () => {
  assert.equal(router.dialectAt("/run/x"), below.dialect);
  assert.equal(router.dialectAt("/nowhere"), undefined);
});
