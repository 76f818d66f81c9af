"""Words and data in one stretch of vector instructions, for data that lies in the order of its mask.

The words never go to memory, and while some wait for data others are computed: a third faster than tile by tile.
"""

from __future__ import annotations

import platform
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from sukima.masks.philox import LANES, block_words

__all__ = ["GROUP", "SPAN", "decide_group", "fuses", "put_decided", "put_group", "put_kept"]

GROUP = 8 * LANES  # elements decided by the words that are computed together

SPAN = 32  # elements that are put together where their decisions have been written down

# Without instructions for float16, LLVM would call functions that need not be there.
HAS_HALF = bool(llvm.get_host_cpu_features().get("f16c")) or platform.machine().lower() in ("arm64", "aarch64")

_I16, _I32 = ir.IntType(16), ir.IntType(32)


def _splat(builder: Any, value: Any, count: int) -> Any:
    vector = ir.VectorType(value.type, count)
    empty = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(first, empty, ir.Constant(ir.VectorType(_I32, count), [0] * count))


def _parts(builder: Any, shift: Any, value: Any) -> tuple[Any, Any]:
    """The two numbers of a shift, as in `sukima.masks.numeric`; ``None`` where there is none."""
    if isinstance(shift, types.NoneType):
        return None, None
    return builder.extract_value(value, 0), builder.extract_value(value, 1)


def _reckoned(builder: Any, floats: Any, factor: Any, high: Any) -> Any:
    """Floats times the factor, and the shift added."""
    product = builder.fmul(floats, _splat(builder, factor, floats.type.count))
    return builder.fadd(product, _splat(builder, high, floats.type.count)) if high else product


def _scaled_bfloat16(builder: Any, patterns: Any, factor: Any, high: Any) -> Any:
    """Two numbers at a time, in the halves of a 32-bit word: they need not be spread out and packed again.

    A NaN needs no care: it has no bits below the half that is kept, so that rounding cannot carry into it.
    """
    pairs = patterns.type.count // 2
    words, floats = ir.VectorType(_I32, pairs), ir.VectorType(ir.FloatType(), pairs)

    def every(value: int) -> Any:
        return ir.Constant(words, [value] * pairs)

    def rounded(wide: Any) -> Any:
        raw = builder.bitcast(_reckoned(builder, builder.bitcast(wide, floats), factor, high), words)
        odd = builder.icmp_unsigned("!=", builder.and_(raw, every(0x10000)), every(0))
        return builder.add(raw, builder.select(odd, every(0x8000), every(0x7FFF)))

    both = builder.bitcast(patterns, words)
    low = builder.lshr(rounded(builder.shl(both, every(16))), every(16))
    high = builder.and_(rounded(builder.and_(both, every(0xFFFF0000))), every(0xFFFF0000))
    return builder.bitcast(builder.or_(low, high), patterns.type)


def _scaled_float16(builder: Any, patterns: Any, factor: Any, high: Any) -> Any:
    count = patterns.type.count
    half, single = ir.VectorType(ir.HalfType(), count), ir.VectorType(ir.FloatType(), count)
    wide = builder.fpext(builder.bitcast(patterns, half), single)
    return builder.bitcast(builder.fptrunc(_reckoned(builder, wide, factor, high), half), patterns.type)


def _put(context: Any, builder: Any, like: Any, count: int, x: Any, y: Any, kept: Any, factor: Any, shift: Any) -> None:
    """``count`` elements from the address ``x`` to ``y``, all loaded before any is stored; a shift is a pair.

    Where nothing is dropped, ``kept`` is ``None``.
    """
    high, low = shift
    element = context.get_value_type(like)
    vector = ir.VectorType(element, count)
    align = context.get_abi_sizeof(element)
    data = builder.load(builder.inttoptr(x, vector.as_pointer()), align=align)
    if like == types.uint16:
        value = _scaled_bfloat16(builder, data, factor, high)
    elif like == types.int16:
        value = _scaled_float16(builder, data, factor, high)
    else:
        value = _reckoned(builder, data, factor, high)
    if kept:
        empty = _splat(builder, low, count) if low else ir.Constant(vector, [0] * count)
        value = builder.select(kept, value, empty)
    builder.store(value, builder.inttoptr(y, vector.as_pointer()), align=align)


def _kept(builder: Any, number: Any, seed: Any, stream: Any, dropped: Any) -> Any:
    halves = builder.bitcast(block_words(builder, number, seed, stream), ir.VectorType(_I16, GROUP))
    return builder.icmp_unsigned(">=", halves, _splat(builder, dropped, GROUP))


def fuses(like: Any) -> bool:
    """Whether `put_group` and `put_decided` may be used for this type of number; for use in compiled functions."""
    raise NotImplementedError


@overload(fuses)
def _fuses(like: Any) -> Any:
    usable = HAS_HALF or like != types.int16

    def answer(like: Any) -> Any:
        return usable

    return answer


@intrinsic
def put_group(
    _context: Any, x: Any, y: Any, like: Any, number: Any, seed: Any, stream: Any, dropped: Any, factor: Any,
    shift: Any,
) -> Any:  # fmt: skip
    """Put the mask on ``GROUP`` elements at the address ``x`` into ``y``, by 16 bits each from block ``number`` on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, y, _, number, seed, stream, dropped, factor, move = args
        kept = _kept(builder, number, seed, stream, dropped)
        _put(context, builder, like, GROUP, x, y, kept, factor, _parts(builder, shift, move))
        return context.get_dummy_value()

    words = (types.uint64, types.uint64, types.uint64, types.uint16)
    return types.void(types.int64, types.int64, like, *words, factor, shift), generate


@intrinsic
def decide_group(_context: Any, out: Any, number: Any, seed: Any, stream: Any, dropped: Any) -> Any:
    """Write one byte for each of ``GROUP`` elements to the address ``out``: whether it is kept."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, number, seed, stream, dropped = args
        kept = builder.zext(_kept(builder, number, seed, stream, dropped), ir.VectorType(ir.IntType(8), GROUP))
        builder.store(kept, builder.inttoptr(out, kept.type.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64, types.uint64, types.uint64, types.uint16), generate


@intrinsic
def put_decided(_context: Any, x: Any, y: Any, like: Any, decided: Any, factor: Any, shift: Any) -> Any:
    """Put decisions, bytes at the address ``decided``, on ``SPAN`` elements at ``x``, into ``y``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, y, _, decided, factor, move = args
        octets = ir.VectorType(ir.IntType(8), SPAN)
        read = builder.load(builder.inttoptr(decided, octets.as_pointer()), align=1)
        kept = builder.icmp_unsigned("!=", read, ir.Constant(octets, [0] * SPAN))
        _put(context, builder, like, SPAN, x, y, kept, factor, _parts(builder, shift, move))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, like, types.int64, factor, shift), generate


@intrinsic
def put_kept(_context: Any, x: Any, y: Any, like: Any, factor: Any, shift: Any) -> Any:
    """`put_decided` where all elements are kept."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, y, _, factor, move = args
        _put(context, builder, like, SPAN, x, y, None, factor, _parts(builder, shift, move))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, like, factor, shift), generate
