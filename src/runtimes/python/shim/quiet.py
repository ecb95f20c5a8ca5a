"""Is the worker as it was before the run? In doubt: no.

The full check, for code that is not innocent (innocent.py): it compares with a baseline, mostly dict against dict, which
runs in C. Modules that a run has loaded stay, since that is what makes a warm worker fast. Those that the script imports
at its top are imported before its first run, so that their baseline is clean; others are taken as they are found after
the run that loaded them, unless something of the script is in them.

Not seen: state inside C extensions, and changes within containers and objects that a module holds
(`module.table[1] = 2`), apart from those that library_state.py knows.
"""

import _signal
import _thread
import atexit
import gc
import posix
import sys

import library_state

ModuleType = type(sys)
IS_HEAP_TYPE = 1 << 9  # a class made by Python code; the others cannot be changed
FDS_WITHOUT_PROC = range(256)
SIGNALS = sorted(_signal.valid_signals())
SYS_LISTS = ("path", "meta_path", "path_hooks", "argv")

# They print, open a window or a browser when they are imported.
NOT_TO_IMPORT_EARLY = frozenset("this antigravity turtle tkinter idlelib __main__".split())

# What happened, for audit events whose effect cannot be seen afterwards, or only at a high price.
TELLING_EVENTS = {
    "os.fork": "it started a process",
    "os.forkpty": "it started a process",
    "os.posix_spawn": "it started a process",
    "os.system": "it started a process",
    "subprocess.Popen": "it started a process",
    "os.putenv": "it changed the environment",
    "os.unsetenv": "it changed the environment",
    "resource.setrlimit": "it changed a resource limit",
    "resource.prlimit": "it changed a resource limit",
    "ctypes.dlopen": "it called into C",
    "ctypes.dlsym": "it called into C",
}

# Names that modules and classes of the standard library rebind themselves in normal use.
CACHES = {
    "uuid": {"_last_timestamp", "_node"},
    "tempfile": {"tempdir", "_name_sequence"},
    "urllib.parse": {"_hostprog", "_portprog", "_typeprog"},
    "urllib.request": {"_opener"},
    "mimetypes": {"inited", "_db", "suffix_map", "encodings_map", "types_map", "common_types"},
    "_strptime": {"_TimeRE_cache"},
    "platform": {"_uname_cache", "_os_release_cache"},
    "os": {"environb"},
    "threading": {"_counter"},
    "locale": {"_override_localeconv"},
    "asyncio.events": {"_event_loop_policy"},
    "multiprocessing.process": {"_children"},
    "concurrent.futures": {"ThreadPoolExecutor", "ProcessPoolExecutor"},
    "weakref.finalize": {"_dirty", "_registered_with_atexit"},
    "sys": {"last_exc", "last_type", "last_value", "last_traceback"},
}


