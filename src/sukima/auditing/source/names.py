"""What a name in a file means: scopes, imports with their aliases, and simple assignments."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

from sukima.auditing.source.catalogue import LAYERS, canonical
from sukima.auditing.source.reading import SourceText

__all__ = ["Function", "Module", "Scope"]

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Binding: TypeAlias = "str | ast.expr | ast.arg | Function | ast.ClassDef | None"

# Names that everyone uses in one way; they hold where a text (a notebook's cell, say) lacks the import.
_CUSTOMARY = {
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "torch": "torch",
    "tf": "tensorflow",
    "keras": "keras",
    "layers": "keras.layers",
}
_STARRED = {
    "torch.nn": "torch.nn",
    "torch.nn.functional": "torch.nn.functional",
    "keras.layers": "keras.layers",
    "keras.models": "keras",
    "keras": "keras",
}


@dataclass(eq=False, repr=False)
class Scope:
    """A module, class or function body with what its names are bound to."""

    node: ast.AST
    parent: Scope | None
    names: dict[str, list[Binding]] = field(default_factory=dict)

    @property
    def is_class(self) -> bool:
        """Whether this is a class body, whose names the functions in it do not see."""
        return isinstance(self.node, ast.ClassDef)

    def bind(self, name: str, value: Binding) -> None:
        """Note one binding of a name."""
        self.names.setdefault(name, []).append(value)


@dataclass(eq=False, repr=False)
class Module:
    """A parsed file with the index that every rule uses."""

    source: SourceText
    tree: ast.Module
    name: str = ""
    package: str = ""
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    scopes: dict[ast.AST, Scope] = field(default_factory=dict)
    calls: list[ast.Call] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    classes: list[ast.ClassDef] = field(default_factory=list)
    attributes: list[ast.Attribute] = field(default_factory=list)
    loads: list[ast.Name] = field(default_factory=list)
    stars: list[str] = field(default_factory=list)
    ifs: list[ast.If] = field(default_factory=list)
    withs: list[ast.With | ast.AsyncWith] = field(default_factory=list)
    divisions: list[ast.BinOp | ast.AugAssign] = field(default_factory=list)
    assignments: list[ast.Assign] = field(default_factory=list)

    def __post_init__(self) -> None:
        _Indexer(self).run()

    @property
    def path(self) -> str:
        """The path as it is shown."""
        return self.source.path

    @property
    def scope(self) -> Scope:
        """The outermost scope."""
        return self.scopes[self.tree]

    def scope_of(self, node: ast.AST) -> Scope:
        """The scope in which a node stands."""
        at: ast.AST | None = self.parents.get(node)
        while at is not None:
            if at in self.scopes:
                return self.scopes[at]
            at = self.parents.get(at)
        return self.scopes[self.tree]

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

    def lookup(self, name: str, scope: Scope) -> list[Binding]:
        """The bindings of a name as seen from a scope, by Python's rules."""
        at: Scope | None = scope
        while at is not None:
            if name in at.names and (at is scope or not at.is_class):
                return at.names[name]
            at = at.parent
        return []

    def dotted(self, node: ast.AST, scope: Scope | None = None, depth: int = 4) -> str | None:
        """The canonical dotted name of an expression: ``drop`` after ``from torch.nn import Dropout as drop``."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        base = self._name(node.id, scope or self.scope_of(node), depth)
        if base is None:
            return None
        return canonical(".".join([base, *reversed(parts)])) if parts else canonical(base)

    def _name(self, name: str, scope: Scope, depth: int) -> str | None:
        bindings = self.lookup(name, scope)
        if not bindings:
            return self._starred(name) or _CUSTOMARY.get(name)
        for value in reversed(bindings):
            if isinstance(value, str):
                return value
            if isinstance(value, ast.Name | ast.Attribute) and depth:
                if isinstance(value, ast.Name) and value.id == name:
                    continue
                return self.dotted(value, None, depth - 1)
            if isinstance(value, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                if self.scope_of(value) is self.scope:
                    return f"{self.name}.{value.name}" if self.name else value.name
                return None
        return None

    def _starred(self, name: str) -> str | None:
        for star in self.stars:
            home = _STARRED.get(canonical(star + ".x").removesuffix(".x"))
            if home and (f"{home}.{name}" in LAYERS or home.endswith("functional") or name in {"Module", "Sequential"}):
                return f"{home}.{name}"
        return None


class _Indexer:
    """One walk over the tree, in source order, that fills a module's index."""

    def __init__(self, module: Module) -> None:
        self.module = module

    def run(self) -> None:
        module = self.module
        module.scopes[module.tree] = top = Scope(module.tree, None)
        stack: list[tuple[ast.AST, Scope]] = [(module.tree, top)]
        parents = module.parents
        while stack:
            node, scope = stack.pop()
            inner = self._enter(node, scope)
            children: list[tuple[ast.AST, Scope]] = []
            for name in node._fields:
                value = getattr(node, name, None)
                if value.__class__ is list:
                    for item in value:
                        if isinstance(item, ast.AST):
                            parents[item] = node
                            children.append((item, inner))
                elif isinstance(value, ast.AST) and name != "ctx" and name != "op":
                    parents[value] = node
                    children.append((value, inner))
            children.reverse()
            stack.extend(children)

    def _enter(self, node: ast.AST, scope: Scope) -> Scope:
        handler = self._HANDLERS.get(node.__class__)
        if handler is None:
            return scope
        inner: Scope = handler(self, node, scope)
        return inner

    def _name(self, node: ast.Name, scope: Scope) -> Scope:
        if isinstance(node.ctx, ast.Load):
            self.module.loads.append(node)
        elif node.id not in scope.names:
            scope.bind(node.id, None)
        return scope

    def _call(self, node: ast.Call, scope: Scope) -> Scope:
        self.module.calls.append(node)
        return scope

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Scope:
        self.module.attributes.append(node)
        return scope

    def _if(self, node: ast.If, scope: Scope) -> Scope:
        self.module.ifs.append(node)
        return scope

    def _with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> Scope:
        self.module.withs.append(node)
        return scope

    def _operation(self, node: ast.BinOp | ast.AugAssign, scope: Scope) -> Scope:
        if node.op.__class__ is ast.Div:
            self.module.divisions.append(node)
        return scope

    def _assign(self, node: ast.Assign, scope: Scope) -> Scope:
        self.module.assignments.append(node)
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
                self.module.stars.append(base)
            else:
                scope.bind(alias.asname or alias.name, f"{base}.{alias.name}" if base else alias.name)
        return scope

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.module.package.split(".") if self.module.package else []
        kept = parts[: len(parts) - node.level + 1]
        return ".".join([*kept, *([node.module] if node.module else [])])

    def _function(self, node: Function, scope: Scope) -> Scope:
        scope.bind(node.name, node)
        self.module.functions.append(node)
        return self._inner(node, scope)

    def _inner(self, node: Function | ast.Lambda, scope: Scope) -> Scope:
        inner = self.module.scopes[node] = Scope(node, scope)
        a = node.args
        for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))):
            inner.bind(arg.arg, arg)
        return inner

    def _class(self, node: ast.ClassDef, scope: Scope) -> Scope:
        scope.bind(node.name, node)
        self.module.classes.append(node)
        inner = self.module.scopes[node] = Scope(node, scope)
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
        ast.Lambda: _inner,
        ast.ClassDef: _class,
    }
