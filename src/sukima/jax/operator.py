"""Masks on rows as an operation that JAX can differentiate, transpose and batch like its own.

It is linear in the rows, so that its derivative and its transpose are itself with the same masks: nothing is kept.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from sukima.jax import ffi
from sukima.masks import portable

__all__ = ["mask_rows"]

_operator = Primitive("sukima_masked")


def mask_rows(table: Array, rows: Array, *, bits: int | None, aligned: bool) -> Array:
    """Each of the ``rows`` (R, n) under the mask that its row in the ``table`` (R, 12) says.

    Args:
        table: that of `sukima.masks.jobs.table`, each 64-bit entry as two 32-bit words, low half first.
        rows: floating-point numbers.
        bits: how many decide an element, in every row; ``None``: as the table says.
        aligned: whether every row's first index begins a block.
    """
    result: Array = _operator.bind(table, rows, bits=bits, aligned=aligned)
    return result


def _by_integers(table: Array, rows: Array, *, bits: int | None, aligned: bool) -> Array:
    return jax.vmap(lambda entry, row: in_integers(entry, row, bits, aligned))(table, rows)


def in_integers(entry: Array, row: Array, bits: int | None, aligned: bool) -> Array:
    """One row under its mask, by `sukima.masks.portable`."""
    if bits is None:
        kept = lax.cond(
            entry[6] == 32,
            lambda: _decided(entry, row.size, 32, aligned),
            lambda: _decided(entry, row.size, 16, aligned),
        )
    else:
        kept = _decided(entry, row.size, bits, aligned)
    double = row.dtype == jnp.float64
    factor = lax.bitcast_convert_type(entry[8:10] if double else entry[8], jnp.float64 if double else jnp.float32)
    scaled = (row.astype(factor.dtype) * factor).astype(row.dtype)
    return jnp.where(kept, scaled, jnp.zeros((), row.dtype))


def _decided(entry: Array, size: int, width: int, aligned: bool) -> Array:
    a_block = 128 // width
    shift = int(math.log2(a_block))
    low, high = entry[10] >> shift | entry[11] << (32 - shift), entry[11] >> shift
    number = jnp.arange(-(-size // a_block) + (not aligned), dtype=jnp.uint32)
    here = low + number
    counter = (here, high + (here < low), jnp.full_like(here, entry[2]), jnp.full_like(here, entry[3]))
    a, b, c, d = (word.astype(jnp.int32) for word in counter)
    found = portable.philox4x32((a, b, c, d), (entry[0].astype(jnp.int32), entry[1].astype(jnp.int32)))
    flat = jnp.stack(found, -1).astype(jnp.uint32)
    if width == 16:
        flat = jnp.stack((flat & 0xFFFF, flat >> 16), -1)
    flat = flat.reshape(-1)
    if aligned:
        return flat[:size] >= entry[4]
    begin = (entry[10] & (a_block - 1)).astype(jnp.int32)
    return lax.dynamic_slice(flat, (begin,), (size,)) >= entry[4]


_elsewhere = mlir.lower_fun(_by_integers, multiple_results=False)


def _on_cpu(context: Any, table: Any, rows: Any, **how: Any) -> Any:
    if not ffi.registered():
        return _elsewhere(context, table, rows, **how)
    return jax.ffi.ffi_lowering(ffi.TARGET)(context, table, rows)


def _result(table: Any, rows: Any, **_: Any) -> Any:
    # Inside shard_map a result varies with whatever one of the operands varies with.
    return rows.update(vma=rows.vma | table.vma) if hasattr(rows, "vma") else rows


def _jvp(primals: Any, tangents: Any, **how: Any) -> Any:
    (table, rows), (_, moved) = primals, tangents
    result = mask_rows(table, rows, **how)
    return result, ad.Zero.from_primal_value(result) if type(moved) is ad.Zero else mask_rows(table, moved, **how)


def _transpose(cotangent: Any, table: Any, rows: Any, **how: Any) -> Any:
    return None, ad.Zero(rows.aval) if type(cotangent) is ad.Zero else mask_rows(table, cotangent, **how)


def _batch(values: Any, dims: Any, **how: Any) -> Any:
    size = next(v.shape[d] for v, d in zip(values, dims, strict=True) if d is not None)
    table, rows = (
        jnp.broadcast_to(v, (size, *v.shape)) if d is None else jnp.moveaxis(v, d, 0)
        for v, d in zip(values, dims, strict=True)
    )
    both = mask_rows(table.reshape(-1, table.shape[-1]), rows.reshape(-1, rows.shape[-1]), **how)
    return both.reshape(rows.shape), 0


_operator.def_impl(jax.jit(_operator.bind, static_argnames=("bits", "aligned")))
_operator.def_abstract_eval(_result)
mlir.register_lowering(_operator, _elsewhere)
mlir.register_lowering(_operator, _on_cpu, platform="cpu")
ad.primitive_jvps[_operator] = _jvp
ad.primitive_transposes[_operator] = _transpose
batching.primitive_batchers[_operator] = _batch
