"""Rows of named cells, gathered column by column, and split into the runs that they hold."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sukima.base.messages import Message, say
from sukima.diagnosis.curves import Array
from sukima.diagnosis.readers.naming import meaning_of, words_of
from sukima.diagnosis.readers.table import Series, Table, number
from sukima.diagnosis.readers.text import clean_name

__all__ = ["MOST_CELLS", "Rows"]

MOST_CELLS = 16_000_000
"""Most numbers that are kept, 16 bytes each."""
MOST_COLUMNS = 2_000
MOST_RUNS = 1_000

Found = tuple[NDArray[np.int64], Array]
"""A column's rows and values."""

_RUN_WORDS = ("run", "runs", "trial", "experiment", "seed", "fold")


@dataclass
class Column:
    """The numbers of one column and the rows that they stand in; blank cells take no room."""

    rows: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))


@dataclass
class Rows:
    """What a reader of rows gathers."""

    columns: dict[str, Column] = field(default_factory=dict)
    runs: dict[str, dict[int, str]] = field(default_factory=dict)
    count: int = 0
    cells: int = 0
    notes: list[Message] = field(default_factory=list)

    def column(self, name: str) -> Column | None:
        """The column of that name, made if needed; ``None`` where there are too many."""
        name = clean_name(name, 200)
        if name not in self.columns and len(self.columns) >= MOST_COLUMNS:
            return None
        return self.columns.setdefault(name, Column())

    @property
    def full(self) -> bool:
        """Whether no more is kept."""
        return self.cells >= MOST_CELLS

    def add(self, row: Mapping[str, object]) -> None:
        """Add one row of named cells; what is no number is left out, except the names of runs."""
        for name, cell in row.items():
            value = number(cell)
            if value is None:
                if isinstance(cell, str) and is_run_name(name):
                    self.runs.setdefault(name, {})[self.count] = clean_name(cell)
                continue
            if (column := self.column(name)) is not None:
                column.rows.append(self.count)
                column.values.append(value)
                self.cells += 1
        self.count += 1

    def tables(self, source: str, kind: str) -> list[Table]:
        """One table a run."""
        columns: dict[str, Found] = {
            name: (np.frombuffer(c.rows, dtype=np.int64), np.frombuffer(c.values))
            for name, c in self.columns.items()
            if len(c.rows)
        }
        tables = []
        for run, inside in self._inside(columns):
            mine: dict[str, Found] = (
                columns if inside is None else {n: _within(rows, v, inside) for n, (rows, v) in columns.items()}
            )
            notes = list(self.notes)
            series = _over_steps({n: c for n, c in mine.items() if len(c[0])}, notes)
            if series:
                tables.append(Table(series, f"{source}:{run}" if run else source, kind, notes))
        return tables

    def _inside(self, columns: Mapping[str, Found]) -> list[tuple[str, NDArray[np.bool_] | None]]:
        """Name of each run and which rows are its own (``None``: all)."""
        for labels in self.runs.values():
            names = list(dict.fromkeys(labels.values()))
            if 1 < len(names) <= MOST_RUNS and len(labels) > len(names):
                number_of = {name: i for i, name in enumerate(names)}
                of_row = np.full(self.count, -1.0)
                of_row[list(labels)] = [number_of[name] for name in labels.values()]
                return [(name, of_row == i) for i, name in enumerate(names)]
        for name, (rows, values) in columns.items():
            kinds = np.unique(values) if is_run_name(name) else values[:0]
            if 1 < len(kinds) <= MOST_RUNS and 2 * len(kinds) <= len(values):
                of_row = np.full(self.count, np.nan)
                of_row[rows] = values
                return [(f"{name}={kind:g}", of_row == kind) for kind in kinds]
        return self._restarts(columns)

    def _restarts(self, columns: Mapping[str, Found]) -> list[tuple[str, NDArray[np.bool_] | None]]:
        """Runs appended to one file: the epoch goes back to its first value, each time after a whole run."""
        for name, (rows, values) in columns.items():
            if meaning_of(name).kind != "step" or len(values) < 4:
                continue
            back = np.flatnonzero(np.diff(values) < 0) + 1
            starts = np.concatenate(([0], back))
            whole = np.diff(np.append(starts, len(values))) >= 2
            if len(back) and len(back) < MOST_RUNS and whole.all() and (values[starts] == values.min()).all():
                edges = np.append(rows[starts], self.count)
                at = np.arange(self.count)
                return [(f"{i + 1}", (at >= edges[i]) & (at < edges[i + 1])) for i in range(len(starts))]
        return [("", None)]


def is_run_name(name: str) -> bool:
    """Whether a column of that name tells runs apart."""
    words = words_of(name)
    return bool(words) and (words[0] in _RUN_WORDS or words in (["name"],)) and words[-1] not in ("time", "runtime")


def _within(rows: NDArray[np.int64], values: Array, inside: NDArray[np.bool_]) -> Found:
    mine = inside[rows]
    return rows[mine], values[mine]


def _over_steps(columns: Mapping[str, Found], notes: list[Message]) -> dict[str, Series]:
    """Series over the best step column: the first under which nobody's steps repeat, else the rows themselves."""
    kinds = {name: meaning_of(name) for name in columns}
    measured = [name for name, meaning in kinds.items() if meaning.kind != "step"]
    judges = [name for name in measured if kinds[name].role in ("validation", "test")] or measured
    steps = [name for name, meaning in kinds.items() if meaning.kind == "step"]
    steps.sort(key=lambda name: "epoch" not in words_of(name) and "エポック" not in name)
    best: tuple[float, dict[str, Series]] | None = None
    for name in steps:
        looked = {other: _at(columns[name], columns[other]) for other in measured}
        # A share of repeats: a few are repaired, many mean that this column counts something coarser.
        repeats = max((_repeats(looked[other].steps) for other in judges), default=0.0)
        if best is None or repeats < best[0]:
            best = repeats, looked
        if repeats == 0:
            break
    if best is None or best[0] > 0.5:
        return {name: Series(columns[name][0].astype(np.float64), columns[name][1]) for name in measured}
    return _in_order(best[1], judges, notes)


def _at(step: Found, column: Found) -> Series:
    """A column's values at the steps written in the same rows; rows without a step take the one before."""
    rows, values = column
    if len(rows) == len(step[0]) and np.array_equal(rows, step[0]):
        return Series(step[1], values)
    at = np.maximum(np.searchsorted(step[0], rows, side="right") - 1, 0)
    return Series(step[1][at], values)


def _repeats(steps: Array) -> float:
    return 1 - len(np.unique(steps)) / len(steps) if len(steps) else 0.0


def _in_order(series: Mapping[str, Series], judges: Iterable[str], notes: list[Message]) -> dict[str, Series]:
    """Steps sorted; of repeated validation steps the last stays, as when training was resumed."""
    judges = set(judges)
    unordered = repeated = 0
    result = {}
    for name, one in series.items():
        good = np.isfinite(one.steps)
        steps, values = one.steps[good], one.values[good]
        if (np.diff(steps) < 0).any():
            unordered += 1
            order = np.argsort(steps, kind="stable")
            steps, values = steps[order], values[order]
        if name in judges and len(steps) > 1:
            last = np.append(np.diff(steps) > 0, True)
            repeated += int((~last).sum())
            steps, values = steps[last], values[last]
        result[name] = Series(steps, values)
    if unordered:
        notes.append(say("epochs were not in order and have been sorted"))
    if repeated:
        notes.append(say("{count} values of repeated epochs left out; the last of each is kept", count=repeated))
    return result
