"""A recipe's constraints as Keras' own."""

from __future__ import annotations

from typing import Any

import keras

from sukima.keras.regularizers import unit_axes
from sukima.records.constraint import Constraint, MaxNorm, NonNegative, UnitNorm

__all__ = ["constraint_of"]


def constraint_of(constraint: Constraint, layer: Any, dimensions: int) -> Any:
    """Keras' constraint for a kernel of ``layer``; norms are over the weights that go into each output unit."""
    axes = unit_axes(layer, dimensions)
    match constraint:
        case MaxNorm(limit=limit):
            return keras.constraints.MaxNorm(limit, axis=axes)
        case UnitNorm():
            return keras.constraints.UnitNorm(axis=axes)
        case NonNegative():
            return keras.constraints.NonNeg()
