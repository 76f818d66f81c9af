"""Normal noise from the mask law's words, two numbers from two words (Box & Muller 1958), compiled by Numba.

Logarithm, sine and cosine are short polynomials in float32 (with the constants of Cephes, Moshier 1989) because the
mathematical library's own, called one number at a time, take ten times as long; the results are within 4 units in
the last place of the exact ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit

from sukima.masks.kernels import word_buffer
from sukima.masks.machine import at, bits_of, float_of
from sukima.masks.philox import fill
from sukima.masks.shares import ALONG, SIZE, TABLE, TILE, Y, field, my_part, next_chunk

__all__ = ["normal"]

_F = np.float32
_U = np.uint32
_TURN = _F(2 * np.pi)
_ROOT_HALF = _F(0.5**0.5)


@njit
def _uniform(word: Any) -> Any:
    """Between 0 and 1, both excluded: 23 bits and a half are what a float32 holds without rounding."""
    return (_F(np.int32(word >> 9)) + _F(0.5)) * _F(2.0**-23)


@njit
def _log(u: Any) -> Any:
    raw = bits_of(u)
    exponent = np.int32(_U(raw >> 23)) - np.int32(126)
    part = float_of(_U(_U(raw & 0x7FFFFF) | 0x3F000000))  # from 1/2 to 1
    small = part < _ROOT_HALF
    e = _F(exponent) - (_F(1) if small else _F(0))
    x = part + (part if small else _F(0)) - _F(1)
    z = x * x
    p = _F(7.0376836292e-2)
    p = p * x + _F(-1.1514610310e-1)
    p = p * x + _F(1.1676998740e-1)
    p = p * x + _F(-1.2420140846e-1)
    p = p * x + _F(1.4249322787e-1)
    p = p * x + _F(-1.6668057665e-1)
    p = p * x + _F(2.0000714765e-1)
    p = p * x + _F(-2.4999993993e-1)
    p = p * x + _F(3.3333331174e-1)
    y = p * x * z + e * _F(-2.12194440e-4) - _F(0.5) * z
    return x + y + e * _F(0.693359375)


@njit
def _cos_sin(angle: Any) -> Any:
    """Of an angle from 0 to a whole turn."""
    quarter = np.int32(angle * _F(2 / np.pi) + _F(0.5))
    k = _F(quarter)
    # A quarter of a turn in three parts, of which the products with the first two are exact.
    r = angle - k * _F(1.5703125) - k * _F(4.837512969970703125e-4) - k * _F(7.54978995489188216e-8)
    z = r * r
    s = ((_F(-1.9515295891e-4) * z + _F(8.3321608736e-3)) * z - _F(1.6666654611e-1)) * z * r + r
    c = (_F(2.443315711809948e-5) * z - _F(1.388731625493765e-3)) * z + _F(4.166664568298827e-2)
    c = c * z * z - _F(0.5) * z + _F(1)
    odd = (quarter & 1) != 0
    sine, cosine = (c, s) if odd else (s, c)
    return (
        -cosine if ((quarter + 1) & 2) != 0 else cosine,
        -sine if (quarter & 2) != 0 else sine,
    )


@njit
def _pairs(words: Any, out: Any, pairs: Any) -> None:
    for i in range(pairs):
        radius = np.sqrt(_F(-2) * _log(_uniform(words[2 * i])))
        cosine, sine = _cos_sin(_uniform(words[2 * i + 1]) * _TURN)
        out[2 * i] = cosine * radius
        out[2 * i + 1] = sine * radius


@njit
def normal(job: Any, like: Any, width: Any) -> None:
    """Noise for a job of one row: element ``i`` from the words of its pair, ``i`` and the number before or after."""
    size, along = field(job, SIZE), field(job, ALONG)
    entry = carray(at(field(job, TABLE), np.uint64(0)), 2)
    buffer, last = word_buffer(), np.empty(2, np.float32)
    words = buffer.view(np.uint32)
    part = my_part(job)
    while True:
        chunk, part = next_chunk(job, part)
        if chunk < 0:
            return
        for start in range(chunk * along, min(size, (chunk + 1) * along), TILE):
            fill(buffer, np.uint64(start // 4), TILE // 4, entry[0], entry[1])
            count = min(TILE, size - start)
            out = carray(at(field(job, Y) + start * width, like), count)
            _pairs(words, out, count // 2)
            if count % 2:
                _pairs(words[count - 1 :], last, 1)
                out[count - 1] = last[0]
