"""Arithmetic for each type of number; bfloat16 and float16 are handled as their 16-bit patterns.

The pattern of a bfloat16 is told by its type, uint16, from that of a float16, int16. Both are widened to float32,
reckoned with there, and rounded to nearest even.

A *shift* is what kept elements have added, and what dropped ones become, that as a number in memory; or ``None``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

from sukima.masks.machine import bits_of, float_of

__all__ = ["emptied", "scaled", "shift_of"]

_U = np.uint32  # Numba widens every operation on it to 64 bits: said again wherever that would slow a loop


def scaled(value: Any, factor: Any, shift: Any) -> Any:
    """A number in memory times a float, shifted; for use in compiled functions."""
    raise NotImplementedError


def emptied(numbers: Any, shift: Any) -> Any:
    """What an element of an array becomes that is dropped; for use in compiled functions."""
    raise NotImplementedError


def shift_of(high: Any, low: Any, like: Any, moves: Any) -> Any:
    """The shift by two floats for numbers like ``like``, none if ``moves`` is; for use in compiled functions."""
    raise NotImplementedError


@njit
def _widened_bfloat16(value: Any) -> Any:
    return float_of(_U(_U(value) << 16))


@njit
def _narrowed_bfloat16(value: Any) -> Any:
    raw = bits_of(value)
    high = _U(raw >> 16)
    rounded = _U(_U(raw + 0x7FFF) + _U(high & 1)) >> 16
    return np.uint16(high | 0x40 if _U(raw & 0x7FFFFFFF) > _U(0x7F800000) else rounded)


@njit
def _widened_float16(value: Any) -> Any:
    size = _U(value & 0x7FFF)
    shifted = _U(size << 13)
    tiny = bits_of(np.float32(np.int32(size)) * np.float32(2.0**-24))
    normal = _U(shifted + 0x38000000) if size >= _U(0x0400) else tiny
    wide = _U(shifted | 0x7F800000) if size >= _U(0x7C00) else normal
    return float_of(_U(wide | _U(_U(value & 0x8000) << 16)))


@njit
def _narrowed_float16(value: Any) -> Any:
    raw = bits_of(value)
    return np.int16(_U(_U(raw >> 16) & 0x8000) | _narrow(_U(raw & 0x7FFFFFFF)))


@njit
def _narrow(size: Any) -> Any:
    """The float16 pattern of a positive float32's."""
    # Adding 0.5, whose last place is float16's smallest number, lets the adder round to subnormals.
    tiny = _U(bits_of(float_of(size) + np.float32(0.5)) - 0x3F000000)
    shifted = _U(size >> 13)
    normal = _U(_U(_U(size - 0x37FFF001) + _U(shifted & 1)) >> 13)
    large = _U(_U(shifted & 0x3FF) | 0x7E00) if size > _U(0x7F800000) else _U(0x7C00)
    rounded = tiny if size < _U(0x38800000) else normal
    return large if size >= _U(0x47800000) else rounded


@njit
def _moved(value: Any, factor: Any, shift: Any) -> Any:
    return value * factor + shift[0]


@njit
def _unmoved(value: Any, factor: Any, shift: Any) -> Any:
    return value * factor


@overload(scaled)
def _scaled(value: Any, factor: Any, shift: Any) -> Any:
    reckoned = _unmoved if isinstance(shift, types.NoneType) else _moved
    if isinstance(value, types.Float):

        def result(value: Any, factor: Any, shift: Any) -> Any:
            return reckoned(value, factor, shift)

    elif value == types.uint16:

        def result(value: Any, factor: Any, shift: Any) -> Any:
            return _narrowed_bfloat16(reckoned(_widened_bfloat16(value), factor, shift))

    else:

        def result(value: Any, factor: Any, shift: Any) -> Any:
            return _narrowed_float16(reckoned(_widened_float16(value), factor, shift))

    return result


@overload(emptied)
def _emptied(numbers: Any, shift: Any) -> Any:
    def zero(numbers: Any, shift: Any) -> Any:
        return numbers.dtype.type(0)

    def low(numbers: Any, shift: Any) -> Any:
        return shift[1]

    return zero if isinstance(shift, types.NoneType) else low


@overload(shift_of)
def _shift_of(high: Any, low: Any, like: Any, moves: Any) -> Any:
    def none(high: Any, low: Any, like: Any, moves: Any) -> Any:
        return None

    def pair(high: Any, low: Any, like: Any, moves: Any) -> Any:
        return high, scaled(like, high - high, (low, like))

    return none if isinstance(moves, types.NoneType) else pair
