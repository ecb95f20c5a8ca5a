"""Executes a program as the module that it is, once, and finds what answers its runs."""

import builtins
import sys

from failure import register_source

ModuleType = type(sys)
FunctionType = type(lambda: 0)
CO_VARARGS = 0x4
CO_COROUTINE, CO_ASYNC_GENERATOR = 0x80, 0x200


class Sample:
    def method(self):
        pass


MethodType = type(Sample().method)


def execute(program, finish):
    """The namespace after the program has run. `finish(coroutine)` runs one to its end, for code that awaits at top level."""
    name = module_name(program.file)
    parent, _, child = name.rpartition(".")
    if parent:
        __import__(parent)
        if name in sys.modules:
            return sys.modules[name].__dict__  # its package imports it
    module = ModuleType(name)
    module.__dict__.update(__file__=program.file, __package__=parent, __builtins__=builtins)
    sys.modules[name] = module
    if parent:
        setattr(sys.modules[parent], child, module)
    register_source(program)
    try:
        value = FunctionType(program.code, module.__dict__)()
        if value is not None:
            finish(value)
    except BaseException:
        sys.modules.pop(name, None)  # the next run tries again
        raise
    return module.__dict__


def module_name(file):
    """That under which the program's other files can import it. Never `__main__`: what stands under
    `if __name__ == "__main__"` starts a server or a test."""
    name = file[:-3].replace("/", ".") if file.endswith(".py") else "function"
    if not all(part.isidentifier() for part in name.split(".")) or name in sys.modules:
        return "function"
    return "function" if name in getattr(sys, "stdlib_module_names", ()) else name


def function_behind(target):
    """(the function that runs when `target` is called, how many of its arguments are bound), or (None, 0)."""
    for _ in range(100):
        if isinstance(target, FunctionType):
            if not (target.__code__.co_flags & CO_VARARGS and hasattr(target, "__wrapped__")):
                return target, 0
            target = target.__wrapped__  # a decorator that says what it wraps
        elif type(target).__name__ == "partial" and hasattr(target, "func"):
            target = target.func
        elif isinstance(target, MethodType):
            return function_behind(target.__func__)[0], 1
        elif isinstance(target, type):
            return function_behind(target.__init__)[0], 1  # it is called to make the answer
        else:
            method = getattr(type(target), "__call__", None)
            return (method, 1) if isinstance(method, FunctionType) else (None, 0)
    return None, 0


def is_async(target):
    """Does it surely want an event loop?"""
    function, _ = function_behind(target)
    return function is not None and bool(function.__code__.co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR))


def kind_of_app(app):
    """`asgi`, `wsgi`, or None where it is no application."""
    if not callable(app):
        return None
    function, bound = function_behind(app)
    if function is None:
        return "wsgi"
    code = function.__code__
    return "asgi" if code.co_flags & CO_COROUTINE or code.co_argcount - bound == 3 else "wsgi"
