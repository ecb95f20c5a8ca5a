"""The standard streams of a run: real text streams on top of log frames, so that every method of a stream works."""

import posix
from _thread import get_ident
from io import BufferedWriter, BytesIO, RawIOBase, TextIOWrapper

FRAME_MAX_BYTES = 262_144
WORKER_PID = posix.getpid()
LEVELS = {"stdout": "info", "stderr": "error"}
level_by_thread = {}  # of what is being written: logging_levels.py


class LogPipe(RawIOBase):
    """The byte end of a stream. One line printed is one frame, sent before `print` returns."""

    def __init__(self, channel, stream, run_id=None):
        self._channel = channel
        self._header = log_header(LEVELS[stream], stream, run_id)
        self._stream = stream
        self._run_id = run_id
        self._fd = 1 if stream == "stdout" else 2
        self.open_for_logs = False

    def write(self, data):
        data = bytes(data)
        if posix.getpid() != WORKER_PID:
            return posix.write(self._fd, data)  # a forked child must not speak on the worker's channel
        header, sent = self._header, 0
        if level_by_thread:
            level = level_by_thread.get(get_ident())
            header = header if level is None else log_header(level, self._stream, self._run_id)
        with self._channel.lock:  # held over the question, so that no line slips out behind the end of the run
            while sent < len(data) and self.open_for_logs:
                end = end_of_piece(data, sent)
                self._channel.send_encoded(header, data[sent:end])
                sent = end
        return len(data)

    def writable(self):
        return True

    def fileno(self):
        return self._fd


def log_header(level, stream, run_id):
    run = "" if run_id is None else ',"run":%d' % run_id
    return ('{"t":"log","level":"%s","stream":"%s"%s}' % (level, stream, run)).encode()


def end_of_piece(data, start):
    end = start + FRAME_MAX_BYTES
    if end >= len(data):
        return len(data)
    for back in range(4):  # do not cut through a UTF-8 character
        if data[end - back] & 0xC0 != 0x80:
            return end - back
    return end


class Output:
    """The streams of one run; standard input is empty. `run_id` only where runs are worked on at the same time."""

    def __init__(self, channel, run_id=None):
        self.pipes = LogPipe(channel, "stdout", run_id), LogPipe(channel, "stderr", run_id)
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

    def log(self, level, text):
        """A line of its own level."""
        stream = self.stdout if level in ("debug", "info") else self.stderr
        thread = get_ident()
        stream.flush()
        before = level_by_thread.get(thread)
        level_by_thread[thread] = level
        try:
            stream.write(text + "\n")
            stream.flush()
        finally:
            restore_level(thread, before)

    def stop(self):
        """What a thread or a finalizer prints from now on belongs to no run."""
        for pipe in self.pipes:
            pipe.open_for_logs = False


def restore_level(thread, level):
    if level is None:
        level_by_thread.pop(thread, None)
    else:
        level_by_thread[thread] = level
