"""TensorBoard event files: scalars, read without TensorBoard.

An event file is a row of records: length (8 bytes), checksum of it (4), a protocol-buffer message, checksum (4). Only
the few fields of the message that hold scalars are looked at; histograms, images and graphs are stepped over.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sukima.base.errors import InputError
from sukima.base.messages import Message, say
from sukima.diagnosis.readers.protobuf import fields, varint
from sukima.diagnosis.readers.rows import MOST_CELLS, MOST_COLUMNS, Column, has_room
from sukima.diagnosis.readers.table import Series, Table
from sukima.diagnosis.readers.text import check_regular, clean_name

__all__ = ["gather", "read", "recognises", "series_of"]

LONGEST_RECORD = 64 * 2**20
"""Longer records are images or graphs, or a broken length: such a claim is never believed."""
LONGEST_SCALAR = 64 * 2**10
BLOCK = 2**20
_HEAD = struct.Struct("<QI")
_FLOAT = struct.Struct("<f")
_DOUBLE = struct.Struct("<d")
_PLAIN = re.compile(
    rb"\x09.{8}\x10([\x80-\xff]{0,4}[\x00-\x7f])\x2a([\x00-\x7f])\x0a([\x00-\x7f])\x0a([\x00-\x7f])(.+)\x15(.{4})",
    re.DOTALL,
)
"""By far the most frequent event, read at once: time, step, and a summary of one tag with one float."""


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
    """Series by tag over steps; of a step that was written twice (a resumed run) the last stays.

    Where every value has the same step, nobody gave one, and they stand in the order of their logging.
    """
    result = {}
    for tag, column in columns.items():
        steps, values = column.found
        if len(steps) and (steps == steps[0]).all():
            steps = np.arange(len(steps))
        order = np.argsort(steps, kind="stable")
        steps, values = steps[order], values[order]
        last = np.append(np.diff(steps) > 0, True)
        result[tag] = Series(steps[last].astype(np.float64), values[last])
    return result


def gather(path: Path, columns: dict[str, Column], notes: list[Message], prefix: str = "") -> None:
    """Add the scalars of one event file to ``columns``; a broken end is left out and noted."""
    check_regular(path)
    cells = 0
    known: dict[bytes, Column | None] = {}
    with path.open("rb") as file:
        for record in _records(file, notes):
            try:
                for tag, step, value in _scalars(record):
                    if tag not in known:
                        known[tag] = _column(columns, prefix, tag)
                    if (column := known[tag]) is not None:
                        column.add(step, value)
                        cells += 1
            except (IndexError, struct.error, OverflowError):
                notes.append(say("a broken event is left out"))
                return
            if cells >= MOST_CELLS or len(known) > 10 * MOST_COLUMNS:
                notes.append(say("only the first {count} scalars are read", count=cells))
                return


def _column(columns: dict[str, Column], prefix: str, tag: bytes) -> Column | None:
    """The column of a tag, made if needed; ``None`` where there are too many."""
    name = clean_name(prefix + tag.decode("utf-8", "replace"), 200)
    return columns.setdefault(name, Column()) if has_room(columns, name) else None


def _records(file: BinaryIO, notes: list[Message]) -> Iterator[bytes]:
    """The messages, read in blocks; long ones are stepped over."""
    block, at = b"", 0
    while True:
        if len(block) - at < LONGEST_SCALAR + 16:
            block, at = block[at:] + file.read(BLOCK), 0
            if not block:
                return
        length = _HEAD.unpack_from(block, at)[0] if len(block) - at >= 12 else LONGEST_RECORD + 1
        end = at + 12 + length
        if length <= LONGEST_SCALAR and end + 4 <= len(block):
            yield block[at + 12 : end]
            at = end + 4
        elif LONGEST_SCALAR < length <= LONGEST_RECORD:
            file.seek(end + 4 - len(block), 1)
            block, at = b"", 0
        else:
            notes.append(say("the event file breaks off or is damaged; what follows is left out"))
            return


def _scalars(event: bytes) -> Iterable[tuple[bytes, int, float]]:
    """Tag, step and value of every scalar in an event."""
    plain = _PLAIN.fullmatch(event)
    # The lengths of summary, value and tag, in turn, must fit each other; otherwise it is another message.
    if plain and plain[2][0] - 2 == plain[3][0] == plain[4][0] + 7 == len(plain[5]) + 7:
        return ((plain[5], varint(plain[1], 0)[0], _FLOAT.unpack(plain[6])[0]),)
    return _all_scalars(event)


def _all_scalars(event: bytes) -> Iterator[tuple[bytes, int, float]]:
    """The same for any event, field by field (fields: 2 step, 5 summary)."""
    step = 0
    for number, content in fields(event):
        if number == 2 and isinstance(content, int):
            step = content if content < 2**63 else content - 2**64
        elif number == 5 and isinstance(content, bytes):
            for inner, value in fields(content):
                if inner == 1 and isinstance(value, bytes) and (found := _value(value)):
                    yield found[0], step, found[1]


def _value(data: bytes) -> tuple[bytes, float] | None:
    """Tag and value of one summary (fields: 1 tag, 2 simple value, 8 tensor); ``None`` where it is no scalar."""
    tag, value = b"", None
    for number, content in fields(data):
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
    for number, content in fields(data):
        if number == 1 and isinstance(content, int):
            kind = content
        elif number in (4, 5, 6) and isinstance(content, bytes):
            if kind == 1 and len(content) == 4:
                return float(_FLOAT.unpack(content)[0])
            if kind == 2 and len(content) == 8:
                return float(_DOUBLE.unpack(content)[0])
    return None
