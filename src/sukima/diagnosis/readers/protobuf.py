"""The fields of a protocol-buffer message, without knowing its definition."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["fields", "varint"]


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at ``at`` and where the next thing begins.

    Raises ``IndexError`` where the data break off, ``OverflowError`` where the number has more than 64 bits.
    """
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise OverflowError


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and content of each field; raises ``IndexError`` or ``OverflowError`` where this is no message."""
    at, end = 0, len(data)
    while at < end:
        key, at = varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = varint(data, at)
            yield key >> 3, value
            continue
        if wire == 2:
            size, at = varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise IndexError
        if at + size > end:
            raise IndexError
        yield key >> 3, data[at : at + size]
        at += size
