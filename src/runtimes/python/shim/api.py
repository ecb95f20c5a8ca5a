"""The module `cloche`: what every function can ask of its platform. All of it may be called from any thread, and blocks."""

from calls import Error
from siblings import load

DOC = "What a function can ask of its platform: kv, env, log, http, ai, email. Error is what a refusal raises."


def names(call, write_log):
    """`call(name, arguments)` asks the server, `write_log(level, text)` prints."""
    return {
        "__doc__": DOC,
        "__all__": ["Error", "ai", "email", "env", "http", "kv", "log"],
        "Error": Error,
        "ai": Ai(call),
        "email": Email(call),
        "env": Env(call),
        "http": Http(),
        "kv": SharedAndOwn(call),
        "log": Log(write_log),
    }


def without_none(**arguments):
    return {name: value for name, value in arguments.items() if value is not None}


class Kv:
    """Values by key; a value is any JSON."""

    __module__ = "cloche"

    def __init__(self, call, scope):
        self._call = call
        self._scope = scope  # arguments of every call

    def _ask(self, name, **arguments):
        return self._call(name, {**arguments, **self._scope})

    def get(self, key, default=None):
        return self._ask("kv.get", key=key).get("value", default)

    def set(self, key, value, ttl=None):
        """`ttl` in seconds; without it the value stays."""
        self._ask("kv.set", key=key, value=value, **({} if ttl is None else {"ttlMs": ttl * 1000}))

    def delete(self, key):
        """Returns whether there was one."""
        return self._ask("kv.delete", key=key)["deleted"]

    def list(self, prefix=""):
        """All keys that start with `prefix`, sorted."""
        keys, cursor = [], {}
        while True:
            page = self._ask("kv.list", prefix=prefix, **cursor)
            keys += page["keys"]
            if page.get("cursor") is None:
                return keys
            cursor = {"cursor": page["cursor"]}

    def all(self, prefix=""):
        """A dict; at most 8 MiB of it."""
        return self._ask("kv.all", prefix=prefix)["entries"]

    def incr(self, key, by=1):
        """Adds at once, so that no other run comes between. Returns the new number."""
        return self._ask("kv.incr", key=key, by=by)["value"]

    def cas(self, key, old, new):
        """Sets `new` where the value is `old`; None stands for no value. Returns whether it did."""
        return self._ask("kv.cas", key=key, **without_none(old=old, new=new))["swapped"]


class SharedAndOwn(Kv):
    """The function's own values; `shared` has those of all functions."""

    __module__ = "cloche"

    def __init__(self, call):
        Kv.__init__(self, call, {})
        self.shared = Kv(call, {"global": True})


class Env:
    """The function's variables as they are now; `os.environ` has them as they were when the worker started."""

    __module__ = "cloche"

    def __init__(self, call):
        self._call = call

    def get(self, name, default=None):
        return self._call("env.get", {"name": name}).get("value", default)

    def set(self, name, value):
        self._call("env.set", {"name": name, "value": value})

    def delete(self, name):
        """Returns whether there was one."""
        return self._call("env.delete", {"name": name})["deleted"]


class Log:
    """Lines with a level. Values are put together as `print` does."""

    __module__ = "cloche"

    def __init__(self, write):
        self._write = write

    def debug(self, *values):
        self._write("debug", " ".join(map(str, values)))

    def info(self, *values):
        self._write("info", " ".join(map(str, values)))

    def warn(self, *values):
        self._write("warn", " ".join(map(str, values)))

    warning = warn

    def error(self, *values):
        self._write("error", " ".join(map(str, values)))


class Http:
    """Requests to the outside. Any status is a success; what cannot be reached raises OSError (urllib's URLError)."""

    __module__ = "cloche"

    def request(self, method, url, **options):
        """Options: `headers`, `query` (dict or text), `body` (bytes or text), `json`, `timeout` in seconds (30)."""
        return load("http_client").request(method, url, **options)

    def get(self, url, **options):
        return self.request("GET", url, **options)

    def post(self, url, **options):
        return self.request("POST", url, **options)

    def put(self, url, **options):
        return self.request("PUT", url, **options)

    def patch(self, url, **options):
        return self.request("PATCH", url, **options)

    def delete(self, url, **options):
        return self.request("DELETE", url, **options)

    def head(self, url, **options):
        return self.request("HEAD", url, **options)


class Ai:
    __module__ = "cloche"

    def __init__(self, call):
        self._call = call

    def chat(self, provider, model, messages, **options):
        """Options: `max_tokens`, `temperature`, `endpoint`. Returns {"content", "model", "usage"}."""
        return self._call("ai.chat", {"provider": provider, "model": model, "messages": messages, **options})


class Email:
    __module__ = "cloche"

    def __init__(self, call):
        self._call = call

    def send(self, message=None, **fields):
        """Fields by name or as a dict: `from` (`from_` as a name, since `from` is a keyword), `to`, `subject`, … Returns
        {"id"}."""
        fields = {**(message or {}), **fields}
        if "from_" in fields:
            fields["from"] = fields.pop("from_")
        return self._call("email.send", fields)
