"""A recipe's penalties and constraints on a model: which weights each concerns, and when it acts."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sukima.base.checks import check_number
from sukima.records.constraint import Constraint
from sukima.records.penalty import Activity, Penalty
from sukima.records.rates import unknown_site
from sukima.records.recipe import ALL_SITES, Recipe
from sukima.torch.constraints import constrain_weights
from sukima.torch.penalties import activity_penalty, decoupled_step, penalty, proximal_step
from sukima.torch.weights import owners_of, weights_of

__all__ = ["Regularizers"]

Rule = TypeVar("Rule", Penalty, Constraint)


class Regularizers:
    """The penalties and constraints of ``recipe``, on the parameters of ``model`` that they name."""

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self._owners = owners_of(model)
        on_outputs = {name: p for name, p in recipe.penalties.items() if isinstance(p, Activity)}
        on_weights = {name: p for name, p in recipe.penalties.items() if not isinstance(p, Activity)}
        self._penalties = _chosen("penalties", on_weights, model)
        self._constraints = _chosen("constraints", recipe.constraints, model)
        self._given: list[tuple[Activity, Tensor]] = []
        self._handles: list[Any] = []
        for name, which in on_outputs.items():
            for module in _modules_named(name, model):
                self._handles.append(module.register_forward_hook(self._noting(which)))

    def _noting(self, which: Activity) -> Any:
        def note(module: nn.Module, _args: Any, output: Any) -> None:
            first = output[0] if isinstance(output, tuple) else output
            if module.training and torch.is_grad_enabled() and isinstance(first, Tensor):
                self._given.append((which, first))

        return note

    def by_penalty(self, model: nn.Module) -> list[tuple[list[str], Penalty]]:
        """The names of the parameters that each penalty on weights concerns."""
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        found: dict[Penalty, list[str]] = {}
        for weight, which in self._penalties:
            found.setdefault(which, []).append(names[id(weight)])
        return [(weights, which) for which, weights in found.items()]

    def loss(self, progress: float) -> Tensor:
        """The sum of the penalties that are terms of the loss; activities are those since the last call."""
        total = torch.zeros(())
        for weight, which in self._penalties:
            if which.form == "loss" and (factor := which.schedule.factor(progress)):
                term = penalty([weight], which, self._owners.get(id(weight))) * factor
                total = total.to(term) + term
        for activity, output in self._given:
            term = activity_penalty(output, activity) * activity.schedule.factor(progress)
            total = total.to(term) + term
        self._given = []
        return total

    def step(self, rate: Optimizer | float, progress: float) -> None:
        """What follows the optimizer's step: proximal and decoupled penalties, then constraints."""
        for weight, which in self._penalties:
            factor = which.schedule.factor(progress)
            if which.form != "loss" and factor:
                act = proximal_step if which.form == "proximal" else decoupled_step
                act([weight], which, _learning_rate(rate, weight) * factor, self._owners.get(id(weight)))
        for weight, constraint in self._constraints:
            constrain_weights([weight], constraint, self._owners.get(id(weight)))

    def remove(self) -> None:
        """Take the hooks away and forget the rest."""
        for handle in self._handles:
            handle.remove()
        self._penalties, self._constraints, self._given, self._handles = [], [], [], []


def _learning_rate(rate: Optimizer | float, weight: Tensor) -> float:
    """The learning rate of this weight; a weight that is not trained does not move."""
    if not isinstance(rate, Optimizer):
        return check_number("rate", rate, minimum=0)
    for group in rate.param_groups:
        if any(parameter is weight for parameter in group["params"]):
            return float(group["lr"])
    return 0.0


def _modules_named(name: str, model: nn.Module) -> list[nn.Module]:
    modules = {n: m for n, m in model.named_modules() if n}
    found = [module for n, module in modules.items() if n == name or fnmatchcase(n, name)]
    if not found:
        raise unknown_site("penalties", name, modules)
    return found


def _chosen(table: str, rules: Mapping[str, Rule], model: nn.Module) -> list[tuple[nn.Parameter, Rule]]:
    """Each weight with its rule: of its site or its own name; else of a pattern; else of all sites."""
    layers = {name: weights_of(module) for name, module in model.named_modules() if name and weights_of(module)}
    parameters = dict(model.named_parameters())
    exact: list[tuple[nn.Parameter, Rule]] = []
    for name, rule in rules.items():
        if name == ALL_SITES:
            continue
        if name in parameters:
            exact.append((parameters[name], rule))
        elif name in layers:
            exact += [(weight, rule) for weight in layers[name]]
        else:
            matched = [p for n, p in parameters.items() if fnmatchcase(n, name)]
            matched += [w for n, ws in layers.items() if fnmatchcase(n, name) for w in ws]
            if not matched:
                leaves = [n for n in layers if not any(other.startswith(f"{n}.") for other in layers)]
                raise unknown_site(table, name, leaves)
            once = {id(p): p for p in matched}
            exact += [(parameter, rule) for parameter in once.values()]
    if ALL_SITES in rules:
        named = {id(weight) for weight, _ in exact}
        exact += [(weight, rules[ALL_SITES]) for weight in weights_of(model) if id(weight) not in named]
    return exact
