"""The mask law in Triton, for GPUs: masks on tensors, and fused forms in which the masked value never goes to memory.

Each program takes a stretch of blocks and decides eight elements by each. Launchers take tensors of torch, contiguous
and on one device, and a key as an int64 tensor (seed, stream) there, so that no value compiles anything anew. With
``TRITON_INTERPRET=1`` set before this module is imported they run on the CPU, slowly.
"""

from __future__ import annotations

import sys
from typing import Any

from sukima.base.errors import InputError
from sukima.masks.law import bits, scale, threshold

if "tensorflow" in sys.modules and "triton" not in sys.modules:
    raise InputError(
        "triton: expected it to be loaded before TensorFlow (both bring LLVM, and the process would end), got it "
        "after; write 'import triton' above the import of TensorFlow or Keras"
    )

import triton
import triton.language as tl

__all__ = ["ACTIVATIONS", "add", "apply", "bias_activation", "bias_activation_backward", "normalize"]

ACTIVATIONS = {"none": 0, "relu": 1, "gelu": 2, "silu": 3}
BLOCKS = 128  # Philox blocks a program


@triton.jit
def _words(number, key):  # type: ignore[no-untyped-def]
    """The four words of each block."""
    seed, stream = tl.load(key).to(tl.uint64), tl.load(key + 1).to(tl.uint64)
    number = number.to(tl.uint64)
    a = number.to(tl.uint32)
    b = (number >> 32).to(tl.uint32)
    c = tl.zeros_like(a) + stream.to(tl.uint32)
    d = tl.zeros_like(a) + (stream >> 32).to(tl.uint32)
    k, m = seed.to(tl.uint32), (seed >> 32).to(tl.uint32)
    for _ in tl.static_range(10):
        p_high, p_low = tl.umulhi(a, 0xD2511F53), a * 0xD2511F53
        q_high, q_low = tl.umulhi(c, 0xCD9E8D57), c * 0xCD9E8D57
        a, b, c, d = q_high ^ b ^ k, q_low, p_high ^ d ^ m, p_low
        k, m = k + 0x9E3779B9, m + 0xBB67AE85
    return a, b, c, d


