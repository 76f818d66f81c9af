"""What decides a mask: a 64-bit seed and a 64-bit stream."""

from __future__ import annotations

import hashlib
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sukima.base.checks import shown
from sukima.base.errors import InputError

__all__ = ["FOLD_INT", "FOLD_STR", "Key", "MaskKey", "ShardedKey", "number_of", "philox4x32", "unchecked"]

_M32 = 0xFFFFFFFF
_M64 = 0xFFFFFFFFFFFFFFFF

# The second half of folding runs under these keys, one for each type of value, so that 7 and "7" never meet
# and a folded key is no window on the words of the mask it came from.
FOLD_INT = int.from_bytes(b"fold int", "little")
FOLD_STR = int.from_bytes(b"fold str", "little")


def philox4x32(counter: tuple[int, int, int, int], key: tuple[int, int], rounds: int = 10) -> tuple[int, int, int, int]:
    """Four 32-bit words of Philox4x32 (Salmon et al. 2011) for one counter, in plain integers."""
    a, b, c, d = counter
    k, m = key
    for _ in range(rounds):
        p, q = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (q >> 32) ^ b ^ k, q & _M32, (p >> 32) ^ d ^ m, p & _M32
        k, m = (k + 0x9E3779B9) & _M32, (m + 0xBB67AE85) & _M32
    return a, b, c, d


@lru_cache(4096)
def number_of(name: str) -> int:
    """The 64-bit number that stands for a string when it is folded into a key."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def _halves(value: int) -> tuple[int, int]:
    return value & _M32, value >> 32


def _is_word(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _M64


@dataclass(frozen=True, slots=True)
class MaskKey:
    """A key: the same key gives the same mask on every backend, thread count, layout, device and shard.

    Keys are values: equal numbers, equal masks. Derive new ones with `fold_in`, never by adding to the seed.

    Raises:
        InputError: a number is not an integer in [0, 2**64).

    >>> key = MaskKey(seed=42)
    >>> key.fold_in("encoder.0").fold_in(3) == MaskKey(42).fold_in("encoder.0").fold_in(3)
    True
    >>> key.fold_in(3) == key.fold_in("3")
    False
    """

    seed: int
    stream: int = 0

    def __post_init__(self) -> None:
        if _is_word(self.seed) and _is_word(self.stream):
            return  # the usual case, told without the cost of the checks
        object.__setattr__(self, "seed", _word("seed", self.seed))
        object.__setattr__(self, "stream", _word("stream", self.stream))

    def shard(self, shape: Sequence[int], local: Sequence[int], offset: Sequence[int]) -> ShardedKey:
        """The key for one block of a tensor: its mask is that part of the whole tensor's mask.

        Args:
            shape: of the whole tensor.
            local: shape of the block.
            offset: the index, in the whole, of the block's first element in each dimension.

        Raises:
            InputError: the block does not fit.
        """
        return ShardedKey(self, tuple(shape), tuple(local), tuple(offset))

    def fold_in(self, value: int | str) -> MaskKey:
        """The key that this key and ``value`` decide.

        Under one seed, different pairs of stream and integer always give different keys (both halves of folding are
        bijections); strings go through 64 bits of BLAKE2b first.

        Raises:
            InputError: ``value`` is neither a string nor an integer in [0, 2**64).
        """
        if isinstance(value, str):
            number, domain = number_of(value), FOLD_STR
        else:
            number, domain = _word("value", value, "an integer in [0, 2**64) or a string"), FOLD_INT
        inner = philox4x32((*_halves(number), *_halves(self.stream)), _halves(self.seed))
        a, b, c, d = philox4x32(inner, _halves(domain))
        return MaskKey(a | b << 32, c | d << 32)


def unchecked(seed: int, stream: int) -> MaskKey:
    """A `MaskKey` of numbers that are known to be integers in [0, 2**64), without the cost of looking."""
    key = object.__new__(MaskKey)
    object.__setattr__(key, "seed", seed)
    object.__setattr__(key, "stream", stream)
    return key


@dataclass(frozen=True, slots=True)
class ShardedKey:
    """A `MaskKey` for a block of a larger tensor; made by `MaskKey.shard`."""

    key: MaskKey
    shape: tuple[int, ...]
    local: tuple[int, ...]
    offset: tuple[int, ...]

    def __post_init__(self) -> None:
        every = (*self.shape, *self.local, *self.offset)
        counts = all(isinstance(n, numbers.Integral) and not isinstance(n, bool) and n >= 0 for n in every)
        if not (
            counts
            and len(self.shape) == len(self.local) == len(self.offset)
            and all(o + n <= whole for whole, n, o in zip(self.shape, self.local, self.offset, strict=True))
        ):
            raise InputError(
                "the shard {local} at {offset} must lie within {shape}",
                local=self.local,
                offset=self.offset,
                shape=self.shape,
            )

    def fold_in(self, value: int | str) -> ShardedKey:
        """As `MaskKey.fold_in`, of the same block."""
        return ShardedKey(self.key.fold_in(value), self.shape, self.local, self.offset)

    def runs(self) -> tuple[int, list[int]]:
        """The block as runs of consecutive indices: how long each is, and where each begins, in row-major order."""
        length, d = 1, len(self.shape)
        while d and self.local[d - 1] == self.shape[d - 1]:
            d -= 1
            length *= self.shape[d]
        stride, starts = length, [0]
        if d:
            d -= 1
            starts = [self.offset[d] * stride]
            length *= self.local[d]
            stride *= self.shape[d]
        while d:
            d -= 1
            starts = [(self.offset[d] + i) * stride + s for i in range(self.local[d]) for s in starts]
            stride *= self.shape[d]
        return length, starts


Key = MaskKey | ShardedKey


def _word(name: str, value: Any, expected: str = "an integer in [0, 2**64)") -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not 0 <= int(value) <= _M64:
        raise InputError("{name} must be {expected}, got {value}", name=name, expected=expected, value=shown(value))
    return int(value)
