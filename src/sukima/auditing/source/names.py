"""What a name in a file means: scopes, imports with their aliases, and simple assignments."""

from __future__ import annotations

import ast

from sukima.auditing.source.catalogue import LAYERS
from sukima.auditing.source.indexing import Index
from sukima.auditing.source.reading import SourceText
from sukima.auditing.source.scopes import Binding, Function, Scope
from sukima.auditing.source.spelling import canonical

__all__ = ["Function", "Module", "Scope"]

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


class Module(Index):
    """A parsed file: the index of its nodes, and what the names in it mean."""

    def __init__(self, source: SourceText, tree: ast.Module, name: str = "", package: str = "") -> None:
        super().__init__(tree, package)
        self.source = source
        self.name = name
        self._dotted: dict[ast.AST, str | None] = {}

    @property
    def path(self) -> str:
        """The path as it is shown."""
        return self.source.path

    def text_of(self, node: ast.stmt | ast.expr) -> str:
        """The lines that a statement or an expression stands on."""
        return "\n".join(self.source.lines[node.lineno - 1 : node.end_lineno])

    def lookup(self, name: str, scope: Scope) -> list[Binding]:
        """The bindings of a name as seen from a scope, by Python's rules."""
        at: Scope | None = scope
        while at is not None:
            if name in at.names and (at is scope or not at.is_class):
                return at.names[name]
            at = at.parent
        return []

    def dotted(self, node: ast.AST, scope: Scope | None = None) -> str | None:
        """The canonical dotted name of an expression: ``drop`` after ``from torch.nn import Dropout as drop``."""
        if scope is not None:
            return self._resolve(node, scope, 4)
        if node not in self._dotted:
            self._dotted[node] = self._resolve(node, None, 4)
        return self._dotted[node]

    def _resolve(self, node: ast.AST, scope: Scope | None, depth: int) -> str | None:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        base = self._bound(node.id, scope or self.scope_of(node), depth)
        if base is None:
            return None
        return canonical(".".join([base, *reversed(parts)])) if parts else canonical(base)

    def _bound(self, name: str, scope: Scope, depth: int) -> str | None:
        bindings = self.lookup(name, scope)
        if not bindings:
            return self._starred(name) or _CUSTOMARY.get(name)
        for value in reversed(bindings):
            if isinstance(value, str):
                return value
            if isinstance(value, ast.Name | ast.Attribute) and depth:
                if isinstance(value, ast.Name) and value.id == name:
                    continue
                return self._resolve(value, None, depth - 1)
            if isinstance(value, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                if self.scope_of(value) is self.scope:
                    return f"{self.name}.{value.name}" if self.name else value.name
                return None
        return None

    def _starred(self, name: str) -> str | None:
        for star in self.stars:
            home = _STARRED.get(canonical(star + ".x").removesuffix(".x"))
            known = f"{home}.{name}" in LAYERS or name in {"Module", "Sequential", "Input", "Model", "Layer"}
            if home and (known or home.endswith("functional")):
                return f"{home}.{name}"
        return None
