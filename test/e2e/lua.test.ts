// Lua through the whole server: what its language adds to the script API, and the limits that hold for every language.
import assert from "node:assert/strict";
import { after, afterEach, before, suite, test } from "node:test";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

suite("Lua", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startServer({ TIMEOUT_SCRIPT: "1" });
  });
  after(() => server.dispose());
  afterEach(() => server.settled());

  async function lua(code: string, input: unknown = {}): Promise<{ readonly status: number; readonly text: string }> {
    return await server.runNow({ language: "lua", code, input });
  }

  test("calls a handler with the input, or runs a bare script", async () => {
    const handler = "function handler(ctx, event) return { greeting = 'Hello ' .. event.name } end";
    await server.upload("greet", "lua", handler);

    assert.deepEqual((await server.run("greet", { name: "Ada" })).json, {
      data: { greeting: "Hello Ada" },
      type: "json",
    });
    assert.equal((await lua("return event.a + input.b", { a: 1, b: 2 })).text, '{"data":3,"type":"number"}');
    assert.equal((await lua("print('printed')")).text, '{"data":"printed","type":"text"}');
  });

  test("has its modules", async () => {
    const code =
      "return { crypto.sha256('abc'):sub(1, 8), base64.encode('hi'), strings.trim(' x '), json.decode('[1]')[1] }";

    assert.deepEqual(JSON.parse((await lua(code)).text), { data: ["ba7816bf", "aGk=", "x", 1], type: "json" });
  });

  test("shows a mistake in its lines, with a tip", async () => {
    const { status, text } = await lua("local order = event.order\n\nreturn order.total");

    assert.equal(status, 500);
    assert.match(text, /script\.lua:3: attempt to index local 'order' \(a nil value\)/);
    assert.match(text, /> +3 \| return order\.total/);
    assert.match(text, /Tip: /);
    assert.doesNotMatch(text, /\/shim\//);
  });

  test("is stopped at the limits of time and memory like any language", async () => {
    const endless = await lua("while true do end");
    const bomb = await lua("local t = {} while true do t[#t + 1] = string.rep('x', 1e6) .. #t end");

    assert.equal(endless.status, 504);
    assert.match(endless.text, /max 1s/);
    assert.match(bomb.text, /memory/);
  });

  test("reaches nothing but its language, and leaves nothing to the next run", async () => {
    const code =
      "return { io == nil, os.execute == nil, ffi == nil, jit == nil, debug == nil, package == nil, loadfile == nil }";
    await server.upload(
      "dirty",
      "lua",
      "leaked = (leaked or 0) + 1; string.leaked = true; return { leaked, string.leaked }",
    );
    const runs = [await server.run("dirty"), await server.run("dirty")];

    assert.deepEqual(JSON.parse((await lua(code)).text), { data: Array(7).fill(true), type: "json" });
    for (const { json } of runs) assert.deepEqual(json, { data: [1, true], type: "json" });
  });

  test("streams its logs with their levels' streams", async () => {
    const events = await server.stream({ language: "lua", code: "print('one')\nlog.error('two')\nreturn 3" });

    assert.deepEqual(
      events.map(({ event, data }) => [event, data]),
      [
        ["log", "one"],
        ["log", "two"],
        ["result", 3],
      ],
    );
  });
});
