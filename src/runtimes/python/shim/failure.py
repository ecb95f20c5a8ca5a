"""What the caller is told about an exception: its name, its message and the traceback as Python prints it."""

import sys

from siblings import FOLDER

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
    report = {"name": clip(name, 256), "message": clip(message, MESSAGE_MAX_BYTES), "stack": clip(stack, STACK_MAX_BYTES)}
    line = line_of(error, program)
    if line is not None:
        report["line"] = line
    return report


def line_of(error, program):
    """The line of the main file that is to blame, or None."""
    if isinstance(error, SyntaxError) and error.filename == program.file and error.lineno:
        return error.lineno
    line, frame = None, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == program.file:
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


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
    hide_own_frames(report)
    return "".join(report.format())


def hide_own_frames(report):
    """A call of the module `cloche` ends within our code; nobody wants to read that."""
    todo, seen = [report], set()
    while todo:
        part = todo.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        part.stack[:] = [frame for frame in part.stack if not frame.filename.startswith(FOLDER)]
        todo += [part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ())]


def first_user_frame(frame, program):
    """Skips our own frames, and those of asyncio below them."""
    while frame is not None and not is_of_the_program(frame.tb_frame.f_code.co_filename, program):
        frame = frame.tb_next
    return frame


def is_of_the_program(file, program):
    return file == program.file or file in program.files


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
