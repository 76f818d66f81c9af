"""A new Keras model from a task's factory, and its optimizer."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

import keras

from sukima.base.checks import check_choice, check_instance
from sukima.base.errors import InputError
from sukima.engines.keras.data import Data, some_rows
from sukima.keras.rebuild import replace
from sukima.keras.sites import is_graph
from sukima.records.recipe import Recipe
from sukima.records.task import Task

__all__ = ["OPTIMIZERS", "make_optimizer", "new_model"]

OPTIMIZERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "sgd": (keras.optimizers.SGD, {"learning_rate": 0.1}),
    "momentum": (keras.optimizers.SGD, {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True}),
    "adam": (keras.optimizers.Adam, {"learning_rate": 1e-3}),
    "adamw": (keras.optimizers.AdamW, {"learning_rate": 1e-3, "weight_decay": 0.01}),
    "rmsprop": (keras.optimizers.RMSprop, {"learning_rate": 1e-3}),
}
"""Name → class and the arguments that it gets: those of `sukima.engines.torch.optimizers`."""

# A factory that hands out one model again and again would train it further in each trial.
_given: WeakValueDictionary[int, Any] = WeakValueDictionary()


def new_model(task: Task, recipe: Recipe, data: Data) -> Any:
    """A new, built model from the task's factory, with the recipe's options; Keras' dropout is replaced by ours."""
    _check_options(task, recipe)
    model: Any = task.model(**recipe.options)
    if not isinstance(model, keras.Model):
        raise InputError("model() must give a keras.Model, got {kind}", kind=type(model).__name__)
    if id(model) in _given:  # it holds none but living models
        raise InputError("model() must make a new model at each call, got {name} again", name=model.name)
    _given[id(model)] = model
    if not model.built:
        model(some_rows(data, 2)[0])
    return replace(model) if is_graph(model) else model


def make_optimizer(task: Task, recipe: Recipe, variables: Sequence[Any]) -> Any:
    """The task's optimizer, with the recipe's weight decay; that turns ``adam`` into ``adamw``."""
    if callable(task.optimizer):
        optimizer = task.optimizer(variables)
        check_instance("optimizer(parameters)", optimizer, keras.optimizers.Optimizer, "a keras.optimizers.Optimizer")
        if recipe.weight_decay is not None:
            optimizer.weight_decay = recipe.weight_decay
        if task.clip_norm is not None:
            optimizer.global_clipnorm = task.clip_norm
        return optimizer
    check_choice("optimizer", task.optimizer, OPTIMIZERS)
    name = "adamw" if task.optimizer == "adam" and recipe.weight_decay is not None else task.optimizer
    made, arguments = OPTIMIZERS[name]
    arguments = dict(arguments)
    if task.learning_rate is not None:
        arguments["learning_rate"] = task.learning_rate
    if recipe.weight_decay is not None:
        arguments["weight_decay"] = recipe.weight_decay
    return made(**arguments, global_clipnorm=task.clip_norm)


def _check_options(task: Task, recipe: Recipe) -> None:
    try:
        inspect.signature(task.model).bind(**recipe.options)
    except TypeError as error:
        raise InputError(
            "options must be what the model factory takes, got {options}: {why}",
            options=", ".join(recipe.options) or "-",
            why=error,
        ) from None
    except ValueError:  # a callable that does not tell what it takes
        return
