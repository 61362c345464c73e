"""Statements: where sealed values are bound, kept, returned and raised, followed until nothing new turns up."""

import ast
from collections.abc import Callable

from tools.lint_zk import rules
from tools.lint_zk.calls import Calls
from tools.lint_zk.declarations import AnyFunction, Declarations, Module, own_fields
from tools.lint_zk.shapes import CARRIER, CLEAN, SEALED, Kind, Shape, function, many, mapping, union

_MAX_PASSES = 50


def follow(module: Module, declared: Declarations) -> "Statements":
    """Follow sealed values through a module; the result has its `findings` and `uses`."""
    followed = Statements(module, declared)
    followed.until_stable(lambda: followed.visit_parts(module.tree))
    return followed


class Statements(Calls):
    """Evaluates statements."""

    def __init__(self, module: Module, declared: Declarations) -> None:
        super().__init__(module, declared)
        self._inside = "module"
        self._returns = CLEAN
        self._globals: set[str] = set()

    def shape_of(self, annotation: ast.expr | None) -> Shape:
        """Return what an annotation in this module declares."""
        return self.declared.shape_of(annotation, self.module.name)

    def until_stable(self, visit: Callable[[], object]) -> None:
        """Repeat, since a name may get sealed below where it is used first, as in a loop."""
        for _ in range(_MAX_PASSES):
            before = dict(self.names)
            visit()
            if self.names == before:
                return
        raise RecursionError(f"{self.module.path}: shapes do not settle")

    def bind(self, target: ast.expr, shape: Shape) -> None:
        """Keep nothing sealed where it outlives a request: in a module, a class, a global name."""
        stays = isinstance(target, ast.Name) and (self._inside != "function" or target.id in self._globals)
        if stays and shape.tainted and shape.kind is not Kind.FUNCTION:
            self.report(target, "ZK012")
        super().bind(target, shape)

    # -------- functions and classes

    def _on_functiondef(self, node: AnyFunction) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._defaults(node.args)
        owner = self.place[-1] if self._inside == "class" else None
        state = self.names, self._inside, self._returns
        nested = self._inside == "function"
        self.names = self.names if nested else dict(self.names)
        self._inside, self._returns = "function", self.shape_of(node.returns)
        self.place.append(node.name)
        self._parameters(node.args, owner)
        body = ast.Module(node.body, [])
        if nested:
            self.visit_parts(body)
        else:
            self.until_stable(lambda: self.visit_parts(body))
        self.place.pop()
        self.names, self._inside, self._returns = state
        if owner is None:
            self.names[node.name] = function(self.shape_of(node.returns))

    _on_asyncfunctiondef = _on_functiondef

    def _on_lambda(self, node: ast.Lambda) -> Shape:
        self._defaults(node.args)
        self._parameters(node.args, None)
        return function(self.visit(node.body))

    def _defaults(self, arguments: ast.arguments) -> None:
        for default in (*arguments.defaults, *arguments.kw_defaults):
            self.refuse(default, "ZK012")

    def _parameters(self, arguments: ast.arguments, owner: str | None) -> None:
        for one in arguments.posonlyargs + arguments.args + arguments.kwonlyargs:
            shape = self.shape_of(one.annotation)
            if one.annotation is None and one.arg in rules.SEALED_ATTRIBUTES:
                shape = SEALED
            if one.arg == "self" and owner in rules.CARRIERS:
                shape = CARRIER
            self.names[one.arg] = union((self.names.get(one.arg, CLEAN), shape))
        for several, held in ((arguments.vararg, many), (arguments.kwarg, mapping)):
            if several is not None:
                self.names[several.arg] = held(self.shape_of(several.annotation))

    def _on_classdef(self, node: ast.ClassDef) -> None:
        if node.name not in rules.CARRIERS:
            for name, annotation in own_fields(node):
                if annotation is not None and self.shape_of(annotation).tainted:
                    self.report(ast.copy_location(ast.Name(name), annotation), "ZK012")
            for base in node.bases:
                if self.shape_of(base).tainted:
                    self.report(base, "ZK012")
        state = self.names, self._inside
        self.names, self._inside = dict(self.names), "class"
        self.place.append(node.name)
        self.visit_parts(node)
        self.place.pop()
        self.names, self._inside = state

    def _on_return(self, node: ast.Return) -> None:
        if node.value is not None:
            self._leave(node.value, self.visit(node.value))

    def _on_yield(self, node: ast.Yield) -> None:
        if node.value is not None:
            self._leave(node.value, many(self.visit(node.value)))

    def _on_yieldfrom(self, node: ast.YieldFrom) -> None:
        self._leave(node.value, many(self.iterated(node.value)))

    def _leave(self, node: ast.expr, shape: Shape) -> None:
        listed = shape.raw and any("return" in way.takers for way in self.open_ways())
        if not shape.fits(self._returns) and not listed:
            self.report(node, "ZK015")

    # -------- binding

    def _on_assign(self, node: ast.Assign) -> None:
        shape = self.visit(node.value)
        for target in node.targets:
            self.bind(target, shape)

    def _on_annassign(self, node: ast.AnnAssign) -> None:
        if self._inside == "class":
            self.refuse(node.value, "ZK012")
            return
        value = self.visit(node.value) if node.value is not None else CLEAN
        declared = self.shape_of(node.annotation) if isinstance(node.target, ast.Name) else CLEAN
        self.bind(node.target, union((declared, value)))

    def _on_augassign(self, node: ast.AugAssign) -> None:
        self.bind(node.target, self.operate(node, node.op, node.target, node.value))

    def _on_for(self, node: ast.For | ast.AsyncFor) -> None:
        self.bind(node.target, self.iterated(node.iter))
        for statement in node.body + node.orelse:
            self.visit(statement)

    _on_asyncfor = _on_for

    def _on_withitem(self, node: ast.withitem) -> None:
        shape = self.inspect(node.context_expr, "ZK008")
        if node.optional_vars is not None:
            self.bind(node.optional_vars, shape)

    def _on_global(self, node: ast.Global) -> None:
        self._globals |= set(node.names)

    def _on_import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.split(".")[0]
            self.imported[name] = (alias.name, "")
            if alias.name == rules.SEALED_MODULE:
                self.report(node, "ZK011")

    def _on_importfrom(self, node: ast.ImportFrom) -> None:
        source = node.module or ""
        for alias in node.names:
            self.imported[alias.asname or alias.name] = (source if not node.level else self.module.name, alias.name)
            private = source == rules.SEALED_MODULE and alias.name.startswith(("_", "*"))
            whole = f"{source}.{alias.name}" == rules.SEALED_MODULE
            renamed = alias.asname and alias.name in rules.WATCHED_NAMES | rules.CARRIERS.keys()
            if private or whole or renamed:
                self.report(node, "ZK011")

    # -------- conditions and exceptions

    def _on_if(self, node: ast.If | ast.While) -> None:
        self.inspect(node.test, "ZK005")
        for statement in node.body + node.orelse:
            self.visit(statement)

    _on_while = _on_if

    def _on_assert(self, node: ast.Assert) -> None:
        self.inspect(node.test, "ZK005")
        self.refuse(node.msg, "ZK003")

    def _on_match(self, node: ast.Match) -> None:
        shape = self.inspect(node.subject, "ZK004")
        for case in node.cases:
            self._match(case.pattern, shape)
            if case.guard is not None:
                self.inspect(case.guard, "ZK005")
            for statement in case.body:
                self.visit(statement)

    def _match(self, pattern: ast.pattern, shape: Shape) -> None:
        match pattern:
            case ast.MatchAs(pattern=inner, name=name):
                if name is not None:
                    self.bind(ast.copy_location(ast.Name(name), pattern), shape)
                if inner is not None:
                    self._match(inner, shape)
            case ast.MatchOr(patterns=patterns):
                for one in patterns:
                    self._match(one, shape)
            case ast.MatchClass(patterns=[], kwd_patterns=[]) | ast.MatchSingleton():
                pass
            case _ if shape.tainted:
                self.report(pattern, "ZK004")
            case _:
                self._bind_captures(pattern)

    def _bind_captures(self, pattern: ast.pattern) -> None:
        """Bind what a pattern takes out of a clean object; a sealed member is sealed there too."""
        for part in ast.walk(pattern):
            match part:
                case ast.MatchClass(kwd_attrs=names, kwd_patterns=patterns):
                    sealed = [one for name, one in zip(names, patterns, strict=True) if self._field(name).tainted]
                case ast.MatchMapping(keys=keys, patterns=patterns):
                    pairs = zip(keys, patterns, strict=True)
                    sealed = [one for key, one in pairs if getattr(key, "value", None) in rules.SEALED_MEMBERS]
                case _:
                    sealed = []
            for one in sealed:
                self.report(one, "ZK004")

    def _on_raise(self, node: ast.Raise) -> None:
        if isinstance(node.exc, ast.Call):
            self.visit(node.exc.func)
            for part in (*node.exc.args, *(keyword.value for keyword in node.exc.keywords)):
                self.refuse(part.value if isinstance(part, ast.Starred) else part, "ZK003")
        else:
            self.refuse(node.exc, "ZK003")
        self.refuse(node.cause, "ZK003")

    def _on_excepthandler(self, node: ast.ExceptHandler) -> None:
        types: list[ast.expr] = (
            [part for part in ast.walk(node.type) if isinstance(part, ast.expr)] if node.type else []
        )
        shape = union(self.shape_of(one) for one in types)
        if node.name is not None:
            self.names[node.name] = union((self.names.get(node.name, CLEAN), shape))
        for statement in node.body:
            self.visit(statement)
            for part in ast.walk(statement):
                if shape.tainted and isinstance(part, ast.Raise) and not _without_context(part):
                    self.report(part, "ZK003")


def _without_context(node: ast.Raise) -> bool:
    return node.exc is not None and isinstance(node.cause, ast.Constant) and node.cause.value is None
