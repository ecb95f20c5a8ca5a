"""Modules and data from the further files of a program. They are on no disk: an importer answers for them."""

import sys

ModuleSpec = sys.modules["_frozen_importlib"].ModuleSpec
# By this name Python knows which frames of a traceback are the importer's.
call_with_frames_removed = sys.modules["_frozen_importlib"]._call_with_frames_removed


def install(program):
    """Makes the files importable, behind what is built into Python and before the rest of its library. Returns what tells
    whether a module's name is one of them, and gives the names of those that have been made of them so far."""
    finder = UserFiles(program)
    sys.meta_path.insert(max(len(sys.meta_path) - 1, 0), finder)
    return finder


class UserFiles:
    def __init__(self, program):
        self.files = {**program.files, program.file: program.source}
        folder = program.file.rpartition("/")[0]
        self.roots = [folder + "/", ""] if folder else [""]  # the main file's folder, as in Python, then all
        self.folders = {
            path[:end] for path in self.files for end, character in enumerate(path) if character == "/" and end
        }
        self.names = set()
        self.codes = {}
        inside = [path[len(root) :] for root in self.roots for path in self.files if path.startswith(root)]
        self.first_parts = {path.partition("/")[0] for path in inside if "/" in path}
        self.first_parts |= {path[:-3] for path in inside if path.endswith(".py")}

    def __contains__(self, name):
        return name.partition(".")[0] in self.first_parts

    def __iter__(self):
        return iter(list(self.names))

    def find_spec(self, name, path=None, target=None):
        last = name.rpartition(".")[2]
        for place in self.roots if path is None else [folder + "/" for folder in path]:
            spec = self._spec_at(name, place + last)
            if spec is not None:
                self.names.add(name)
                return spec
        return None

    def _spec_at(self, name, path):
        for file, is_package in ((path + "/__init__.py", True), (path + ".py", False)):
            if file in self.files:
                spec = ModuleSpec(name, UserFile(self, file), origin=file, is_package=is_package)
                spec.has_location = True  # gives the module its `__file__`
                if is_package:
                    spec.submodule_search_locations.append(path)
                return spec
        if path in self.folders:
            spec = ModuleSpec(name, UserFolder(self, path), is_package=True)
            spec.submodule_search_locations.append(path)
            return spec
        return None

    def code(self, path):
        if path not in self.codes:
            self.codes[path] = compile(self.files[path], path, "exec", 0, True)
        return self.codes[path]


class UserFolder:
    """A package without code."""

    def __init__(self, finder, path):
        self.finder = finder
        self.path = path

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        pass

    def get_data(self, path):
        try:
            return self.finder.files[path].encode("utf-8", "surrogatepass")
        except KeyError:
            raise FileNotFoundError(2, "the program has no file of this name", path) from None

    def get_resource_reader(self, name):
        return Resources(self.finder, self.path)


class UserFile(UserFolder):
    def __init__(self, finder, path):
        UserFolder.__init__(self, finder, path.rpartition("/")[0])
        self.file = path

    def exec_module(self, module):
        call_with_frames_removed(exec, self.finder.code(self.file), module.__dict__)

    def get_code(self, name):
        return self.finder.code(self.file)

    def get_source(self, name):
        return self.finder.files[self.file]

    def get_filename(self, name):
        return self.file

    def is_package(self, name):
        return self.file.endswith("/__init__.py")


class Resources:
    """What `importlib.resources` wants of a package: its folder."""

    def __init__(self, finder, path):
        self.finder = finder
        self.path = path

    def files(self):
        return Resource(self.finder, self.path)

    def open_resource(self, name):
        return self.files().joinpath(name).open("rb")

    def resource_path(self, name):
        raise FileNotFoundError(2, "the program's files are on no disk", name)

    def is_resource(self, name):
        return self.files().joinpath(name).is_file()

    def contents(self):
        return [part.name for part in self.files().iterdir()]


class Resource:
    """A file or folder, in the shape of `importlib.abc.Traversable`."""

    def __init__(self, finder, path):
        self.finder = finder
        self.path = path

    @property
    def name(self):
        return self.path.rpartition("/")[2]

    def __str__(self):
        return self.path

    def is_file(self):
        return self.path in self.finder.files

    def is_dir(self):
        return self.path == "" or self.path in self.finder.folders

    def iterdir(self):
        start = self.path + "/" if self.path else ""
        inside = {path[len(start) :].partition("/")[0] for path in self.finder.files if path.startswith(start)}
        return iter([Resource(self.finder, start + name) for name in sorted(inside)])

    def joinpath(self, *parts):
        return Resource(self.finder, "/".join(part for part in (self.path, *map(str, parts)) if part))

    def __truediv__(self, part):
        return self.joinpath(part)

    def read_bytes(self):
        return UserFolder(self.finder, "").get_data(self.path)

    def read_text(self, encoding=None, errors=None):
        return self.read_bytes().decode(encoding or "utf-8", errors or "strict")

    def open(self, mode="r", *arguments, **options):
        from io import BytesIO, TextIOWrapper

        stream = BytesIO(self.read_bytes())
        if "b" in mode:
            return stream
        return TextIOWrapper(stream, *arguments, **{"encoding": "utf-8", **options})
