"""Philox4x32-10 as explicit vector instructions.

Written as vectors because LLVM's loop vectorizer gets only part of what the processor gives: it works on one group of
counters at a time, and waits for each multiplication. Two groups at once, and a last step of shuffles instead of
shifts, take a fifth off the time.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from sukima.masks.machine import address_of

__all__ = ["LANES", "block_words", "fill", "folded"]

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_LOW = 0xFFFFFFFF

# Blocks computed together: two vector registers a variable, which hides the latency of the multiplications.
LANES = 16 if llvm.get_host_cpu_features().get("avx512f") else 8


def _splat(builder: Any, value: Any) -> Any:
    vector = ir.VectorType(_I64, LANES)
    empty = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(first, empty, ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES))


def _every(value: int) -> Any:
    return ir.Constant(ir.VectorType(_I64, LANES), [value] * LANES)


def _rounds(builder: Any, number: Any, seed: Any, stream: Any) -> list[Any]:
    """The four words of each block as 64-bit lanes, of which only the low halves count.

    Multiplications ignore the high halves, so that nothing has to be cleaned between rounds.
    """
    low, half = ir.Constant(_I64, _LOW), ir.Constant(_I64, 32)
    key = [builder.and_(seed, low), builder.lshr(seed, half)]
    a = builder.add(_splat(builder, builder.and_(number, low)), ir.Constant(_every(0).type, list(range(LANES))))
    b, c, d = (
        _splat(builder, v) for v in (builder.lshr(number, half), builder.and_(stream, low), builder.lshr(stream, half))
    )
    for _ in range(10):
        p = builder.mul(builder.and_(a, _every(_LOW)), _every(0xD2511F53))
        q = builder.mul(builder.and_(c, _every(_LOW)), _every(0xCD9E8D57))
        k, m = (_splat(builder, word) for word in key)
        a, b, c, d = (
            builder.xor(builder.lshr(q, _every(32)), builder.xor(b, k)),
            q,
            builder.xor(builder.lshr(p, _every(32)), builder.xor(d, m)),
            p,
        )
        key = [
            builder.and_(builder.add(word, ir.Constant(_I64, bump)), low)
            for word, bump in zip(key, (0x9E3779B9, 0xBB67AE85), strict=True)
        ]
    return [a, b, c, d]


def _shuffle(builder: Any, left: Any, right: Any, kind: Any, order: list[int]) -> Any:
    mask = ir.Constant(ir.VectorType(_I32, len(order)), order)
    return builder.shuffle_vector(builder.bitcast(left, kind), builder.bitcast(right, kind), mask)


def block_words(builder: Any, number: Any, seed: Any, stream: Any) -> Any:
    """The words of ``LANES`` blocks from ``number`` on, a multiple of ``LANES``, as one vector in their order."""
    words = _rounds(builder, number, seed, stream)
    halves, lanes = ir.VectorType(_I32, 2 * LANES), ir.VectorType(_I64, LANES)
    low = [w for i in range(LANES) for w in (2 * i, 2 * LANES + 2 * i)]
    low_pair = _shuffle(builder, words[0], words[1], halves, low)
    high_pair = _shuffle(builder, words[2], words[3], halves, low)
    return _shuffle(builder, low_pair, high_pair, lanes, [w for i in range(LANES) for w in (i, LANES + i)])


@intrinsic
def _blocks(_context: Any, out: Any, number: Any, seed: Any, stream: Any) -> Any:
    """Write the words of ``LANES`` blocks to the address ``out``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        words = block_words(builder, *args[1:])
        builder.store(words, builder.inttoptr(args[0], words.type.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64, types.uint64, types.uint64), generate


@njit
def fill(buffer: Any, first: Any, blocks: Any, seed: Any, stream: Any) -> None:
    """The words of ``blocks`` blocks from ``first`` on; both must be multiples of ``LANES``.

    A group of lanes then never crosses a multiple of 2**32, where the counter would carry.
    """
    target = address_of(buffer)
    for i in range(0, blocks, LANES):
        _blocks(target + 16 * i, first + i, seed, stream)


@njit
def _one_block(number: Any, seed: Any, stream: Any) -> Any:
    """The four words of one block, as two 64-bit numbers."""
    low, a, b = np.uint64(_LOW), number & np.uint64(_LOW), number >> np.uint64(32)
    c, d, k, m = stream & low, stream >> np.uint64(32), seed & low, seed >> np.uint64(32)
    for _ in range(10):
        p, q = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b, c, d = (q >> np.uint64(32)) ^ b ^ k, q & low, (p >> np.uint64(32)) ^ d ^ m, p & low
        k, m = (k + np.uint64(0x9E3779B9)) & low, (m + np.uint64(0xBB67AE85)) & low
    return a | b << np.uint64(32), c | d << np.uint64(32)


@njit
def folded(seed: Any, stream: Any, number: Any, domain: Any) -> Any:
    """Seed and stream of the key that `sukima.masks.key.MaskKey.fold_in` derives."""
    inner, outer = _one_block(number, seed, stream)
    return _one_block(inner, domain, outer)
