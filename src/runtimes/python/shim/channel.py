"""Frames on one file descriptor: u32 length of the header, u32 length of the body, header, body."""

import posix
from _thread import RLock

from time import process_time_ns

from json_text import dumps, loads

try:
    from resource import RUSAGE_SELF, getrusage
except ImportError:  # an interpreter that was built without it
    getrusage = None

READ_BYTES = 262_144


class Channel:
    def __init__(self, fd):
        self.fd = fd
        self.unread = b""
        self.at_end = lambda: posix._exit(0)
        # Threads of user code print, too; a signal handler may print while a frame is being written, hence re-entrant.
        self.lock = RLock()
        posix.set_blocking(fd, True)
        posix.set_inheritable(fd, False)  # a child process must not keep the channel open

    def receive(self):
        """The next frame as (header, body). Calls `at_end`, which must not return, when the server has closed the channel."""
        lengths = self.take(8)
        header_bytes = int.from_bytes(lengths[:4], "big")
        body_bytes = int.from_bytes(lengths[4:], "big")
        frame = self.take(header_bytes + body_bytes)
        return loads(frame[:header_bytes].decode()), frame[header_bytes:]

    def has_frame(self):
        """Is a whole frame here already, so that `receive` would not block?"""
        unread = self.unread
        if len(unread) < 8:
            return False
        return len(unread) >= 8 + int.from_bytes(unread[:4], "big") + int.from_bytes(unread[4:8], "big")

    def take(self, count):
        unread = self.unread
        if len(unread) < count:
            pieces = [unread]
            missing = count - len(unread)
            while missing > 0:
                piece = posix.read(self.fd, max(READ_BYTES, missing))
                if not piece:
                    self.at_end()
                pieces.append(piece)
                missing -= len(piece)
            unread = b"".join(pieces)
        self.unread = unread[count:]
        return unread[:count]

    def send_with_usage(self, header, body=b""):
        """A frame that says ready or ends a run: with what this process has used since it began."""
        header["cpuUs"] = process_time_ns() // 1000
        if getrusage is not None:
            header["peakKib"] = getrusage(RUSAGE_SELF).ru_maxrss
        self.send(header, body)

    def send(self, header, body=b""):
        self.send_encoded(dumps(header), body)

    def send_encoded(self, header, body):
        frame = b"%b%b%b%b" % (len(header).to_bytes(4, "big"), len(body).to_bytes(4, "big"), header, body)
        with self.lock:
            written = posix.write(self.fd, frame)
            if written < len(frame):
                rest = memoryview(frame)
                while written < len(frame):
                    written += posix.write(self.fd, rest[written:])

    def wait_for_the_end(self):
        """Swallows what was sent ahead: closing first could make the server lose what we sent last."""
        self.unread = b""
        self.at_end = lambda: posix._exit(0)
        while True:
            self.take(1)
            self.unread = b""
