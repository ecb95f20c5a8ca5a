"""What the caller is told about an exception: its name, its message and the traceback as Python prints it."""

import sys

MESSAGE_MAX_BYTES = 16_384
STACK_MAX_BYTES = 32_768


def describe(error, program):
    name = type(error).__qualname__
    message = message_of(error, name)
    try:
        stack = stack_of(error, program)
    except BaseException:  # no memory or stack left, or a __str__ of the user's that raises
        error.__traceback__ = None
        stack = "%s: %s" % (name, message)
    return {"name": clip(name, 256), "message": clip(message, MESSAGE_MAX_BYTES), "stack": clip(stack, STACK_MAX_BYTES)}


def message_of(error, name):
    try:
        text = str(error)
    except BaseException:
        return name
    if isinstance(error, KeyError) and text:
        return "%s: %s" % (name, text)  # the bare key says nothing
    return text or name


def stack_of(error, program):
    import traceback  # costs some milliseconds, so only a worker that fails pays for it

    register_source(program)
    report = traceback.TracebackException(type(error), error, first_user_frame(error.__traceback__, program))
    for index in range(len(report.stack) - 1, 0, -1):
        if report.stack[index].filename == "<string>" and "import *" in report.stack[index - 1].line:
            del report.stack[index]  # the `exec` that program.py puts in place of a star import
    return "".join(report.format())


def first_user_frame(frame, program):
    """Skips our own frames, and those of asyncio below them."""
    while frame is not None and frame.tb_frame.f_code.co_filename != program.file:
        frame = frame.tb_next
    return frame


def register_source(program):
    """Lets tracebacks show source lines of a file that does not exist."""
    linecache = sys.modules.get("linecache")
    if linecache is not None and program.file not in linecache.cache:
        lines = program.lines()
        linecache.cache[program.file] = len(program.source), None, lines, program.file


def clip(text, max_bytes):
    """Keeps both ends: the first frames and the error itself."""
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= max_bytes:
        return data.decode()
    half = max_bytes // 2 - 8
    return data[:half].decode("utf-8", "ignore") + "\n[...]\n" + data[-half:].decode("utf-8", "ignore")
