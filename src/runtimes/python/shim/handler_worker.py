"""Serves a program that is executed once and then called for every run: all styles but the script.

Without an event loop here: one run after the other on the main thread, or each in a thread of its own where several
are wanted at the same time.
"""

import gc
import sys

from context import context_of
from handler_styles import arguments, most_positional
from loader import execute, is_async, kind_of_app
from output import Output
from responder import body_of, drive, read_all
from run import Run
from siblings import load
from styles import APP
from value_response import Stream, end_with_value, is_async_stream, is_stream
from worker import RAW, show

NAMES = {"lambda": "handler", "main": "main", "asgi": "app", "wsgi": "app"}


def serve(binding):
    """Returns only when the program turns out to be a script."""
    HandlerWorker(binding).serve()


class HandlerWorker:
    def __init__(self, binding):
        self.binding = binding
        self.inbox = binding.inbox
        self.program = binding.program
        self.running = {}  # by id, oldest first
        self.target = None  # what answers the runs
        self.positional = 0  # arguments that it takes
        self.output = None
        self.loop = None
        self.idle_output = Output(self.inbox.channel)
        self.raw = b"" if binding.is_innocent else RAW
        self.new_context = None  # makes the context of a run; most handlers take none
        self.variable = None  # holds the run of a thread or task, where there are several
        if binding.concurrency > 1:
            from _contextvars import ContextVar

            self.variable = ContextVar("run", default=None)
            show(load("routed_streams").RoutedOutput(self.current_output))
        else:
            show(self.idle_output)
        binding.current_run_id = self.current_run_id
        binding.current_output = self.current_output

    def serve(self):
        while self.target is None:
            header, payload = self._next()
            kind = header["t"]
            if kind in ("run", "request"):
                if self._load_for(header, payload):
                    return
            else:
                self.answer(header, payload)
                if self.program.style == "script":
                    return
        if is_async(self.target) or self.program.is_async or self.program.style == "asgi":
            load("async_server").AsyncServer(self).serve()
        threads = self.binding.concurrency > 1
        while True:
            header, payload = self._next()
            if header["t"] not in ("run", "request"):
                self.answer(header, payload)
                continue
            run = self.begin(header, payload)
            if run.exchange.cancelled:
                run.end()
            elif threads:
                self._start_thread(run)
            else:
                self.work(run)

    def _next(self):
        if self.variable is not None:
            self.inbox.drain(lambda: False)  # a `cancel` may lie behind what it cancels
        return self.inbox.next()

    def answer(self, header, payload):
        """To the frames that run nothing."""
        if header["t"] == "ping":
            self.inbox.channel.send({"t": "pong", "id": header["id"]})
        elif header["t"] == "check":
            if self.program.style != APP:
                self.inbox.channel.send(*self.binding.check(header["id"]))
            else:
                run = self.begin(header, payload)
                if self._load(run):
                    run.end_with({"style": self.program.style})

    def _load_for(self, header, payload):
        """Executes the program in its first run. True where it is a script after all."""
        run = self.begin(header, payload)
        if not self._load(run):
            return False
        if self.program.style == "script" and "__name__" not in self.program.source:
            run.end()  # that was its run
            return True
        self.forget(run)
        self.inbox.exchanges[run.id] = run.exchange
        self.inbox.pending.insert(0, (header, payload))
        return self.program.style == "script"

    def _load(self, run):
        """False where the run has failed."""
        program = self.program
        try:
            namespace = execute(program, self._finish)
            if program.style == APP:
                program.style = kind_of_app(namespace.get("app")) or "script"
            if program.style != "script":
                name = NAMES[program.style]
                self.target = namespace[name]
                if not callable(self.target):
                    raise TypeError("%s is a %s, not a function" % (name, type(self.target).__name__))
                self.positional = most_positional(self.target)
        except BaseException as error:
            self.target = None
            run.fail(error)
            return False
        gc.freeze()  # what is here now stays: no later collection needs to look at it
        return True

    def _finish(self, coroutine):
        import asyncio

        if self.target is not None and self.variable is not None:
            return asyncio.run(coroutine)  # in a thread of many
        return self.event_loop().run_until_complete(coroutine)

    def event_loop(self):
        """The one of the main thread, for all runs: what a program keeps may belong to it."""
        if self.loop is None:
            import asyncio

            if sys.version_info < (3, 10):
                self.loop = asyncio.get_event_loop()  # what the program made while it was loaded belongs to it
            else:
                self.loop = asyncio.new_event_loop()
                asyncio.set_event_loop(self.loop)
        return self.loop

    def begin(self, header, payload):
        """The run that a frame asks for, with its streams open."""
        if self.variable is not None:
            output = Output(self.inbox.channel, header["id"])
        else:
            output = self.output
            if output is None or output.stdout.closed or output.stderr.closed:
                output = self.output = Output(self.inbox.channel)
            if sys.__stdout__ is not output.stdout:
                show(output)  # from now on: what the program keeps of its streams works in every run
        run = Run(self, header, payload, output)
        self.running[run.id] = run
        output.start()
        return run

    def context(self, header):
        if self.new_context is None:
            self.new_context = context_of(self.binding)
        return self.new_context(header)

    def forget(self, run):
        self.running.pop(run.id, None)
        self.inbox.exchanges.pop(run.id, None)
        if self.inbox.on_pending is not None and self.inbox.pending:
            self.inbox.on_pending()  # there is room for the next

    def current_run(self):
        """None outside of a run."""
        run = None if self.variable is None else self.variable.get()
        if run is None:
            # A thread of the program's own knows no run.
            return next(iter(list(self.running.values())), None)
        return None if run.over else run

    def current_run_id(self):
        run = self.current_run()
        return None if run is None else run.id

    def current_output(self):
        run = self.current_run()
        return self.idle_output if run is None else run.output

    def _start_thread(self, run):
        from threading import Thread

        Thread(target=self._work_in_thread, args=(run,), name="run-%d" % run.id, daemon=True).start()

    def _work_in_thread(self, run):
        self.variable.set(run)
        self.work(run)

    def work(self, run):
        """One run from its arguments to its end, on this thread."""
        try:
            if self.program.style == "wsgi":
                load("wsgi").answer(run, self.target)
            else:
                body = body_of(run)
                if body is None:
                    body = drive(self.inbox, read_all(run))
                self._respond(run, self.target(*arguments(run, self.program.style, self.positional, body)))
        except BaseException as error:
            run.fail(error)

    def _respond(self, run, value):
        if hasattr(type(value), "__await__"):
            value = self._finish(awaited(value))
        if not is_stream(value):
            drive(self.inbox, end_with_value(run, value))
            return
        if is_async_stream(value):
            value = blocking(value, self._finish)
        stream = Stream(run)
        try:
            for piece in value:
                drive(self.inbox, stream.piece(piece))
                if run.exchange.cancelled:
                    break
        finally:
            getattr(value, "close", int)()
        drive(self.inbox, stream.end())


async def awaited(value):
    return await value


def blocking(stream, finish):
    """The pieces of an asynchronous generator that an ordinary function has returned: all at once."""

    async def collect():
        return [piece async for piece in stream]

    return iter(finish(collect()))
