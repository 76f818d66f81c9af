"""Rows of named cells, gathered column by column so that only numbers and a few labels are held in memory."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sukima.base.messages import Message
from sukima.diagnosis.curves import Array
from sukima.diagnosis.readers.naming import meaning_of, words_of
from sukima.diagnosis.readers.table import number
from sukima.diagnosis.readers.text import clean_name

__all__ = [
    "MOST_CELLS",
    "MOST_COLUMNS",
    "MOST_NAMES",
    "Column",
    "Found",
    "Labels",
    "Rows",
    "has_room",
    "is_key_name",
    "is_label_name",
    "is_run_name",
]

MOST_CELLS = 16_000_000
"""Most numbers that are kept, 16 bytes each."""
MOST_COLUMNS = 2_000
MOST_NAMES = 20_000
"""Most names that are asked whether they are those of curves."""
LONGEST_NAME = 200
MOST_LABELS = 1_000

Found = tuple[NDArray[np.int64], Array]
"""A column's rows and values."""

_RUN_WORDS = ("run", "runs", "trial", "experiment", "seed", "fold")
_KEY_NAMES = (["key"], ["metric"], ["tag"], ["metric", "name"], ["metric", "key"])


@dataclass
class Column:
    """The numbers of one column and the rows that they stand in; blank cells take no room."""

    rows: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def add(self, row: int, value: float) -> None:
        """Keep a number."""
        self.rows.append(row)
        self.values.append(value)

    @property
    def found(self) -> Found:
        """The same as NumPy arrays."""
        return np.frombuffer(self.rows, dtype=np.int64), np.frombuffer(self.values)


@dataclass
class Labels(Column):
    """A column of texts from a small set: the values number the names."""

    names: dict[str, int] = field(default_factory=dict)

    def add_name(self, row: int, text: str) -> None:
        """Keep a text, unless there are too many different ones for labels."""
        name = clean_name(text)
        if name in self.names or len(self.names) < MOST_LABELS:
            self.add(row, self.names.setdefault(name, len(self.names)))


@dataclass
class Rows:
    """What a reader of rows gathers."""

    columns: dict[str, Column] = field(default_factory=dict)
    labels: dict[str, Labels] = field(default_factory=dict)
    count: int = 0
    cells: int = 0
    notes: list[Message] = field(default_factory=list)
    _known: dict[str, Column | None] = field(default_factory=dict)

    def column(self, name: str) -> Column | None:
        """The column of that name, made if needed; ``None`` where there are too many."""
        name = name[: LONGEST_NAME + 1]
        if name not in self._known:
            if len(self._known) >= MOST_NAMES:
                return None
            cleaned = clean_name(name, LONGEST_NAME)
            room = has_room(self.columns, cleaned)
            self._known[name] = self.columns.setdefault(cleaned, Column()) if room else None
        return self._known[name]

    @property
    def full(self) -> bool:
        """Whether no more is kept."""
        return self.cells >= MOST_CELLS

    def add(self, row: Mapping[str, object]) -> None:
        """Add one row of named cells; what is no number is left out, except labels."""
        for name, cell in row.items():
            value = number(cell)
            if value is None:
                self.add_label(name, cell)
            elif (column := self.column(name)) is not None:
                column.add(self.count, value)
                self.cells += 1
        self.count += 1

    def add_label(self, name: str, cell: object) -> None:
        """Keep a text of the present row where its column tells runs or metrics apart."""
        if isinstance(cell, str) and is_label_name(name):
            self.labels.setdefault(clean_name(name, 200), Labels()).add_name(self.count, cell)


def has_room(columns: Mapping[str, Column], name: str) -> bool:
    """Whether that column is there or may be made; some room is kept for curves, since others may be thousands."""
    if name in columns or len(columns) < MOST_COLUMNS:
        return True
    return len(columns) < 2 * MOST_COLUMNS and meaning_of(name).kind != "other"


def is_run_name(name: str) -> bool:
    """Whether a column of that name tells runs apart."""
    words = words_of(name)
    return bool(words) and (words[0] in _RUN_WORDS or words == ["name"]) and words[-1] not in ("time", "runtime")


def is_key_name(name: str) -> bool:
    """Whether a column of that name says which metric its row is about, as in MLflow's metric histories."""
    return words_of(name) in _KEY_NAMES


def is_label_name(name: str) -> bool:
    """Whether texts in a column of that name are kept."""
    return is_run_name(name) or is_key_name(name)
