"""The worker's side of docs/wire-protocol.md for Python: our code inside the box, started once per worker.

Start-up time and idle memory decide how many workers a machine can keep ready, so nothing of the standard library is
imported here beyond what the interpreter itself has loaded (`posix`, not `os`; `_json`, not `json`).
"""

import gc
import posix
import sys


def serve(inbox, tmp):
    """Takes frames strictly one after the other, for ever; ends the process when the server is gone."""
    channel, binding, worker = inbox.channel, None, None
    while True:
        header, body = inbox.next()
        kind = header["t"]
        if kind == "run" or kind == "request":
            why = worker.run(header["id"], body)
            if why is not None:
                channel.send({"t": "retire", "why": why})
                channel.wait_for_the_end()
        elif kind == "bind":
            binding = Binding(inbox, header, body)
            if binding.program.style != "script":
                siblings.load("handler_worker").serve(binding)  # returns only for what turns out to be a script
            worker = Worker(binding, tmp)
            gc.freeze()  # what is here now stays: no later collection needs to look at it
        elif kind == "check":
            channel.send(*binding.check(header["id"]))
        elif kind == "ping":
            channel.send({"t": "pong", "id": header["id"]})


def tmp_folder():
    """Tests run workers beside each other, outside of a box, and give each a folder of its own."""
    return sys.argv[1] if len(sys.argv) > 1 else "/tmp"


sys.path.insert(0, __file__.rpartition("/")[0])
import egress  # noqa: E402
import siblings  # noqa: E402
from binding import Binding  # noqa: E402
from channel import Channel  # noqa: E402
from inbox import Inbox  # noqa: E402
from worker import Worker  # noqa: E402

inbox, tmp = Inbox(Channel(3)), tmp_folder()
egress.install("/run/egress.sock")
siblings.hide()
gc.freeze()
try:
    inbox.channel.send_with_usage(b'{"t":"ready"')
    serve(inbox, tmp)
except OSError:
    posix._exit(1)  # the channel is broken, so there is nobody to tell
