"""Where the import of a module is ours to answer: `cloche`, which is no file, and modules that we change when they load."""

import sys

ModuleSpec = sys.modules["_frozen_importlib"].ModuleSpec


class Finder:
    def __init__(self):
        self.changes = {}
        self.provided = {}

    def find_spec(self, name, path=None, target=None):
        if name in self.provided:
            return ModuleSpec(name, Provided(self.provided[name]))
        if name not in self.changes:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                spec.loader.exec_module = self._changing(name, spec.loader.exec_module)
                return spec
        return None

    def _changing(self, name, execute):
        def exec_module(module):
            execute(module)
            self.changes[name](module)

        return exec_module


class Provided:
    def __init__(self, make):
        self.make = make

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__dict__.update(self.make())


finder = Finder()


def after_import(name, change):
    """Calls `change(module)` right after the module `name` has been loaded, which most programs never do."""
    install()
    finder.changes[name] = change


def provide(name, make):
    """Makes `name` importable; `make()` gives what is in it."""
    install()
    finder.provided[name] = make


def install():
    if finder not in sys.meta_path:
        sys.meta_path.insert(0, finder)
