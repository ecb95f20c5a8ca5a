"""One HTTP request as it comes in, and the credit for its response as it comes back."""

from inbox import Waiting

WINDOW_BYTES = 262_144


class Incoming(Waiting):
    """The body of the request. As a Waiting it is more of it, its end, or that nobody wants the response any more."""

    cancelled = False

    def __init__(self, inbox, run_id, first, ended):
        self.inbox = inbox
        self.run_id = run_id
        self.chunks = [first] if first else []
        self.ended = ended

    def ready(self):
        return self.chunks or self.ended or self.cancelled

    @property
    def exhausted(self):
        return self.ended and not self.chunks

    def take_chunk(self):
        """What came in one frame, and the credit for it. Call only where there are chunks."""
        chunk = self.chunks.pop(0)
        if not self.ended:
            self.inbox.channel.send({"t": "credit", "id": self.run_id, "bytes": len(chunk)})
        return chunk

    def at_hand(self):
        """The rest of the body where all of it has come; None where it is still coming."""
        if not self.ended:
            return None
        chunks, self.chunks = self.chunks, []
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def read_chunk(self):
        """Blocks. Empty at the end."""
        self.inbox.wait(self)
        return self.take_chunk() if self.chunks else b""

    def read_all(self):
        return b"".join(iter(self.read_chunk, b""))


class Outgoing(Waiting):
    """The way of the response's body. As a Waiting it is room for more of it."""

    sent = 0  # changed by who writes
    credited = 0  # changed by who reads frames
    cancelled = False

    def room(self):
        return WINDOW_BYTES + self.credited - self.sent

    def ready(self):
        return self.cancelled or self.room() > 0


class Exchange:
    on_cancel = None

    def __init__(self, inbox, header, first=b""):
        self.inbox = inbox
        self.header = header
        self.incoming = Incoming(inbox, header["id"], first, header.get("end", True))
        self.outgoing = Outgoing()

    @property
    def cancelled(self):
        return self.outgoing.cancelled

    def take(self, header, body):
        """A frame for this exchange, from whichever thread reads."""
        kind = header["t"]
        if kind == "credit":
            self.outgoing.credited += header["bytes"]
            self.inbox.wake(self.outgoing)
        elif kind == "body":
            if body:
                self.incoming.chunks.append(body)
            self.incoming.ended = header["end"]
            self.inbox.wake(self.incoming)
        else:
            self.incoming.cancelled = self.outgoing.cancelled = True
            self.inbox.wake(self.incoming, self.outgoing)
            if self.on_cancel is not None:
                self.on_cancel()
