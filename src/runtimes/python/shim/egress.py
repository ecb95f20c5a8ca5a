"""The way out of the box. There is no network in it, only a unix socket to the egress gate, which connects to what the
policy allows: `CONNECT host:port`, its answer, then the target's bytes.

Everything in Python connects through `socket`, so that is the one module we change, and only when it is imported: most
programs never do. Its sockets for TCP are unix sockets underneath; names stay names until the gate resolves them.
"""

import sys

# Beside this file. It is read when it is needed: compiling it costs 2 ms, a third of what Python needs to start.
SOCKET_SOURCE = __file__.rpartition("/")[0] + "/egress_socket.py"


def install(gate_path):
    """Call once, before user code. `gate_path` need not exist: connecting then fails with a clear message."""
    sys.meta_path.insert(0, SocketFinder(gate_path))


class SocketFinder:
    """Changes the module `socket` right after it has been loaded."""

    def __init__(self, gate_path):
        self.gate_path = gate_path

    def find_spec(self, name, path=None, target=None):
        if name != "socket":
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                spec.loader.exec_module = self.changing(spec.loader.exec_module)
                return spec
        return None

    def changing(self, execute):
        def exec_module(module):
            execute(module)
            scope = {"__name__": module.__name__}
            with open(SOCKET_SOURCE, encoding="utf-8") as file:
                exec(compile(file.read(), SOCKET_SOURCE, "exec"), scope)
            scope["connect_through_gate"](module, self.gate_path)

        return exec_module
