import assert from "node:assert/strict";
import { test } from "node:test";

import { WorkerUnderTest } from "./worker-under-test.ts";

const LEFTOVERS: readonly (readonly [string, string, RegExp])[] = [
  [
    "a living thread",
    "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    /thread/,
  ],
  ["a child process", "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'pass']).wait()", /process/],
  ["a file in /tmp", "import tempfile\ntempfile.mkstemp()", /tmp|file/],
  ["an environment variable", "import os\nos.environ['X'] = '1'", /environment/],
  ["another working directory", "import os\nos.chdir('/usr')", /working directory/],
  ["another umask", "import os\nos.umask(0o77)", /umask/],
  ["a signal handler", "import signal\nsignal.signal(signal.SIGUSR1, lambda *a: None)", /signal handlers/],
  ["an alarm", "import signal\nsignal.alarm(100)", /timers/],
  ["an open file that a module holds", "import os\nos.open('/dev/null', os.O_RDONLY)", /open/],
  ["an open socket", "import socket\nleft = socket.socket().detach()", /open/],
  ["a changed function of a module", "import json\njson.dumps = print", /module json/],
  ["a changed function of a submodule", "import os\nos.path.join = None", /module (os\.path|posixpath)/],
  ["a value set in a module", "import json\nsetattr(json, 'x', 1)", /module json/],
  ["a name among the builtins", "import builtins\nbuiltins.foo = 1", /module builtins/],
  ["a function in a module imported late", "def f():\n  import colorsys\n  colorsys.x = f\nf()", /module colorsys/],
  [
    "a changed class of a module",
    "import json\njson.JSONEncoder.default = lambda s, o: 1",
    /class json\.encoder|module json/,
  ],
  ["a changed class attribute", "import decimal, string\nstring.Template.delimiter = '%'", /class string\.Template/],
  ["a replaced module", "import sys, json\nsys.modules['json'] = sys", /module json/],
  ["a made module", "import sys, types\nsys.modules['mine'] = types.ModuleType('mine')", /module mine/],
  ["a longer sys.path", "import sys\nsys.path.append('/tmp')", /sys\.path/],
  ["a logger with a handler", "import logging\nlogging.getLogger('a').addHandler(logging.StreamHandler())", /logging/],
  ["logging switched off", "import logging\nlogging.disable()", /logging/],
  ["a warnings filter", "import warnings\nwarnings.simplefilter('error')", /warnings/],
  ["a locale", "import locale\nlocale.setlocale(locale.LC_NUMERIC, 'C.UTF-8')", /locale/],
  ["the collector switched off", "import gc\ngc.disable()", /garbage collector/],
  ["another recursion limit", "import sys\nsys.setrecursionlimit(5000)", /recursion limit/],
  ["a tracer", "import sys\nsys.settrace(lambda *a: None)", /tracer/],
  ["a profiler", "import sys\nsys.setprofile(lambda *a: None)", /tracer/],
  ["an exit function", "import atexit\natexit.register(print)", /exit function/],
  ["an event loop", "import asyncio\nloop = asyncio.new_event_loop()\nasyncio.set_event_loop(loop)", /open|asyncio/],
  ["a hook for uncaught errors", "import sys\nsys.excepthook = print", /module sys/],
  ["a call into C", "import ctypes\nctypes.CDLL(None).getpid()", /C$/],
];

for (const [what, code, why] of LEFTOVERS) {
  test(`a run that leaves ${what} makes the worker retire`, async (t) => {
    const worker = new WorkerUnderTest(t);
    worker.bind(code);

    const { end } = await worker.run();

    assert.equal(end.header.t, "result", end.body);
    assert.match((await worker.whyRetired()) ?? "quiet", why);
  });
}

const HARMLESS: readonly (readonly [string, string])[] = [
  ["computes", "return sum(range(10))"],
  ["makes objects", "class A:\n  def __init__(self): self.x = 1\nreturn A().x"],
  ["imports modules", "import json, os, re, math, datetime, urllib.parse, csv, io\nreturn json.loads('1')"],
  ["imports within a function", "def f():\n  import json, decimal, random, uuid\n  return str(uuid.uuid1())\nf()"],
  ["fails", "import os\nraise ValueError(os.name)"],
  ["awaits", "import asyncio\nawait asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))"],
  ["joins its threads", "import threading\nx = threading.Thread(target=print)\nx.start()\nx.join()"],
  [
    "uses a pool of threads",
    "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as e: list(e.map(str, [1]))",
  ],
  ["deletes its files", "import tempfile\nwith tempfile.TemporaryDirectory() as d:\n  open(d + '/x', 'w').close()"],
  ["leaves an open file to its globals", "f = open('/dev/null')\ndef g(): return f"],
  ["configures logging", "import logging\nlogging.basicConfig(level=logging.DEBUG)\nlogging.getLogger('a').info('x')"],
  ["uses decimals", "import decimal\ndecimal.getcontext().prec = 5\nreturn str(decimal.Decimal(1) / 3)"],
  ["uses sqlite in memory", "import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute('select 1')\nc.close()"],
  ["uses enums and dataclasses", "import enum\nclass E(enum.Enum):\n  A = 1\nreturn E.A.value"],
];

for (const [what, code] of HARMLESS) {
  test(`a worker whose script ${what} stays, for run after run`, async (t) => {
    const worker = new WorkerUnderTest(t);
    worker.bind(code);

    for (let round = 0; round < 3; round += 1) {
      await worker.run();
      assert.equal(await worker.whyRetired(), undefined);
    }
  });
}

test("random numbers do not repeat what a run has seeded", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("import random\nx = random.random()\nrandom.seed(1)\nreturn x");
  await worker.run();

  assert.notEqual((await worker.run()).end.body, (await worker.run()).end.body);
});

test("runs that were sent ahead are not started after a retirement", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("import os\nos.umask(0)\nprint('ran')");
  worker.send({ t: "run", id: 1 }, "{}");
  worker.send({ t: "run", id: 2 }, "{}");

  const types = [];
  for (let count = 0; count < 4; count += 1) types.push((await worker.receive()).header.t);
  worker.channel.end();

  assert.deepEqual(types, ["ready", "log", "result", "retire"]);
  await assert.rejects(worker.receive(), /closed its channel/);
});
