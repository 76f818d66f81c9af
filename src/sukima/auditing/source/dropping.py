"""Calls of functions that drop: where their rate and their switch stand."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from sukima.auditing.source.functions import ModeSpec
from sukima.auditing.source.values import argument

__all__ = ["DroppingCall"]


@dataclass(frozen=True)
class DroppingCall:
    """One call of ``F.dropout`` or its kin, under its canonical name."""

    name: str
    node: ast.Call
    spec: ModeSpec

    @property
    def rate(self) -> ast.expr | None:
        """The rate, where it is passed."""
        return argument(self.node, self.spec.rate, self.spec.rate_names)

    @property
    def switch(self) -> ast.expr | None:
        """What decides whether it drops, where it is passed."""
        return argument(self.node, self.spec.training, self.spec.training_names)

    @property
    def passes_more(self) -> bool:
        """Whether ``*`` or ``**`` may pass what is not seen."""
        return any(k.arg is None for k in self.node.keywords) or any(isinstance(a, ast.Starred) for a in self.node.args)
