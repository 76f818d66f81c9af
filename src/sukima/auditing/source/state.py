"""What the parts of the interpreter share: the operations seen so far, and the limits of patience."""

from __future__ import annotations

import ast
from typing import Any

from sukima.auditing.source.catalogue import LAYERS
from sukima.auditing.source.classes import ClassInfo
from sukima.auditing.source.layer_specs import LayerSpec
from sukima.auditing.source.names import Function, Module
from sukima.auditing.source.project import Project
from sukima.auditing.source.values import (
    UNKNOWN,
    Arguments,
    Env,
    GraphModel,
    Instance,
    Items,
    Tensor,
    Value,
    options,
)
from sukima.records.model_view import Kind, Operation

__all__ = ["ExhaustedError", "State", "layer_spec"]


class ExhaustedError(Exception):
    """The function is too large to follow further."""


def layer_spec(dotted: str) -> LayerSpec | None:
    """What a class of a framework is, by its dotted name."""
    return LAYERS.get(dotted)


class State:
    """The growing graph; the methods are given by the classes that inherit."""

    limit = 8_000

    def __init__(self, project: Project, module: Module) -> None:
        self.project = project
        self.module = module
        self.operations: list[Operation] = []
        self.nodes: dict[int, tuple[ast.AST, Module]] = {}
        self.used: set[int] = set()
        self.steps = 0
        self.running: list[ast.AST] = []
        self.graph_models: list[GraphModel] = []
        self.sequentials: list[Items] = []
        self.compiled: set[int] = set()
        self.keras_calls = 0
        self.owners: list[str] = []
        self.loops = 0
        self.branches = 0

    def step(self) -> None:
        """Count one piece of work."""
        self.steps += 1
        if self.steps > self.limit:
            raise ExhaustedError

    def emit(
        self, kind: Kind, node: ast.AST, module: Module, inputs: frozenset[int] = frozenset(), **more: Any
    ) -> Tensor:
        """Add an operation; its result is the value."""
        self.step()
        index = len(self.operations)
        self.used |= inputs
        self.nodes[index] = (node, module)
        line = getattr(node, "lineno", None)
        self.operations.append(
            Operation(
                index,
                kind,
                inputs=inputs,
                path=module.path,
                line=line,
                column=getattr(node, "col_offset", 0),
                owner=".".join(self.owners),
                conditional=self.branches > 0,
                **more,
            )
        )
        return Tensor(frozenset({index}))

    def opaque(
        self, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env, kind: Kind = "other"
    ) -> Value:
        """The result of a call that is not followed."""
        inputs = self.tensors([*args, *keywords.values()])
        return self.emit(kind, node, env.module, inputs) if inputs else UNKNOWN

    def tensors(self, values: list[Value], depth: int = 3) -> frozenset[int]:
        """The operations behind some values, those in lists included."""
        found: set[int] = set()
        for value in values:
            for one in options(value):
                if isinstance(one, Tensor):
                    found |= one.ops
                elif isinstance(one, Items) and depth:
                    found |= self.tensors([item for _, item in one.pairs], depth - 1)
        return frozenset(found)

    def dead(self) -> list[tuple[Operation, ast.AST, Module]]:
        """Dropouts whose result nothing took or returned."""
        return [
            (o, *self.nodes[o.index])
            for o in self.operations
            if o.kind in {"dropout", "channel_dropout", "path_dropout"} and o.index not in self.used
        ]

    # What the parts call in one another.
    def evaluate(self, node: ast.AST, env: Env) -> Value:
        """The value of an expression."""
        raise NotImplementedError

    def execute(self, body: list[ast.stmt], env: Env) -> bool:
        """Follow statements; true if they never reach their end."""
        raise NotImplementedError

    def apply(self, callee: Value, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env) -> Value:
        """The result of a call."""
        raise NotImplementedError

    def run_body(self, function: Function | ast.Lambda, env: Env) -> Value:
        """Follow a function body with its parameters bound; what it returns."""
        raise NotImplementedError

    def settle(self, made: Instance) -> None:
        """Follow the constructor of an object that something is now asked of."""
        raise NotImplementedError

    def initialise(self, made: Instance, arguments: Arguments) -> None:
        """Follow the constructor of an object."""
        raise NotImplementedError

    def bind(self, a: ast.arguments, args: list[Value], keywords: dict[str, Value], env: Env) -> None:
        """Bind parameters to arguments, defaults, or symbols."""
        raise NotImplementedError

    def attribute(self, value: Value, name: str, env: Env, node: ast.AST) -> Value:
        """An attribute of a value."""
        raise NotImplementedError

    def initialise_from(self, made: Instance, home: object, arguments: dict[str | int, Value]) -> None:
        """Follow the constructor that ``home`` defines."""
        raise NotImplementedError

    def combine(self, first: Value, second: Value, node: ast.AST) -> Value:
        """The result of an operator on two values."""
        raise NotImplementedError

    def items(self, source: Value) -> list[Value]:
        """What a loop over a value sees."""
        raise NotImplementedError

    def assign(self, target: ast.expr, value: Value, env: Env) -> None:
        """Bind a target."""
        raise NotImplementedError

    def super_of(self, env: Env) -> ClassInfo | None:
        """The class after the current one in the order of inheritance."""
        if env.owner is None or env.home is None:
            return None
        order = env.owner.cls.mro
        at = order.index(env.home) if env.home in order else -1
        return order[at + 1] if 0 <= at < len(order) - 1 else None
