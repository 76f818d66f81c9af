"""Which column counts the steps of a run, and series put in its order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from sukima.base.messages import Message, say
from sukima.diagnosis.curves import Array
from sukima.diagnosis.readers.naming import meaning_of, words_of
from sukima.diagnosis.readers.rows import Found
from sukima.diagnosis.readers.table import Series

__all__ = ["over_steps"]

MOSTLY = 0.9
"""Share of a curve's values that a column of steps must stand beside."""


def over_steps(columns: Mapping[str, Found], notes: list[Message]) -> dict[str, Series]:
    """Series over the best step column: the first under which nobody's steps repeat, else the rows themselves.

    A column that stands beside one curve and not beside another says nothing of the order of the two.
    """
    kinds = {name: meaning_of(name) for name in columns}
    measured = [name for name, meaning in kinds.items() if meaning.kind != "step"]
    curves = [name for name in measured if kinds[name].kind not in ("rate", "other")]
    judges = [name for name in measured if kinds[name].role in ("validation", "test")] or measured
    steps = [name for name, meaning in kinds.items() if meaning.kind == "step"]
    steps.sort(key=lambda name: "epoch" not in words_of(name) and "エポック" not in name)
    best: tuple[float, dict[str, Series]] | None = None
    for name in steps:
        if any(_beside(columns[name], columns[curve]) < MOSTLY for curve in curves):
            continue
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


def _beside(step: Found, column: Found) -> float:
    """The share of a column's values that have a step in their own row."""
    return float(np.isin(column[0], step[0]).mean()) if len(column[0]) else 1.0


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
