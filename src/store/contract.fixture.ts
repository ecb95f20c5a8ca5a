import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { sleep } from "../core/clock.ts";
import { DEFAULT_SETTINGS } from "../core/function.ts";
import type { FunctionSettings } from "../core/function.ts";
import type { Page, Store, StoredFunction } from "./store.ts";

export type OpenStore = (settings: { readonly keepExecutions: number }) => Promise<Store>;

export const T0_MS = 1_700_000_000_000;

/** A store for one test, which keeps all executions unless told otherwise. */
export async function openFor(t: TestContext, open: OpenStore, keepExecutions = 1_000_000): Promise<Store> {
  const store = await open({ keepExecutions });
  t.after(() => store.close());
  return store;
}

export async function aFunction(
  store: Store,
  name: string,
  changes: Partial<FunctionSettings> = {},
): Promise<StoredFunction> {
  const created = await store.createFunction({ name, settings: { ...DEFAULT_SETTINGS, ...changes }, nowMs: T0_MS });
  assert.ok(created !== undefined, `the name "${name}" is taken`);
  return created;
}

/** All items of a list, page by page, and how long the pages were. */
export async function allPages<Item>(
  list: (cursor: string | undefined) => Promise<Page<Item>>,
): Promise<{ items: Item[]; lengths: number[] }> {
  const items: Item[] = [];
  const lengths: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(cursor);
    items.push(...page.items);
    lengths.push(page.items.length);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return { items, lengths };
}

/** Resolves once `isDone`, which is asked again and again for ten seconds. */
export async function eventually(isDone: () => Promise<boolean>): Promise<void> {
  const attempts = 600;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await isDone()) return;
    await sleep(50);
  }
  assert.fail("it did not happen within 30 seconds");
}
