"""The mask law in integer array operations, for any device or compiler that has 32-bit integers and nothing else.

Works on int32 arrays of NumPy, PyTorch, JAX and whatever shares their operators: no 64-bit integers, no unsigned
ones, no high half of a product. That makes it slow beside `sukima.masks.cpu` and `sukima.masks.gpu`.
"""

from __future__ import annotations

from typing import Any

from sukima.masks.key import MaskKey
from sukima.masks.law import bits, threshold

__all__ = ["ROUNDS", "keep", "keep_words", "key_words", "next_key", "philox4x32", "philox_round", "signed"]

ROUNDS = 10
"""Of Philox."""


def signed(word: int) -> int:
    """The int32 with the pattern of a 32-bit word."""
    word &= 0xFFFFFFFF
    return word - (1 << 32) if word >> 31 else word


def _shift(value: Any, count: int) -> Any:
    """Logical shift to the right; the operator's own repeats the sign."""
    return (value >> count) & ((1 << (32 - count)) - 1)


def _product(value: Any, factor: int) -> tuple[Any, Any]:
    """High and low half of an unsigned product, by way of 16-bit limbs."""
    low, high = factor & 0xFFFF, factor >> 16
    v_low, v_high = value & 0xFFFF, _shift(value, 16)
    # Products of limbs fill 32 bits: each is cut again before they are added, so that no carry is lost.
    bottom, cross, other = v_low * low, v_high * low, v_low * high
    middle = _shift(bottom, 16) + (cross & 0xFFFF) + (other & 0xFFFF)
    top = v_high * high + _shift(cross, 16) + _shift(other, 16) + _shift(middle, 16)
    return top, value * signed(factor)


def philox4x32(counter: tuple[Any, Any, Any, Any], key: tuple[Any, Any]) -> tuple[Any, Any, Any, Any]:
    """Four words of Philox4x32-10 as int32 arrays; counter and key are int32 arrays or signed integers."""
    for _ in range(ROUNDS):
        counter, key = philox_round(counter, key), next_key(key)
    return counter


def philox_round(counter: tuple[Any, Any, Any, Any], key: tuple[Any, Any]) -> tuple[Any, Any, Any, Any]:
    """One round of it."""
    a, b, c, d = counter
    (p_high, p_low), (q_high, q_low) = _product(a, 0xD2511F53), _product(c, 0xCD9E8D57)
    return q_high ^ b ^ key[0], q_low, p_high ^ d ^ key[1], p_low


def next_key(key: tuple[Any, Any]) -> tuple[Any, Any]:
    """The key of the next round; an integer stays one, and in range."""
    return _sum(key[0], 0x9E3779B9), _sum(key[1], 0xBB67AE85)


def _sum(word: Any, bump: int) -> Any:
    total = word + signed(bump)
    return signed(total) if isinstance(word, int) else total


def key_words(key: MaskKey) -> tuple[int, int, int, int]:
    """Seed and stream as four signed 32-bit integers, low halves first."""
    return (signed(key.seed), signed(key.seed >> 32), signed(key.stream), signed(key.stream >> 32))


def keep(key: MaskKey, rate: float, size: int, offset: int = 0, *, xp: Any, arange: Any) -> Any:
    """As `sukima.masks.law.keep`, as a boolean array of the library ``xp``.

    Args:
        key: decides the mask.
        rate: the probability of dropping, in [0, 1].
        size: how many elements.
        offset: the index of the first.
        xp: the array library: needs ``stack`` and ``where``.
        arange: makes the int32 array 0 … n - 1 on the device wanted.
    """
    return keep_words(key_words(key), threshold(rate), bits(rate), size, offset, xp=xp, arange=arange)


def keep_words(
    key: tuple[Any, Any, Any, Any], dropped: Any, width: int, size: int, offset: int = 0, *, xp: Any, arange: Any
) -> Any:
    """As `keep`, for a key as four int32 words and a threshold, each of which may be an array."""
    a_block = 128 // width
    first = offset // a_block
    number = arange(max(1, -(-(offset + size) // a_block) - first))
    low = number + signed(first)
    least = -(1 << 31)
    carry = (low ^ least) < signed(first ^ (1 << 31))
    high = xp.where(carry, number * 0 + signed((first >> 32) + 1), number * 0 + signed(first >> 32))
    seed, stream = key[:2], key[2:]
    words = xp.stack(philox4x32((low, high, number * 0 + stream[0], number * 0 + stream[1]), seed), -1)
    begin = offset - first * a_block
    if width == 32:
        flat = words.reshape(-1)[begin : begin + size]
        return (flat ^ least) >= (dropped ^ least if not isinstance(dropped, int) else signed(dropped ^ (1 << 31)))
    flat = xp.stack((words & 0xFFFF, _shift(words, 16)), -1).reshape(-1)
    return flat[begin : begin + size] >= dropped
