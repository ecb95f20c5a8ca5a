# The time as server-sent events, one each half second: new EventSource("/fn/NAME") listens.
import time
from datetime import datetime, timezone


def handler(event, context):
    yield {"headers": {"Content-Type": "text/event-stream"}}
    for tick in range(1, 6):
        yield f"id: {tick}\ndata: {datetime.now(timezone.utc).isoformat()}\n\n"
        if tick < 5:
            time.sleep(0.5)
