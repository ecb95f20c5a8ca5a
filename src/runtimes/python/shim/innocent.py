"""Can this code leave anything behind? Asked once per program, of its compiled code.

The globals of a run are thrown away, and what outlives them can only be reached by naming it: a module with state, an
attribute to assign to, or one of the builtins that give access to everything. Code that does none of that is innocent
and needs no check after its runs.
"""

import sys

CodeType = type(compile("0", "", "eval"))

STATELESS_MODULES = frozenset(
    "__future__ abc base64 binascii bisect cmath collections copy dataclasses datetime difflib enum fractions functools"
    " hashlib heapq hmac html itertools json math numbers operator re secrets statistics string struct textwrap time"
    " typing unicodedata zlib zoneinfo".split()
)
POWERFUL_NAMES = frozenset(
    "breakpoint compile delattr eval exec exit getattr globals help license open quit register setattr"
    " setfirstweekday vars".split()
)
# The other names with two underscores lead to everything, or run code when nobody looks (`__del__`).
HARMLESS_DUNDERS = frozenset(
    "__future__ __name__ __main__ __doc__ __module__ __qualname__ __annotations__ __init__ __str__ __repr__ __eq__"
    " __ne__ __lt__ __le__ __gt__ __ge__ __hash__ __len__ __iter__ __next__ __contains__ __getitem__ __setitem__ __add__"
    " __radd__ __sub__ __mul__ __truediv__ __neg__ __bool__ __call__ __enter__ __exit__ __post_init__ __slots__"
    " __firstlineno__ __static_attributes__ __classdict__ __annotate__ __annotate_func__ __conditional_annotations__".split()
)


def opcodes(text):
    return set(compile(text, "", "exec").co_code[::2])


# Their numbers differ between versions of Python, and asking the compiler is cheaper than importing `opcode`.
CHANGES_ATTRIBUTE = (opcodes("a.b = c") | opcodes("del a.b")) - opcodes("a.b\na = c\ndel a")


def is_innocent(code):
    if not hasattr(sys, "stdlib_module_names"):
        return False  # Python 3.9
    names = set()
    todo = [code]
    while todo:
        part = todo.pop()
        if not CHANGES_ATTRIBUTE.isdisjoint(part.co_code[::2]):
            return False
        for name in part.co_names:
            names.update(name.split("."))
        todo.extend(value for value in part.co_consts if type(value) is CodeType)
    if not names.isdisjoint((sys.stdlib_module_names - STATELESS_MODULES) | POWERFUL_NAMES):
        return False
    return all(name in HARMLESS_DUNDERS for name in names if name.startswith("__"))
