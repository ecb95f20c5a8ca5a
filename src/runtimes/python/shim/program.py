"""Compiles user code so that top-level `return` and `await` work and everything else is as in a module.

Code without a top-level `return` is compiled as the module that it is. Code with one becomes the body of a function,
since only functions may return, which is then given the ways of a module back:
- Every name that the compiler would make local is declared `global` (we ask the compiler, by compiling twice).
- The flags that give a function its own namespace are removed, so `locals()` and `exec` see the globals.
- `return x` becomes `return (x,)`, so that nothing returned differs from `return None`.
The tree keeps the user's positions, so tracebacks point at the user's lines and columns.
"""

import _ast

from siblings import load

ONLY_AST = 0x400
ALLOW_TOP_LEVEL_AWAIT = 0x2000
CO_OPTIMIZED, CO_NEWLOCALS, CO_GENERATOR, CO_ASYNC_GENERATOR = 0x1, 0x2, 0x20, 0x200
CodeType = type(compile("0", "", "eval"))


class Program:
    def __init__(self, source, file, files=None):
        self.source = source.lstrip("\ufeff")
        self.file = file
        self.files = files or {}
        self.style, self.is_async = "script", False
        self.error = None
        self.code = None
        self.imports = []
        try:
            self.code = self._compile()
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if isinstance(error, SyntaxError) and error.text is None and error.lineno:
                error.text = self.lines()[error.lineno - 1 : error.lineno][0]  # the compiler had no file to look into
            self.error = error.with_traceback(None)

    def lines(self):
        """The source as `linecache` wants it."""
        return [line + "\n" for line in self.source.replace("\r\n", "\n").replace("\r", "\n").split("\n")]

    def _compile(self):
        tree = self._to_code(self.source, ONLY_AST)
        self.imports = list(top_imports(tree.body))
        top = TopLevel(tree)
        if not top.has_return and any(name in self.source for name in ("handler", "main", "app")):
            self.style, self.is_async = load("styles").style_of(tree.body, top.statement_lists, bool(self.files))
        if not top.has_return:
            return self._to_code(tree, ALLOW_TOP_LEVEL_AWAIT if top.has_await else 0)
        top.rewrite()
        if top.first_yield is not None:
            where = top.first_yield
            raise SyntaxError("'yield' outside function", (self.file, where.lineno, where.col_offset + 1, None))
        return self._as_function(tree, top.has_await)

    def _to_code(self, what, flags):
        return compile(what, self.file, "exec", flags, True)

    def _as_function(self, tree, has_await):
        # A parsed example has every field that this version of Python wants.
        wrapper = self._to_code("async def f(): pass" if has_await else "def f(): pass", ONLY_AST)
        function = wrapper.body[0]
        function.name = "<module>"
        start = first_after_future_imports(tree.body)
        function.body = tree.body[start:] or function.body
        wrapper.body[:0] = tree.body[:start]

        own = function_code(self._to_code(wrapper, 0))
        names = [*own.co_varnames, *own.co_cellvars]
        if names:
            function.body.insert(0, _ast.Global(names=names, lineno=1, col_offset=0, end_lineno=1, end_col_offset=0))
            own = function_code(self._to_code(wrapper, 0))
        if own.co_varnames:
            # From 3.12 on, variables of comprehensions live here; mixing them with the globals would lose globals of
            # the same name. `locals()` is then empty at top level, all else is the same.
            return own
        return own.replace(co_flags=own.co_flags & ~(CO_OPTIMIZED | CO_NEWLOCALS))


def function_code(module_code):
    return next(value for value in module_code.co_consts if type(value) is CodeType and value.co_name == "<module>")


def first_after_future_imports(body):
    start = 0
    for index, statement in enumerate(body):
        if isinstance(statement, _ast.ImportFrom) and statement.module == "__future__":
            start = index + 1
        elif index > 0 or not isinstance(statement, _ast.Expr):
            break
    return start


def top_imports(body):
    """The modules that the script surely imports, whatever it does, each with the names that it takes from them."""
    for statement in body:
        if isinstance(statement, _ast.Import):
            for alias in statement.names:
                yield alias.name, ()
        elif isinstance(statement, _ast.ImportFrom) and not statement.level:
            yield statement.module, [alias.name for alias in statement.names]


FUNCTIONS = (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.Lambda, _ast.ClassDef)
AWAITS = (_ast.Await, _ast.AsyncFor, _ast.AsyncWith)


class TopLevel:
    """What stands outside every function and class. No recursion: a long `elif` chain is a deep tree."""

    def __init__(self, tree):
        self.has_return = False
        self.has_await = False
        self.first_yield = None
        self.statement_lists = []  # every list of statements
        todo = [tree]
        while todo:
            node = todo.pop()
            self._note(node)
            inner_scope = isinstance(node, FUNCTIONS)
            for field in node._fields:
                value = getattr(node, field, None)
                if inner_scope and field == "body":
                    continue  # but its decorators, defaults and bases are evaluated out here
                if isinstance(value, list):
                    if value and isinstance(value[0], _ast.stmt):
                        self.statement_lists.append(value)
                    todo.extend(item for item in value if isinstance(item, _ast.AST))
                elif isinstance(value, _ast.AST):
                    todo.append(value)

    def _note(self, node):
        if isinstance(node, _ast.Return):
            self.has_return = True
        elif isinstance(node, AWAITS) or getattr(node, "is_async", 0):
            self.has_await = True
        elif isinstance(node, (_ast.Yield, _ast.YieldFrom)):
            if self.first_yield is None or node.lineno < self.first_yield.lineno:
                self.first_yield = node

    def rewrite(self):
        """Replaces, in place, what a function does not allow or does differently."""
        for statements in self.statement_lists:
            statements[:] = [as_in_function(statement) for statement in statements]


def as_in_function(statement):
    if isinstance(statement, _ast.Return) and statement.value is not None:
        statement.value = at(statement.value, _ast.Tuple(elts=[statement.value], ctx=_ast.Load()))
    elif isinstance(statement, _ast.AnnAssign) and isinstance(statement.target, _ast.Name):
        # A global must not be annotated.
        if statement.value is None:
            return at(statement, _ast.Pass())
        return at(statement, _ast.Assign(targets=[statement.target], value=statement.value))
    elif isinstance(statement, _ast.ImportFrom) and statement.names[0].name == "*":
        text = "from %s%s import *" % ("." * (statement.level or 0), statement.module or "")
        call = _ast.Call(
            func=at(statement, _ast.Name(id="exec", ctx=_ast.Load())),
            args=[at(statement, _ast.Constant(value=text))],
            keywords=[],
        )
        return at(statement, _ast.Expr(value=at(statement, call)))
    return statement


def at(place, node):
    node.lineno, node.col_offset = place.lineno, place.col_offset
    node.end_lineno, node.end_col_offset = place.end_lineno, place.end_col_offset
    return node
