import assert from "node:assert/strict";
import { test } from "node:test";
import { moduleSources } from "./module-sources.ts";

test("builds may connect to the proxies and the checksum database, and to nothing else", () => {
  assert.deepEqual(moduleSources("https://proxy.golang.org,https://a.example:8443/go", "sum.example+1+Abc", "public"), {
    proxy: "https://proxy.golang.org,https://a.example:8443/go",
    sumDb: "sum.example+1+Abc",
    egress: ["proxy.golang.org:443", "storage.googleapis.com:443", "a.example:8443", "sum.example:443"],
  });
  assert.deepEqual(moduleSources("https://a.example", "off", "all").egress, ["a.example:443"]);
});

test("without proxies, or on a server without network, builds connect to nothing", () => {
  const nothing = { proxy: "off", sumDb: "off", egress: "none" };

  assert.deepEqual(moduleSources("off", "sum.golang.org", "all"), nothing);
  assert.deepEqual(moduleSources("https://proxy.golang.org", "sum.golang.org", "none"), nothing);
});
