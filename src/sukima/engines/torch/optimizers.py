"""Optimizers by name or factory."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sukima.base.checks import check_choice, check_instance
from sukima.engines.torch.vector import Rule, Settings, Strengths, VectorOptimizer
from sukima.records.recipe import Recipe
from sukima.records.task import Task

__all__ = ["OPTIMIZERS", "OwnOptimizer", "make_optimizer", "rule_of", "settings_of"]

OPTIMIZERS: dict[str, Rule] = {
    "sgd": Rule("sgd", 0.1, memories=0),
    "momentum": Rule("momentum", 0.01, (0.9, 1.0)),
    "adam": Rule("adam", 1e-3, (0.9, 0.999, 1e-8), memories=2),
    "adamw": Rule("adam", 1e-3, (0.9, 0.999, 1e-8), memories=2, decay=0.01),
    "rmsprop": Rule("rmsprop", 1e-3, (0.99, 1e-8)),
}
"""Name → how its steps are computed: torch's optimizers with torch's defaults."""


def rule_of(task: Task) -> Rule:
    """The rule of a task's optimizer, which must be given by name."""
    name = str(task.optimizer)
    check_choice("optimizer", name, OPTIMIZERS)
    return OPTIMIZERS[name]


def settings_of(task: Task, recipe: Recipe) -> Settings:
    """What the optimizer gets from a task and a recipe.

    Weight decay through Adam is not L2 and hardly regularizes where gradients are large, so Adam's is decoupled.
    """
    rule = rule_of(task)
    return Settings(
        learning_rate=rule.learning_rate if task.learning_rate is None else task.learning_rate,
        decay=rule.decay if recipe.weight_decay is None else recipe.weight_decay,
        clip_norm=task.clip_norm,
    )


def make_optimizer(task: Task, recipe: Recipe, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The task's optimizer for these parameters, with the recipe's weight decay; for a factory this is written into the
    parameter groups, with the factory's meaning."""
    if callable(task.optimizer):
        return _from_factory(task.optimizer, recipe, parameters)
    return OwnOptimizer(parameters, rule_of(task), settings_of(task, recipe))


class OwnOptimizer(torch.optim.Optimizer):
    """A `VectorOptimizer` for one network, with torch's interface; the same bits as in a stack."""

    # torch wraps these in what loads its compiler, which takes two seconds; nothing here is compiled by it.
    add_param_group = inspect.unwrap(torch.optim.Optimizer.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.Optimizer.zero_grad)

    def __init__(self, parameters: Iterable[nn.Parameter], rule: Rule, settings: Settings) -> None:
        super().__init__(parameters, {"lr": settings.learning_rate})
        self._all: list[nn.Parameter] = self.param_groups[0]["params"]
        self._places = self._where()
        self._vector = VectorOptimizer(rule, self._views(), [settings])

    def _views(self) -> list[Tensor]:
        return [_real(parameter.detach()).unsqueeze(0) for parameter in self._all]

    def _where(self) -> list[int]:
        return [parameter.data_ptr() for parameter in self._all]

    def penalise(self, strengths: Mapping[nn.Parameter, Strengths]) -> None:
        """Add the gradients of L1 and L2 penalties from now on."""
        self._vector.penalise([[strengths.get(parameter, (0.0, 0.0))] for parameter in self._all])

    def step(self, closure: None = None) -> None:  # type: ignore[override]  # nothing here calls it with a closure
        """Change the parameters by their gradients."""
        if self._places != (places := self._where()):  # a model may put other tensors into its parameters
            self._places = places
            self._vector.move(self._views())
        self._vector.step([None if p.grad is None else _real(p.grad).unsqueeze(0) for p in self._all])


def _real(tensor: Tensor) -> Tensor:
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


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
