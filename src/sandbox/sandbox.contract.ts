import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { text } from "node:stream/consumers";
import { sleep } from "../core/clock.ts";
import type { Sandbox, SandboxedProcess } from "./sandbox.ts";

/** One sandbox under test, whose base `node` is `fixtures/boxed.cjs`, and the host's view of it. */
export interface SandboxUnderTest {
  readonly sandbox: Sandbox;
  /** Processes of all its boxes, as the host counts them. */
  pids(): number[];
  /** What a box leaves on the host as long as it lives, beside its processes. */
  traces(): string[];
}

/** What every sandbox must do, on the real thing. */
export function sandboxContract(open: () => Promise<SandboxUnderTest>): void {
  suite("a sandbox", () => {
    let host: SandboxUnderTest;
    before(async () => {
      host = await open();
    });
    after(() => host.sandbox.close());

    async function nothingIsLeft(): Promise<void> {
      await eventually(() => host.pids().length === 0 && host.traces().length === 0);
    }

    test("starts a program that can be talked with, and reports how it exits", async () => {
      const box = await host.sandbox.launch("node");
      const conversation = new Conversation(box);
      await conversation.hears("ready");
      conversation.tell({ do: "say", text: "hello" });
      await conversation.hears("hello");
      conversation.tell({ do: "exit", code: 7 });
      const { exitCode, signal, outOfMemory } = await box.ended;

      assert.deepEqual({ exitCode, signal, outOfMemory }, { exitCode: 7, signal: null, outOfMemory: false });
      await nothingIsLeft();
    });

    test("hands out what is printed", async () => {
      const box = await host.sandbox.launch("node");
      const printed = Promise.all([text(box.stdout), text(box.stderr)]);
      const conversation = new Conversation(box);
      conversation.tell({ do: "print", text: "é\n" });
      await conversation.hears("printed");
      conversation.tell({ do: "exit", code: 0 });

      assert.deepEqual(await printed, ["é\n", "é\n"]);
      await box.ended;
    });

    test("gives each box an id of its own, and measures its memory while it lives", async () => {
      const boxes = await Promise.all([host.sandbox.launch("node"), host.sandbox.launch("node")]);
      await Promise.all(boxes.map((box) => new Conversation(box).hears("ready")));
      const measured = await Promise.all(boxes.map((box) => box.memoryBytes()));
      for (const box of boxes) box.kill();
      await Promise.all(boxes.map((box) => box.ended));
      const afterwards = await boxes[0]?.memoryBytes();

      assert.notEqual(boxes[0]?.id, boxes[1]?.id);
      for (const bytes of measured) {
        assert.ok(bytes !== undefined && bytes > 1_000_000 && bytes <= host.sandbox.limits.memoryBytes);
      }
      assert.equal(afterwards, undefined);
    });

    test("kills the whole tree, grandchildren that left the session included", async () => {
      const box = await host.sandbox.launch("node");
      const conversation = new Conversation(box);
      conversation.tell({ do: "breed" });
      await conversation.hears("bred");
      await eventually(() => host.pids().length >= 4); // the launcher, the program, its child and grandchild
      const pids = host.pids();
      box.kill();
      box.kill();
      const { signal, exitCode } = await box.ended;

      assert.ok(signal === "SIGKILL" || exitCode === 128 + 9);
      assert.deepEqual(
        pids.filter((pid) => isThere(pid)),
        [],
      );
      await nothingIsLeft();
    });

    test("kills one that has only just been started", async () => {
      const box = await host.sandbox.launch("node");
      box.kill();
      await box.ended;

      await nothingIsLeft();
    });

    test("tells when a box ran out of memory", async () => {
      const box = await host.sandbox.launch("node");
      const conversation = new Conversation(box);
      conversation.tell({ do: "eat", bytes: host.sandbox.limits.memoryBytes * 2 });
      const { outOfMemory, peakMemoryBytes = 0 } = await box.ended;

      assert.equal(outOfMemory, true);
      assert.ok(peakMemoryBytes <= host.sandbox.limits.memoryBytes);
      await nothingIsLeft();
    });

    test("does not start a base that it does not know", async () => {
      await assert.rejects(host.sandbox.launch("cobol"), { code: "SANDBOX_START_FAILED", message: /"cobol"/ });
    });
  });

  test("a sandbox that is closed has ended every box, and starts no more", async () => {
    const host = await open();
    const boxes = await Promise.all([host.sandbox.launch("node"), host.sandbox.launch("node")]);
    const pids = host.pids();
    await host.sandbox.close();
    await host.sandbox.close();
    await Promise.all(boxes.map((box) => box.ended));

    assert.ok(pids.length >= 2);
    await eventually(() => !pids.some((pid) => isThere(pid))); // one that was only just born is the host's to reap
    assert.deepEqual(host.traces(), []);
    await assert.rejects(host.sandbox.launch("node"), { code: "SANDBOX_START_FAILED" });
  });
}

/** What a test and a boxed program say to each other. */
class Conversation {
  readonly #box: SandboxedProcess;
  #heard = "";

  constructor(box: SandboxedProcess) {
    this.#box = box;
    box.control.setEncoding("utf8").on("data", (chunk: string) => (this.#heard += chunk));
    for (const socket of [box.control, box.stdout, box.stderr]) socket.on("error", () => {});
    box.stdout.resume();
    box.stderr.resume();
  }

  tell(order: object): void {
    this.#box.control.write(`${JSON.stringify(order)}\n`);
  }

  async hears(line: string): Promise<void> {
    await eventually(() => this.#heard.split("\n").includes(line));
  }
}

async function eventually(isSo: () => boolean): Promise<void> {
  const giveUpAtMs = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > giveUpAtMs) assert.fail(`never became so: ${isSo.toString()}`);
    await sleep(3);
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
