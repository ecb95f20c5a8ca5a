import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { anExecution, RESIZE_ID } from "../executions.fixture.ts";
import type { ExecutionQuery } from "../store.ts";
import { packed } from "./packed-executions.ts";
import { ExecutionSearch } from "./execution-search.ts";
import { ExecutionsTable } from "./executions-table.ts";
import { FunctionKeys } from "./function-keys.ts";
import { openDatabase } from "./open-database.ts";

const folder = await mkdtemp(join(tmpdir(), "cloche-search-"));
const opened = openDatabase(join(folder, "a.db"));
after(async () => {
  opened.close();
  await rm(folder, { recursive: true });
});
const { database } = opened;
const functions = new FunctionKeys(database);
const executions = new ExecutionsTable(database, functions);
const T0_MS = 1_700_000_000_000;
const logs = [{ stream: "stdout", level: "info", atMs: T0_MS, text: "hello" }] as const;
executions.append(packed(Array.from({ length: 5_000 }, (_, n) => anExecution(n, { version: n % 3, logs }))), () => {});

/** Every statement that a search prepares. */
const statements: string[] = [];
const prepare = database.prepare.bind(database);
database.prepare = (sql, ...rest) => {
  statements.push(sql);
  return prepare(sql, ...rest);
};
const search = new ExecutionSearch(database, functions, executions);
const prepared = statements.splice(0);

const QUERIES: Readonly<Record<string, Omit<ExecutionQuery, "limit">>> = {
  all: {},
  "the next page of all": { cursor: "4000" },
  function: { functionId: RESIZE_ID },
  "function and status": { functionId: RESIZE_ID, status: "success" },
  "function, status and trigger": { functionId: RESIZE_ID, status: "success", trigger: "script" },
  "function, version and trigger": { functionId: RESIZE_ID, version: 1, trigger: "script" },
  "function's name": { functionName: "resize" },
  version: { version: 2 },
  status: { status: "error" },
  trigger: { trigger: "script" },
  time: { fromMs: T0_MS + 1_000, toMs: T0_MS + 2_000 },
  "function, status and time": { functionId: RESIZE_ID, status: "success", fromMs: T0_MS },
  text: { text: "hello" },
  "function, status, time and text": { functionId: RESIZE_ID, status: "success", toMs: T0_MS + 9, text: "hello you" },
};

for (const [name, query] of Object.entries(QUERIES)) {
  test(`a list by ${name} goes straight to its rows: no statement scans or sorts`, () => {
    statements.splice(0);
    search.list({ ...query, limit: 20 });

    const own = [...prepared, ...statements].filter((sql) => sql.trimStart().startsWith("SELECT"));
    assert.ok(statements.length > 0);
    for (const sql of own) {
      const plan = prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map((row) => String(row["detail"]));
      for (const step of plan) {
        const isLookUp = /^SEARCH (executions|programs|execution_details|function_keys)( |$)/.test(step);
        // Of words the index decides itself; of blocks there is one for 1,024 executions; a bare max is the end of the key.
        const isIndexed = /^SCAN execution_words VIRTUAL TABLE INDEX \d+:.*M/.test(step);
        const isSmall = /^SCAN (execution_blocks|CONSTANT ROW)|^SEARCH execution_blocks/.test(step);
        const isFrame = /^(SCALAR SUBQUERY \d+|LIST SUBQUERY \d+|REUSE LIST SUBQUERY \d+)/.test(step);
        assert.ok(isLookUp || isIndexed || isSmall || isFrame, `${step}\n  of ${sql}`);
      }
    }
  });
}

test("a list by each filter finds what is there", () => {
  const counts = Object.entries(QUERIES).map(([name, query]) => [
    name,
    search.list({ ...query, limit: 9_999 }).items.length,
  ]);

  assert.deepEqual(Object.fromEntries(counts), {
    all: 5_000,
    "the next page of all": 3_999,
    function: 5_000,
    "function and status": 5_000,
    "function, status and trigger": 5_000,
    "function, version and trigger": 1_667,
    "function's name": 5_000,
    version: 1_666,
    status: 0,
    trigger: 5_000,
    time: 1_000,
    "function, status and time": 5_000,
    text: 5_000,
    "function, status, time and text": 0,
  });
});
