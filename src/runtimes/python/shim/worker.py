"""Runs the bound script once per `run` or `request` frame, each time in a fresh `__main__`."""

import builtins
import posix
import sys

from failure import describe, register_source
from json_text import NotJson, dumps, loads
from output import WORKER_PID, Output
from quiet import Quiet
from siblings import load

ModuleType = type(sys)
FunctionType = type(lambda: 0)
CO_COROUTINE = 0x80
RESULT = b'{"t":"result"'
EXIT = b'{"t":"exit"'
# Such code can write to fd 1 and 2 itself; the server looks there before it answers.
RAW = b',"raw":true'


async def nothing():
    pass


coroutine = nothing()
CoroutineType = type(coroutine)
coroutine.close()


class Worker:
    def __init__(self, binding, tmp_folder):
        self.binding = binding
        self.channel = channel = binding.inbox.channel
        self.idle_output = Output(channel)  # never open: swallows what is printed outside of a run
        show(self.idle_output)
        self.program = binding.program
        self.run_id = self.output = None
        binding.current_run_id = lambda: self.run_id
        binding.current_output = lambda: self.output
        # Such code cannot reach its streams either, so they serve all of its runs.
        self.lasting_output = Output(channel) if binding.is_innocent else None
        self.quiet = None
        if self.lasting_output is None:
            if self.program.code.co_flags & CO_COROUTINE:
                self.program.imports.append(("asyncio", ()))
            self.quiet = Quiet(self.program, tmp_folder, binding.user_modules)
        self._hide_main()

    def run(self, run_id, body):
        """Runs once and reports the end. `body` is the input as JSON text, or an Exchange. Returns why the worker must
        retire, or None."""
        self.run_id = run_id
        output = self.output = self.lasting_output or Output(self.channel)
        show(output)
        output.start()
        main = sys.modules["__main__"] = ModuleType("__main__")  # where pickle, typing and others look for it
        header, result, exit_code = self._outcome(main.__dict__, body)
        output.flush()
        if posix.getpid() != WORKER_PID:
            posix._exit(exit_code)  # a forked child that came to the end
        header = with_id(header, run_id, b"" if self.quiet is None else RAW)
        with self.channel.lock:
            output.stop()
            self.run_id = self.output = None
            self.channel.send_with_usage(header, result)

        self._hide_main()
        main.__dict__.clear()  # functions and their globals hold each other; do not wait for the collector
        if type(body) is not bytes:
            self.binding.inbox.exchanges.pop(run_id, None)
        if self.quiet is None:
            return None
        show(self.idle_output)
        for name in self.binding.user_modules:
            sys.modules.pop(name, None)  # they are a part of the script: fresh in every run
        return self.quiet.why_not()

    def _outcome(self, scope, body):
        """The frame that ends the run, as `end_of` has it."""
        program = self.program
        try:
            if program.error is not None:
                return end_of(program.error, program)
            event = loads(body.decode()) if type(body) is bytes else load("request_event").read_event(body)
            scope["event"] = scope["input"] = event
            scope["__builtins__"] = builtins
            register_source(program)
            returned = finish(FunctionType(program.code, scope)())
            if returned is not None:
                value = returned[0]
            elif "result" in scope:
                value = scope["result"]
            else:
                return RESULT, b"", 0
            return RESULT, dumps(finish(value)), 0
        except BaseException as error:
            return end_of(error, program)

    def _hide_main(self):
        sys.modules["__main__"] = ModuleType("__main__")


def show(output):
    sys.stdout = sys.__stdout__ = output.stdout
    sys.stderr = sys.__stderr__ = output.stderr
    sys.stdin = sys.__stdin__ = output.stdin


def end_of(error, program):
    """The frame that ends a run which raised `error`: its header as JSON text without the id and the last brace, its body,
    and the code with which a forked child ends."""
    if isinstance(error, SystemExit):
        code = exit_code(error.code)
        return b'%b,"code":%d' % (EXIT, code), b"", code
    return b'{"t":"error"', failure_text(error.error if isinstance(error, NotJson) else error, program), 1


def with_id(header, run_id, raw):
    """`raw` for all but `exit`: then the process ends, and the server reads to the end anyway."""
    return b'%b,"id":%d%b' % (header, run_id, b"" if header.startswith(EXIT) else raw)


def failure_text(error, program):
    return dumps(describe(error, program))


def finish(value):
    """Awaits what is to be awaited: the program itself, or a coroutine that it returned."""
    if type(value) is not CoroutineType:
        return value
    import asyncio

    return asyncio.run(value)


def exit_code(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return int(code) & 0xFF
    try:
        print(code, file=sys.stderr)
    except Exception:
        pass  # as Python does: the exit counts, not its message
    return 1
