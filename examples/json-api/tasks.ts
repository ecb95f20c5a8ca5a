// The tasks, in the key-value store.
import { kv } from "cloche";
import type { NewTask, Task } from "./task.ts";

const PREFIX = "task:";

export async function listTasks(): Promise<Task[]> {
  const tasks = Object.values(await kv.all<Task>(PREFIX));
  return tasks.toSorted((a, b) => Number(a.id) - Number(b.id));
}

export async function createTask(given: NewTask): Promise<Task> {
  const id = String(await kv.incr("lastId")); // in one step: two callers never get the same
  const task = { id, ...given };
  await kv.set(PREFIX + id, task);
  return task;
}

export async function readTask(id: string): Promise<Task | undefined> {
  return await kv.get<Task>(PREFIX + id);
}

/** Undefined where there is no such task. */
export async function changeTask(id: string, changes: Partial<NewTask>): Promise<Task | undefined> {
  for (;;) {
    const old = await readTask(id);
    if (old === undefined) return undefined;
    const task = { ...old, ...changes };
    if (await kv.cas(PREFIX + id, old, task)) return task; // else somebody changed it meanwhile: once more
  }
}

/** False where there was none. */
export async function deleteTask(id: string): Promise<boolean> {
  return await kv.delete(PREFIX + id);
}
