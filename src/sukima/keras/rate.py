"""The rate of a layer: a number that compiled functions read anew at every step.

Keras knows two kinds of variables: weights, which are in ``get_weights()`` and in files, and the states of its seed
generators, which are in neither but are given to compiled functions all the same. A rate is kept as the latter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from sukima.masks import law

__all__ = ["Held", "Numbers", "Rate", "plain_numbers"]

_DTYPE = "float64" if keras.backend.backend() == "tensorflow" else "float32"
"""On torch the numbers themselves are used, and JAX has no other by default."""

Numbers = tuple[float, float, float]
"""The rate that decides, the factor of what is kept, and whatever else a layer needs at that rate."""


def plain_numbers(rate: float) -> Numbers:
    """What dropout needs: the law's scale."""
    return rate, law.scale(rate), 0.0


class Held(keras.random.SeedGenerator):
    """Numbers that compiled functions read anew at every step, and that are not among the weights."""

    def __init__(self, values: Sequence[float], name: str) -> None:
        # Not the base's own: this generates nothing, it is only found where generators are.
        self.name, self.values = name, list(values)
        first = np.array(self.values, _DTYPE)
        self.state = keras.Variable(
            lambda *_, **__: keras.ops.convert_to_tensor(first),
            shape=first.shape,
            dtype=_DTYPE,
            trainable=False,
            autocast=False,
            aggregation="none",
            name=name,
        )

    def assign(self, values: Sequence[float]) -> None:
        """Change the numbers; a compiled function sees them at its next step."""
        self.values = list(values)
        self.state.assign(np.array(self.values, _DTYPE))

    def next(self, ordered: bool = True) -> Any:
        """There is no next: this generates nothing."""
        raise TypeError("numbers that are held are not a generator of seeds")


class Rate(Held):
    """A rate and what follows from it.

    Attributes:
        value: the rate.
        decided: the rate that decides; another where a layer drops more than it decides (blocks).
        factor: of what is kept.
        state: threshold, whether 32 bits decide, factor and what else the layer needs, as a variable.
    """

    def __init__(self, value: float, numbers: Callable[[float], Numbers] = plain_numbers, name: str = "rate") -> None:
        self._numbers, self.value = numbers, value
        super().__init__(self._all(), name)

    def _all(self) -> list[float]:
        self.decided, self.factor, extra = self._numbers(self.value)
        wide = law.bits(self.decided) == 32
        return [law.threshold(self.decided), wide, self.factor, extra]

    @property
    def is_off(self) -> bool:
        """Whether nothing is dropped."""
        return self.value == 0

    def set(self, value: float) -> None:
        """Change the rate; a compiled function sees it at its next step."""
        self.value = value
        self.assign(self._all())

    def numbers(self) -> tuple[Any, Any]:
        """Factor and what else the layer needs, as tensors."""
        state = keras.ops.convert_to_tensor(self.state)
        return state[2], state[3]
