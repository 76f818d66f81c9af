"""Verbs that choose the framework by what they are given."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sukima.base.errors import InputError
from sukima.base.imports import require
from sukima.records.recipe import Recipe
from sukima.records.site import Site
from sukima.records.task import Task

if TYPE_CHECKING:
    from sukima.engines.fitted import Fitted
    from sukima.keras.apply import Applied as KerasApplied
    from sukima.reporting.write import Result
    from sukima.torch.accelerate import Acceleration
    from sukima.torch.apply import Applied

__all__ = ["accelerate", "apply", "fit", "report", "sites"]


def accelerate() -> Acceleration:
    """Serve every dropout of the process on CPU with fast masks from now on (see `sukima.torch.accelerate`)."""
    require("torch", "torch")
    from sukima.torch.accelerate import accelerate as torch_accelerate

    return torch_accelerate()


def sites(model: Any, example: Any = None) -> dict[str, Site]:
    """Every place in ``model`` where dropout acts or, if there is none, could act.

    See `sukima.torch.sites` and `sukima.keras.sites`; ``example`` is a batch of inputs, for torch.
    """
    if is_keras(model):
        from sukima.keras.sites import sites as keras_sites

        return keras_sites(model)
    _check_torch(model)
    from sukima.torch.sites import sites as torch_sites

    return torch_sites(model, example)


def apply(model: Any, recipe: Recipe, example: Any = None) -> Applied | KerasApplied:
    """Put ``recipe`` in force on ``model``; the handle changes it and takes it back.

    See `sukima.torch.apply` and `sukima.keras.apply`; ``example`` is a batch of inputs, for torch.
    """
    if is_keras(model):
        from sukima.keras.apply import apply as keras_apply

        return keras_apply(model, recipe)
    _check_torch(model)
    from sukima.torch.apply import apply as torch_apply

    return torch_apply(model, recipe, example)


def fit(task: Task, recipe: Recipe | None = None, seed: int = 0, *, test: bool = False) -> Fitted:
    """Train a new model on ``task`` under ``recipe`` (see `sukima.engines.torch.fit.fit`)."""
    from sukima.engines.choose import framework

    return framework(task).fit(task, recipe, seed, test=test)


def report(result: Result, path: str | Path = "sukima-report.html") -> Path:
    """Write the report on what tune, compare or diagnose returned, as a page or as JSON; gives its path."""
    from sukima.reporting.write import write_report

    return write_report(result, path)


def is_keras(model: Any) -> bool:
    """Whether it is a Keras model; Keras is not imported to find out."""
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(model, keras.Model)


def _check_torch(model: Any) -> None:
    torch = require("torch", "torch")
    if not isinstance(model, torch.nn.Module):
        raise InputError(
            "{name} must be {expected}, got {value}",
            name="model",
            expected="a torch.nn.Module or a keras.Model",
            value=type(model).__name__,
        )
