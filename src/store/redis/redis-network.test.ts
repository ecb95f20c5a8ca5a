// Redis over the network: TCP, TLS, and what is said of it.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openRedisStore } from "./redis-store.ts";
import { redisFor } from "./redis-under-test.fixture.ts";

/** One that nobody listens on just now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("a Redis without a password that is reached over the network is warned of, others are not", async (t) => {
  const port = await freePort();
  const redis = await redisFor(t, "--port", String(port), "--bind", "127.0.0.1");
  const warningsAt = async (host: string): Promise<string> => {
    const settings = { ...redis.settings(), path: undefined, host, port };
    const { store, warnings } = await openRedisStore({ settings, keepExecutions: 1 });
    await store.close();
    return warnings.join("\n");
  };

  assert.equal(await warningsAt("127.0.0.1"), "");
  assert.match(await warningsAt("0.0.0.0"), /^Redis at 0\.0\.0\.0:\d+, database 0: it asks for no password/); // leads to loopback, but does not look like it
});

test("TLS works with a certificate that is trusted, and not with another", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cloche-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const made = ["req", "-x509", "-nodes", "-days", "2", ...curve, ...subject, "-keyout", key, "-out", cert];
  execFileSync("openssl", made, { stdio: "ignore" });
  const port = await freePort();
  const tls = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no"];
  const redis = await redisFor(t, "--tls-port", String(port), "--bind", "127.0.0.1", "::1", ...tls);
  const settings = { ...redis.settings(), path: undefined, host: "localhost", port, tls: true };
  const text = `
    import { openRedisStore } from ${JSON.stringify(new URL("redis-store.ts", import.meta.url).href)};
    const { store } = await openRedisStore({ settings: ${JSON.stringify(settings)}, keepExecutions: 1 });
    console.log((await store.listKeys()).length);
    await store.close();
  `;
  const open = async (env: Record<string, string>): Promise<string> => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", text], { env });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    }
    await once(child, "close");
    return said;
  };

  assert.equal(await open({ NODE_EXTRA_CA_CERTS: cert }), "0\n");
  assert.match(await open({}), /Redis at localhost:\d+ \(TLS\), database 0: .*certificate/);
});
