"""The second argument of `handler(event, context)`."""

import time

# The worker is not told its time limit unless the frame says so; this is what is then taken for it.
ASSUMED_LIMIT_MS = 30_000


class Context:
    """Names in the style of Python; those of AWS Lambda stand for the same things."""

    def __init__(self, header):
        self.execution_id = self.aws_request_id = header.get("executionId", "")
        self.request_id = header.get("requestId", self.execution_id)
        self.started_at = time.time()
        self._began = time.monotonic()
        self._limit_ms = header.get("timeoutMs", ASSUMED_LIMIT_MS)

    def get_remaining_time_in_millis(self):
        return max(0, self._limit_ms - int((time.monotonic() - self._began) * 1000))


def context_of(binding):
    """What makes the context of a run, of a frame's header. What is the same in all runs stands in its class."""
    function, api = binding.function, binding.api()

    class BoundContext(Context):
        function_id = invoked_function_arn = function.get("id", "")
        function_name = function.get("name", "")
        version = function_version = function.get("version", "")
        base_url = function.get("baseUrl", "")
        kv, env, log, http = api["kv"], api["env"], api["log"], api["http"]
        ai, email = api["ai"], api["email"]

    BoundContext.__name__ = BoundContext.__qualname__ = "Context"
    return BoundContext
