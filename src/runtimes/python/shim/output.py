"""The standard streams of a run: real text streams on top of log frames, so that every method of a stream works."""

import posix
from io import BufferedWriter, BytesIO, RawIOBase, TextIOWrapper

FRAME_MAX_BYTES = 262_144
WORKER_PID = posix.getpid()
LEVELS = {"stdout": "info", "stderr": "error"}


class LogPipe(RawIOBase):
    """The byte end of a stream. One line printed is one frame, sent before `print` returns."""

    def __init__(self, channel, stream):
        self._channel = channel
        self._header = b'{"t":"log","level":"%b","stream":"%b"}' % (LEVELS[stream].encode(), stream.encode())
        self._fd = 1 if stream == "stdout" else 2
        self.open_for_logs = False

    def write(self, data):
        data = bytes(data)
        if posix.getpid() != WORKER_PID:
            return posix.write(self._fd, data)  # a forked child must not speak on the worker's channel
        sent = 0
        with self._channel.lock:  # held over the question, so that no line slips out behind the end of the run
            while sent < len(data) and self.open_for_logs:
                end = end_of_piece(data, sent)
                self._channel.send_encoded(self._header, data[sent:end])
                sent = end
        return len(data)

    def writable(self):
        return True

    def fileno(self):
        return self._fd


def end_of_piece(data, start):
    end = start + FRAME_MAX_BYTES
    if end >= len(data):
        return len(data)
    for back in range(4):  # do not cut through a UTF-8 character
        if data[end - back] & 0xC0 != 0x80:
            return end - back
    return end


class Output:
    """The streams of one run; standard input is empty."""

    def __init__(self, channel):
        self.pipes = LogPipe(channel, "stdout"), LogPipe(channel, "stderr")
        self.stdout, self.stderr = (
            TextIOWrapper(BufferedWriter(pipe), "utf-8", "backslashreplace", line_buffering=True) for pipe in self.pipes
        )
        self.stdin = TextIOWrapper(BytesIO(), "utf-8")

    def start(self):
        for pipe in self.pipes:
            pipe.open_for_logs = True

    def flush(self):
        for stream in (self.stdout, self.stderr):
            try:
                stream.flush()
            except ValueError:
                pass  # the script has closed or detached it

    def stop(self):
        """What a thread or a finalizer prints from now on belongs to no run."""
        for pipe in self.pipes:
            pipe.open_for_logs = False
