"""Layers whose mask may be smaller than their input and is then repeated over it."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from sukima.base.checks import shown
from sukima.base.errors import InputError
from sukima.keras.base import MaskLayer

__all__ = ["ShapedLayer"]


class ShapedLayer(MaskLayer):
    """A `MaskLayer` with a ``noise_shape``; that it fits is checked in inference, too, before any training."""

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = _checked(noise_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Act on ``inputs`` in training."""
        if self.noise_shape is not None:
            _check_fits(self.noise_shape, inputs.shape)
        return super().call(inputs, training)

    def get_config(self) -> dict[str, Any]:
        """The arguments, the rate as it is now."""
        return {**super().get_config(), "noise_shape": self.noise_shape}


def _checked(value: Any) -> tuple[int | None, ...] | None:
    """``value`` as a tuple of lengths and ``None``, or ``None``."""
    if value is None:
        return None
    fine = isinstance(value, Sequence) and not isinstance(value, str)
    if fine and all(
        n is None or (isinstance(n, numbers.Integral) and not isinstance(n, bool) and int(n) > 0) for n in value
    ):
        return tuple(None if n is None else int(n) for n in value)
    raise InputError(
        "{name} must be {expected}, got {value}",
        name="noise_shape",
        expected="a sequence of lengths above 0 and None",
        value=shown(value),
    )


def _check_fits(noise_shape: Sequence[int | None], shape: Sequence[int | None]) -> None:
    """Raise unless a mask of ``noise_shape`` can be repeated over ``shape``, as far as that is known."""
    if len(noise_shape) == len(shape) and all(
        n in (None, 1) or m is None or n == m for n, m in zip(noise_shape, shape, strict=True)
    ):
        return
    raise InputError(
        "noise_shape must give 1, None or the input's own size for each of its dimensions {shape}, got {value}",
        shape=tuple(shape),
        value=tuple(noise_shape),
    )
