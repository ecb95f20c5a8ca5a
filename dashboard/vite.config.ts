import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { compress } from "./scripts/compress.ts";

/** A running server, for `npm run dev`. */
const SERVER = process.env["CLOCHE_URL"] ?? "http://127.0.0.1:8080";
/** Behind these the development server asks the real one. */
const SERVED_BY_CLOCHE = ["/api", "/fn", "/run-now", "/run", "/upload", "/metrics", "/docs", "/llms.txt"];

export default defineConfig({
  base: "/ui/",
  plugins: [react(), compress()],
  build: {
    target: "es2023",
    // Preloading is for browsers that are older than the target.
    modulePreload: { polyfill: false },
    // A data: address would need to be allowed in the policy for each kind of content.
    assetsInlineLimit: 0,
    rolldownOptions: { checks: { pluginTimings: false } },
    chunkSizeWarningLimit: 4000, // kB; the editor, which is loaded when somebody writes
  },
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(
      SERVED_BY_CLOCHE.map((path) => [
        path,
        {
          target: SERVER,
          changeOrigin: true,
          // Cloche refuses pages of other origins, which that of the development server is.
          headers: { origin: SERVER },
        },
      ]),
    ),
  },
});
