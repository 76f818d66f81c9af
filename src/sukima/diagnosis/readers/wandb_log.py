"""Weights & Biases' own file of a run, ``run-….wandb``: what ``wandb.log`` was given, kept on disk beside the upload.

A LevelDB log: blocks of 32 KiB, in them pieces with a checksum (4 bytes), a length (2) and a place in their record (1);
each record is a protocol-buffer message. Only the history in it is looked at: names and values as JSON.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sukima.base.errors import InputError
from sukima.base.messages import Message, say
from sukima.diagnosis.readers.json_document import flat
from sukima.diagnosis.readers.protobuf import fields
from sukima.diagnosis.readers.rows import Rows
from sukima.diagnosis.readers.runs import tables_of
from sukima.diagnosis.readers.table import Table
from sukima.diagnosis.readers.text import check_regular, clean_name

__all__ = ["read", "recognises"]

START = b":W&B\xe1\xbe\x00"
BLOCK = 2**15
LONGEST = 2**20
"""Longer records are no scalars; a claim of more is not gathered."""
_HEAD = struct.Struct("<IHB")
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


def recognises(head: bytes) -> bool:
    """Whether the file begins as such a log of the version that is known."""
    return head.startswith(START)


def read(path: Path) -> list[Table]:
    """The run in the file."""
    check_regular(path)
    rows = Rows()
    with path.open("rb") as file:
        for record in _records(file, rows.notes):
            try:
                row = _row(record)
            except (IndexError, OverflowError):
                rows.notes.append(say("a broken record is left out"))
                break
            if row:
                rows.add(flat(row))
            if rows.full:
                rows.notes.append(say("only the first {count} rows are read", count=rows.count))
                break
    tables = tables_of(rows, str(path), "Weights & Biases")
    if not tables:
        raise InputError("{path}: no rows of numbers found", path=clean_name(path, 200))
    return tables


def _records(file: BinaryIO, notes: list[Message]) -> Iterator[bytes]:
    """The records, put together from their pieces; the end of a run that still writes may be missing."""
    gathered = bytearray()
    block, at = file.read(BLOCK), len(START)
    while True:
        if len(block) - at < _HEAD.size:
            block, at = file.read(BLOCK), 0
            if not block:
                return
            continue
        _, length, place = _HEAD.unpack_from(block, at)
        at += _HEAD.size
        if place not in (_WHOLE, _FIRST, _MIDDLE, _LAST) or at + length > len(block):
            notes.append(say("the file breaks off or is damaged; what follows is left out"))
            return
        if place in (_WHOLE, _FIRST):
            gathered.clear()
        if len(gathered) <= LONGEST:
            gathered += block[at : at + length]
        at += length
        if place in (_WHOLE, _LAST) and len(gathered) <= LONGEST:
            yield bytes(gathered)


def _row(record: bytes) -> dict[str, object]:
    """The named values of a record of history (fields: 2 history; in it 1 item, 2 step); empty for any other."""
    row: dict[str, object] = {}
    for number, content in fields(record):
        if number != 2 or not isinstance(content, bytes):
            continue
        for inner, value in fields(content):
            if inner == 1 and isinstance(value, bytes):
                row |= _item(value)
            elif inner == 2 and isinstance(value, bytes):
                row.setdefault("_step", next((float(n) for at, n in fields(value) if at == 1 and n), 0.0))
    return row


def _item(data: bytes) -> dict[str, object]:
    """One named value (fields: 1 key, 2 parts of a nested key, 16 the value as JSON)."""
    parts: list[str] = []
    key, text = "", b""
    for number, content in fields(data):
        if not isinstance(content, bytes):
            continue
        if number == 1:
            key = content.decode("utf-8", "replace")
        elif number == 2:
            parts.append(content.decode("utf-8", "replace"))
        elif number == 16:
            text = content
    try:
        value = json.loads(text.decode("utf-8", "replace"), parse_int=float)
    except (ValueError, RecursionError):
        return {}
    return {key or "/".join(parts): value}
