"""What callbacks of torch training loops share: a recipe in force while they train, and a history of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from torch import Tensor, nn
from torch.optim import Optimizer

from sukima.base.checks import check_instance
from sukima.records.files import check_writable
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.torch.apply import Applied, apply

__all__ = ["RecipeInForce"]


class RecipeInForce:
    """A recipe that is applied when training begins, follows its schedules, and is written down as a history.

    Args:
        recipe: what to apply.
        path: where to write the history as JSON when training ends; ``None``: nowhere.
        example: a batch of inputs, from which `sukima.apply` learns the order of execution.
    """

    def __init__(self, recipe: Recipe, path: str | Path | None = None, example: Tensor | None = None) -> None:
        check_instance("recipe", recipe, Recipe)
        self.recipe = recipe
        self.path = None if path is None else check_writable(path)
        self.example = example
        self.applied: Applied | None = None
        self.history = History()

    def begin(self, model: nn.Module, optimizers: list[Optimizer]) -> Applied:
        """Apply the recipe and start a history; proximal steps and constraints follow each optimizer's step."""
        self.history = History(train_in_inference_mode=False)
        self.applied = apply(model, self.recipe, self.example)
        for optimizer in optimizers:
            self.applied.attach(optimizer)
        return self.applied

    def progress(self, done: float, total: float) -> None:
        """Tell the schedules how far training is, if its length is known."""
        if self.applied is not None and total > 0 and math.isfinite(total):
            self.applied.progress(min(done / total, 1.0))

    def penalty(self, loss: Tensor) -> Tensor:
        """``loss`` with the recipe's penalties."""
        return loss if self.applied is None else loss + self.applied.penalty().to(loss)

    def record(self, values: Mapping[str, Any]) -> None:
        """Add an epoch's values to the curves of the history that they belong to; those that are no numbers are not."""
        for curve, value in values.items():
            if value is not None and math.isfinite(number := float(value)):
                getattr(self.history, curve).append(number)

    def end(self) -> None:
        """Write the history. The recipe stays in force, so that a checkpoint or a later call finds the same model."""
        if self.path is not None:
            self.path.write_bytes(msgspec.json.format(msgspec.json.encode(self.history), indent=2))
