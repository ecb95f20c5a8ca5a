// What a box may reach, and what it is told where it may not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep } from "../../core/clock.ts";
import { GateUnderTest, WEB, asked, get } from "./gate-under-test.fixture.ts";
import { HOST_ADDRESS } from "./internet.fixture.ts";

const under = GateUnderTest.ofThisFile();

const DENIED: readonly (readonly [target: string, why: string])[] = [
  ["127.0.0.1:8080", "127.0.0.1 is loopback"],
  ["localhost:8080", "localhost leads to ::1, which is loopback"],
  ["127.1:8080", "127.0.0.1 is loopback"],
  ["0x7f.1:8080", "127.0.0.1 is loopback"],
  ["2130706433:8080", "127.0.0.1 is loopback"],
  ["0177.0.0.1:8080", "127.0.0.1 is loopback"],
  ["127.0.0.1.:8080", "127.0.0.1 is loopback"],
  ["１２７.0.0.1:8080", "127.0.0.1 is loopback"],
  ["[::1]:8080", "::1 is loopback"],
  ["0.0.0.0:8080", "0.0.0.0 is unspecified"],
  ["10.0.0.5:80", "10.0.0.5 is private"],
  ["192.168.77.2:80", "192.168.77.2 is private"],
  ["169.254.169.254:80", "169.254.169.254 is link-local (cloud metadata)"],
  ["[fd12:3456::5]:80", "fd12:3456::5 is unique-local"],
  ["[64:ff9b::5db8:d822]:80", "64:ff9b::5db8:d822 is NAT64"],
  [`[::ffff:${WEB}]:80`, "::ffff:5db8:d822 is IPv4-mapped"],
  ["[2002:a00:5::1]:80", "2002:a00:5::1 is 6to4"],
  [`${HOST_ADDRESS}:8080`, `${HOST_ADDRESS} is one of this host's own addresses`],
  ["[fd77::1]:8080", "fd77::1 is one of this host's own addresses"],
  [`${WEB}:22`, "port 22 is not allowed"],
  ["web.example:25", "port 25 is not allowed"],
];

for (const [target, why] of DENIED)
  test(`${target} is denied: ${why}`, async (t) => {
    const { path, id } = await under.box(t, "public");

    const answer = await asked(path, target);

    // The order of localhost's two addresses is the resolver's.
    assert.equal(answer.replace("127.0.0.1, which", "::1, which"), `403 egress denied: ${why}`);
    assert.equal(await under.firstLine(id), answer.slice(4));
  });

test("a name with one forbidden address among good ones is denied", async (t) => {
  const { path } = await under.box(t, "public");
  await under.internet.setName("mixed.example", [WEB, "10.0.0.5"]);
  await under.internet.setName("mixed6.example", [WEB, "::ffff:127.0.0.1"]);

  assert.equal(
    await asked(path, "mixed.example:80"),
    "403 egress denied: mixed.example leads to 10.0.0.5, which is private",
  );
  assert.match(await asked(path, "mixed6.example:80"), /^403 .* which is IPv4-mapped$/);
});

test("a name that changes its address between two questions is asked once and then denied", async (t) => {
  const { path } = await under.box(t, "public");
  await under.internet.setName("rebind.example", [WEB], ["169.254.169.254"]);

  assert.match(await get(path, "rebind.example:80"), /hello /);
  assert.equal(await under.internet.timesResolved("rebind.example"), 1);
  assert.match(await asked(path, "rebind.example:80"), /^403 .* is link-local \(cloud metadata\)$/);
});

test("a redirect to the metadata service is denied when it is followed", async (t) => {
  const { path } = await under.box(t, "public");

  const answer = await get(path, "web.example:80", "/redirect?to=http://169.254.169.254/latest");
  const location = /^location: http:\/\/([^/]+)/m.exec(answer)?.[1];

  assert.match(await asked(path, `${location}:80`), /^403 /);
});

test("all opens private addresses, but neither the host nor its link", async (t) => {
  const { path } = await under.box(t, "all");

  assert.match(await get(path, "10.0.0.5:80"), /hello /);
  for (const target of ["127.0.0.1:80", `${HOST_ADDRESS}:80`, "169.254.169.254:80", "[fe80::1]:80"])
    assert.match(await asked(path, target), /^403 egress denied: /, target);
});

test("a list opens its hosts and nothing else", async (t) => {
  const { path } = await under.box(t, ["web.example", "*.web.example:8080", "10.0.0.5:80", "private.example"]);
  await under.internet.setName("a.web.example", [WEB]);
  await under.internet.setName("private.example", ["10.0.0.5"]);

  assert.match(await get(path, "web.example:80"), /hello /);
  assert.match(await get(path, "a.web.example:8080"), /hello /);
  assert.match(await get(path, "10.0.0.5:80"), /hello /);
  assert.equal(await asked(path, "a.web.example:80"), "403 egress denied: port 80 is not allowed");
  assert.equal(await asked(path, `${WEB}:80`), `403 egress denied: ${WEB} is not in the list of allowed hosts`);
  assert.match(await asked(path, "private.example:80"), /^403 .* leads to 10\.0\.0\.5, which is private$/);
  assert.equal(await under.internet.timesResolved("web.example.evil.example"), 0);
});

test("none denies everything and resolves nothing", async (t) => {
  const { path } = await under.box(t, "none");
  await under.internet.setName("never.example", [WEB]);

  assert.equal(await asked(path, "never.example:80"), "403 egress denied: no network for this function (EGRESS=none)");
  assert.equal(await under.internet.timesResolved("never.example"), 0);
});

test("a policy may come after the first connection", async (t) => {
  const { path, id } = await under.box(t, undefined);

  const answer = get(path, "web.example:80");
  await sleep(200);
  under.gate.setPolicy(id, "public");

  assert.match(await answer, /hello /);
});

test("a box without a policy is denied after the wait", async (t) => {
  const { path } = await under.box(t, undefined, { policyWaitMs: 100 });

  assert.equal(await asked(path, "web.example:80"), "403 egress denied: this sandbox has no network policy yet");
});
