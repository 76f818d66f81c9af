"""The bodies that hold names, and what each name in them is bound to."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["Binding", "Function", "Scope"]

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Binding: TypeAlias = "str | ast.expr | ast.arg | Function | ast.ClassDef | None"


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
