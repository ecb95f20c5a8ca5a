"""What a worker has been bound to: the program, whose it is, and its environment."""

import posix
import sys

from finder import after_import, provide
from innocent import is_innocent
from json_text import dumps
from program import Program
from siblings import load
from worker import failure_text


class Binding:
    """`header` and `source` are those of the frame `bind`. Whoever runs the program sets the two functions."""

    def __init__(self, inbox, header, source):
        options = header["options"]
        self.inbox = inbox
        self.env = header.get("env") or {}
        self.function = header.get("function") or {}
        self.concurrency = header.get("concurrency", 1)
        set_environment(self.env)
        self.program = Program(source.decode("utf-8", "replace"), options["file"], options.get("files"))
        self.current_run_id = lambda: None
        self.current_output = lambda: None
        self._api = None
        has_names = self.program.files or "/" in self.program.file
        self.user_modules = load("files").install(self.program) if has_names else ()
        # Code of other files may do anything, and is not looked into.
        self.is_innocent = self.program.code is None or not self.program.files and is_innocent(self.program.code)
        provide("cloche", self.api)
        after_import("logging", lambda module: load("logging_levels").keep_levels(module))

    def api(self):
        """What the module `cloche` has, by name."""
        if self._api is None:
            calls = load("calls").Calls(self.inbox, lambda: self.current_run_id())
            self._api = load("api").names(calls, self.log)
        return self._api

    def check(self, run_id):
        """The answer to `check`, where the program's style is known."""
        if self.program.error is not None:
            return {"t": "error", "id": run_id}, failure_text(self.program.error, self.program)
        return {"t": "result", "id": run_id}, dumps({"style": self.program.style})

    def log(self, level, text):
        output = self.current_output()
        if output is not None:
            output.log(level, text)


def set_environment(env):
    os = sys.modules.get("os")
    for name, value in env.items():
        if os is None:
            # `os` is not loaded while nobody needs it, and makes its `environ` of this.
            key, data = name.encode("utf-8", "surrogateescape"), value.encode("utf-8", "surrogateescape")
            posix.environ[key] = data
            posix.putenv(key, data)
        else:
            os.environ[name] = value
