"""A model as audit sees it, whatever it was read from: live torch or Keras objects, or source text.

Operations stand in a list in the order of execution, as far as the reader could learn it; each names the operations
whose results it takes. Rules about placement are written once, on this view.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

__all__ = ["DROPOUTS", "TRANSPARENT", "Kind", "ModelView", "Operation"]

Kind = Literal[
    "input",
    "dropout",
    "channel_dropout",
    "path_dropout",
    "linear",
    "conv",
    "batch_norm",
    "norm",
    "softmax",
    "sigmoid",
    "activation",
    "pool",
    "flatten",
    "shape",
    "recurrent",
    "embedding",
    "attention",
    "augmentation",
    "scaling",
    "join",
    "matmul",
    "arithmetic",
    "distance",
    "identity",
    "loss",
    "other",
]

DROPOUTS: frozenset[str] = frozenset({"dropout", "channel_dropout"})
TRANSPARENT: frozenset[str] = frozenset({"shape", "flatten", "identity"})


@dataclass(eq=False)
class Operation:
    """One call of a layer or function.

    ``rank`` is the number of dimensions of its result, batch included. ``conditional`` marks one that only some rounds
    of a loop reach, as with "not after the last layer".
    """

    index: int
    kind: Kind
    name: str = ""
    site: str | None = None
    inputs: frozenset[int] = frozenset()
    rate: float | None = None
    rate_text: str = ""
    width: int | None = None
    width_text: str = ""
    fan_in: int | None = None
    fan_in_text: str = ""
    rank: int | None = None
    squashed: bool = False
    path: str | None = None
    line: int | None = None
    column: int = 0
    owner: str = ""
    conditional: bool = False


@dataclass
class ModelView:
    """Operations with their edges, and which of them the model returns.

    ``whole`` says that this is a model of its own, with an input and an output layer, rather than a part of one.
    """

    operations: list[Operation]
    outputs: frozenset[int] = frozenset()
    name: str = ""
    framework: Literal["torch", "keras"] = "torch"
    whole: bool = False
    partial: bool = False
    extras: dict[str, object] = field(default_factory=dict)

    @cached_property
    def by_index(self) -> dict[int, Operation]:
        """Operation by its index."""
        return {operation.index: operation for operation in self.operations}

    @cached_property
    def successors(self) -> dict[int, list[Operation]]:
        """Who takes the result of an operation."""
        found: dict[int, list[Operation]] = {operation.index: [] for operation in self.operations}
        for operation in self.operations:
            for source in operation.inputs:
                if source in found:
                    found[source].append(operation)
        return found

    def before(self, operation: Operation, through: frozenset[str] = TRANSPARENT) -> list[Operation]:
        """The nearest operations upstream, looking through those that only reshape."""
        return self._reach(operation, through, forward=False)

    def after(self, operation: Operation, through: frozenset[str] = TRANSPARENT) -> list[Operation]:
        """The nearest operations downstream, looking through those that only reshape."""
        return self._reach(operation, through, forward=True)

    def _reach(self, start: Operation, through: frozenset[str], *, forward: bool) -> list[Operation]:
        found, seen, todo = [], {start.index}, list(self._next(start, forward))
        while todo:
            operation = todo.pop()
            if operation.index in seen:
                continue
            seen.add(operation.index)
            if operation.kind in through:
                todo.extend(self._next(operation, forward))
            else:
                found.append(operation)
        return sorted(found, key=lambda operation: operation.index)

    def _next(self, operation: Operation, forward: bool) -> list[Operation]:
        if forward:
            return self.successors[operation.index]
        return [self.by_index[i] for i in operation.inputs if i in self.by_index]

    def upstream(self, operation: Operation) -> Iterator[Operation]:
        """Every operation that this one depends on, nearest first."""
        seen, todo = {operation.index}, self._next(operation, False)
        while todo:
            later: list[Operation] = []
            for found in todo:
                if found.index not in seen:
                    seen.add(found.index)
                    yield found
                    later.extend(self._next(found, False))
            todo = later

    def reaches_output(self, operation: Operation, through: frozenset[str]) -> bool:
        """Whether the result is returned as it is, or only after operations of the kinds ``through``."""
        seen, todo = set(), [operation]
        while todo:
            found = todo.pop()
            if found.index in self.outputs:
                return True
            if found.index in seen:
                continue
            seen.add(found.index)
            todo.extend(o for o in self.successors[found.index] if o.kind in through)
        return False

    @property
    def dropouts(self) -> list[Operation]:
        """Unit and channel dropout, in order."""
        return [operation for operation in self.operations if operation.kind in DROPOUTS]
