"""JSON lines: one row of named values a line, as Weights & Biases' history and many loggers write them."""

from __future__ import annotations

import json
from pathlib import Path

from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.diagnosis.readers.json_document import flat
from sukima.diagnosis.readers.rows import Rows
from sukima.diagnosis.readers.runs import tables_of
from sukima.diagnosis.readers.table import Table
from sukima.diagnosis.readers.text import bounded_lines, check_regular, clean_name, decode, encoding_of, head_of

__all__ = ["read", "recognises"]


def recognises(head: bytes) -> bool:
    """Whether the first two lines are each a whole JSON object."""
    lines = [line for line in decode(head).splitlines() if line.strip()][:2]
    return len(lines) == 2 and all(_object(line) is not None for line in lines)


def read(path: Path) -> list[Table]:
    """The runs in the file."""
    check_regular(path)
    rows = Rows()
    broken = 0
    with path.open(encoding=encoding_of(head_of(path)), errors="replace") as file:
        for line in bounded_lines(file, rows.notes):
            found = _object(line)
            if found is not None:
                rows.add(flat(found))
            elif line.strip():
                broken += 1
            if rows.full:
                rows.notes.append(say("only the first {count} rows are read", count=rows.count))
                break
    if broken:
        rows.notes.append(say("{count} lines that are not JSON objects left out", count=broken))
    tables = tables_of(rows, str(path), "JSON lines")
    if not tables:
        raise InputError("{path}: no rows of numbers found", path=clean_name(path, 200))
    return tables


def _object(line: str) -> dict[str, object] | None:
    try:
        found = json.loads(line, parse_int=float)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
