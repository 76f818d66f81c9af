"""Masks smaller than the tensor, and noise, on any backend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from sukima.keras.backends import masks
from sukima.keras.rate import Rate

__all__ = ["masked_by", "masked_over", "normal"]


def masked_over(x: Any, shape: Sequence[Any], key: Any, rate: Rate) -> Any:
    """``x`` under a mask of ``shape``, which must broadcast to its own; the mask's elements are in row-major order."""
    return masked_by(x, masks.keep(shape, key, rate, x), rate)


def masked_by(x: Any, kept: Any, rate: Rate) -> Any:
    """``x`` times the rate's factor where ``kept``, else +0."""
    factor = ops.cast(rate.numbers()[0], x.dtype)
    return ops.where(kept, x * factor, ops.zeros((), x.dtype))


def normal(shape: Sequence[Any], key: Any, like: Any) -> Any:
    """Noise of mean 0 and variance 1 in float32: words two at a time (Box & Muller 1958).

    Uniform noise has the same bits on every backend. Of this each number is within 8 units in the last place of its
    pair's distance from 0, because logarithm and angle are rounded to float32.
    """
    size = 1
    for length in shape:
        size = size * length
    pairs = masks.uniform(((size + 1) // 2, 2), key, like)
    radius, angle = ops.sqrt(-2 * ops.log(pairs[:, 0])), pairs[:, 1] * (2 * math.pi)
    both = ops.stack((ops.cos(angle) * radius, ops.sin(angle) * radius), -1)
    return ops.reshape(ops.reshape(both, (-1,))[:size], tuple(shape))