class Quiet:
    """Knows one worker as it was when this was made, before its first run."""

    def __init__(self, program, tmp_folder, user_modules=()):
        self.user_modules = user_modules
        import_early([part for part in program.imports if part[0] not in user_modules])
        self.tmp_folder = tmp_folder
        self.has_finalizer = "__del__" in program.source
        self.names_atexit = "atexit" in program.source
        self.told = None
        self.modules = {}
        self.classes = {}
        self._adopt_new_modules()
        self.lists = [(name, getattr(sys, name), getattr(sys, name)[:]) for name in SYS_LISTS]
        self.library = library_state.LibraryState()
        self.interpreter = interpreter_state()
        self.exit_functions = atexit._ncallbacks()
        self.fds = open_fds()
        sys.addaudithook(self._listen)

    def _listen(self, event, _arguments):
        if event in TELLING_EVENTS:
            self.told = TELLING_EVENTS[event]

    def why_not(self):
        """Why the worker is not as it was, or None."""
        try:
            if self.has_finalizer:
                gc.collect()
            library_state.reset()
            return (
                self.told
                or living_processes()
                or self._interpreter_changes()
                or self._module_changes()
                or self.library.why_not()
                or self._files()
            )
        except BaseException as error:
            return "the check failed: %s" % type(error).__name__

    def _interpreter_changes(self):
        before, now = self.interpreter, interpreter_state()
        if now != before:
            return "it changed the " + next(name for name in now if now[name] != before[name])
        # Standard modules register exit functions as well, when they are first used.
        if self.names_atexit and atexit._ncallbacks() != self.exit_functions:
            return "it registered an exit function"
        for name, original, items in self.lists:
            if original != items:
                return "it changed sys.%s" % name
        return None

    def _module_changes(self):
        loaded = sys.modules
        for name, (module, namespace, snapshot) in self.modules.items():
            if loaded.get(name) is not module:
                return "it replaced the module %s" % name
            if namespace != snapshot and not only_caches_and_submodules_differ(name, namespace, snapshot):
                return "it changed the module %s" % name
        for owner, snapshot in self.classes.items():
            if owner.__dict__ != snapshot:
                name = "%s.%s" % (owner.__module__, owner.__qualname__)
                if not only_caches_and_submodules_differ(name, owner.__dict__, snapshot):
                    return "it changed the class %s" % name
        if len(loaded) > len(self.modules) + 1:  # and __main__
            return self._adopt_new_modules()
        return None

    def _adopt_new_modules(self):
        """Takes the baseline of what is new. Returns why that must not be, or None."""
        why = None
        for name, module in list(sys.modules.items()):
            if name in self.modules or name == "__main__":
                continue
            if self._is_of_the_script(module) or type(module) is ModuleType and module.__spec__ is None:
                why = "it made the module %s" % name
            namespace = module.__dict__ if isinstance(module, ModuleType) else {}
            for value in namespace.values():
                if self._is_of_the_script(value):
                    why = "it changed the module %s" % name
                elif isinstance(value, type) and value.__flags__ & IS_HEAP_TYPE and value.__module__ == name:
                    self.classes[value] = dict(value.__dict__)
            self.modules[name] = module, namespace, namespace.copy()
        return why

    def _is_of_the_script(self, value):
        for name in (getattr(value, "__module__", None), type(value).__module__):
            if name == "__main__" or type(name) is str and name in self.user_modules:
                return True
        return False

    def _files(self):
        if posix.listdir(self.tmp_folder):
            return "files are left in /tmp"
        if open_fds() != self.fds:
            gc.collect()  # the open file may hang in a cycle
            if open_fds() != self.fds:
                return "a file or socket is open"
        return None


def import_early(imports):
    for name, parts in imports:
        if name.partition(".")[0] not in NOT_TO_IMPORT_EARLY:
            try:
                __import__(name, None, None, parts)
            except BaseException:
                pass  # the run will fail the same way and report it


def only_caches_and_submodules_differ(name, namespace, snapshot):
    """Forgives what a module does to itself, and takes it into the snapshot."""
    missing = object()
    for key in {**namespace, **snapshot}:
        now = namespace.get(key, missing)
        before = snapshot.get(key, missing)
        if now is before or now == before:
            continue
        is_new_submodule = before is missing and now is sys.modules.get("%s.%s" % (name, key))
        if not is_new_submodule and key not in CACHES.get(name, ()):
            return False
    snapshot.clear()
    snapshot.update(namespace)
    return True


def living_processes():
    if _thread._count() > 0:
        return "a thread is alive"
    try:
        posix.waitpid(-1, posix.WNOHANG)
    except ChildProcessError:
        return None
    return "it started a process"


def interpreter_state():
    """What is cheap to read, by name."""
    umask = posix.umask(0o77)
    posix.umask(umask)
    return {
        "umask": umask,
        "working directory": posix.getcwd(),
        "signal handlers": [_signal.getsignal(number) for number in SIGNALS],
        "signal mask": _signal.pthread_sigmask(_signal.SIG_BLOCK, ()),
        "timers": [_signal.getitimer(timer)[0] > 0 for timer in (0, 1, 2)],
        "garbage collector": (gc.isenabled(), gc.get_threshold(), gc.get_debug(), len(gc.callbacks)),
        "recursion limit": sys.getrecursionlimit(),
        "switch interval": sys.getswitchinterval(),
        "tracer": (sys.gettrace(), sys.getprofile(), *sys.get_asyncgen_hooks()),
        "limit of integer digits": getattr(sys, "get_int_max_str_digits", int)(),
    }


def open_fds():
    try:
        return set(posix.listdir("/proc/self/fd"))  # the fd that reads the folder is always the lowest free one
    except OSError:
        return {fd for fd in FDS_WITHOUT_PROC if is_open(fd)}


def is_open(fd):
    try:
        posix.fstat(fd)
    except OSError:
        return False
    return True
