"""The way out of the box. There is no network in it, only a unix socket to the egress gate, which connects to what the
policy allows: `CONNECT host:port`, its answer, then the target's bytes.

Everything in Python connects through `socket`, so that is the one module we change, and only when it is imported: most
programs never do. Its sockets for TCP are unix sockets underneath; names stay names until the gate resolves them.
"""

from finder import after_import
from siblings import load


def install(gate_path):
    """Call once, before user code. `gate_path` need not exist: connecting then fails with a clear message."""
    # Loaded when it is needed: most programs never are.
    after_import("socket", lambda module: load("egress_socket").connect_through_gate(module, gate_path))
