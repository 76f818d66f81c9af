"""What a search must know of a task's Keras model before it begins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import keras

from sukima.base.errors import InputError
from sukima.engines.inspected import Inspected
from sukima.engines.keras.data import Data, Rows, TaskArrays, some_rows
from sukima.engines.keras.model import new_model
from sukima.engines.keras.run import Run
from sukima.engines.keras.seeding import generators_restored
from sukima.keras.layers import describe
from sukima.keras.sites import layers_in_order, sites
from sukima.records.recipe import Recipe
from sukima.records.task import Task, setup_of

__all__ = ["check_recipes", "fingerprint", "inspect_model"]

_ROWS = 1024
"""The most rows of a data set by which it is known again."""


def inspect_model(task: Task) -> Inspected:
    """What is known of the model before any training; data, loss and metric are tried on a few rows."""
    data = TaskArrays(task)
    with generators_restored():
        model = new_model(task, Recipe(), data.train)
    run = Run(task, Recipe(), 0, data)
    for name, part in data.parts().items():
        _try(run, name, part)
    names = f"{type(model).__name__}: {' → '.join(describe(layer) for _, layer in layers_in_order(model))}"
    return Inspected(
        model=names if len(names) <= 200 else f"{names[:197]}…", sites=tuple(sites(model).values()), functional=()
    )


def _try(run: Run, name: str, data: Data) -> None:
    inputs, targets = some_rows(data, 2)
    try:
        run.measured(Rows(inputs, targets))
    except InputError:
        raise
    except Exception as error:  # whatever the backend raises where shapes do not fit
        raise InputError(
            "model: expected to take {name} inputs of {inputs}, got {kind}: {why}",
            name=name,
            inputs=", ".join(f"{part.dtype} {(None, *part.shape[1:])}" for part in keras.tree.flatten(inputs)),
            kind=type(error).__name__,
            why=(str(error).splitlines() or [""])[0],
        ) from error


def check_recipes(task: Task, recipes: Iterable[Recipe]) -> None:
    """Everything short of training, for each recipe: what does not fit the model shows before anything long begins."""
    data = TaskArrays(task)
    for recipe in recipes:
        Run(task, recipe, 0, data)


def fingerprint(task: Task) -> str:
    """What a run of the task depends on besides recipe and seed: its setup, its data, and its model when new."""
    data = TaskArrays(task)
    run = Run(task, Recipe(), 0, data)
    digest = hashlib.sha256(json.dumps([setup_of(task), keras.backend.backend()], default=str).encode())
    for part in data.parts().values():
        inputs, targets = (part.inputs, part.targets) if isinstance(part, Rows) else some_rows(part, _ROWS)
        for array in (*keras.tree.flatten(inputs), targets):
            digest.update(array.tobytes())
    layers = [(type(layer).__name__, _unnamed(layer.get_config())) for _, layer in layers_in_order(run.model)]
    digest.update(json.dumps(layers, default=str).encode())
    for weight in run.model.get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest()


def _unnamed(config: Any) -> Any:
    """Without names, in which Keras counts the layers that the process has made."""
    if isinstance(config, dict):
        return {key: _unnamed(value) for key, value in config.items() if key != "name"}
    return [_unnamed(value) for value in config] if isinstance(config, list | tuple) else config
