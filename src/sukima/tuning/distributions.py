"""Dimensions and their values as Optuna has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sukima.base.imports import require
from sukima.tuning.dimension import Dimension, Value

if TYPE_CHECKING:
    import optuna

__all__ = ["decode", "distribution", "encode"]


def distribution(dimension: Dimension) -> optuna.distributions.BaseDistribution:
    """What Optuna calls a dimension."""
    distributions = require("optuna", "torch").distributions
    values = dimension.values
    found: optuna.distributions.BaseDistribution = (
        distributions.CategoricalDistribution(values)
        if dimension.step is None
        else distributions.FloatDistribution(float(values[0]), float(values[-1]), step=dimension.step)
    )
    return found


def encode(dimension: Dimension, value: Value) -> Value:
    """A value as Optuna has it."""
    return value if dimension.step is None else float(value)


def decode(dimension: Dimension, value: Value) -> Value:
    """The value that Optuna means: steps of floating-point numbers do not add up exactly."""
    if value in dimension.values or isinstance(value, str):
        return value
    return min((v for v in dimension.values if not isinstance(v, str)), key=lambda v: abs(v - value))
