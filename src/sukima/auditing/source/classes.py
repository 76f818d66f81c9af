"""A class of the project: its methods, what it inherits, and which framework's it is."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sukima.auditing.source.names import Function, Module

if TYPE_CHECKING:
    from sukima.auditing.source.project import Project

__all__ = ["ClassInfo"]

_TORCH_ROOTS = (
    "torch.nn.",
    "lightning",
    "torch_geometric.nn",
    "transformers.",
    "timm.",
    "fairseq.",
    "mmcv.",
    "mmengine.",
)
_KERAS_ROOTS = ("keras.", "tensorflow.Module")
_FORWARD = ("forward", "call", "__call__")


@dataclass(eq=False)
class ClassInfo:
    """A class with its methods and what it inherits, as far as the sources show."""

    module: Module
    node: ast.ClassDef
    project: Project
    methods: dict[str, Function] = field(init=False)
    _mro: list[ClassInfo] | None = None
    _external: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.methods = {n.name: n for n in self.node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}

    @property
    def name(self) -> str:
        """The class's name."""
        return self.node.name

    @property
    def mro(self) -> list[ClassInfo]:
        """This class and those it inherits from that were found, nearest first."""
        if self._mro is None:
            self._mro = [self]
            for base in self.node.bases:
                dotted = self.module.dotted(base)
                found = self.project.class_at(dotted, self.module) if dotted else None
                if found is None or found is self:
                    self._external.append(dotted or ast.unparse(base))
                    continue
                self._mro += [c for c in found.mro if c not in self._mro]
                self._external += found._external
        return self._mro

    @property
    def external(self) -> list[str]:
        """Bases whose source is not at hand, by dotted name."""
        _ = self.mro
        return self._external

    @property
    def framework(self) -> str | None:
        """``torch`` or ``keras`` where the class is a module or layer, by its bases or, failing that, its methods."""
        for base in self.external:
            if base.startswith(_KERAS_ROOTS):
                return "keras"
            if base.startswith(_TORCH_ROOTS):
                return "torch"
        unknown = [b for b in self.external if b not in {"object", "abc.ABC", "ABC"}]
        if unknown and self.method("__init__"):
            if self.method("forward"):
                return "torch"
            if self.method("call"):
                return "keras"
        return None

    @property
    def known(self) -> bool:
        """Whether nothing is inherited but what the sources show and the plain roots of the frameworks."""
        roots = {
            "torch.nn.Module",
            "keras.Model",
            "keras.layers.Layer",
            "keras.Layer",
            "object",
            "abc.ABC",
            "lightning.LightningModule",
            "tensorflow.Module",
        }
        # The abstract bases of Hugging Face's models read no layer of those who inherit.
        return all(base in roots or base.endswith("PreTrainedModel") for base in self.external)

    def method(self, name: str) -> Function | None:
        """A method by name, inherited ones included."""
        for found in self.mro:
            if name in found.methods:
                return found.methods[name]
        return None

    def home(self, name: str) -> ClassInfo | None:
        """The class that defines a method."""
        return next((c for c in self.mro if name in c.methods), None)

    @property
    def forward(self) -> Function | None:
        """The method that runs when the module is called."""
        names = ("call", "forward", "__call__") if self.framework == "keras" else _FORWARD
        for name in names:
            if (found := self.method(name)) is not None:
                return found
        return None
