"""Dropout as a function of a key, for JAX."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from sukima.base.checks import check_instance, check_rate, shown
from sukima.base.errors import InputError
from sukima.jax.kernels import KINDS, masked, rate_of
from sukima.masks.key import MaskKey

__all__ = ["dropout", "key_words"]


def dropout(
    key: Any,
    x: Any,
    rate: Any,
    *,
    shape: Sequence[int] | None = None,
    offset: Sequence[Any] | None = None,
) -> Array:
    """Drop each element of ``x`` with probability ``rate``; multiply the others by 1/(1 - rate).

    The mask is a function of the key and of each element's index, the same bits on every device, under ``jit``,
    ``vmap`` (which gives each row the mask that it has alone) and ``grad``; nothing is kept for the backward pass,
    which computes the mask again. There is no training mode: call it in training only.

    Inside ``shard_map`` the function sees a block of the array: give the ``shape`` of the whole and the ``offset`` of
    the block, which may be traced (``jax.lax.axis_index("batch") * rows``), and it gives that block of the whole mask.

    Args:
        key: a JAX key (``jax.random.key`` or ``PRNGKey``), its 32-bit words, or a `MaskKey`.
        x: a floating-point array of any shape.
        rate: the probability that an element is dropped, in [0, 1]. Traced, it may change without recompilation; its
            value is then the caller's to keep in range, and the factor is the law's within a unit in the last place.
        shape: of the whole array, where ``x`` is a block of it.
        offset: the index in the whole of the block's first element, one number a dimension.

    Raises:
        InputError: an argument is not as described.

    Paper: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 2014.

    >>> dropout(MaskKey(0), jnp.ones(8), 0.5).tolist()
    [2.0, 0.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    """
    x = jnp.asarray(x)
    if x.dtype.name not in KINDS:
        raise InputError("{name} must be a floating-point array, got {value}", name="x", value=x.dtype)
    given = isinstance(rate, Array)
    if given and rate.ndim:
        raise InputError("rate must be a number or an array of no dimensions, got shape {value}", value=rate.shape)
    if not given and check_rate("rate", rate) == 0:
        return x
    words = key_words(key)
    if shape is None and offset is None:
        return masked(x, words, rate_of(rate))
    return masked(x, words, rate_of(rate), starts=_starts(x.shape, shape, offset))


def key_words(key: Any) -> Array:
    """Seed and stream as four 32-bit words, low halves first; a key of two words is a seed."""
    if isinstance(key, MaskKey):
        halves = (key.seed, key.seed >> 32, key.stream, key.stream >> 32)
        return jnp.array([half & 0xFFFFFFFF for half in halves], jnp.uint32)
    check_instance("key", key, (Array, jax.core.Tracer), "a JAX key or a MaskKey")
    words = jax.random.key_data(key) if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else key
    if words.dtype != jnp.uint32 or words.shape not in ((2,), (4,)):
        raise InputError(
            "{name} must be {expected}, got {value}",
            name="key",
            expected="one JAX key or 2 or 4 words of uint32",
            value=f"{words.dtype} {words.shape}",
        )
    return words if len(words) == 4 else jnp.concatenate([words, jnp.zeros(2, jnp.uint32)])


def _starts(local: tuple[int, ...], shape: Sequence[int] | None, offset: Sequence[Any] | None) -> Array:
    """Where each run of consecutive indices begins in the whole: the block's rows along its last dimensions."""
    if shape is None or offset is None or not len(shape) == len(offset) == len(local):
        raise InputError(
            "shape and offset must both be given, one number for each of the {count} dimensions of x, got {value}",
            count=len(local),
            value=shown((shape, offset)),
        )
    whole = [int(size) for size in shape]
    if any(mine > size for mine, size in zip(local, whole, strict=True)):
        raise InputError(
            "the shard {local} at {offset} must lie within {shape}", local=local, offset=offset, shape=shape
        )
    low, high = jnp.zeros(1, jnp.uint32), jnp.zeros(1, jnp.uint32)
    last = len(local)
    while last and local[last - 1] == whole[last - 1]:
        last -= 1  # whole dimensions at the end belong to one run
    for d in range(last):
        first = jnp.asarray(offset[d]).astype(jnp.uint32)
        steps = first + jnp.arange(1 if d == last - 1 else local[d], dtype=jnp.uint32)
        stride = math.prod(whole[d + 1 :])
        added_low, added_high = _times(steps, stride)
        low, high = _sum(low[:, None], high[:, None], added_low, added_high)
        low, high = low.reshape(-1), high.reshape(-1)
    return jnp.stack([low, high], 1)


def _times(value: Array, factor: int) -> tuple[Array, Array]:
    """A 32-bit number times a 64-bit one, as two words; JAX has no 64-bit integers by default."""
    low, high = jnp.zeros_like(value), jnp.zeros_like(value)
    for place in range(0, 64, 16):
        limb = factor >> place & 0xFFFF
        for part, at in ((value & 0xFFFF, place), (value >> 16, place + 16)):
            product = part * jnp.uint32(limb)
            if at < 32:
                low, high = _sum(low, high, product << at, product >> (32 - at) if at else jnp.zeros_like(product))
            elif at < 64:
                high = high + (product << (at - 32))
    return low, high


def _sum(low: Array, high: Array, added_low: Array, added_high: Array) -> tuple[Array, Array]:
    total = low + added_low
    return total, high + added_high + (total < low).astype(jnp.uint32)
