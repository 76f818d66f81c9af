"""The mask law compiled by Numba, for the CPU: the same names as `sukima.masks.law`, and kernels that apply masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from sukima.masks import law
from sukima.masks.key import MaskKey
from sukima.masks.law import bits, scale, threshold

__all__ = ["apply", "bits", "keep", "scale", "threshold", "words"]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_TILE = 1024


@njit(inline="always")
def _round(a: Any, b: Any, c: Any, d: Any, k: Any, m: Any) -> Any:
    p = (a & _LOW) * np.uint64(0xD2511F53)
    q = (c & _LOW) * np.uint64(0xCD9E8D57)
    return (q >> _HALF) ^ b ^ k, q, (p >> _HALF) ^ d ^ m, p


@njit(nogil=True, cache=True)
def _fill(out: Any, first: Any, seed: Any, stream: Any) -> None:
    for i in range(out.size // 2):
        number = first + np.uint64(i)
        a, b, c, d = number & _LOW, number >> _HALF, stream & _LOW, stream >> _HALF
        k, m = seed & _LOW, seed >> _HALF
        for _ in range(10):
            a, b, c, d = _round(a, b, c, d, k, m)
            k, m = (k + np.uint64(0x9E3779B9)) & _LOW, (m + np.uint64(0xBB67AE85)) & _LOW
        out[2 * i] = (a & _LOW) | (b << _HALF)
        out[2 * i + 1] = (c & _LOW) | (d << _HALF)


@njit(nogil=True, cache=True)
def _apply(x: Any, y: Any, seed: Any, stream: Any, dropped: Any, factor: Any, wide: Any) -> None:
    buffer = np.empty(_TILE // 2, np.uint64)
    zero = y.dtype.type(0)
    for start in range(0, x.size, _TILE):
        count = min(_TILE, x.size - start)
        if wide:
            _fill(buffer, np.uint64(start // 4), seed, stream)
            full = buffer.view(np.uint32)
            for i in range(count):
                y[start + i] = x[start + i] * factor if full[i] >= dropped else zero
        else:
            _fill(buffer[: _TILE // 4], np.uint64(start // 8), seed, stream)
            half = buffer.view(np.uint16)
            for i in range(count):
                y[start + i] = x[start + i] * factor if half[i] >= dropped else zero


def words(key: MaskKey, blocks: int, first: int = 0) -> law.Words:
    """As `sukima.masks.law.words`."""
    out = np.empty(2 * blocks, np.uint64)
    _fill(out, np.uint64(first), np.uint64(key.seed), np.uint64(key.stream))
    return out.view(np.uint32).reshape(blocks, 4)


def keep(key: MaskKey, rate: float, size: int, offset: int = 0) -> npt.NDArray[np.bool_]:
    """As `sukima.masks.law.keep`."""
    dropped, width = threshold(rate), bits(rate)
    a_block = 128 // width
    first = offset // a_block
    blocks = (offset + size + a_block - 1) // a_block - first if size else 0
    flat: Any = words(key, blocks, first).view(f"u{width // 8}").ravel()
    start = offset - first * a_block
    return np.asarray(flat[start : start + size] >= dropped)


def apply(x: npt.NDArray[Any], y: npt.NDArray[Any], key: MaskKey, rate: float, factor: float | None = None) -> None:
    """Write ``x`` under the mask into ``y``: kept elements times ``factor`` (default: `scale`), the others +0."""
    factor = scale(rate) if factor is None else factor
    seed, stream = np.uint64(key.seed), np.uint64(key.stream)
    _apply(x, y, seed, stream, np.uint64(threshold(rate)), x.dtype.type(factor), bits(rate) == 32)
