"""The verb: from files or histories to verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sukima.diagnosis.known import known_of
from sukima.diagnosis.readers import Reading, read_history, read_object
from sukima.diagnosis.verdict import judge
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.verdict import Verdict

__all__ = ["diagnose"]


def diagnose(
    history: Any,
    *,
    source: str = "",
    mapping: Mapping[str, str] | None = None,
    patterns: Sequence[str] = (),
    recipe: Recipe | None = None,
    model: Any = None,
    rows: int | None = None,
    inputs: int | None = None,
) -> Verdict:
    """The verdict on one configuration.

    Args:
        history: a file or folder of runs, a `History`, a dict of curves by name (what ``History.history`` of Keras is),
            an object that has such a dict as ``.history``, or a list of any of these: the seeds of one configuration,
            which are pooled.
        source: what is judged, as reports call it; by default the file.
        mapping: what columns mean where their names do not say it, such as ``{"train": "a", "val": "b"}``.
        patterns: for text logs, such as ``["loss {loss} val {val_loss}"]``.
        recipe: what regularized the run; with it the advice names sites and doses.
        model: a PyTorch or Keras model, whose sites and number of weights are then known.
        rows: number of training rows.
        inputs: number of input features.

    Raises ``InputError`` where no curves can be read, or where they are unequal or not finite before finite values.

    >>> verdict = diagnose({"accuracy": [0.99], "val_accuracy": [0.75]})
    >>> verdict.verdict
    'overfitting'
    """
    readings = _readings(history, mapping, patterns)
    return judge(
        [reading.history for reading in readings],
        source=source or (readings[0].source if readings else ""),
        known=known_of(recipe=recipe, model=model, rows=rows, inputs=inputs),
    )


def _readings(history: Any, mapping: Mapping[str, str] | None, patterns: Sequence[str]) -> list[Reading]:
    if isinstance(history, History):
        return [Reading(history)]
    if isinstance(history, str | Path):
        return read_history(history, mapping, patterns)
    if isinstance(history, list | tuple):
        return [reading for one in history for reading in _readings(one, mapping, patterns)]
    return [read_object(history, mapping)]
