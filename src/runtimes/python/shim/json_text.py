"""JSON without the `json` module: its C core alone saves the import of `re` and a megabyte in every idle worker."""

from _json import encode_basestring, make_encoder, make_scanner


class ScannerSettings:
    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


scan = make_scanner(ScannerSettings)


def loads(text):
    text = text.strip(" \t\r\n")
    try:
        value, end = scan(text, 0)
    except StopIteration as stop:
        raise ValueError("the input is not JSON: no value at character %s" % stop.value) from None
    except SystemError:
        raise ValueError("the input is not JSON") from None  # it has no JSONDecodeError while `json` is not loaded
    if end != len(text):
        raise ValueError("the input is not JSON: more text after character %d" % end)
    return value


HINTS = {
    "set": "return list(...) instead",
    "frozenset": "return list(...) instead",
    "generator": "return list(...) instead",
    "dict_keys": "return list(...) instead",
    "dict_values": "return list(...) instead",
    "map": "return list(...) instead",
    "filter": "return list(...) instead",
    "zip": "return list(...) instead",
    "range": "return list(...) instead",
    "bytes": "return its .decode() or base64 text instead",
    "datetime": "return its .isoformat() instead",
    "date": "return its .isoformat() instead",
    "Decimal": "return str(...) or float(...) instead",
    "function": "return what it returns instead",
    "coroutine": "await it",
}


class NotJson(Exception):
    """A returned value cannot be JSON. Carries the error that the caller shall see."""

    def __init__(self, error):
        self.error = error


def dumps(value):
    """Compact UTF-8. Raises NotJson where `value` is at fault; errors of the user's own methods pass through."""

    def refuse(part):
        name = type(part).__name__
        verb = "returned" if part is value else "the returned value holds"
        hint = HINTS.get(name)
        raise NotJson(TypeError("%s a %s, which cannot be JSON%s" % (verb, name, "; " + hint if hint else "")))

    encode = make_encoder({}, refuse, encode_basestring, None, ":", ",", False, False, False)
    try:
        text = "".join(encode(value, 0))
    except (ValueError, TypeError) as error:
        if error.__traceback__.tb_next is not None:
            raise  # it comes out of Python code: a method of the user's own type
        raise NotJson(type(error)("the returned value cannot be JSON: %s" % error)) from None
    except RecursionError:
        raise NotJson(RecursionError("the returned value is nested too deeply to be JSON")) from None
    # Half a surrogate pair has no UTF-8, but its Python escape happens to be its JSON escape.
    return text.encode("utf-8", "backslashreplace")
