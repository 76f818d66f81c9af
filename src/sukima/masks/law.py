"""The mask law in plain NumPy: what every other implementation matches bit for bit.

Element ``i`` of a mask (row-major index in the whole logical tensor) is decided by its own bits of the key's word
stream: 16 bits, or 32 where the rate is below 1/256. It is kept if these bits, as a number, reach the threshold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sukima.base.checks import check_count, check_instance, check_rate
from sukima.masks.key import MaskKey

__all__ = ["bits", "keep", "philox4x32", "scale", "threshold", "words"]

Words = npt.NDArray[np.uint32]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def philox4x32(counter: npt.ArrayLike, key: npt.ArrayLike, rounds: int = 10) -> Words:
    """Philox4x32 (Salmon et al. 2011): counters ``(..., 4)`` and keys ``(..., 2)`` to words ``(..., 4)``."""
    a, b, c, d = np.moveaxis(np.asarray(counter, np.uint64), -1, 0)
    k, m = np.moveaxis(np.asarray(key, np.uint64), -1, 0)
    for _ in range(rounds):
        p, q = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b, c, d = (q >> _HALF) ^ b ^ k, q & _LOW, (p >> _HALF) ^ d ^ m, p & _LOW
        k, m = (k + np.uint64(0x9E3779B9)) & _LOW, (m + np.uint64(0xBB67AE85)) & _LOW
    return np.stack(np.broadcast_arrays(a, b, c, d), axis=-1).astype(np.uint32)


def words(key: MaskKey, blocks: int, first: int = 0) -> Words:
    """``blocks`` rows of four 32-bit words, from block number ``first`` on (block numbers wrap at 2**64)."""
    check_instance("key", key, MaskKey)
    number = np.uint64(first) + np.arange(blocks, dtype=np.uint64)
    stream = np.full_like(number, key.stream)
    counter = np.stack([number & _LOW, number >> _HALF, stream & _LOW, stream >> _HALF], axis=-1)
    return philox4x32(counter, [key.seed & 0xFFFFFFFF, key.seed >> 32])


def bits(rate: float) -> int:
    """How many bits decide an element: 32 for rates in (0, 1/256), where 16 would round too coarsely, else 16."""
    return 32 if 0 < rate < 1 / 256 else 16


def threshold(rate: float) -> int:
    """The number of values of an element's bits that drop it: ``rate * 2**bits`` rounded half to even."""
    return round(check_rate("rate", rate) * 2.0 ** bits(rate))


def scale(rate: float) -> float:
    """What kept elements are multiplied by: exactly the inverse of the share that is kept; 0 where none is."""
    whole, dropped = 2 ** bits(rate), threshold(rate)
    return whole / (whole - dropped) if dropped < whole else 0.0


def keep(key: MaskKey, rate: float, size: int, offset: int = 0) -> npt.NDArray[np.bool_]:
    """Which of the elements ``offset`` … ``offset + size - 1`` are kept.

    >>> keep(MaskKey(0), 0.5, 8).tolist()
    [True, False, False, True, True, True, True, True]
    """
    check_count("size", size, minimum=0)
    check_count("offset", offset, minimum=0)
    dropped, width = threshold(rate), bits(rate)
    a_block = 128 // width
    first = offset // a_block
    blocks = (offset + size + a_block - 1) // a_block - first if size else 0
    flat: Any = words(key, blocks, first).astype("<u4").view(f"<u{width // 8}").ravel()
    start = offset - first * a_block
    return np.asarray(flat[start : start + size] >= dropped)
