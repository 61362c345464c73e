"""Expressions: the shape of each, and a finding where one looks at what is sealed.

`visit` returns an expression's shape. What was reported once counts as clean from there on, so that one leak is one
finding.
"""

import ast
from collections.abc import Iterable

from tools.lint_zk import rules
from tools.lint_zk.declarations import Declarations, Module, Signature
from tools.lint_zk.report import Finding
from tools.lint_zk.shapes import CARRIER, CLEAN, SEALED, Kind, Shape, function, many, mapping, tuple_of, union

_MAX_SOURCE = 60


class Values:
    """Evaluates expressions over shapes instead of values, in one function (or module) after the other."""

    def __init__(self, module: Module, declared: Declarations) -> None:
        self.module = module
        self.declared = declared
        self.findings: set[Finding] = set()
        self.uses: set[tuple[int, int]] = set()
        self.place: list[str] = []
        """The classes and functions that the code stands in."""
        self.names: dict[str, Shape] = {}
        """Names of the outermost function; what stands inside it shares them. They only ever get more sealed."""
        self.imported: dict[str, tuple[str, str]] = {}
        """The module, and the name there, of each imported name."""

    def visit(self, node: ast.AST) -> Shape:
        """Return the shape of an expression; of anything else, CLEAN. `_on_…` knows each kind of node, lower case."""
        visitor = getattr(self, f"_on_{type(node).__name__.lower()}", self.visit_parts)
        shape: Shape | None = visitor(node)
        if shape is None:
            return CLEAN
        if shape.tainted and isinstance(node, ast.expr):
            self.uses.add((node.lineno, node.col_offset))
        return shape

    def visit_parts(self, node: ast.AST) -> Shape:
        """Visit the parts; no kind of expression that has no `_on_…` may have a sealed part."""
        for child in ast.iter_child_nodes(node):
            if isinstance(node, ast.expr) and isinstance(child, ast.expr):
                self.refuse(child, "ZK013")
            else:
                self.visit(child)
        return CLEAN

    def report(self, node: ast.AST, code: str) -> Shape:
        """Note a finding at a node."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
        source = " ".join(ast.unparse(node).split())
        shown = source if len(source) <= _MAX_SOURCE else source[: _MAX_SOURCE - 1] + "…"
        self.findings.add(Finding(self.module.path, line, column, code, shown))
        return CLEAN

    def refuse(self, node: ast.expr | None, code: str) -> Shape:
        """Report a node if any part of it is sealed."""
        if node is not None and self.visit(node).tainted:
            self.report(node, code)
        return CLEAN

    def inspect(self, node: ast.expr, code: str) -> Shape:
        """Report a node if it is a sealed value itself, not merely an object or a container that holds one."""
        shape = self.visit(node)
        return self.report(node, code) if shape.opaque else shape

    def iterated(self, node: ast.expr) -> Shape:
        """Return what iterating over a node yields."""
        shape = self.visit(node)
        return shape.element if shape.holds or not shape.tainted else self.report(node, "ZK007")

    def spread(self, node: ast.expr) -> Shape:
        """Return what `**` puts in of a mapping."""
        shape = self.visit(node)
        return shape.content if shape.holds or not shape.tainted else self.report(node, "ZK007")

    def bind(self, target: ast.expr, shape: Shape) -> None:
        """Assign a shape to a target."""
        match target:
            case ast.Name(id=name):
                self.names[name] = union((self.names.get(name, CLEAN), shape))
            case ast.Starred(value=value):
                self.bind(value, many(shape))
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                self._unpack(target, targets, shape)
            case ast.Attribute(value=owner, attr=name) if shape.tainted:
                if self.visit(owner) != CARRIER or not shape.fits(self._field(name)):
                    self.report(target, "ZK012")
            case ast.Subscript(value=container, slice=key):
                self.refuse(key, "ZK012")
                held = self.visit(container)
                if shape.tainted:
                    self.bind(container, (mapping if held.kind is Kind.MAPPING else many)(shape))
            case _:
                self.visit(target)

    def _unpack(self, target: ast.expr, targets: list[ast.expr], shape: Shape) -> None:
        if shape.tainted and not shape.holds:
            shape = self.report(target, "ZK007")
        starred = any(isinstance(one, ast.Starred) for one in targets)
        by_part = shape.kind is Kind.TUPLE and len(shape.parts) == len(targets) and not starred
        for index, one in enumerate(targets):
            self.bind(one, shape.parts[index] if by_part else shape.element)

    def _field(self, name: str) -> Shape:
        return self._sealed_name(name) or self.declared.attributes.get(name, CLEAN)

    def _sealed_name(self, name: str) -> Shape:
        return SEALED if name in rules.SEALED_ATTRIBUTES else CLEAN

    # -------- names and what is reached from them

    def _on_name(self, node: ast.Name) -> Shape:
        if node.id in rules.WATCHED_NAMES - {"Sealed"} and node.id not in self.names:
            return self.report(node, "ZK011")
        if node.id in self.names or node.id in self.declared.named:
            return self.names.get(node.id, CLEAN)
        return function(union(one.returns for one in self.functions(node.id)))

    def functions(self, name: str) -> list[Signature]:
        """Return what the audited code declares for a function of this name, here or where it is imported from."""
        source, original = self.imported.get(name, (self.module.name, name))
        named = [one for one in self.declared.signatures.get(original, ()) if not one.method]
        here = [one for one in named if one.module == source]
        return here or (named if name in self.imported and not self.is_foreign(name) else [])

    def is_foreign(self, name: str) -> bool:
        """Whether a name was imported from a package that is not audited."""
        source, _ = self.imported.get(name, (self.module.name, name))
        return name in self.imported and source.split(".")[0] not in rules.OUR_PACKAGES

    def _on_attribute(self, node: ast.Attribute) -> Shape:
        return self.member(node, self.visit(node.value), node.attr)

    def member(self, node: ast.expr, owner: Shape, name: str) -> Shape:
        """Return the shape of an object's member; of what holds sealed values only declared members may be asked."""
        if name in {"_Sealed__value", "_reveal"} or owner.opaque or owner.holds:
            return self.report(node, "ZK008")
        if owner == CARRIER and name not in self.declared.members | rules.SEALED_ATTRIBUTES:
            if any(way.name == name for way in self.open_ways()):
                return mapping(SEALED)
            return self.report(node, rules.CODE_OF_CALL.get(name, "ZK008"))
        return self._field(name) if owner == CARRIER or name in self.declared.public else self._sealed_name(name)

    def open_ways(self) -> list[rules.WayOut]:
        """Return the ways out that are open where the code stands."""
        return [way for way in rules.WAYS_OUT if way.is_open_at(self.module.name, ".".join(self.place))]

    def _on_subscript(self, node: ast.Subscript) -> Shape:
        shape = self.visit(node.value)
        self.refuse(node.slice, "ZK012")
        match node.slice:
            case _ if shape.opaque or shape == CARRIER:
                return self.report(node, "ZK006")
            case ast.Constant(value=str() as key) if not shape.tainted:
                return SEALED if key in rules.SEALED_MEMBERS else CLEAN
            case ast.Constant(value=int() as index) if shape.kind is Kind.TUPLE and index < len(shape.parts):
                return shape.parts[index]
            case ast.Slice():
                return many(shape.element)
            case _:
                return shape.content

    def _on_constant(self, node: ast.Constant) -> Shape:
        return self.report(node, "ZK008") if node.value == "_Sealed__value" else CLEAN

    # -------- operators

    def _on_boolop(self, node: ast.BoolOp) -> Shape:
        return union([self.inspect(value, "ZK005") for value in node.values[:-1]] + [self.visit(node.values[-1])])

    def _on_unaryop(self, node: ast.UnaryOp) -> Shape:
        if isinstance(node.op, ast.Not):
            self.inspect(node.operand, "ZK005")
            return CLEAN
        return self.refuse(node.operand, "ZK013")

    def _on_binop(self, node: ast.BinOp) -> Shape:
        return self.operate(node, node.op, node.left, node.right)

    def operate(self, node: ast.AST, operator: ast.operator, left: ast.expr, right: ast.expr) -> Shape:
        """Containers may be put together; else a sealed value is an operand of nothing."""
        shapes = [self.visit(left), self.visit(right)]
        if not any(shape.tainted for shape in shapes):
            return CLEAN
        contained = all(shape.holds or not shape.tainted for shape in shapes)
        if contained and isinstance(operator, ast.Add | ast.BitOr | ast.Mult):
            return many(union(shape.content for shape in shapes))
        literal = any(isinstance(side, ast.JoinedStr | ast.Constant) for side in (left, right))
        return self.report(node, "ZK001" if literal or isinstance(operator, ast.Mod) else "ZK013")

    def _on_compare(self, node: ast.Compare) -> Shape:
        left, left_node = self.visit(node.left), node.left
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.visit(right_node)
            if isinstance(operator, ast.Is | ast.IsNot):
                looks = left.opaque or right.opaque
            elif isinstance(operator, ast.In | ast.NotIn) and not left.tainted:
                looks = right.tainted and not (right.holds and right.element in {CLEAN, CARRIER})
            else:
                looks = left.tainted or right.tainted
            if looks:
                self.report(left_node if left.tainted else right_node, "ZK004")
            left, left_node = right, right_node
        return CLEAN

    def _on_ifexp(self, node: ast.IfExp) -> Shape:
        self.inspect(node.test, "ZK005")
        match node.test:
            case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), ast.Name(id=kind)]) if kind not in {
                *rules.CARRIERS,
                "object",
            }:
                told, self.names[name] = self.names.get(name, CLEAN), CLEAN  # an object of that class holds nothing
                body = self.visit(node.body)
                self.names[name] = told
            case _:
                body = self.visit(node.body)
        return union((body, self.visit(node.orelse)))

    def _on_namedexpr(self, node: ast.NamedExpr) -> Shape:
        shape = self.visit(node.value)
        self.bind(node.target, shape)
        return shape

    def _on_formattedvalue(self, node: ast.FormattedValue) -> Shape:
        if node.format_spec is not None:
            self.visit(node.format_spec)
        return self.refuse(node.value, "ZK001")

    def _on_await(self, node: ast.Await) -> Shape:
        return self.visit(node.value)

    # -------- displays and comprehensions

    def _on_tuple(self, node: ast.Tuple) -> Shape:
        if any(isinstance(part, ast.Starred) for part in node.elts):
            return self._on_list(node)
        return tuple_of([self.visit(part) for part in node.elts])

    def _on_list(self, node: ast.List | ast.Tuple) -> Shape:
        return many(union([self._spread(part) for part in node.elts]))

    def _spread(self, part: ast.expr) -> Shape:
        return self.iterated(part.value) if isinstance(part, ast.Starred) else self.visit(part)

    def _on_set(self, node: ast.Set) -> Shape:
        for part in node.elts:
            self.refuse(part, "ZK012")
        return CLEAN

    def _on_dict(self, node: ast.Dict) -> Shape:
        shapes = []
        for key, value in zip(node.keys, node.values, strict=True):
            self.refuse(key, "ZK012")
            shapes.append(self.visit(value) if key else self.spread(value))
        return mapping(union(shapes))

    def _on_listcomp(self, node: ast.ListComp | ast.GeneratorExp) -> Shape:
        self._comprehend(node.generators)
        return many(self.visit(node.elt))

    _on_generatorexp = _on_listcomp

    def _on_setcomp(self, node: ast.SetComp) -> Shape:
        self._comprehend(node.generators)
        return self.refuse(node.elt, "ZK012")

    def _on_dictcomp(self, node: ast.DictComp) -> Shape:
        self._comprehend(node.generators)
        self.refuse(node.key, "ZK012")
        return mapping(self.visit(node.value))

    def _comprehend(self, generators: Iterable[ast.comprehension]) -> None:
        for generator in generators:
            self.bind(generator.target, self.iterated(generator.iter))
            for condition in generator.ifs:
                self.inspect(condition, "ZK005")
