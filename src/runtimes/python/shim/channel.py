"""Frames on one file descriptor: u32 length of the header, u32 length of the body, header, body."""

import posix
from _thread import RLock
from time import process_time_ns

from json_text import dumps, loads

try:
    from resource import RUSAGE_SELF, getrusage
except ImportError:  # an interpreter that was built without it
    getrusage = None

READ_BYTES = 65_536  # more would be mapped and given back for each read: a lone call costs half as much again
REQUEST = b'{"t":"request","id":'
EXECUTION_ID = b',"executionId":"'
from_bytes = int.from_bytes


class Channel:
    def __init__(self, fd):
        self.fd = fd
        self.unread = b""
        self.at = 0  # where in it the next frame begins
        self.last_rest = None  # of the header of the last request: what is behind the ids
        self.last_header = None
        self.at_end = lambda: posix._exit(0)
        # Threads of user code print, too; a signal handler may print while a frame is being written, hence re-entrant.
        self.lock = RLock()
        posix.set_blocking(fd, True)
        posix.set_inheritable(fd, False)  # a child process must not keep the channel open

    def receive(self):
        """The next frame as (header, body). Calls `at_end`, which must not return, when the server has closed the channel."""
        if len(self.unread) - self.at < 8:
            self._read(8)
        middle, end = self._frame()
        if len(self.unread) < end:
            self._read(end - self.at)
            middle, end = self._frame()
        unread, at = self.unread, self.at
        if end == len(unread):
            self.unread, self.at = b"", 0
        else:
            self.at = end
        return self._header(unread[at + 8 : middle]), unread[middle:end]

    def _header(self, text):
        """A caller says the same with each request, but for the ids: to read that once is a tenth less for a quick handler.

        Where it is the same, so are the objects in it: nobody changes them, and `headers` tells that it is the same.
        """
        if text.startswith(REQUEST):
            comma = text.find(b",", len(REQUEST))
            begin = comma + len(EXECUTION_ID)
            if text.startswith(EXECUTION_ID, comma):
                end = text.find(b'"', begin)
                if text[end:] == self.last_rest:
                    header = self.last_header.copy()
                    header["id"] = int(text[len(REQUEST) : comma])
                    header["executionId"] = text[begin:end].decode()
                    return header
                header = loads(text.decode())
                self.last_rest, self.last_header = text[end:], header
                return header.copy()
        return loads(text.decode())

    def has_frame(self):
        """Is a whole frame here already, so that `receive` would not block?"""
        held = len(self.unread)
        return held - self.at >= 8 and held >= self._frame()[1]

    def _frame(self):
        """Where the header ends, and where the body."""
        at = self.at
        lengths = from_bytes(self.unread[at : at + 8], "big")
        middle = at + 8 + (lengths >> 32)
        return middle, middle + (lengths & 0xFFFF_FFFF)

    def _read(self, count):
        """Until `count` bytes are there, from the beginning of `unread`."""
        pieces = [self.unread[self.at :]]
        missing = count - len(pieces[0])
        while missing > 0:
            piece = posix.read(self.fd, max(READ_BYTES, missing))
            if not piece:
                self.at_end()
            pieces.append(piece)
            missing -= len(piece)
        self.unread, self.at = b"".join(pieces), 0

    def send_with_usage(self, header, body=b""):
        """A frame that says ready or ends a run: with what this process has used since it began. `header` has no last brace yet."""
        if getrusage is None:
            header = b'%b,"cpuUs":%d' % (header, process_time_ns() // 1000)
        else:
            user_s, system_s, peak_kib = getrusage(RUSAGE_SELF)[:3]
            header = b'%b,"cpuUs":%d,"peakKib":%d' % (header, (user_s + system_s) * 1e6, peak_kib)
        self.send_encoded(header + b"}", body)

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
        while posix.read(self.fd, READ_BYTES):
            pass
        posix._exit(0)
