import assert from "node:assert/strict";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import type { OutputStream } from "../../core/log-line.ts";
import type { Outcome } from "../../core/outcome.ts";
import { ScriptEvents } from "./script-events.ts";

/** Lets a run tell its story and returns the events that were sent, as `event data type`. */
function story(alwaysReturns: boolean, tell: (events: ScriptEvents, sentSoFar: () => number) => void): string[] {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const frames: string[] = [];
  response.write = (text: string) => frames.push(text) > 0;
  const events = new ScriptEvents(response, alwaysReturns);
  tell(events, () => frames.length);
  assert.ok(response.writableEnded, "the stream ends with its result");
  return frames.map((frame) => {
    assert.match(frame, /^data: [^\n]*\n\n$/);
    const { event, data, type } = JSON.parse(frame.slice("data: ".length)) as Record<string, unknown>;
    return `${String(event)} ${JSON.stringify(data)} ${String(type)}`;
  });
}

function line(events: ScriptEvents, text: string, stream: OutputStream = "stdout"): void {
  events.line({ stream, level: "info", atMs: 0, text });
}

function end(events: ScriptEvents, outcome: Outcome): void {
  events.end({ executionId: "x", outcome, printed: "", stderr: "", coldStart: false, waitMs: 0, runMs: 0 });
}

const RETURNED = { kind: "ok", json: "1" } as const;
const NOTHING = { kind: "ok", json: undefined } as const;

test("lines of code that surely returns are sent as they come", () => {
  const sent = story(true, (events, sentSoFar) => {
    line(events, "a");
    assert.equal(sentSoFar(), 1);
    end(events, RETURNED);
  });

  assert.deepEqual(sent, ['log "a" text', "result 1 number"]);
});

test("the last printed line is the result where nothing is returned", () => {
  const sent = story(false, (events) => {
    line(events, "a");
    line(events, '{"b":1}');
    end(events, NOTHING);
  });

  assert.deepEqual(sent, ['log "a" text', 'result {"b":1} json']);
});

test("the last printed line is a log where something is returned", () => {
  const sent = story(false, (events) => {
    line(events, "a");
    end(events, RETURNED);
  });

  assert.deepEqual(sent, ['log "a" text', "result 1 number"]);
});

test("a line of stderr never waits and is never a result", () => {
  const sent = story(false, (events, sentSoFar) => {
    line(events, "e", "stderr");
    assert.equal(sentSoFar(), 1);
    end(events, NOTHING);
  });

  assert.deepEqual(sent, ['log "e" text', 'result "" text']);
});

test("a failed run ends with an error behind all its lines", () => {
  const sent = story(false, (events) => {
    line(events, "a");
    end(events, { kind: "exited", exitCode: 3 });
  });

  assert.deepEqual(sent, ['log "a" text', 'error "stopped to run script: exit status 3" text']);
});

test("a run that never began is an error alone", () => {
  const sent = story(true, (events) => events.error("no room"));

  assert.deepEqual(sent, ['error "stopped to run script: no room" text']);
});
