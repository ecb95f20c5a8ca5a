// Programs of several files.
import assert from "node:assert/strict";
import { test } from "node:test";

import { FunctionUnderTest } from "./function-under-test.ts";

const FILES = {
  "util.py":
    "import json\ncount = 0\ndef up():\n  global count\n  count += 1\n  return count\ndef fail():\n  return {}['k']\n",
  "pkg/__init__.py": "from .inner import value\n__version__ = '1'\n",
  "pkg/inner.py": "from . import data\nfrom ..util import up if False else None\n",
  "pkg/data/words.txt": "grüß",
  "loose/part.py": "name = __name__\n",
};
const GOOD = { ...FILES, "pkg/inner.py": "value = __package__ + __file__\n" };

test("modules, packages and folders of the program can be imported, by handlers and scripts", async (t) => {
  const body = "[util.up(), pkg.value, pkg.__version__, loose.part.name, util.json.dumps(1)]";
  for (const end of [`def handler(e): return ${body}`, `return ${body}`]) {
    const underTest = new FunctionUnderTest(t, `import util, pkg, loose.part\n${end}`, { files: GOOD });

    assert.deepEqual((await underTest.run()).value, [1, "pkgpkg/inner.py", "1", "loose.part", "1"]);
  }
});

test("a handler keeps the state of its modules; a script gets them fresh, and stays quiet", async (t) => {
  const handler = new FunctionUnderTest(t, "import util\ndef handler(e): return util.up()", { files: GOOD });
  const script = new FunctionUnderTest(t, "import util, pkg\nreturn util.up()", { files: GOOD });

  for (const expected of [1, 2, 3]) {
    assert.equal((await handler.run()).value, expected);
    assert.equal((await script.run()).value, 1);
  }
  await script.check();
  assert.deepEqual(script.retired, []);
});

test("what a script's module leaves in a library retires the worker", async (t) => {
  const files = { "bad.py": "import json\ndef f(): pass\njson.extra = f\n" };
  const underTest = new FunctionUnderTest(t, "import bad", { files });

  await underTest.run();
  while (underTest.retired.length === 0) await new Promise(setImmediate);

  assert.match(underTest.retired.join(), /module json/);
});

test("data files are read by pkgutil and importlib.resources", async (t) => {
  const code = `
import pkgutil
from importlib import resources
def handler(e):
  folder = resources.files("pkg") / "data"
  return [pkgutil.get_data("pkg", "data/words.txt").decode(), (folder / "words.txt").read_text("utf-8"),
          sorted(part.name for part in folder.iterdir()), folder.is_dir(), folder.joinpath("words.txt").is_file(),
          folder.joinpath("none").is_file(), (folder / "words.txt").open().read()]`;
  const run = await new FunctionUnderTest(t, code, { files: GOOD }).run();

  assert.deepEqual(run.value, ["grüß", "grüß", ["words.txt"], true, true, false, "grüß"]);
});

test("a data file that is not there is a FileNotFoundError", async (t) => {
  const code = "import pkgutil\ndef handler(e): return pkgutil.get_data('pkg', 'none')";

  assert.equal((await new FunctionUnderTest(t, code, { files: GOOD }).run()).error.name, "FileNotFoundError");
});

test("a traceback shows the lines of every file; the line is the main file's", async (t) => {
  const code = "import util\n\ndef handler(e):\n  return util.fail()";
  const underTest = new FunctionUnderTest(t, code, { file: "main.py", files: GOOD });

  const { error } = await underTest.run();

  assert.equal(error.line, 4);
  assert.match(error.stack, /File "main.py", line 4, in handler\n {4}return util\.fail\(\)\n/);
  assert.match(error.stack, /File "util.py", line 8, in fail\n {4}return \{\}\['k'\]\n/);
});

test("a mistake in the text of another file is told with its place", async (t) => {
  const underTest = new FunctionUnderTest(t, "\nimport pkg\ndef handler(e): pass", { files: FILES });

  const { error } = await underTest.run();

  assert.deepEqual([error.name, error.line], ["SyntaxError", 2]);
  assert.match(error.stack, /File "pkg\/inner.py", line 2\n {4}from \.\.util import up if False else None/);
});

test("the main file in a folder imports its neighbours, relatively as well, and others import it", async (t) => {
  const files = {
    "src/near.py": "import src.app\nx = src.app.early",
    "src/rel.py": "y = 2",
    "top.py": "z = 3",
  };
  const code =
    "early = 1\nimport near, top\nfrom . import rel\ndef handler(e): return [near.x, rel.y, top.z, __name__]";
  const underTest = new FunctionUnderTest(t, code, { file: "src/app.py", files });

  assert.deepEqual((await underTest.run()).value, [1, 2, 3, "src.app"]);
});

test("files with the names of our own modules, or of the library's, are the program's", async (t) => {
  const files = {
    "run.py": "a = 1",
    "worker.py": "a = 2",
    "output.py": "a = 3",
    "colorsys.py": "a = 4",
    "json.py": "a = 5",
  };
  const code = `
import run, worker, output, colorsys, json
from cloche import log
async def handler(e):
  log.info("x")
  return [run.a, worker.a, output.a, colorsys.a, json.a]`;
  for (const concurrency of [1, 2]) {
    assert.deepEqual((await new FunctionUnderTest(t, code, { files, concurrency }).run()).value, [1, 2, 3, 4, 5]);
  }
});

test("an application or handler that is imported from another file is found", async (t) => {
  const files = {
    "web.py":
      "def make():\n  def app(environ, start):\n    start('200 OK', [])\n    return [b'web']\n  return app\napplication = make()",
    "work.py": "def handler(event, context): return 'work'",
  };
  const web = new FunctionUnderTest(t, "from web import application as app", { files });
  const work = new FunctionUnderTest(t, "from work import handler", { files });

  assert.deepEqual((await web.check()).value, { style: "wsgi" });
  assert.equal((await web.request()).text, "web");
  assert.equal((await work.run()).value, "work");
});

test("classes of the main file can be pickled and found by their module", async (t) => {
  const code =
    "import pickle\nclass A:\n  x = 1\ndef handler(e): return [pickle.loads(pickle.dumps(A())).x, A.__module__]";

  assert.deepEqual((await new FunctionUnderTest(t, code).run()).value, [1, "script"]);
});
