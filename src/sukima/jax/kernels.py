"""Masks on JAX arrays, and what they need of keys and rates that are arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from sukima.jax.operator import mask_rows
from sukima.masks import law, portable
from sukima.masks.shares import FIELDS

__all__ = ["KINDS", "Rate", "fold", "keep", "masked", "rate_of", "words"]

KINDS = ("float32", "float64", "bfloat16", "float16")
"""The dtypes that can be masked."""

Rate = tuple[Any, Any, Any]
"""A rate as the law uses it: threshold, bits, and the factor of what is kept; numbers or scalars."""


def rate_of(rate: Any) -> Rate:
    """Threshold, bits and factor of a rate; of a traced one they are computed where it is."""
    if not isinstance(rate, Array):
        return law.threshold(rate), law.bits(rate), law.scale(rate)
    exact = rate.astype(jnp.float32)
    wide = (exact > 0) & (exact < 1 / 256)
    whole = jnp.where(wide, 2.0**32, 2.0**16)
    dropped = jnp.round(exact * whole)
    kept = 1 - dropped / whole
    return dropped.astype(jnp.uint32), jnp.where(wide, 32, 16), jnp.where(kept > 0, 1 / kept, 0.0)


def masked(x: Array, key: Array, rate: Rate, factor: Any = None, starts: Array | None = None) -> Array:
    """``x`` under the mask of ``key`` (four 32-bit words): kept elements times the factor, the others +0.

    With ``starts``, (runs, 2) words, the elements of ``x`` are that many runs, each from that index of the mask on.
    """
    if x.size == 0:
        return x
    bits = rate[1] if isinstance(rate[1], int) else None
    return _masked(x, key, rate, rate[2] if factor is None else factor, starts, bits=bits)


def keep(shape: tuple[int, ...], key: Array, rate: Rate) -> Array:
    """Which elements of ``shape`` the mask of ``key`` keeps."""
    return masked(jnp.ones(shape, jnp.float32), key, rate, 1.0) > 0


# What follows is compiled as one also where the caller does not compile: its many small operations, called one by one,
# would take ten times as long. Inside a function that is compiled it is traced once for all of its masks.


@partial(jax.jit, static_argnames="bits")
def _masked(x: Array, key: Array, rate: Rate, factor: Any, starts: Array | None, *, bits: int | None) -> Array:
    table = _table(key, rate, factor, x.dtype, starts)
    return mask_rows(table, x.reshape(len(table), -1), bits=bits, aligned=starts is None).reshape(x.shape)


@partial(jax.jit, static_argnames="count")
def words(key: Array, count: int) -> Array:
    """The first ``count`` 32-bit words of the key's stream."""
    number = jnp.arange(-(-count // 4), dtype=jnp.int32)
    seed, stream = key[:2].astype(jnp.int32), key[2:].astype(jnp.int32)
    counter = (number, jnp.zeros_like(number), number * 0 + stream[0], number * 0 + stream[1])
    found = jnp.stack(portable.philox4x32(counter, (seed[0], seed[1])), -1)
    return found.astype(jnp.uint32).reshape(-1)[:count]


def fold(key: Array, number: int, domain: int) -> Array:
    """The folding of `MaskKey.fold_in`, for the words of a key: ``domain`` tells types of values apart."""
    halves = [portable.signed(half) for value in (number, domain) for half in (value, value >> 32)]
    return _folded(key, jnp.array(halves, jnp.int32))


@jax.jit
def _folded(key: Array, halves: Array) -> Array:
    # A loop costs a GPU a launch for each round, and spares the CPU's compiler a third of a second for each fold.
    return lax.platform_dependent(
        key.astype(jnp.int32),
        halves,
        cpu=partial(_folded_by, _philox_in_a_loop),
        default=partial(_folded_by, portable.philox4x32),
    )


def _folded_by(philox: Callable[..., Any], k: Array, halves: Array) -> Array:
    inner = philox((halves[0], halves[1], k[2], k[3]), (k[0], k[1]))
    return jnp.stack(philox(inner, (halves[2], halves[3]))).astype(jnp.uint32)


def _philox_in_a_loop(counter: Any, key: Any) -> Any:
    def one_round(_: Any, state: Any) -> Any:
        return portable.philox_round(*state), portable.next_key(state[1])

    return lax.fori_loop(0, portable.ROUNDS, one_round, (counter, key))[0]


def _table(key: Array, rate: Rate, factor: Any, dtype: Any, starts: Array | None) -> Array:
    """The table of `sukima.masks.jobs.table` for one mask, a row for each run."""
    number = jnp.asarray(factor, jnp.float64 if dtype == jnp.float64 else jnp.float32)
    pattern = lax.bitcast_convert_type(number, jnp.uint32).reshape(-1)
    zero = jnp.uint32(0)
    dropped, bits = (jnp.asarray(part, jnp.uint32) for part in rate[:2])
    factors = [*pattern, *[zero] * (2 - len(pattern))]
    entry = jnp.stack([*key.astype(jnp.uint32), dropped, zero, bits, zero, *factors])
    first = jnp.zeros((1, 2), jnp.uint32) if starts is None else starts.astype(jnp.uint32)
    return jnp.concatenate([jnp.broadcast_to(entry, (len(first), 2 * FIELDS - 2)), first], 1)
