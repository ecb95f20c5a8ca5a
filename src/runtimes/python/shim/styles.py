"""What a program is: found in its tree, without running it.

A program is a script unless it surely is something else, since scripts were there first: code that returns at top
level (program.py sees that), reads `event` or `input` there, or calls its own `handler` there is one, whatever else is in it.
"""

import _ast

SCRIPT = "script", False
APP = "app"  # asgi, wsgi or a script: only the object itself can tell
NAMES = frozenset(("handler", "main", "app"))
FUNCTIONS = (_ast.FunctionDef, _ast.AsyncFunctionDef)
SCOPES = (*FUNCTIONS, _ast.Lambda, _ast.ClassDef)
MAY_GIVE_AN_APP = (_ast.Call, _ast.Name, _ast.Attribute, _ast.Subscript, _ast.IfExp, _ast.BoolOp, _ast.Await)


def style_of(body, statement_lists, has_files):
    """(style, is it asynchronous for sure) of code that does not return at top level. `statement_lists` are those outside of
    functions and classes."""
    found = {}
    for statements in statement_lists:
        for statement in statements:
            note_definitions(statement, found, has_files)
    if not found:
        return SCRIPT

    outer = OuterNames(body)
    if (outer.read & {"event", "input"}) - outer.set:
        return SCRIPT
    handler, main, app = (found.get(name) for name in ("handler", "main", "app"))
    if handler is not None and "handler" not in outer.called and not is_decorated_by_app(handler):
        return "lambda", isinstance(handler, _ast.AsyncFunctionDef)
    if isinstance(main, FUNCTIONS) and has_parameters(main) and not is_decorated_by_app(main):
        if not is_called_anywhere("main", body):
            return "main", isinstance(main, _ast.AsyncFunctionDef)
    if app is None or "result" in outer.set:
        return SCRIPT
    return style_of_app(app)


def note_definitions(statement, found, has_files):
    kind = type(statement)
    if kind in FUNCTIONS or kind is _ast.ClassDef:
        if statement.name in NAMES and not (kind is _ast.ClassDef and statement.name != "app"):
            found[statement.name] = statement
    elif kind is _ast.Assign or kind is _ast.AnnAssign:
        for target in statement.targets if kind is _ast.Assign else (statement.target,):
            if type(target) is _ast.Name:
                if target.id == "app" or target.id == "handler" and type(statement.value) is _ast.Lambda:
                    found[target.id] = statement.value
    elif kind is _ast.ImportFrom and has_files:
        for alias in statement.names:
            if (alias.asname or alias.name) in ("handler", "app"):
                found[alias.asname or alias.name] = statement


def style_of_app(app):
    if isinstance(app, _ast.AsyncFunctionDef):
        return "asgi", True
    if isinstance(app, (_ast.FunctionDef, _ast.Lambda)):
        count = len(app.args.posonlyargs) + len(app.args.args)
        if getattr(app, "decorator_list", None):
            return APP, False
        return {2: ("wsgi", False), 3: ("asgi", True)}.get(count, SCRIPT)
    if isinstance(app, (_ast.ClassDef, _ast.ImportFrom, *MAY_GIVE_AN_APP)):
        return APP, False
    return SCRIPT


def has_parameters(function):
    given = function.args
    return bool(given.posonlyargs or given.args or given.vararg)


def is_decorated_by_app(node):
    """`@app.get("/")` makes a route of it, whatever its name."""
    for decorator in getattr(node, "decorator_list", ()):
        while isinstance(decorator, (_ast.Call, _ast.Attribute)):
            decorator = decorator.func if isinstance(decorator, _ast.Call) else decorator.value
        if isinstance(decorator, _ast.Name) and decorator.id == "app":
            return True
    return False


def is_called_anywhere(name, body):
    todo = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, _ast.Call) and isinstance(node.func, _ast.Name) and node.func.id == name:
            return True
        todo.extend(children(node))
    return False


class OuterNames:
    """The names that code outside of functions and classes reads, sets and calls, but for `if __name__ == …` blocks."""

    def __init__(self, body):
        self.read, self.set, self.called = set(), set(), set()
        todo = list(body)
        while todo:
            node = todo.pop()
            if isinstance(node, _ast.If) and any(
                isinstance(part, _ast.Name) and part.id == "__name__" for part in children(node.test)
            ):
                todo.extend(node.orelse)
                continue
            if isinstance(node, _ast.Name):
                (self.read if isinstance(node.ctx, _ast.Load) else self.set).add(node.id)
            elif isinstance(node, _ast.Call) and isinstance(node.func, _ast.Name):
                self.called.add(node.func.id)
            elif isinstance(node, (*FUNCTIONS, _ast.ClassDef)):
                self.set.add(node.name)
            elif isinstance(node, (_ast.Import, _ast.ImportFrom)):
                self.set.update(alias.asname or alias.name for alias in node.names)
            elif isinstance(node, _ast.ExceptHandler) and node.name:
                self.set.add(node.name)
            todo.extend(children(node, isinstance(node, SCOPES)))


def children(node, without_body=False):
    for field in node._fields:
        if without_body and field == "body":
            continue
        value = getattr(node, field, None)
        if isinstance(value, list):
            for item in value:
                if isinstance(item, _ast.AST):
                    yield item
        elif isinstance(value, _ast.AST):
            yield value
