// The dashboard's files below /ui/. Every path that is no file is a page of the app, so that each page has an address.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { PlatformError } from "../../core/errors.ts";
import { sendFault } from "../answer.ts";
import type { HttpRequest, Route } from "../router.ts";
import type { ServerResponse } from "node:http";
import { type DashboardFile, openFile } from "./files.ts";

const ROOT = "/ui/";

/**
 * What a page of ours may do. Nothing comes from another host, and no script is in a page. Styles may be: the editor
 * and the components write them, and a style cannot run code. `blob:` workers are the editor's.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "frame-src 'self' blob:", // previews of what a function answered, in a sandboxed frame
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = {
  "Content-Security-Policy": PAGE_POLICY,
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
} as const;

export interface Dashboard {
  readonly routes: Route[];
  /** False while it has not been built. */
  readonly isBuilt: () => boolean;
}

/** @param folder the built files; the dashboard itself asks for a key where one is needed, so its files are open */
export function openDashboard(folder: string): Dashboard {
  const isBuilt = (): boolean => existsSync(join(folder, "index.html"));
  const route = (path: string, handle: Route["handle"]): Route => ({
    ...{ method: "GET", path, scope: "none", handle },
    dialect: (error, request, response) => sendFault(error, request, response, error.message),
  });
  return {
    isBuilt,
    routes: [
      route("/ui", ({ query }, response) => {
        response.writeHead(302, { Location: ROOT + (query === "" ? "" : `?${query}`) }).end();
      }),
      route(`${ROOT}*`, async (request, response) => {
        const acceptEncoding = request.message.headers["accept-encoding"]?.toString() ?? "";
        const file = await openFile(folder, request.path.slice(ROOT.length), acceptEncoding);
        if (file !== undefined) await sendFile(file, request, response);
        else if (isBuilt()) throw new PlatformError("ROUTE_NOT_FOUND", `no file ${request.path}`);
        else throw new PlatformError("ROUTE_NOT_FOUND", "the dashboard is not built: node scripts/setup.mjs builds it");
      }),
    ],
  };
}

async function sendFile(file: DashboardFile, { message }: HttpRequest, response: ServerResponse): Promise<void> {
  const { handle, bytes, contentType, coding, isImmutable, etag } = file;
  const headers = {
    ...HEADERS,
    ETag: etag,
    Vary: "Accept-Encoding",
    "Cache-Control": isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
  };
  const isKnown = message.headers["if-none-match"] === etag;
  if (isKnown) response.writeHead(304, headers);
  else {
    const coded = coding === undefined ? {} : { "Content-Encoding": coding };
    response.writeHead(200, { ...headers, ...coded, "Content-Type": contentType, "Content-Length": bytes });
  }
  if (isKnown || message.method === "HEAD") {
    await handle.close();
    response.end();
    return;
  }
  try {
    await pipeline(handle.createReadStream(), response); // which closes the file
  } catch {
    response.destroy(); // the client has gone
  }
}
