"""Hands out the frames from the server.

There is no thread for reading. Whoever waits for something and finds nobody reading reads, for all; when it has what it
waited for, the next one takes over. So a script that never asks for anything costs one blocking read per run.
"""

from _thread import allocate_lock

from siblings import load


class Waiting:
    """Something to wait for. `ready()` tells whether it has come."""

    sleepers = ()  # locks of threads
    futures = ()  # of tasks

    def release(self):
        """For tasks of the event loop; on its thread."""
        futures, self.futures = self.futures, ()
        for future in futures:
            if not future.done():
                future.set_result(None)


class Inbox(Waiting):
    """As a Waiting it is the next frame that starts something: `bind`, `run`, `request`, `check`, `ping`."""

    def __init__(self, channel):
        self.channel = channel
        self.pending = []  # (header, body), or (header, Exchange) of a request
        self.exchanges = {}  # requests that are not over, by id
        self.cancelled_early = set()  # ids of values in `pending` that nobody waits for any more
        self.calls = {}  # that wait for their answers, by id
        self.on_pending = None  # set by an event loop, like the next
        self.release_on_loop = None
        self._new_exchange = None  # its class, loaded with the first request
        self._reading = False
        self._guard = allocate_lock()
        self._asleep = []  # Waitings, in the order in which they shall take over

    def ready(self):
        return self.pending

    def next(self):
        """The next frame that starts something."""
        if not self.pending:
            with self._guard:
                is_free = not self._reading
                self._reading = True
            if is_free:  # the usual way: worth its few lines
                header, body = self.channel.receive()
                kind = header["t"]
                if kind == "run" or kind == "request":
                    if kind == "request":
                        body = self._exchange(header, body)
                    self._stop_reading()
                    return header, body
                try:
                    self._dispatch(header, body)
                finally:
                    self._stop_reading()
            self.wait(self)
        return self.pending.pop(0)

    def wait(self, item):
        """Blocks until `item` is ready. Any thread may."""
        while not item.ready():
            with self._guard:
                if item.ready():
                    return
                sleeper = None
                if self._reading:
                    sleeper = allocate_lock()
                    sleeper.acquire()
                    item.sleepers = (*item.sleepers, sleeper)
                    self._asleep.append(item)
                else:
                    self._reading = True
            if sleeper is not None:
                self._sleep(item, sleeper)
                continue
            try:
                # What has been read with the last frame must be handed out, too: nothing will tell of it again.
                while not item.ready() or self.channel.has_frame():
                    self._dispatch(*self.channel.receive())
            finally:
                self._stop_reading()

    def _sleep(self, item, sleeper):
        try:
            sleeper.acquire()
        except BaseException:  # a signal handler of the user's raised
            with self._guard:
                if sleeper in item.sleepers:
                    item.sleepers = tuple(other for other in item.sleepers if other is not sleeper)
                    self._asleep.remove(item)
                elif self._asleep and not self._reading:
                    self._wake_sleepers(self._asleep[0])  # it was our turn to read
            raise

    def drain(self, is_readable):
        """Hands out what has been read, and before it what `is_readable()` says is there, unless another thread is at it."""
        with self._guard:
            if self._reading:
                return
            self._reading = True
        try:
            if self.channel.has_frame() or is_readable():
                self._dispatch(*self.channel.receive())
            while self.channel.has_frame():
                self._dispatch(*self.channel.receive())
        finally:
            self._stop_reading()

    def wake(self, *items):
        """Call after a change to `items`."""
        with self._guard:
            for item in items:
                if item.sleepers:
                    self._wake_sleepers(item)
        if self.release_on_loop is not None:
            for item in items:
                self.release_on_loop(item)

    def _wake_sleepers(self, item):
        sleepers, item.sleepers = item.sleepers, ()
        for sleeper in sleepers:
            self._asleep.remove(item)
            sleeper.release()

    def _stop_reading(self):
        with self._guard:
            self._reading = False
            if self._asleep:
                self._wake_sleepers(self._asleep[0])

    def _dispatch(self, header, body):
        kind = header["t"]
        if kind == "answer":
            call = self.calls.pop(header["id"], None)
            if call is not None:
                call.answer(header, body)
        elif kind in ("body", "credit", "cancel"):
            exchange = self.exchanges.get(header["id"])
            if exchange is not None:
                exchange.take(header, body)
            elif kind == "cancel" and any(waiting.get("id") == header["id"] for waiting, _ in self.pending):
                self.cancelled_early.add(header["id"])
        else:
            if kind == "request":
                body = self._exchange(header, body)
            self.pending.append((header, body))
            if self.on_pending is not None:
                self.on_pending()
            else:
                self.wake(self)

    def _exchange(self, header, body):
        if self._new_exchange is None:
            self._new_exchange = load("exchange").Exchange
        exchange = self.exchanges[header["id"]] = self._new_exchange(self, header, body)
        return exchange
