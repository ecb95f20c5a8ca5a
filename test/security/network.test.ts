// With no network configured, a box has no way to talk to anybody. (The gate to the network has tests of its own.)
import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { after, afterEach, before, suite, test } from "node:test";
import { type AttackedServer, startAttacked } from "./attacked-server.ts";
import { javascript, python } from "./attacker.ts";

const NAMES = ["localhost", "example.com", "metadata.google.internal", "secret-value.attacker.example", "cloche"];

suite("a box without a network", () => {
  let server: AttackedServer;
  let listener: Server;
  let reached = 0;
  let targets: [string, number][];
  before(async () => {
    listener = createServer((socket) => {
      reached++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => listener.listen(0, "0.0.0.0", resolve));
    const address = listener.address();
    assert.ok(address !== null && typeof address === "object");
    const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
    server = await startAttacked({ TIMEOUT_SCRIPT: "5" });
    targets = [
      ...["127.0.0.1", "0.0.0.0", "::1", "::ffff:127.0.0.1", ...own].map((host): [string, number] => [
        host,
        address.port,
      ]),
      ["127.0.0.1", Number(new URL(server.url).port)],
      ["1.1.1.1", 80],
      ["169.254.169.254", 80],
      ["2606:4700:4700::1111", 443],
    ];
  });
  after(async () => {
    listener.close();
    await server.dispose();
    assert.equal(reached, 0, "something reached the host");
  });
  afterEach(async () => {
    await server.settled();
  });

  // `socket` leads to the gate to the network; `_socket` is what is below it.
  for (const module of ["socket", "_socket"]) {
    test(`NET-01, NET-10: python can connect to nothing by ${module}, the host included, over TCP and UDP`, async () => {
      const code = `
        import errno, ${module} as module
        results = []
        for host, port in input:
            family = module.AF_INET6 if ':' in host else module.AF_INET
            for kind in (module.SOCK_STREAM, module.SOCK_DGRAM, module.SOCK_RAW):
                try:
                    module.socket(family, kind).connect((host, port)); results.append('connected to ' + host)
                except OSError as error: pass
        return results
        `;
      assert.deepEqual(await python(server, code, targets), []);
    });
  }

  test("NET-01, NET-10: javascript can connect to nothing, the host included, by no module", async () => {
    const code = `
      const net = require("net"), http = require("http"), dgram = require("dgram"), tls = require("tls");
      const told = (emitter) => new Promise((resolve) => {
        for (const event of ["connect", "response", "listening", "secureConnect"]) emitter.on(event, () => resolve("reached"));
        emitter.on("error", () => resolve("refused"));
      });
      const results = new Set();
      for (const [host, port] of event) {
        const url = "http://" + (host.includes(":") ? "[" + host + "]" : host) + ":" + port;
        results.add(await told(net.connect({ host, port })));
        results.add(await told(tls.connect({ host, port })));
        results.add(await told(http.get(url)));
        results.add(await fetch(url).then(() => "reached", () => "refused"));
      }
      try { results.add(await told(dgram.createSocket("udp4").bind())) } catch { results.add("refused") }
      results.add(await told(net.createServer().listen(0)));
      return [...results];
      `;
    assert.deepEqual(await javascript(server, code, targets), ["refused"]);
  });

  test("NET-13: python has no resolver to carry data out in names", async () => {
    const code = `
      import _socket, socket
      found = []
      for name in input:
          try: found.append([name, _socket.getaddrinfo(name, 80)])
          except OSError: pass
          try: socket.create_connection((name, 80), 1); found.append(['connected', name])
          except OSError: pass
      return found
      `;
    const found = (await python(server, code, NAMES)) as [string, unknown][];
    assert.deepEqual(
      found.filter(([name]) => name !== "localhost"), // glibc knows that one itself
      [],
    );
  });

  test("NET-13: javascript has no resolver to carry data out in names", async () => {
    const code = `
      const dns = require("dns").promises, results = [];
      for (const name of event) {
        for (const ask of [dns.lookup, dns.resolve4, dns.resolveTxt])
          await ask(name).then(() => results.push(name), () => {});
      }
      return results;
      `;
    const resolved = (await javascript(server, code, NAMES)) as string[];
    assert.deepEqual(
      resolved.filter((name) => name !== "localhost"),
      [],
    );
  });

  test("NET-01: a box has a loopback of its own, with nothing on it, and no other device", async () => {
    assert.deepEqual(
      await python(server, "return [line.split(':')[0].strip() for line in open('/proc/net/dev')][2:]"),
      ["lo"],
    );
    assert.equal(await python(server, "return len(open('/proc/net/tcp').readlines())"), 1);
    assert.equal(await python(server, "return len(open('/proc/net/route').readlines()) <= 1"), true);
  });

  test("NET-16, TEN-03: an abstract socket of one box is not there in another", async () => {
    const holder = python(
      server,
      `
      import socket, time
      listener = socket.socket(socket.AF_UNIX)
      listener.bind('\\0channel'); listener.listen()
      at_home = socket.socket(socket.AF_UNIX); at_home.connect('\\0channel')
      time.sleep(0.6)
      listener.settimeout(0.01); listener.accept()
      try: listener.accept(); return 'somebody came'
      except OSError: return 'nobody came'
      `,
    );
    const guest = `
      import errno, os, socket, time
      for attempt in range(30):
          try: socket.socket(socket.AF_UNIX).connect('\\0channel'); return 'connected'
          except OSError as error: result = errno.errorcode[error.errno]
          time.sleep(0.01)
      return [result, len(open('/proc/net/unix').readlines())]
      `;
    const [result] = (await python(server, guest)) as [string];

    assert.equal(result, "ECONNREFUSED");
    assert.equal(await holder, "nobody came");
  });

  test("NET-16: the only path of a box that leads to a socket is its own door to the gate", async () => {
    const code = `
      import os, stat
      found = []
      for folder, _, names in os.walk('/'):
          if folder.startswith('/proc'): continue
          for name in names:
              try:
                  if stat.S_ISSOCK(os.lstat(folder + '/' + name).st_mode): found.append(folder + '/' + name)
              except OSError: pass
      return found
      `;
    // Its own door to the egress gate, which serves this box alone.
    assert.deepEqual(await python(server, code), ["/run/egress.sock"]);
  });

  test("RES-24: a function cannot call the server that runs it", async () => {
    const { port } = new URL(server.url);
    const again = `await fetch("http://127.0.0.1:${port}/run/again", { method: "POST" })`;
    await server.upload("again", "javascript", `try { ${again}; return "called" } catch (error) { return "refused" }`);

    assert.deepEqual((await server.run("again")).json, { data: "refused", type: "string" });
  });
});
