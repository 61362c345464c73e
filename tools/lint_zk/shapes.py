"""Shapes: which parts of a value are sealed, as far as syntax and annotations tell."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import reduce

_MAX_DEPTH = 5


class Kind(Enum):
    """What a value is to the audit."""

    CLEAN = "nothing in it is sealed"
    SEALED = "a sealed value, or one that can't be told from it"
    RAW = "what a way out returned: open, and bound for the one call that may take it"
    CARRIER = "an object with sealed fields"
    MANY = "a container or an iterable of such values"
    MAPPING = "a mapping to such values; keys are never sealed"
    TUPLE = "a tuple, part by part"
    FUNCTION = "a function that returns such a value"


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind, and the shapes of its parts."""

    kind: Kind = Kind.CLEAN
    parts: tuple["Shape", ...] = ()

    def __bool__(self) -> bool:
        return self.tainted

    @property
    def tainted(self) -> bool:
        """Whether any part of it is sealed."""
        return self.kind is not Kind.CLEAN

    @property
    def opaque(self) -> bool:
        """Whether it is itself a value that nobody may look at."""
        return self.kind in {Kind.SEALED, Kind.RAW}

    @property
    def holds(self) -> bool:
        """Whether it is a container: how many it has may be asked, and each may be taken out."""
        return self.kind in {Kind.MANY, Kind.MAPPING, Kind.TUPLE}

    @property
    def raw(self) -> bool:
        """Whether whatever is tainted in it came through a way out."""
        return self.kind in {Kind.CLEAN, Kind.RAW} or (self.holds and all(part.raw for part in self.parts))

    @property
    def content(self) -> "Shape":
        """What is in it, or what calling it returns."""
        return union(self.parts) if self.parts else self

    @property
    def element(self) -> "Shape":
        """What iterating over it yields."""
        return CLEAN if self.kind is Kind.MAPPING else self.content

    def fits(self, declared: "Shape") -> bool:
        """Whether a place declared so expects each sealed part of it."""
        return union((declared, self)) == declared


CLEAN, SEALED, RAW, CARRIER = Shape(), Shape(Kind.SEALED), Shape(Kind.RAW), Shape(Kind.CARRIER)


def many(element: Shape) -> Shape:
    """Return the shape of a container of such elements."""
    return _compound(Kind.MANY, (element,))


def mapping(value: Shape) -> Shape:
    """Return the shape of a mapping to such values."""
    return _compound(Kind.MAPPING, (value,))


def tuple_of(parts: Iterable[Shape]) -> Shape:
    """Return the shape of a tuple of these parts."""
    return _compound(Kind.TUPLE, tuple(parts))


def function(returns: Shape) -> Shape:
    """Return the shape of a function by what it returns."""
    return _compound(Kind.FUNCTION, (returns,))


def union(shapes: Iterable[Shape]) -> Shape:
    """Return a shape that is at least as sealed as each of these."""
    return reduce(_join, shapes, CLEAN)


def of_annotation(annotation: ast.expr | None, named: Mapping[str, Shape]) -> Shape:
    """Read the shape that an annotation declares; `named` holds the shapes of classes and aliases."""
    match annotation:
        case ast.Constant(value=str() as text):
            return of_annotation(_parsed(text), named)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return named.get(name, CLEAN)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return union((of_annotation(left, named), of_annotation(right, named)))
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=arguments):
            return named[name] if name in named else _generic(name, arguments, named)
        case _:
            return CLEAN


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None  # any other text than a forward reference


def _generic(name: str, arguments: ast.expr, named: Mapping[str, Shape]) -> Shape:
    listed = arguments.elts if isinstance(arguments, ast.Tuple) else [arguments]
    shapes = [of_annotation(argument, named) for argument in listed]
    match name:
        case "Literal" | "type" | "Type":
            return CLEAN
        case "Callable":
            return function(shapes[-1])
        case "Annotated" | "Optional" | "Union" | "Final" | "ClassVar" | "Awaitable":
            return union(shapes)
        case "tuple" if not (isinstance(listed[-1], ast.Constant) and listed[-1].value is ...):
            return tuple_of(shapes)
        case "dict" | "Mapping" | "MutableMapping" | "defaultdict" | "OrderedDict":
            return mapping(shapes[-1])
        case _:
            return many(union(shapes))


def _join(one: Shape, other: Shape) -> Shape:
    if one == other or not other.tainted:
        return one
    if not one.tainted:
        return other
    if one.kind is other.kind and len(one.parts) == len(other.parts) > 0:
        return _compound(one.kind, tuple(map(_join, one.parts, other.parts)))
    if one.holds and other.holds:
        return many(union(one.parts + other.parts))
    return SEALED


def _compound(kind: Kind, parts: tuple[Shape, ...]) -> Shape:
    if not any(part.tainted for part in parts):
        return CLEAN
    shape = Shape(kind, parts)
    return SEALED if _depth(shape) > _MAX_DEPTH else shape


def _depth(shape: Shape) -> int:
    return 1 + max(map(_depth, shape.parts), default=0)
