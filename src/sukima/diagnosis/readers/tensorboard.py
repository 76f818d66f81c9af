"""TensorBoard event files: scalars, read without TensorBoard.

An event file is a row of records: length (8 bytes), checksum of it (4), a protocol-buffer message, checksum (4). Only
the few fields of the message that hold scalars are looked at; histograms, images and graphs are stepped over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sukima.base.errors import InputError
from sukima.base.messages import Message, say
from sukima.diagnosis.readers.rows import MOST_CELLS, MOST_COLUMNS, Column
from sukima.diagnosis.readers.table import Series, Table
from sukima.diagnosis.readers.text import check_regular, clean_name

__all__ = ["gather", "read", "recognises", "series_of"]

LONGEST_RECORD = 64 * 2**20
"""Longer records are images or graphs, or a broken length: such a claim is never believed."""
LONGEST_SCALAR = 64 * 2**10
_HEAD = struct.Struct("<QI")
_FLOAT = struct.Struct("<f")
_DOUBLE = struct.Struct("<d")


def recognises(head: bytes) -> bool:
    """Whether the first record is an event that names the file version."""
    return len(head) >= 24 and b"brain.Event:" in head[12:64] and _HEAD.unpack_from(head)[0] < 4096


def read(path: Path) -> list[Table]:
    """The scalars of one event file, as one run."""
    notes: list[Message] = []
    columns: dict[str, Column] = {}
    gather(path, columns, notes)
    if not columns:
        raise InputError("{path}: no scalars found in this event file", path=clean_name(path, 200))
    return [Table(series_of(columns), str(path), "TensorBoard", notes)]


def series_of(columns: dict[str, Column]) -> dict[str, Series]:
    """Series by tag over steps; of a step that was written twice (a resumed run) the last stays."""
    result = {}
    for tag, column in columns.items():
        steps, values = column.found
        order = np.argsort(steps, kind="stable")
        steps, values = steps[order], values[order]
        last = np.append(np.diff(steps) > 0, True)
        result[tag] = Series(steps[last].astype(np.float64), values[last])
    return result


def gather(path: Path, columns: dict[str, Column], notes: list[Message], prefix: str = "") -> None:
    """Add the scalars of one event file to ``columns``; a broken end is left out and noted."""
    check_regular(path)
    cells = 0
    with path.open("rb") as file:
        for record in _records(file, notes):
            try:
                for tag, step, value in _scalars(record):
                    name = clean_name(prefix + tag.decode("utf-8", "replace"), 200)
                    column = columns.get(name)
                    if column is None:
                        if len(columns) >= MOST_COLUMNS:
                            continue
                        column = columns[name] = Column()
                    column.add(step, value)
                    cells += 1
            except (IndexError, struct.error, OverflowError):
                notes.append(say("a broken event is left out"))
                return
            if cells >= MOST_CELLS:
                notes.append(say("only the first {count} scalars are read", count=cells))
                return


def _records(file: BinaryIO, notes: list[Message]) -> Iterator[bytes]:
    while head := file.read(12):
        length = _HEAD.unpack(head)[0] if len(head) == 12 else LONGEST_RECORD + 1
        if length > LONGEST_RECORD:
            notes.append(say("the event file breaks off or is damaged; what follows is left out"))
            return
        if length > LONGEST_SCALAR:
            file.seek(length + 4, 1)
            continue
        record = file.read(length + 4)
        if len(record) < length + 4:
            notes.append(say("the event file breaks off or is damaged; what follows is left out"))
            return
        yield record[:length]


def _varint(data: bytes, at: int) -> tuple[int, int]:
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


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and content of each field of a message."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise IndexError
        if at + size > end:
            raise IndexError
        yield key >> 3, data[at : at + size]
        at += size


def _scalars(event: bytes) -> Iterator[tuple[bytes, int, float]]:
    """Tag, step and value of every scalar in an event (fields: 2 step, 5 summary)."""
    step = 0
    for number, content in _fields(event):
        if number == 2 and isinstance(content, int):
            step = content if content < 2**63 else content - 2**64
        elif number == 5 and isinstance(content, bytes):
            for inner, value in _fields(content):
                if inner == 1 and isinstance(value, bytes) and (found := _value(value)):
                    yield found[0], step, found[1]


def _value(data: bytes) -> tuple[bytes, float] | None:
    """Tag and value of one summary (fields: 1 tag, 2 simple value, 8 tensor); ``None`` where it is no scalar."""
    tag, value = b"", None
    for number, content in _fields(data):
        if not isinstance(content, bytes):
            continue
        if number == 1:
            tag = content
        elif number == 2:
            value = _FLOAT.unpack(content)[0]
        elif number == 8:
            value = _tensor(content)
    return None if value is None else (tag, value)


def _tensor(data: bytes) -> float | None:
    """The number in a tensor of one element, float or double (fields: 1 type, 4 raw bytes, 5 floats, 6 doubles)."""
    kind = 0
    for number, content in _fields(data):
        if number == 1 and isinstance(content, int):
            kind = content
        elif number in (4, 5, 6) and isinstance(content, bytes):
            if kind == 1 and len(content) == 4:
                return float(_FLOAT.unpack(content)[0])
            if kind == 2 and len(content) == 8:
                return float(_DOUBLE.unpack(content)[0])
    return None
