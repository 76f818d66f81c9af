"""JSON: a dict of curves, a list of rows, or our own history."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from sukima.base.errors import InputError
from sukima.diagnosis.readers.keras_history import table_of
from sukima.diagnosis.readers.naming import meaning_of, tells
from sukima.diagnosis.readers.reading import Reading
from sukima.diagnosis.readers.rows import Rows
from sukima.diagnosis.readers.runs import tables_of
from sukima.diagnosis.readers.table import Table
from sukima.diagnosis.readers.text import clean_name, decode, read_bounded
from sukima.records.history import History

__all__ = ["flat", "load", "read", "recognises"]

MOST_PARTS = 2_000
"""Most lists and dicts inside one another that are looked at for runs."""
DEEPEST = 8
"""Levels down to which dicts are looked at for names that count."""


def recognises(head: bytes) -> bool:
    """Whether the text begins as a JSON object or list."""
    return decode(head[:4096]).lstrip()[:1] in ("{", "[")


def load(path: Path) -> Any:
    """The document; one line of error where it is not JSON."""
    try:
        # Integers are read as floats: an integer of a million digits would take minutes.
        return json.loads(read_bounded(path), parse_int=float)
    except (ValueError, RecursionError) as error:
        why = clean_name(str(error) if isinstance(error, ValueError) else "too deeply nested", 120)
        raise InputError(
            "{path}: not JSON ({why}); a text log needs a --pattern", path=clean_name(path, 200), why=why
        ) from None


def read(path: Path) -> list[Table | Reading]:
    """The runs in the document; where no names tell, the one table that most likely is meant, for ``--map``."""
    found = _found(_listed(load(path)), str(path), iter(range(MOST_PARTS)))
    told: list[Table | Reading] = [one for one in found if isinstance(one, Reading) or tells(one.series)]
    if told:
        return told
    tables = [one for one in found if isinstance(one, Table)]
    if not tables:
        raise InputError("{source}: no curves found in this JSON", source=clean_name(path, 200))
    return [max(tables, key=lambda table: sum(len(one.values) > 1 for one in table.series.values()))]


def _found(document: Any, source: str, looks: Iterator[int]) -> list[Table | Reading]:
    """Our own history, a dict of curves, a list of rows, or a dict or list of any of these: several runs.

    ``looks`` runs out after as many parts of the document as are looked at.
    """
    table: list[Table | Reading] = []
    if next(looks, None) is None:
        return []
    if isinstance(document, Mapping):
        if own := _own(document, source):
            return [own]
        curves = table_of(flat(document), source=source)
        table = [curves] if curves.series else []
        beside = table_of({name: value for name, value in document.items() if not isinstance(value, Mapping)})
        if tells(beside.series) and any(len(one.values) > 1 for one in beside.series.values()):
            return table
        inner = [(f"{source}:{clean_name(name)}", value) for name, value in document.items()]
    elif isinstance(document, list):
        rows = Rows()
        for one in document:
            if isinstance(one, Mapping) and _is_row(one):
                rows.add(flat(one))
        table = list(tables_of(rows, source, "JSON"))
        if any(isinstance(one, Table) and tells(one.series) for one in table):
            return table
        inner = [(f"{source}:{i + 1}", value) for i, value in enumerate(document)]
    else:
        inner = []
    found: list[Table | Reading] = []
    for name, value in inner:
        if isinstance(value, Mapping | list):
            try:
                found += _found(value, name, looks)
            except (InputError, RecursionError):
                continue
    if any(isinstance(one, Reading) or tells(one.series) for one in found):
        return found
    return [*table, *found]


def _listed(document: Any, depth: int = 0) -> Any:
    """The document with dicts whose names count (``"0"``, ``"epoch 3"``) as lists, in the order that they count.

    So data frames write their columns, and logs by epoch their rows.
    """
    if depth > DEEPEST or not isinstance(document, Mapping | list):
        return document
    if isinstance(document, list):
        return [_listed(one, depth + 1) for one in document]
    places = [_place(str(name)) for name in document]
    if document and all(place is not None for place in places):
        order = sorted(zip(places, document, strict=True), key=lambda pair: pair[0] or 0)
        return [_listed(document[name], depth + 1) for _, name in order]
    return {name: _listed(value, depth + 1) for name, value in document.items()}


def _place(name: str) -> int | None:
    """The number that a name counts, alone or after a word such as epoch; ``None`` where it counts nothing."""
    match = re.fullmatch(r"(\D{0,20}?)(\d{1,9})", name)
    if match is None or (match[1] and meaning_of(match[1]).kind != "step"):
        return None
    return int(match[2])


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
