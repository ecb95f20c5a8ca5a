"""The second argument of `handler(event, context)`."""

import time

# The worker is not told its time limit unless the frame says so; this is what is then taken for it.
ASSUMED_LIMIT_MS = 30_000


class Context:
    """Names in the style of Python; those of AWS Lambda stand for the same things."""

    def __init__(self, binding, header):
        function = binding.function
        self.execution_id = self.aws_request_id = header.get("executionId", "")
        self.request_id = header.get("requestId", self.execution_id)
        self.function_id = function.get("id", "")
        self.function_name = function.get("name", "")
        self.version = self.function_version = function.get("version", "")
        self.base_url = function.get("baseUrl", "")
        self.invoked_function_arn = self.function_id
        self.started_at = time.time()
        self._began = time.monotonic()
        self._limit_ms = header.get("timeoutMs", ASSUMED_LIMIT_MS)
        api = binding.api()
        self.kv, self.env, self.log, self.http = api["kv"], api["env"], api["log"], api["http"]
        self.ai, self.email = api["ai"], api["email"]

    def get_remaining_time_in_millis(self):
        return max(0, self._limit_ms - int((time.monotonic() - self._began) * 1000))
