"""The runs that gathered rows hold: by label, by number, or appended one after another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from sukima.diagnosis.readers.naming import meaning_of, words_of
from sukima.diagnosis.readers.rows import Found, Rows, is_key_name, is_run_name
from sukima.diagnosis.readers.steps import over_steps
from sukima.diagnosis.readers.table import Table

__all__ = ["tables_of"]

MOST_RUNS = 1_000

Inside = NDArray[np.bool_]
"""Which rows belong to a run."""

# Weights & Biases' charts: "run name - val_loss", with the range beside it as "run name - val_loss__MIN".
_CHART = re.compile(r"(?P<run>.+) - (?P<metric>.+)")
_RANGE = re.compile(r".*__(MIN|MAX)")


def tables_of(rows: Rows, source: str, kind: str) -> list[Table]:
    """One table a run."""
    columns = {name: column.found for name, column in rows.columns.items() if len(column.rows)}
    long = _by_key(rows, columns)
    tables = []
    for run, inside in _insides(rows, columns, restarts=long is None):
        mine = columns if long is None else long
        if inside is not None:
            mine = {name: _within(found, inside) for name, found in mine.items()}
        if long is not None:
            mine = _in_turn(mine)
        for chart, part in _charts({name: found for name, found in mine.items() if len(found[0])}):
            notes = list(rows.notes)
            series = over_steps(part, notes)
            if series:
                name = ":".join(filter(None, (source, run, chart)))
                tables.append(Table(series, name, kind, notes))
    return tables


def _within(found: Found, inside: Inside) -> Found:
    mine = inside[found[0]]
    return found[0][mine], found[1][mine]


def _by_key(rows: Rows, columns: Mapping[str, Found]) -> dict[str, Found] | None:
    """Rows of the form (metric, value, step) turned into one column a metric; ``None`` where they have another form."""
    key = next((labels for name, labels in rows.labels.items() if is_key_name(name)), None)
    value = next((found for name, found in columns.items() if words_of(name) in (["value"], ["metric", "value"])), None)
    if key is None or value is None:
        return None
    of_row = np.full(rows.count, -1.0)
    key_rows, numbers = key.found
    of_row[key_rows] = numbers
    wide = {name: _within(value, of_row == i) for name, i in key.names.items()}
    return wide | {name: found for name, found in columns.items() if meaning_of(name).kind == "step"}


def _in_turn(columns: dict[str, Found]) -> dict[str, Found]:
    """Where every value of a run has the same step, nobody gave one: each metric's values count themselves."""
    steps = [name for name in columns if meaning_of(name).kind == "step"]
    if any(len(np.unique(columns[name][1])) > 1 for name in steps):
        return columns
    return {name: (np.arange(len(values)), values) for name, (_, values) in columns.items() if name not in steps}


def _insides(rows: Rows, columns: Mapping[str, Found], *, restarts: bool) -> list[tuple[str, Inside | None]]:
    """Name of each run and which rows are its own (``None``: all)."""
    for name, labels in rows.labels.items():
        apart = len(labels.names) < len(labels.rows) or not any(meaning_of(other).kind == "step" for other in columns)
        if is_run_name(name) and len(labels.names) > 1 and apart:
            of_row = np.full(rows.count, -1.0)
            label_rows, numbers = labels.found
            of_row[label_rows] = numbers
            return [(label, of_row == i) for label, i in labels.names.items()]
    for name, (at, values) in columns.items():
        kinds = np.unique(values) if is_run_name(name) else values[:0]
        if 1 < len(kinds) <= MOST_RUNS and 2 * len(kinds) <= len(values):
            of_row = np.full(rows.count, np.nan)
            of_row[at] = values
            return [(f"{name}={kind:g}", of_row == kind) for kind in kinds]
    return _restarts(rows, columns) if restarts else [("", None)]


def _restarts(rows: Rows, columns: Mapping[str, Found]) -> list[tuple[str, Inside | None]]:
    """Runs appended to one file: the epoch goes back to its first value, each time after a whole run."""
    for name, (at, values) in columns.items():
        if meaning_of(name).kind != "step" or len(values) < 4:
            continue
        starts = np.concatenate(([0], np.flatnonzero(np.diff(values) < 0) + 1))
        whole = np.diff(np.append(starts, len(values))) >= 2
        if 1 < len(starts) <= MOST_RUNS and whole.all() and (values[starts] == values.min()).all():
            edges = np.append(at[starts], rows.count)
            row = np.arange(rows.count)
            return [(f"{i + 1}", (row >= edges[i]) & (row < edges[i + 1])) for i in range(len(starts))]
    return [("", None)]


def _charts(columns: Mapping[str, Found]) -> Iterator[tuple[str, dict[str, Found]]]:
    """The runs of an exported chart, whose columns begin with the run's name (the first may not); else one run."""
    columns = {name: found for name, found in columns.items() if not _RANGE.fullmatch(name)}
    named = {name: match for name in columns if (match := _CHART.fullmatch(name))}
    steps = {name: found for name, found in columns.items() if meaning_of(name).kind == "step" and name not in named}
    beside = [name for name in columns if name not in named and name not in steps]
    told = any(meaning_of(match["metric"]).quantity for match in named.values())  # not so in "loss - train"
    if not told or any(name != next(iter(columns)) for name in beside):
        yield "", columns
        return
    for run in dict.fromkeys(match["run"] for match in named.values()):
        yield run, steps | {match["metric"]: columns[name] for name, match in named.items() if match["run"] == run}
