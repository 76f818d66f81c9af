"""The engine that suits a task: by the framework of what its factory makes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Literal

from sukima.engines.inspected import Inspected
from sukima.records.recipe import Recipe
from sukima.records.task import Task

__all__ = ["check_recipes", "fingerprint", "framework_of", "inspect_model"]

Framework = Literal["torch", "keras"]

_known: dict[int, tuple[object, Framework]] = {}


def framework_of(task: Task) -> Framework:
    """``keras`` where the factory gives a Keras model, else ``torch``; the factory is called, once."""
    found = _known.get(id(task.model))
    if found is None or found[0] is not task.model:
        framework: Framework = "torch"
        if "keras" in sys.modules or _mentions_keras(task):
            from sukima.engines.keras.run import generators_restored

            with generators_restored():
                model = task.model()
            keras = sys.modules["keras"]
            framework = "keras" if isinstance(model, keras.Model) else "torch"
        found = _known[id(task.model)] = (task.model, framework)
    return found[1]


def _mentions_keras(task: Task) -> bool:
    """Whether a factory that has not run yet may import Keras."""
    code = getattr(task.model, "__code__", None)
    return code is not None and "keras" in code.co_names


def inspect_model(task: Task) -> Inspected:
    """What is known of the model before any training; all data are checked on the way."""
    if framework_of(task) == "keras":
        from sukima.engines.keras.inspect import inspect_model as inspect_keras

        return inspect_keras(task)
    from sukima.engines.torch.inspect import inspect_model as inspect_torch

    return inspect_torch(task)


def check_recipes(task: Task, recipes: Iterable[Recipe]) -> None:
    """Everything short of training, for each recipe: what does not fit the model shows before anything long begins."""
    if framework_of(task) == "keras":
        from sukima.engines.keras.inspect import check_recipes as check_keras

        return check_keras(task, recipes)
    from sukima.engines.torch.inspect import check_recipes as check_torch

    return check_torch(task, recipes)


def fingerprint(task: Task) -> str:
    """What a run of the task depends on besides recipe and seed."""
    if framework_of(task) == "keras":
        from sukima.engines.keras.inspect import fingerprint as of_keras

        return of_keras(task)
    from sukima.engines.torch.fingerprint import fingerprint as of_torch

    return of_torch(task)
