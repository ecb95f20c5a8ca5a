# Counts its calls. kv is this function's own store; incr reads and writes in one step, so no call is lost.
from cloche import kv


def handler(event, context):
    return {"count": kv.incr("count")}
