"""What the audited code declares: functions and their parameters, carriers and their fields, by bare name.

Where several declare the same name, a sealed argument must suit all of them, and a result is as sealed as the most
sealed of them.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tools.lint_zk.rules import CARRIERS, OPAQUE_TYPE_VARIABLES
from tools.lint_zk.shapes import CARRIER, CLEAN, SEALED, Shape, of_annotation, union


@dataclass(frozen=True, slots=True)
class Module:
    """A file to audit, and the name it is imported by."""

    path: Path
    name: str
    tree: ast.Module


_PROPERTIES = frozenset({"property", "cached_property"})

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Signature:
    """A function's or a constructor's parameters (`self` left out) and result."""

    positional: tuple[str, ...]
    parameters: dict[str, Shape]
    more_positional: Shape = CLEAN
    more_named: Shape = CLEAN
    returns: Shape = CLEAN
    module: str = ""
    method: bool = False
    passes_on: bool = False
    """Whether it returns what a function that it is given returns (`rules.OPAQUE_TYPE_VARIABLES`)."""

    def accepts(self, place: int | str | None, shape: Shape) -> bool:
        """Whether the argument at a position, of a name, or (None) of a name not known is declared so."""
        if isinstance(place, int):
            place, rest = next(iter(self.positional[place : place + 1]), None), self.more_positional
        else:
            rest = self.more_named
        return shape.fits(self.parameters.get(place, rest) if place else rest)


@dataclass(slots=True)
class Declarations:
    """All signatures by name, and what carriers declare."""

    named: dict[str, Shape] = field(default_factory=lambda: {"Sealed": SEALED} | dict.fromkeys(CARRIERS, CARRIER))
    """Shapes of names in annotations: carriers, and type aliases."""
    signatures: dict[str, list[Signature]] = field(default_factory=dict)
    attributes: dict[str, Shape] = field(default_factory=dict)
    """Shapes of carriers' fields and of properties, where they are sealed."""
    public: set[str] = field(default_factory=set)
    """Which of them are taken so whatever the object is: all but those of a module's private classes."""
    members: set[str] = field(default_factory=set)
    """Names of all fields and methods of carriers."""

    def shape_of(self, annotation: ast.expr | None, module: str) -> Shape:
        """Return what an annotation in a module declares."""
        return of_annotation(annotation, self.named | _opaque_in(module))

    def add(self, node: AnyFunction, module: str, owner: str | None) -> None:
        """Note a function; `__init__` is the class's."""
        signature, name = self.signature(node, module, owner), node.name
        if owner and name == "__init__":
            signature, name = replace(signature, returns=self.named.get(owner, CLEAN), method=False), owner
        self.signatures.setdefault(name, []).append(signature)
        if any(isinstance(one, ast.Name) and one.id in _PROPERTIES for one in node.decorator_list):
            self.add_attribute(name, signature.returns, owner or "")

    def add_attribute(self, name: str, shape: Shape, owner: str) -> None:
        """Note a field or a property of a class."""
        if shape.tainted:
            self.attributes[name] = union((shape, self.attributes.get(name, CLEAN)))
            self.public |= set() if owner.startswith("_") else {name}

    def signature(self, node: AnyFunction, module: str, owner: str | None) -> Signature:
        """Read a function's signature; `owner` is the class that it is a method of."""

        def shape_of(one: ast.arg | None) -> Shape:
            return self.shape_of(one.annotation if one else None, module)

        arguments = node.args
        listed = arguments.posonlyargs + arguments.args
        if owner and listed and listed[0].arg in {"self", "cls"}:
            listed = listed[1:]
        return Signature(
            tuple(one.arg for one in listed),
            {one.arg: shape_of(one) for one in listed + arguments.kwonlyargs},
            shape_of(arguments.vararg),
            shape_of(arguments.kwarg),
            self.shape_of(node.returns, module),
            module,
            method=owner is not None,
            passes_on=isinstance(node.returns, ast.Name) and node.returns.id in _opaque_in(module),
        )


def declared_by(modules: Iterable[Module]) -> Declarations:
    """Collect what all these modules declare."""
    declared, modules = Declarations(), list(modules)
    for module in modules:
        for statement in module.tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() | ast.BinOp() as alias):
                    shape = declared.shape_of(alias, module.name)
                    if shape.tainted:
                        declared.named[name] = shape
                case _:
                    pass
    classes: dict[str, ast.ClassDef] = {}
    for module in modules:
        for node, owner in _definitions(module.tree, None):
            if isinstance(node, ast.ClassDef):
                classes[node.name] = node
            else:
                declared.add(node, module.name, owner)
    for name in classes.keys() & CARRIERS.keys():
        _carrier(classes[name], _fields(classes[name], declared, classes), declared)
    return declared


def _opaque_in(module: str) -> dict[str, Shape]:
    return {name: SEALED for (where, name) in OPAQUE_TYPE_VARIABLES if where == module}


def _definitions(node: ast.AST, owner: str | None) -> Iterator[tuple[AnyFunction | ast.ClassDef, str | None]]:
    """Yield classes and functions, and the class that each stands in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, AnyFunction | ast.ClassDef):
            yield child, owner
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _definitions(child, child.name if isinstance(child, ast.ClassDef) else None)


def _carrier(node: ast.ClassDef, fields: dict[str, Shape], declared: Declarations) -> None:
    methods = {child.name for child in node.body if isinstance(child, AnyFunction)}
    declared.members |= methods | fields.keys()
    for name, shape in fields.items():
        declared.add_attribute(name, shape, node.name)
    if "__init__" not in methods:
        declared.signatures.setdefault(node.name, []).append(Signature(tuple(fields), fields, returns=CARRIER))


def _fields(node: ast.ClassDef, declared: Declarations, classes: dict[str, ast.ClassDef]) -> dict[str, Shape]:
    fields: dict[str, Shape] = {}
    for name in (base.id for base in node.bases if isinstance(base, ast.Name)):
        if name in classes and name != node.name:
            fields |= _fields(classes[name], declared, classes)
    for name, annotation in own_fields(node):
        fields[name] = union((fields.get(name, CLEAN), declared.shape_of(annotation, "")))
    return fields


def own_fields(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield name and annotation of the fields that a class declares, in its body or as `self.name`."""
    for child in node.body:
        if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
            yield child.target.id, child.annotation
    for part in ast.walk(node):
        match part:
            case ast.AnnAssign(target=ast.Attribute(value=ast.Name(id="self"), attr=name), annotation=annotation):
                yield name, annotation
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                yield name, None
            case _:
                pass
