"""The verb: from files or histories to verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sukima.diagnosis.readers import Reading, read_history, read_object
from sukima.diagnosis.verdict import judge
from sukima.records.history import History
from sukima.records.verdict import Verdict

__all__ = ["diagnose"]


def diagnose(history: Any, *, source: str = "") -> Verdict:
    """The verdict on one configuration.

    ``history`` is a file or folder of runs, a `History`, a dict of curves by name (what ``History.history`` of Keras
    is), an object that has such a dict as ``.history``, or a list of any of these: the seeds of one configuration,
    which are pooled.

    >>> verdict = diagnose({"accuracy": [0.99], "val_accuracy": [0.75]})
    >>> verdict.verdict
    'overfitting'
    """
    readings = _readings(history)
    return judge([reading.history for reading in readings], source=source or (readings[0].source if readings else ""))


def _readings(history: Any) -> list[Reading]:
    if isinstance(history, History):
        return [Reading(history)]
    if isinstance(history, str | Path):
        return read_history(history)
    if isinstance(history, list | tuple):
        return [reading for one in history for reading in _readings(one)]
    return [read_object(history)]
