"""JSON: a dict of curves, a list of rows, or our own history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from sukima.base.errors import InputError
from sukima.diagnosis.readers.keras_history import table_of
from sukima.diagnosis.readers.reading import Reading
from sukima.diagnosis.readers.rows import Rows
from sukima.diagnosis.readers.runs import tables_of
from sukima.diagnosis.readers.table import Table
from sukima.diagnosis.readers.text import clean_name, read_bounded
from sukima.records.history import History

__all__ = ["flat", "load", "read", "recognises"]


def recognises(head: bytes) -> bool:
    """Whether the text begins as a JSON object or list."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def load(path: Path) -> Any:
    """The document; one line of error where it is not JSON."""
    try:
        # Integers are read as floats: an integer of a million digits would take minutes.
        return json.loads(read_bounded(path), parse_int=float)
    except (ValueError, RecursionError) as error:
        why = clean_name(str(error) if isinstance(error, ValueError) else "too deeply nested", 120)
        raise InputError("{path}: not JSON ({why})", path=clean_name(path, 200), why=why) from None


def read(path: Path) -> list[Table | Reading]:
    """The runs in the document."""
    return runs_in(load(path), str(path))


def runs_in(document: Any, source: str) -> list[Table | Reading]:
    """Our own history, a dict of curves, a list of rows, or a dict or list of any of these: several runs."""
    if isinstance(document, Mapping):
        if own := _own(document, source):
            return [own]
        table = table_of(flat(document), source=source)
        if any(len(one.values) > 1 for one in table.series.values()) or _is_row(document):
            return [table]
        inner = [(f"{source}:{clean_name(name)}", value) for name, value in document.items()]
    elif isinstance(document, list):
        if any(isinstance(one, Mapping) and _is_row(one) for one in document):
            rows = Rows()
            for one in document:
                if isinstance(one, Mapping):
                    rows.add(flat(one))
            return list(tables_of(rows, source, "JSON"))
        inner = [(f"{source}:{i + 1}", value) for i, value in enumerate(document)]
    else:
        inner = []
    found: list[Table | Reading] = []
    for name, value in inner[:1000]:
        if isinstance(value, Mapping | list):
            try:
                found += runs_in(value, name)
            except (InputError, RecursionError):
                continue
    if not found:
        raise InputError("{source}: no curves found in this JSON", source=clean_name(source, 200))
    return found


def _own(document: Mapping[str, Any], source: str) -> Reading | None:
    if not ({"train_loss", "validation_loss", "train_metric", "validation_metric"} & document.keys()):
        return None
    try:
        history = msgspec.convert(document, History)
    except (msgspec.ValidationError, ValueError):
        return None
    present = ("train_loss", "validation_loss", "train_metric", "validation_metric")
    return Reading(history, source, "sukima", {name: name for name in present if getattr(history, name)})


def _is_row(document: Mapping[str, Any]) -> bool:
    """Whether this is one row of values rather than a dict of things."""
    return any(isinstance(value, int | float) for value in flat(document).values())


def flat(document: Mapping[Any, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Nested tables as one: ``{"train": {"loss": 1}}`` becomes ``{"train/loss": 1}``."""
    result: dict[str, Any] = {}
    for name, value in document.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and depth < 3:
            result.update(flat(value, f"{key}/", depth + 1))
        else:
            result[key] = value
    return result
