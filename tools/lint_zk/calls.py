"""Calls: who may take a sealed value, and what comes back."""

import ast
import sys
from collections.abc import Iterator
from typing import NamedTuple

from tools.lint_zk import rules
from tools.lint_zk.declarations import Signature
from tools.lint_zk.shapes import CARRIER, CLEAN, RAW, SEALED, Kind, Shape, many, mapping, tuple_of, union
from tools.lint_zk.values import Values

_GROWING = frozenset({"append", "appendleft", "insert", "extend", "update"})
_TAKING_OUT = frozenset({"get", "pop", "popleft", "copy", "values", "items", "keys", "clear", "reverse"})
_PASSING = frozenset({"zip", "enumerate", "list", "tuple", "iter", "next", "reversed", "len", "isinstance"})
_TELLING_TYPES = frozenset({"isinstance", "issubclass"})
_UNKNOWN_POSITION = sys.maxsize


class Argument(NamedTuple):
    """An argument: its position or name (None for `**`), and its shape."""

    place: int | str | None
    node: ast.expr
    shape: Shape


class Calls(Values):
    """Evaluates calls."""

    def _on_call(self, node: ast.Call) -> Shape:
        callee, name = node.func, called(node)
        if isinstance(callee, ast.Subscript):
            callee = callee.value
        if name.startswith("into_") or (isinstance(callee, ast.Name) and name in rules.WATCHED_NAMES):
            return self._way_out(node, name)
        if _logs(callee):
            return self._log(node)
        self._forbid_event_logs(node)
        if isinstance(callee, ast.Attribute):
            return self._method(node, callee)
        if name in {"getattr", "locals", "globals", "vars"}:
            return self._introspect(node, name)
        returned = self._returned(callee)
        arguments = list(self._arguments(node))
        known = self._known(callee)
        if name in _PASSING and name not in self.names and _may_pass(name, arguments):
            return _passed(name, [one.shape for one in arguments if isinstance(one.place, int)])
        self._hand_over(name, known, arguments)
        return _passed_on(known, arguments) or returned or self._made(node, name)

    def _returned(self, callee: ast.expr) -> Shape:
        shape = self.inspect(callee, "ZK008")
        return shape.parts[0] if shape.kind is Kind.FUNCTION else CLEAN

    def _made(self, node: ast.Call, name: str) -> Shape:
        """Return CARRIER for a carrier's constructors, and for what a carrier's class was given to."""
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        classes = {one.id for one in (owner, *node.args) if isinstance(one, ast.Name)} | {name}
        return CARRIER if classes & rules.CARRIERS.keys() and name not in _TELLING_TYPES else CLEAN

    # -------- ways out, logs, introspection

    def _way_out(self, node: ast.Call, name: str) -> Shape:
        arguments = list(self._arguments(node))
        if not any(way.name == name for way in self.open_ways()):
            return self.report(node, "ZK014" if name == "Sealed" else "ZK011")
        for one in arguments[1:]:
            if one.shape.tainted:
                self.report(one.node, "ZK010")
        if name == "Sealed":
            if node.args and isinstance(node.args[0], ast.Name):
                self.bind(node.args[0], RAW)  # it was no less sealed before
            return SEALED
        return union(one.returns for one in self.functions(name)) if name == "json_text" else RAW

    def _log(self, node: ast.Call) -> Shape:
        if isinstance(node.func, ast.Attribute):
            self.visit(node.func.value)
        for one in self._arguments(node):
            named = {getattr(part, "id", getattr(part, "attr", "")) for part in ast.walk(one.node)}
            if one.shape.tainted or named & rules.REQUEST_NAMES:
                self.report(one.node, "ZK002")
        self._forbid_event_logs(node)
        return CLEAN

    def _forbid_event_logs(self, node: ast.Call) -> None:
        """Powertools' `log_event=True` logs whole requests."""
        for keyword in node.keywords:
            if keyword.arg == "log_event" and not _is_false(keyword.value):
                self.report(node, "ZK002")

    def _introspect(self, node: ast.Call, name: str) -> Shape:
        match node.args:
            case [owner, ast.Constant(value=str() as attribute), *_] if name == "getattr":
                return self.member(node, self.visit(owner), attribute)
            case []:
                return self.report(node, "ZK009") if any(shape.tainted for shape in self.names.values()) else CLEAN
            case _:
                for argument in node.args:
                    self.refuse(argument, rules.CODE_OF_CALL.get(name, "ZK009"))
                return CLEAN

    # -------- methods

    def _method(self, node: ast.Call, callee: ast.Attribute) -> Shape:
        owner, name = self.visit(callee.value), callee.attr
        arguments = list(self._arguments(node))
        if owner.holds:
            return self._container_method(callee, owner, arguments)
        may_ask = not owner or (owner == CARRIER and (name in self.declared.members or _errors_without_input(node)))
        if not may_ask:
            return self.report(callee, rules.CODE_OF_CALL.get(name, "ZK008"))
        if name in {"get", "pop"} and _names_sealed_member(node):
            return SEALED
        known = self._known(callee)
        if name in _GROWING and any(_refused(known, one) for one in arguments):
            return self._grow(callee, arguments)
        self._hand_over(name, known, arguments)
        if any(one.passes_on for one in known):
            return _passed_on(known, arguments)
        return union(one.returns for one in known) or self._made(node, name)

    def _container_method(self, callee: ast.Attribute, owner: Shape, arguments: list[Argument]) -> Shape:
        if callee.attr in _GROWING:
            return self._grow(callee, arguments)
        for one in arguments:
            if one.shape.tainted:
                self.report(one.node, rules.CODE_OF_CALL.get(callee.attr, "ZK010"))
        if callee.attr not in _TAKING_OUT:
            return self.report(callee, rules.CODE_OF_CALL.get(callee.attr, "ZK008"))
        content = owner.content
        taken = {"copy": owner, "values": many(content), "items": many(tuple_of((CLEAN, content)))}
        return taken.get(callee.attr, CLEAN if callee.attr in {"keys", "clear", "reverse"} else content)

    def _grow(self, callee: ast.Attribute, arguments: list[Argument]) -> Shape:
        whole = callee.attr in {"extend", "update"}
        held = self.visit(callee.value)
        put = union(one.shape.content if whole and one.shape.holds else one.shape for one in arguments)
        self.bind(callee.value, (mapping if held.kind is Kind.MAPPING else many)(put))
        return CLEAN

    # -------- arguments

    def _arguments(self, node: ast.Call) -> Iterator[Argument]:
        for position, argument in enumerate(node.args):
            if isinstance(argument, ast.Starred):
                yield Argument(_UNKNOWN_POSITION, argument, self.iterated(argument.value))
            else:
                yield Argument(position, argument, self.visit(argument))
        for keyword in node.keywords:
            value = keyword.value
            yield Argument(keyword.arg, value, self.visit(value) if keyword.arg else self.spread(value))

    def _hand_over(self, name: str, known: list[Signature], arguments: list[Argument]) -> None:
        takers = frozenset().union(*(way.takers for way in self.open_ways()))
        for one in arguments:
            if _refused(known, one) and not (one.shape.raw and name in takers):
                self.report(one.node, rules.CODE_OF_CALL.get(name, "ZK010"))

    def _known(self, callee: ast.expr) -> list[Signature]:
        """Return what the audited code declares under this name, unless the name is another package's."""
        if isinstance(callee, ast.Attribute):
            return [] if self.is_foreign(_root(callee)) else self.declared.signatures.get(callee.attr, [])
        return self.functions(callee.id) if isinstance(callee, ast.Name) else []


