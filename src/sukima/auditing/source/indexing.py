"""One walk over a syntax tree, which spares every rule its own: what stands where, by kind, and what surrounds it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from sukima.auditing.source.scopes import Function, Scope

__all__ = ["Index"]

# Fields that never hold a node, or only one whose class says all there is to it.
_PASSED_OVER = frozenset(
    {"ctx", "op", "ops", "id", "attr", "level", "conversion", "is_async", "simple", "type_comment"}
)
_KINDS = [kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST)]
# Last first, as a stack wants them.
_FIELDS = {k: tuple(f for f in reversed(k._fields) if f not in _PASSED_OVER) for k in _KINDS} | {ast.Constant: ()}
_SPANNED = frozenset(kind for kind in _KINDS if issubclass(kind, ast.stmt | ast.Module))


class Index:
    """The nodes of a tree by kind and place. Lists are in source order; operators and contexts are left out."""

    def __init__(self, tree: ast.Module, package: str) -> None:
        self.tree = tree
        self.package = package
        self.parents: dict[ast.AST, ast.AST] = {}
        self.scopes: dict[ast.AST, Scope] = {}
        self.calls: list[ast.Call] = []
        self.functions: list[Function] = []
        self.classes: list[ast.ClassDef] = []
        self.attributes: list[ast.Attribute] = []
        self.loads: list[ast.Name] = []
        self.stars: list[str] = []
        self.ifs: list[ast.If] = []
        self.withs: list[ast.With | ast.AsyncWith] = []
        self.divisions: list[ast.BinOp | ast.AugAssign] = []
        self.assignments: list[ast.Assign] = []
        self._nodes: list[ast.AST] = []
        self._spans: dict[ast.AST, slice] = {}
        self._walk()

    @property
    def scope(self) -> Scope:
        """The outermost scope."""
        return self.scopes[self.tree]

    def scope_of(self, node: ast.AST) -> Scope:
        """The scope in which a node stands."""
        parents, scopes = self.parents, self.scopes
        at = parents.get(node)
        while at is not None:
            if at in scopes:
                return scopes[at]
            at = parents.get(at)
        return scopes[self.tree]

    def below(self, node: ast.AST) -> Sequence[ast.AST]:
        """The node and all that stands in it, in source order; of a statement without another walk."""
        span = self._spans.get(node)
        return self._nodes[span] if span is not None else list(ast.walk(node))

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, innermost first."""
        at = self.parents.get(node)
        while at is not None:
            yield at
            at = self.parents.get(at)

    def function_of(self, node: ast.AST) -> Function | None:
        """The innermost function around a node."""
        for found in self.ancestors(node):
            if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef):
                return found
        return None

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """The class in whose method a node stands, through functions nested in the method."""
        for found in self.ancestors(node):
            if isinstance(found, ast.ClassDef):
                return found
        return None

    # ── the walk ────────────────────────────────────────────────────────────────────────────────────────────────
    def _walk(self) -> None:
        nodes, parents, spans = self._nodes, self.parents, self._spans
        self.scopes[self.tree] = scope = Scope(self.tree, None)
        begun: list[int] = []
        # Beside each node the scope it stands in; no scope stands for the end of a statement.
        stack: list[tuple[ast.AST, Scope | None]] = [(self.tree, scope)]
        while stack:
            node, inner = stack.pop()
            if inner is None:
                spans[node] = slice(begun.pop(), len(nodes))
                continue
            kind = node.__class__
            handler = self._HANDLERS.get(kind)
            if handler is not None:
                inner = handler(self, node, inner)
            if kind in _SPANNED:
                begun.append(len(nodes))
                stack.append((node, None))
            nodes.append(node)
            for name in _FIELDS[kind]:
                value = getattr(node, name)
                if value.__class__ is list:
                    for item in reversed(value):
                        if isinstance(item, ast.AST):
                            parents[item] = node
                            stack.append((item, inner))
                elif isinstance(value, ast.AST):
                    parents[value] = node
                    stack.append((value, inner))

    def _name(self, node: ast.Name, scope: Scope) -> Scope:
        if node.ctx.__class__ is ast.Load:
            self.loads.append(node)
        elif node.id not in scope.names:
            scope.bind(node.id, None)
        return scope

    def _call(self, node: ast.Call, scope: Scope) -> Scope:
        self.calls.append(node)
        return scope

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Scope:
        self.attributes.append(node)
        return scope

    def _if(self, node: ast.If, scope: Scope) -> Scope:
        self.ifs.append(node)
        return scope

    def _with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> Scope:
        self.withs.append(node)
        return scope

    def _operation(self, node: ast.BinOp | ast.AugAssign, scope: Scope) -> Scope:
        if node.op.__class__ is ast.Div:
            self.divisions.append(node)
        return scope

    def _assign(self, node: ast.Assign, scope: Scope) -> Scope:
        self.assignments.append(node)
        for target in node.targets:
            if isinstance(target, ast.Name):
                scope.bind(target.id, node.value)
            elif isinstance(target, ast.Tuple | ast.List) and isinstance(node.value, ast.Tuple | ast.List):
                for one, value in zip(target.elts, node.value.elts, strict=False):
                    if isinstance(one, ast.Name):
                        scope.bind(one.id, value)
        return scope

    def _annotated(self, node: ast.AnnAssign | ast.NamedExpr, scope: Scope) -> Scope:
        if isinstance(node.target, ast.Name) and node.value is not None:
            scope.bind(node.target.id, node.value)
        return scope

    def _import(self, node: ast.Import, scope: Scope) -> Scope:
        for alias in node.names:
            if alias.asname:
                scope.bind(alias.asname, alias.name)
            else:
                top = alias.name.partition(".")[0]
                scope.bind(top, top)
        return scope

    def _import_from(self, node: ast.ImportFrom, scope: Scope) -> Scope:
        base = self._absolute(node)
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(base)
            else:
                scope.bind(alias.asname or alias.name, f"{base}.{alias.name}" if base else alias.name)
        return scope

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.package.split(".") if self.package else []
        kept = parts[: len(parts) - node.level + 1]
        return ".".join([*kept, *([node.module] if node.module else [])])

    def _function(self, node: Function, scope: Scope) -> Scope:
        scope.bind(node.name, node)
        self.functions.append(node)
        return self._body(node, scope)

    def _body(self, node: Function | ast.Lambda, scope: Scope) -> Scope:
        inner = self.scopes[node] = Scope(node, scope)
        a = node.args
        for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))):
            inner.bind(arg.arg, arg)
        return inner

    def _class(self, node: ast.ClassDef, scope: Scope) -> Scope:
        scope.bind(node.name, node)
        self.classes.append(node)
        inner = self.scopes[node] = Scope(node, scope)
        return inner

    _HANDLERS: ClassVar[dict[type, Any]] = {
        ast.Name: _name,
        ast.Call: _call,
        ast.Attribute: _attribute,
        ast.Assign: _assign,
        ast.If: _if,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.BinOp: _operation,
        ast.AugAssign: _operation,
        ast.AnnAssign: _annotated,
        ast.NamedExpr: _annotated,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.Lambda: _body,
        ast.ClassDef: _class,
    }
