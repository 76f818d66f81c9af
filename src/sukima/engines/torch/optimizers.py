"""Optimizers by name or factory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from sukima.base.checks import check_choice, check_instance
from sukima.records.recipe import Recipe
from sukima.records.task import Task

__all__ = ["OPTIMIZERS", "make_optimizer"]

OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {"lr": 0.1}),
    "momentum": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    "adam": (torch.optim.Adam, {"lr": 1e-3}),
    "adamw": (torch.optim.AdamW, {"lr": 1e-3}),
    "rmsprop": (torch.optim.RMSprop, {"lr": 1e-3}),
}
"""Name → class and the arguments that it gets."""

_FUSED = ("sgd", "momentum", "adam", "adamw")


def make_optimizer(task: Task, recipe: Recipe, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The task's optimizer for these parameters, with the recipe's weight decay.

    Weight decay through Adam is not L2 and hardly regularizes where gradients are large, so a recipe's weight decay
    turns ``adam`` into ``adamw``; for a factory it is written into the parameter groups, with the factory's meaning.
    """
    if callable(task.optimizer):
        return _from_factory(task.optimizer, recipe, parameters)
    check_choice("optimizer", task.optimizer, OPTIMIZERS)
    name = "adamw" if task.optimizer == "adam" and recipe.weight_decay is not None else task.optimizer
    cls, arguments = OPTIMIZERS[name]
    arguments = dict(arguments)
    if task.learning_rate is not None:
        arguments["lr"] = task.learning_rate
    if recipe.weight_decay is not None:
        arguments["weight_decay"] = recipe.weight_decay
    parameters = list(parameters)
    if name in _FUSED and all(parameter.is_floating_point() for parameter in parameters):
        arguments["fused"] = True  # one call for all parameters: small networks spend most of a step there otherwise
    return cls(parameters, **arguments)


def _from_factory(
    factory: Callable[[Any], Any], recipe: Recipe, parameters: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    optimizer = factory(parameters)
    check_instance("optimizer(parameters)", optimizer, torch.optim.Optimizer, "a torch.optim.Optimizer")
    assert isinstance(optimizer, torch.optim.Optimizer)
    if recipe.weight_decay is not None:
        for group in optimizer.param_groups:
            group["weight_decay"] = recipe.weight_decay
    return optimizer
