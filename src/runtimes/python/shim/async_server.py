"""Serves asynchronous handlers and ASGI on one event loop that lives as long as the worker."""

import asyncio
import posix
import select
from _thread import get_ident

from asgi import Lifespan, answer
from handler_styles import arguments
from responder import body_of, read_all
from value_response import Stream, end_with_value, is_async_stream, is_stream

SHUTDOWN_S = 2  # for the application's own shutdown, once the server has closed the channel
CANCELLED_APP_S = 5  # a well-behaved one ends sooner, since it cannot send any more


class ChannelClosed(BaseException):
    pass


class AsyncServer:
    def __init__(self, worker):
        self.worker = worker
        self.inbox = worker.inbox
        self.is_asgi = worker.program.style == "asgi"
        self.state = None
        self.lifespan = None
        self.loop = worker.event_loop()
        self.thread = get_ident()
        self.tasks = set()  # the loop itself does not keep them alive
        self.poll = select.poll()
        self.poll.register(self.inbox.channel.fd, select.POLLIN)

    def serve(self):
        """Never returns."""
        inbox = self.inbox
        inbox.release_on_loop = self._release
        inbox.on_pending = self._on_pending
        inbox.channel.at_end = self._at_end
        self.loop.add_reader(inbox.channel.fd, self._on_readable)
        self.loop.call_soon(self._on_readable)  # some may have been read with the first
        self.loop.call_soon(self._start_pending)
        while True:
            try:
                self.loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                pass  # of a task of the program's own; its run has ended or will

    # --- frames in ---

    def _on_readable(self):
        try:
            self.inbox.drain(lambda: bool(self.poll.poll(0)))
        except ChannelClosed:
            self.loop.remove_reader(self.inbox.channel.fd)
            self._keep(self._shut_down())

    def _at_end(self):
        raise ChannelClosed

    async def _shut_down(self):
        if self.lifespan is not None:
            try:
                await asyncio.wait_for(self.lifespan.stop(), SHUTDOWN_S)
            except BaseException:
                pass  # there is nobody left to tell
        posix._exit(0)

    def _release(self, item):
        if get_ident() == self.thread:
            item.release()
        else:
            self.loop.call_soon_threadsafe(item.release)

    def _on_pending(self):
        if get_ident() == self.thread:
            self._start_pending()
        else:
            self.loop.call_soon_threadsafe(self._start_pending)

    def _start_pending(self):
        worker, pending = self.worker, self.inbox.pending
        while pending and len(worker.running) < worker.binding.concurrency:
            header, payload = pending.pop(0)
            if header["t"] in ("run", "request"):
                run = worker.begin(header, payload)
                if run.exchange.cancelled:
                    run.end()
                    continue
                run.task = self._keep(self._work(run))
                if worker.variable is not None:
                    run.exchange.on_cancel = lambda run=run: self._cancel(run)
            else:
                worker.answer(header, payload)

    def _cancel(self, run):
        self.inbox.wake(run)
        delay_s = CANCELLED_APP_S if self.is_asgi else 0
        self.loop.call_soon_threadsafe(self.loop.call_later, delay_s, lambda: run.over or run.task.cancel())

    def _keep(self, coroutine):
        task = self.loop.create_task(coroutine)
        self.tasks.add(task)
        return task

    # --- waiting ---

    async def wait_for(self, item):
        while not item.ready():
            future = self.loop.create_future()
            item.futures = (*item.futures, future)
            await future

    async def drive(self, steps):
        """Awaits every step. Returns what `steps` returns."""
        if steps is None:
            return None
        try:
            while True:
                await self.wait_for(next(steps))
        except StopIteration as stop:
            return stop.value

    # --- runs ---

    async def _work(self, run):
        worker = self.worker
        if worker.variable is not None:
            worker.variable.set(run)  # of this task, and of all that it starts
        try:
            if self.is_asgi:
                if self.lifespan is None or isinstance(self.lifespan, asyncio.Future):
                    await self._start_app()
                await answer(run, worker.target, self)
            else:
                body = body_of(run)
                if body is None:
                    body = await self.drive(read_all(run))
                value = worker.target(*arguments(run, worker.program.style, worker.positional, body))
                await self._respond(run, (await value) if hasattr(type(value), "__await__") else value)
        except BaseException as error:
            if run.over:
                self._tell_late(error)
            run.fail(error)
        finally:
            self.tasks.discard(run.task)

    def _tell_late(self, error):
        """The response was complete, so the run cannot fail any more."""
        if isinstance(error, Exception):
            self.loop.call_exception_handler({"message": "after the end of the response", "exception": error})

    async def _start_app(self):
        if self.lifespan is None:
            self.lifespan = asyncio.ensure_future(self._start_lifespan())
        await asyncio.shield(self.lifespan)

    async def _start_lifespan(self):
        lifespan = Lifespan(self.worker.target, asyncio)
        try:
            await lifespan.start()
        except BaseException:
            self.lifespan = None  # the next run tries again
            raise
        self.state = lifespan.state
        self.lifespan = lifespan

    async def _respond(self, run, value):
        if not is_stream(value):
            steps = end_with_value(run, value)
            if steps is not None:
                await self.drive(steps)
            return
        stream = Stream(run)
        try:
            if is_async_stream(value):
                async for piece in value:
                    await self.drive(stream.piece(piece))
                    if run.exchange.cancelled:
                        break
            else:
                for piece in value:
                    await self.drive(stream.piece(piece))
                    await asyncio.sleep(0)  # let the others go on
                    if run.exchange.cancelled:
                        break
        finally:
            if hasattr(value, "aclose"):
                await value.aclose()
            elif hasattr(value, "close"):
                value.close()
        await self.drive(stream.end())