def called(node: ast.Call) -> str:
    """Return the bare name of what is called, or nothing if it has none."""
    callee = node.func.value if isinstance(node.func, ast.Subscript) else node.func
    return callee.attr if isinstance(callee, ast.Attribute) else _root(callee)


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _logs(callee: ast.expr) -> bool:
    names = {getattr(part, "id", getattr(part, "attr", "")).strip("_").lower() for part in ast.walk(callee)}
    return bool(names & rules.LOGGERS) or (isinstance(callee, ast.Attribute) and callee.attr in rules.LOG_METHODS)


def _refused(signatures: list[Signature], one: Argument) -> bool:
    accepted = bool(signatures) and all(each.accepts(one.place, one.shape) for each in signatures)
    return one.shape.tainted and not accepted


def _passed_on(known: list[Signature], arguments: list[Argument]) -> Shape:
    """Return what the given functions return, if one of these signatures says that it comes back."""
    functions = [one.shape for one in arguments if one.shape.kind is Kind.FUNCTION]
    return union(shape.content for shape in functions if any(one.passes_on for one in known))


def _may_pass(name: str, arguments: list[Argument]) -> bool:
    """Whether a builtin gets only what it may handle: containers, and carriers to tell the type of."""
    if name == "isinstance":
        return not arguments[0].shape.opaque
    return all(one.shape.holds or not one.shape.tainted for one in arguments)


def _passed(name: str, shapes: list[Shape]) -> Shape:
    match name:
        case "len" | "isinstance":
            return CLEAN
        case "zip":
            return many(tuple_of([shape.element for shape in shapes]))
        case "enumerate":
            return many(tuple_of((CLEAN, union(shape.element for shape in shapes))))
        case "next":
            return union(shape.element for shape in shapes)
        case _:
            return many(union(shape.element for shape in shapes))


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _errors_without_input(node: ast.Call) -> bool:
    return called(node) == "errors" and any(
        one.arg == "include_input" and _is_false(one.value) for one in node.keywords
    )


def _names_sealed_member(node: ast.Call) -> bool:
    first = node.args[0] if node.args else None
    return isinstance(first, ast.Constant) and first.value in rules.SEALED_MEMBERS
