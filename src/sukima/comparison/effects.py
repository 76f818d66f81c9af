"""What arms do besides the score that they are compared by."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean

from sukima.comparison.statistics import paired_difference
from sukima.records.history import History
from sukima.records.result import Arm, Effect, Score, Trial
from sukima.records.task import By

__all__ = ["INCREASES", "effects_of", "given_loss"]

INCREASES = {"sparsity": True}
"""Effects of which more is counted as a gain, besides a metric that says so itself; of all others less is."""

_MEASURED = ("noisy_loss", "calibration", "brier", "co_adaptation", "sparsity", "masked")
_ABOVE_BEST = 1.1
"""The given loss, in terms of the baseline's best: near its end, and still reached by arms that end somewhat worse."""


def given_loss(baseline: Arm) -> float | None:
    """The validation loss that arms are timed to: a tenth above what the baseline reaches at best."""
    best = [min(trial.history.validation_loss) for trial in baseline.trials if trial.history.validation_loss]
    if not best or not all(map(math.isfinite, best)):
        return None
    mean = fmean(best)
    return mean + (_ABOVE_BEST - 1) * abs(mean)


def effects_of(arms: Sequence[Arm], by: By, data: str, goal: float | None, level: float) -> dict[str, Effect]:
    """Name → effect, for everything that was measured on every trial."""
    history = arms[0].trials[0].history
    found: dict[str, tuple[Callable[[Trial], float | None], bool]] = {}
    if by == "metric":
        found["loss"] = lambda trial: _score(trial, data).loss, False
    elif history.metric:
        found["metric"] = lambda trial: _score(trial, data).metric, history.metric_increases
    found["gap"] = lambda trial: trial.validation.loss - trial.train.loss, False
    for name in _MEASURED:
        found[name] = partial(_measured, name), INCREASES.get(name, False)
    if goal is not None:
        found["epochs"] = lambda trial: epochs_to(trial.history, goal), False
        found["seconds"] = lambda trial: seconds_to(trial.history, goal), False
    effects = {name: _effect(arms, *how, level) for name, how in found.items()}
    return {name: effect for name, effect in effects.items() if effect is not None}


def _measured(name: str, trial: Trial) -> float | None:
    return trial.effects.get(name)


def _score(trial: Trial, data: str) -> Score:
    return trial.test if data == "test" and trial.test is not None else trial.validation


def _effect(
    arms: Sequence[Arm], value: Callable[[Trial], float | None], increases: bool, level: float
) -> Effect | None:
    values: dict[str, tuple[float, ...]] = {}
    for arm in arms:
        found = [value(trial) for trial in arm.trials]
        if any(one is None for one in found):
            return None
        values[arm.name] = tuple(one for one in found if one is not None)
    baseline = dict(zip(arms[0].seeds, values[arms[0].name], strict=True))
    differences = {
        arm.name: paired_difference(
            [baseline[seed] for seed in arm.seeds], values[arm.name], increases=increases, level=level
        )
        for arm in arms[1:]
    }
    return Effect(values, differences)


def epochs_to(history: History, goal: float) -> float:
    """Epochs until the validation loss was ``goal`` or less; infinite if it never was."""
    return next((epoch for epoch, loss in enumerate(history.validation_loss, 1) if loss <= goal), math.inf)


def seconds_to(history: History, goal: float) -> float:
    """Seconds until then."""
    epochs = epochs_to(history, goal)
    return math.inf if math.isinf(epochs) else sum(history.seconds[: int(epochs)])
