"""`handler(event, context)` and `main(params)`: what they are given."""

from json_text import loads

from request_event import event_of, first_values

CO_VARARGS = 0x4


def arguments(run, style, count, body):
    """At most `count` positional arguments. `body` is that of the request, where there is one."""
    event = event_of(run.header, body) if run.is_request else run.value()
    if style == "main":
        return (params_of(event, run.header["query"]) if run.is_request else event,)
    return (event, run.worker.context(run.header)) if count == 2 else (event,)[:count]


def most_positional(target):
    """How many positional arguments a callable takes, at most 2; 2 where that cannot be seen."""
    seen = 0
    while hasattr(target, "__wrapped__") and seen < 100:
        code = getattr(target, "__code__", None)
        if code is not None and not code.co_flags & CO_VARARGS:
            break
        target, seen = target.__wrapped__, seen + 1
    code = getattr(target, "__code__", None)
    if code is None or code.co_flags & CO_VARARGS:
        return 2
    return min(2, code.co_argcount)


def params_of(event, query):
    """The query and the fields of the body, which win, and the request itself under names of its own."""
    params = dict(event["query"])
    kind = event["headers"].get("content-type", "").partition(";")[0].strip().lower()
    if not event.get("isBase64Encoded"):
        if kind == "application/x-www-form-urlencoded":
            params.update(first_values(event["body"]))
        elif kind.endswith(("/json", "+json")):
            try:
                fields = loads(event["body"])
            except ValueError:
                fields = None  # it is in `__ow_body`
            if isinstance(fields, dict):
                params.update(fields)
    params.update(
        __ow_method=event["method"].lower(),
        __ow_headers=event["headers"],
        __ow_path=event["relativePath"],
        __ow_query=query,
        __ow_body=event["body"],
    )
    if event.get("isBase64Encoded"):
        params["__ow_isBase64Encoded"] = True
    return params
