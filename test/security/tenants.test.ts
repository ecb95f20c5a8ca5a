// One function against another: what two boxes could share, and what is left for the next user of a user id.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, suite, test } from "node:test";
import { type AttackedServer, startAttacked } from "./attacked-server.ts";
import { python } from "./attacker.ts";

suite("two functions", () => {
  let server: AttackedServer;
  before(async () => {
    server = await startAttacked({ TIMEOUT_SCRIPT: "5", MAX_CONTAINERS: "6" });
  });
  after(() => server.dispose());
  afterEach(async () => {
    await server.settled();
  });

  /** Runs both at the same time; `two` may begin when `one` is at work. */
  async function sideBySide(one: string, two: string): Promise<[unknown, unknown]> {
    const first = python(server, one);
    const progress = { over: false }; // it may end at once, refused
    first.catch(() => {}).finally(() => (progress.over = true));
    while (!progress.over && !(await server.system()).pool.workers.some(({ state }) => state === "busy"));
    const second = await python(server, two);
    return [await first, second];
  }

  test("TEN-03: share neither /tmp nor /dev/shm nor shared memory by name", async () => {
    const write = `
      import time
      from multiprocessing import shared_memory
      for folder in ('/tmp', '/dev/shm'): open(folder + '/note', 'w').write('hello')
      block = shared_memory.SharedMemory('block', create=True, size=64)
      time.sleep(0.5)
      block.close(); block.unlink()
      `;
    const read = `
      import os, time
      time.sleep(0.2)
      return [os.listdir('/tmp'), os.listdir('/dev/shm')]
      `;
    assert.deepEqual((await sideBySide(write, read))[1], [[], []]);
  });

  const LIBRARY = "next(l.split()[-1] for l in open('/proc/self/maps') if '/libc' in l)";

  test("TEN-03: cannot signal each other by locks on files that both see", async () => {
    const lock = `
      import fcntl, os, time
      handle = os.open(${LIBRARY}, os.O_RDONLY)
      try: fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
      except OSError: return 'refused'
      time.sleep(0.5)
      return 'locked'
      `;
    const look = `
      import fcntl, os, time
      time.sleep(0.2)
      handle = os.open(${LIBRARY}, os.O_RDONLY)
      try: fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB); return 'free'
      except BlockingIOError: return 'held by another box'
      except OSError: return 'refused'
      `;
    assert.notEqual((await sideBySide(lock, look))[1], "held by another box");
  });

  test("TEN-03: cannot watch each other open files that both see", async () => {
    const watch = `
      import ctypes, os, select
      libc = ctypes.CDLL(None, use_errno=True)
      handle = libc.inotify_init1(0)
      if handle < 0: return 0
      libc.inotify_add_watch(handle, ${LIBRARY}.encode(), 0x20 | 0x01)  # IN_OPEN, IN_ACCESS
      events = 0
      while select.select([handle], [], [], 0.6)[0] and events < 100: os.read(handle, 4096); events += 1
      return events
      `;
    const act = `
      import time
      path = ${LIBRARY}
      for attempt in range(40):
          open(path, 'rb').read(1); time.sleep(0.005)
      `;
    assert.deepEqual((await sideBySide(watch, act))[0], 0);
  });

  test("TEN-03: see no kernel object of each other: message queues, semaphores, shared segments", async () => {
    const code = `
      found = []
      for name in ('shm', 'msg', 'sem'):
          try: found += open('/proc/sysvipc/' + name).readlines()[1:]
          except OSError: pass
      return found
      `;
    assert.deepEqual(await python(server, code), []);
  });

  test("TEN-05: have different users on the host while they live, each with no process outside of its box", async () => {
    const hold = "import os, time\nos.fork()\ntime.sleep(0.5)";
    const running = [1, 2, 3].map((n) => python(server, `${hold} # ${n}`));
    while ((await server.system()).pool.workers.filter(({ state }) => state === "busy").length < 3);
    const usersOf = Map.groupBy(server.boxPids().flatMap(boxAndUser), ([box]) => box);
    await Promise.all(running);

    const users = [...usersOf.values()].map((pairs) => new Set(pairs.map(([, uid]) => uid)));
    assert.ok(users.length >= 3);
    for (const ofBox of users) assert.equal(ofBox.size, 1, "one box, one user");
    assert.equal(new Set(users.flatMap((ofBox) => [...ofBox])).size, users.length, "one user, one box");
  });
});

/** The cgroup of a box's process and its user; nothing where it has ended meanwhile. */
function boxAndUser(pid: number): [string, number][] {
  try {
    const box = /^(?:\d+:pids|0:):.*\/(\d+)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
    if (box === undefined) return []; // a dead process is in no box
    return [[box, Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])]];
  } catch {
    return [];
  }
}