@triton.jit
def _kept(number, key, dropped, WIDE: tl.constexpr, COUNT: tl.constexpr):  # type: ignore[no-untyped-def]
    """Which elements of the blocks are kept, in their order."""
    a, b, c, d = _words(number, key)
    words = tl.join(tl.join(a, c), tl.join(b, d))  # [block, second bit, first bit] of the word's number
    words = tl.reshape(words, (COUNT // (4 if WIDE else 8), 4))
    if WIDE:
        return tl.reshape(words, (COUNT,)) >= dropped.to(tl.uint32)
    halves = tl.join(words & 0xFFFF, words >> 16)
    return tl.reshape(halves, (COUNT,)) >= dropped.to(tl.uint32)


@triton.jit
def _activate(value, KIND: tl.constexpr):  # type: ignore[no-untyped-def]
    if KIND == 1:
        return tl.maximum(value, 0.0)
    if KIND == 2:
        return 0.5 * value * (1 + tl.erf(value * 0.7071067811865476))
    if KIND == 3:
        return value * tl.sigmoid(value)
    return value


@triton.jit
def _slope(value, KIND: tl.constexpr):  # type: ignore[no-untyped-def]
    if KIND == 1:
        return tl.where(value > 0, 1.0, 0.0)
    if KIND == 2:
        normal = 0.3989422804014327 * tl.exp(-0.5 * value * value)
        return 0.5 * (1 + tl.erf(value * 0.7071067811865476)) + value * normal
    if KIND == 3:
        s = tl.sigmoid(value)
        return s * (1 + value * (1 - s))
    return value * 0 + 1


@triton.jit(do_not_specialize=["first", "dropped", "factor", "none"])
def _put(  # type: ignore[no-untyped-def]
    x, bias, rest, grad, y, key, size, columns, first, dropped, factor, none,
    WIDE: tl.constexpr, KIND: tl.constexpr, BIAS: tl.constexpr, REST: tl.constexpr, BACKWARD: tl.constexpr,
    COUNT: tl.constexpr,
):  # fmt: skip
    """``rest + mask(activation(x + bias))``, or what the gradient of that becomes before the bias."""
    a_block: tl.constexpr = 4 if WIDE else 8
    program = tl.program_id(0).to(tl.int64)
    # Programs begin at a block of the mask, so that the first may have elements before the tensor's first.
    skipped = first % a_block
    place = program * COUNT + tl.arange(0, COUNT) - skipped
    number = first // a_block + program * (COUNT // a_block) + tl.arange(0, COUNT // a_block)
    inside = (place >= 0) & (place < size)
    kept = _kept(number, key, dropped, WIDE, COUNT) & (none == 0)
    value = tl.load(x + place, mask=inside, other=0.0).to(tl.float32)
    if BIAS:
        value += tl.load(bias + place % columns, mask=inside, other=0.0).to(tl.float32)
    if BACKWARD:
        value = tl.load(grad + place, mask=inside, other=0.0).to(tl.float32) * _slope(value, KIND)
    else:
        value = _activate(value, KIND)
    value = tl.where(kept, value * factor, 0.0)
    if REST:
        value += tl.load(rest + place, mask=inside, other=0.0).to(tl.float32)
    tl.store(y + place, value.to(y.dtype.element_ty), mask=inside)


@triton.jit(do_not_specialize=["dropped", "factor", "none"])
def _put_and_normalize(  # type: ignore[no-untyped-def]
    x, rest, weight, bias, summed, y, mean, spread, key, columns, dropped, factor, none, epsilon,
    WIDE: tl.constexpr, ALIGNED: tl.constexpr, COUNT: tl.constexpr,
):  # fmt: skip
    """A row of ``LayerNorm(rest + mask(x))``; keeps the sum, the mean and the inverse deviation for backward."""
    a_block: tl.constexpr = 4 if WIDE else 8
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, COUNT)
    inside, place = column < columns, row * columns + column
    if ALIGNED:
        kept = _kept(row * columns // a_block + tl.arange(0, COUNT // a_block), key, dropped, WIDE, COUNT)
    else:  # rows begin within a block: each element works out its own
        a, b, c, d = _words(place // a_block, key)
        which = place % a_block // (1 if WIDE else 2)
        word = tl.where(which == 0, a, tl.where(which == 1, b, tl.where(which == 2, c, d)))
        half = word if WIDE else tl.where(place % 2 == 0, word & 0xFFFF, word >> 16)
        kept = half >= dropped.to(tl.uint32)
    value = tl.load(x + place, mask=inside, other=0.0).to(tl.float32)
    value = tl.where(kept & (none == 0), value * factor, 0.0)
    value += tl.load(rest + place, mask=inside, other=0.0).to(tl.float32)
    tl.store(summed + place, value.to(summed.dtype.element_ty), mask=inside)
    center = tl.sum(tl.where(inside, value, 0.0)) / columns
    apart = tl.where(inside, value - center, 0.0)
    inverse = 1 / tl.sqrt(tl.sum(apart * apart) / columns + epsilon)
    tl.store(mean + row, center)
    tl.store(spread + row, inverse)
    scaled = apart * inverse * tl.load(weight + column, mask=inside, other=0.0).to(tl.float32)
    scaled += tl.load(bias + column, mask=inside, other=0.0).to(tl.float32)
    tl.store(y + place, scaled.to(y.dtype.element_ty), mask=inside)


def _constants(rate: float, factor: float | None) -> tuple[int, float, int, bool]:
    dropped, width = threshold(rate), bits(rate)
    none = dropped == 1 << width
    return (0 if none else dropped), scale(rate) if factor is None else factor, int(none), width == 32


def _launch(
    x: Any, bias: Any, rest: Any, grad: Any, y: Any, key: Any, rate: float, factor: float | None, kind: str, first: int
) -> None:
    dropped, times, none, wide = _constants(rate, factor)
    a_block = 4 if wide else 8
    count = BLOCKS * a_block
    programs = triton.cdiv(x.numel() + first % a_block, count)
    if x.numel():
        columns = 1 if bias is None else bias.numel()
        _put[(programs,)](
            x, x if bias is None else bias, x if rest is None else rest, x if grad is None else grad, y, key,
            x.numel(), columns, first, dropped, times, none,
            WIDE=wide, KIND=ACTIVATIONS[kind], BIAS=bias is not None, REST=rest is not None,
            BACKWARD=grad is not None, COUNT=count,
        )  # fmt: skip


def apply(x: Any, y: Any, key: Any, rate: float, factor: float | None = None, first: int = 0) -> None:
    """Put the mask on ``x``, into ``y``; its own derivative. Computed in float32."""
    _launch(x, None, None, None, y, key, rate, factor, "none", first)


def add(x: Any, rest: Any, y: Any, key: Any, rate: float) -> None:
    """``rest + mask(x)``, into ``y``."""
    _launch(x, None, rest, None, y, key, rate, None, "none", 0)


def bias_activation(x: Any, bias: Any, kind: str, y: Any, key: Any, rate: float) -> None:
    """``mask(activation(x + bias))``, into ``y``; ``bias`` is along the last dimension."""
    _launch(x, bias, None, None, y, key, rate, None, kind, 0)


def bias_activation_backward(x: Any, bias: Any, kind: str, grad: Any, y: Any, key: Any, rate: float) -> None:
    """The gradient of `bias_activation` with respect to ``x``, into ``y``."""
    _launch(x, bias, None, grad, y, key, rate, None, kind, 0)


def normalize(
    x: Any, rest: Any, weight: Any, bias: Any, summed: Any, y: Any, mean: Any, spread: Any, key: Any, rate: float,
    epsilon: float,
) -> None:  # fmt: skip
    """``LayerNorm(rest + mask(x))`` over the last dimension, into ``y``; the sum, mean and inverse deviation too."""
    dropped, times, none, wide = _constants(rate, None)
    columns = x.shape[-1]
    if x.numel():
        _put_and_normalize[(x.numel() // columns,)](
            x, rest, weight, bias, summed, y, mean, spread, key, columns, dropped, times, none, epsilon,
            WIDE=wide, ALIGNED=columns % 8 == 0, COUNT=max(8, triton.next_power_of_2(columns)),
        )  # fmt: skip
