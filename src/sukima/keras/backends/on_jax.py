"""Masks on JAX arrays: those of `sukima.jax`."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import jax.numpy as jnp

from sukima.jax import kernels
from sukima.keras.rate import Rate
from sukima.masks.key import FOLD_STR

__all__ = ["fold", "keep", "masked", "new_key", "uniform"]


def new_key(state: Any) -> Any:
    """The key that a generator's state decides: its seed and its counter are the two halves of the key's seed."""
    return jnp.concatenate([state.astype(jnp.uint32), jnp.zeros(2, jnp.uint32)])


@cache
def _number(kind: str) -> int:
    return int.from_bytes(hashlib.blake2b(kind.encode(), digest_size=8).digest(), "little")


def fold(key: Any, kind: str) -> Any:
    """The key for a kind of mask."""
    return kernels.fold(key, _number(kind), FOLD_STR)


def _numbers(rate: Rate) -> kernels.Rate:
    state = rate.state.value
    return state[0].astype(jnp.uint32), jnp.where(state[1] > 0, 32, 16), state[2]


def masked(x: Any, key: Any, rate: Rate) -> Any:
    """``x`` under the mask of ``key``: kept elements times the rate's factor, the others +0."""
    return kernels.masked(x, key, _numbers(rate))


def keep(shape: Sequence[int], key: Any, rate: Rate, like: Any) -> Any:
    """Which elements of ``shape`` are kept."""
    del like  # one device serves all
    return kernels.keep(tuple(shape), key, _numbers(rate))


def uniform(shape: Sequence[int], key: Any, like: Any) -> Any:
    """Noise between 0 and 1, both excluded, of float32."""
    del like
    words = kernels.words(key, math.prod(shape))
    return (((words >> 9).astype(jnp.float32) + 0.5) * 2.0**-23).reshape(tuple(shape))
