"""The worker's side of docs/wire-protocol.md for Python: our code inside the box, started once per worker.

Start-up time and idle memory decide how many workers a machine can keep ready, so nothing of the standard library is
imported here beyond what the interpreter itself has loaded (`posix`, not `os`; `_json`, not `json`).
"""

import gc
import posix
import sys


def hide_from_user_code(folder):
    """The siblings are imported by now; user code must neither find them nor see how it was started."""
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(folder):
            del sys.modules[name]
    sys.path.remove(folder)
    sys.path_importer_cache.pop(folder, None)
    sys.argv = ["script.py"]
    sys.dont_write_bytecode = True


def serve(channel, tmp):
    """Takes frames strictly one after the other, for ever; ends the process when the server is gone."""
    worker = None
    while True:
        header, body = channel.receive()
        kind = header["t"]
        if kind == "run":
            why = worker.run(header["id"], body)
            if why is not None:
                channel.send({"t": "retire", "why": why})
                channel.wait_for_the_end()
        elif kind == "bind":
            worker = Worker(channel, body, header["options"]["file"], tmp)
            gc.freeze()  # what is here now stays: no later collection needs to look at it
        elif kind == "ping":
            channel.send({"t": "pong", "id": header["id"]})


def tmp_folder():
    """Tests run workers beside each other, outside of a box, and give each a folder of its own."""
    return sys.argv[1] if len(sys.argv) > 1 else "/tmp"


folder = __file__.rpartition("/")[0]
sys.path.insert(0, folder)
import egress  # noqa: E402
from channel import Channel  # noqa: E402
from worker import Worker  # noqa: E402

channel, tmp = Channel(3), tmp_folder()
egress.install("/run/egress.sock")
hide_from_user_code(folder)
gc.freeze()
try:
    channel.send({"t": "ready"})
    serve(channel, tmp)
except OSError:
    posix._exit(1)  # the channel is broken, so there is nobody to tell
