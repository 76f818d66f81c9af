"""The runs in a result, for programs that keep curves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sukima.base.errors import InputError
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Comparison, TuneResult

__all__ = ["Logged", "LoggedRun", "curve_names", "runs_of"]

Logged = History | Comparison | TuneResult
"""What has curves."""


@dataclass(frozen=True)
class LoggedRun:
    """A run: its place among the others (empty for a history by itself), its curves and, where known, its recipe."""

    place: tuple[str, ...]
    history: History
    recipe: Recipe | None = None
    seed: int | None = None


def runs_of(result: Logged) -> Iterator[LoggedRun]:
    """Every run of a result, or a history as the only one.

    Raises:
        InputError: ``result`` is none of these.
    """
    if isinstance(result, History):
        yield LoggedRun((), result)
        return
    if not isinstance(result, Comparison | TuneResult):
        raise InputError(
            "{name} must be {expected}, got {value}",
            name="result",
            expected="a History, or what tune or compare returned",
            value=type(result).__name__,
        )
    arms: list[Arm] = list(result.arms) if isinstance(result, Comparison) else list(result.search)
    if isinstance(result, TuneResult) and result.comparison is not None:
        arms += result.comparison.arms
    for arm in arms:
        for trial in arm.trials:
            yield LoggedRun((_plain(arm.name), f"seed-{trial.seed}"), trial.history, trial.recipe, trial.seed)


def _plain(name: str) -> str:
    """A name that is a file name everywhere: an arm may be called anything."""
    return re.sub(r"[^\w.+-]+", "_", name).strip("._") or "arm"


def curve_names(history: History) -> dict[str, tuple[list[float], list[float]]]:
    """``loss`` and the metric's name with the curves of training and validation."""
    metric = history.metric or "metric"
    return {
        "loss": (history.train_loss, history.validation_loss),
        metric: (history.train_metric, history.validation_metric),
    }
