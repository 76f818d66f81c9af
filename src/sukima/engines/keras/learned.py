"""Rates learned by gradient, with the weights, in one run: concrete dropout at every site (Gal et al. 2017)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

import keras

from sukima.base.errors import InputError
from sukima.engines.keras.data import TaskArrays
from sukima.engines.keras.model import make_optimizer
from sukima.engines.keras.run import Run
from sukima.engines.learning import LENGTH_SCALE, SPEED
from sukima.engines.variant import with_model
from sukima.keras.concrete import ConcreteDropout
from sukima.keras.layers import describe, dropout_kind, is_weight_layer, rate_attribute
from sukima.keras.rebuild import rebuilt
from sukima.keras.sites import layers_in_order
from sukima.records.recipe import Recipe
from sukima.records.task import Task

__all__ = ["learn_rates"]


def learn_rates(
    task: Task,
    groups: Sequence[Sequence[str]],
    start: float,
    seed: int,
    *,
    after_epoch: Callable[[], None] = lambda: None,
) -> list[float]:
    """As `sukima.engines.torch.learned.learn_rates`, for a task with a sequential or functional Keras model."""
    data = TaskArrays(task)
    rows = len(data.train.targets)
    learned: dict[str, ConcreteDropout] = {}

    def with_concrete(model: Any) -> Any:
        layers = list(layers_in_order(model))
        fed = {site: _fed(layers, site) for group in groups for site in group}
        wrapped = {name: _wrapped(dict(layers)[name], start, rows) for name in dict.fromkeys(fed.values())}
        learned.update({site: wrapped[name] for site, name in fed.items()})
        return rebuilt(model, wrapped, {})

    def optimizer(variables: Sequence[Any]) -> Any:
        logits = {id(layer.logit) for layer in learned.values()}
        weights = [variable for variable in variables if id(variable) not in logits]
        return _Apart(make_optimizer(task, Recipe(), weights), logits)

    changed = replace(with_model(task, with_concrete), optimizer=optimizer, clip_norm=None)
    run = Run(changed, Recipe(), seed, data)
    _silence(run.model, [site for group in groups for site in group])
    for epoch in range(task.epochs):
        if not math.isfinite(loss := run.trained(epoch)):
            raise InputError("the loss became {value} while rates were learned", value=loss)
        after_epoch()
    return [fmean(learned[site].rate for site in group) for group in groups]


_LAYERS = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)


def _fed(layers: Sequence[tuple[str, Any]], site: str) -> str:
    """The name of the layer that the site feeds: the next one with weights that mix their inputs."""
    at = next((index for index, (name, _) in enumerate(layers) if name == site), len(layers))
    inside = at < len(layers) and dropout_kind(layers[at][1]) in ("recurrent", "weight")
    rest = layers[at:] if inside else layers[at + 1 :]
    name, layer = next(((name, layer) for name, layer in rest if is_weight_layer(layer)), ("", None))
    if inside or not isinstance(layer, _LAYERS):
        raise InputError(
            "site {site}: rates are learned before a linear layer or a convolution, got {layer}",
            site=site,
            layer=describe(layer) if layer is not None else "-",
        )
    return name


def _wrapped(layer: Any, start: float, rows: int) -> ConcreteDropout:
    """The layer with concrete dropout before it; there it acts on what the site gives."""
    return ConcreteDropout(
        layer, start, weight_regularizer=LENGTH_SCALE**2 / rows, dropout_regularizer=1 / rows, name=layer.name
    )


def _silence(model: Any, sites: Sequence[str]) -> None:
    """Dropout that stands at the sites does nothing: what replaces it comes one layer later."""
    for name, layer in layers_in_order(model):
        if name in sites and dropout_kind(layer) is not None:
            setattr(layer, rate_attribute(layer), 0.0)


class _Apart(keras.optimizers.Optimizer):
    """An optimizer for the weights beside one for the rates' logits."""

    def __init__(self, weights: Any, logits: set[int]) -> None:
        super().__init__(learning_rate=0.0)
        self._ids, self._parts = logits, (weights, keras.optimizers.Adam(SPEED))

    def build(self, variables: Any) -> None:
        """Make the variables of both."""
        for part, chosen in zip(self._parts, self._split(variables, variables), strict=True):
            part.build([variable for _, variable in chosen])
        super().build(variables)

    @property
    def variables(self) -> list[Any]:
        """Those of both."""
        return [*self._variables, *(variable for part in self._parts for variable in part.variables)]

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """A step of each."""
        if not self.built:
            self.build(trainable_variables)
        variables = self._trainable_variables if trainable_variables is None else trainable_variables
        for part, chosen in zip(self._parts, self._split(grads, variables), strict=True):
            part.apply([gradient for gradient, _ in chosen], [variable for _, variable in chosen])

    def _split(self, values: Any, variables: Any) -> tuple[list[Any], list[Any]]:
        """Each of the values with its variable: the weights', and the logits'."""
        pairs = list(zip(values, variables, strict=True))
        return [pair for pair in pairs if id(pair[1]) not in self._ids], [p for p in pairs if id(p[1]) in self._ids]
