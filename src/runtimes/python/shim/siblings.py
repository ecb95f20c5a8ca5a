"""Our own modules, kept out of sight of user code.

Those that every worker needs are imported while it boots. The others are loaded when a program needs them, by `load`:
user code may by then have modules of the same names, so they never stand in `sys.modules`.
"""

import builtins
import posix
import sys
from _thread import RLock

ModuleType = type(sys)
SourceFileLoader = sys.modules["_frozen_importlib_external"].SourceFileLoader

FOLDER = __file__.rpartition("/")[0] + "/"
OURS = {name[:-3] for name in posix.listdir(FOLDER) if name.endswith(".py")}
loaded = {}
lock = RLock()


def hide():
    """Call once, at the end of booting: user code must neither find our modules nor see how it was started."""
    folder = FOLDER[:-1]
    for name, module in list(sys.modules.items()):
        if name != "__main__" and (getattr(module, "__file__", None) or "").startswith(FOLDER):
            loaded[name] = sys.modules.pop(name)
    sys.path.remove(folder)
    sys.path_importer_cache.pop(folder, None)
    sys.argv = ["script.py"]
    sys.dont_write_bytecode = True


def load(name):
    """The sibling of this name. The compiled file beside it is used where there is one."""
    with lock:
        module = loaded.get(name)
        if module is None:
            path = FOLDER + name + ".py"
            module = loaded[name] = ModuleType(name)
            module.__dict__.update(__file__=path, __builtins__=own_builtins)
            try:
                exec(SourceFileLoader(name, path).get_code(name), module.__dict__)
            except BaseException:
                del loaded[name]
                raise
        return module


def import_own_first(name, scope=None, local=None, names=(), level=0):
    if name in OURS:
        return load(name)
    return builtins.__import__(name, scope, local, names, level)


own_builtins = dict(builtins.__dict__, __import__=import_own_first)
