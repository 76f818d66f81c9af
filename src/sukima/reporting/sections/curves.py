"""The curves: what training and validation did, and the gap between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from sukima.base.messages import say
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Trial
from sukima.reporting.blocks import Chart, Point, Role, Series
from sukima.reporting.sections.arms import Drawn, arm_name
from sukima.reporting.text import Text

__all__ = [
    "candidates_chart",
    "gap_chart",
    "loss_chart",
    "mean_curve",
    "metric_chart",
    "robust_range",
    "validation_chart",
]


def mean_curve(runs: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """The mean over the runs that got so far, as long as at least half of them did."""
    longest = max((len(run) for run in runs), default=0)
    means = []
    for epoch in range(longest):
        there = [run[epoch] for run in runs if len(run) > epoch]
        if 2 * len(there) < len(runs):
            break
        means.append(fmean(there) if all(map(math.isfinite, there)) else math.nan)
    return tuple(means)


def loss_chart(
    title: Text, histories: Sequence[History], role: Role, trials: Sequence[Trial] = (), *, hue: int = 0
) -> Chart:
    """Training and validation loss of one arm, the gap between them shaded, the judged checkpoints marked."""
    train, validation = ([tuple(getattr(h, name)) for h in histories] for name in ("train_loss", "validation_loss"))
    marks = tuple(
        Point(trial.epoch, trial.validation.loss, say("best checkpoint, seed {seed}", seed=trial.seed))
        for trial in trials
        if trial.epoch > 0 and math.isfinite(trial.validation.loss)
    )
    series = (
        _series(say("training"), role, train, dashed=True, hue=hue),
        _series(say("validation"), role, validation, marks=marks, hue=hue),
    )
    return Chart(title, say("epoch"), say("loss"), series, y_range=robust_range([*train, *validation]), fill=(0, 1))


def metric_chart(title: Text, name: Text, histories: Sequence[History], role: Role) -> Chart:
    """Training and validation metric of one arm."""
    train, validation = ([tuple(getattr(h, k)) for h in histories] for k in ("train_metric", "validation_metric"))
    series = (
        _series(say("training"), role, train, dashed=True),
        _series(say("validation"), role, validation),
    )
    return Chart(title, say("epoch"), name, series, fill=(0, 1))


def validation_chart(arms: Sequence[Drawn]) -> Chart:
    """Validation loss of every arm over each other."""
    return _validation([_series(one.name, one.role, _curves(one.arm, "validation_loss"), hue=one.hue) for one in arms])


def _validation(series: Sequence[Series]) -> Chart:
    runs = [run for one in series for run in (one.mean, *one.runs)]
    # Here arms are compared with each other and not with zero: the range leaves out what no run reaches.
    lowest = min((value for run in runs for value in run if math.isfinite(value)), default=0.0)
    top = (robust_range(runs) or (0.0, 1.0))[1]
    low = max(0.0, lowest - 0.1 * (top - lowest)) if lowest >= 0 else lowest
    return Chart(say("Validation loss"), say("epoch"), say("loss"), tuple(series), y_range=(low, top))


def candidates_chart(search: Sequence[Arm], recipe: Recipe) -> Chart:
    """Validation loss of every candidate of a search, each its mean over the seeds; baseline and winner stand out."""
    means = [(arm, mean_curve(_curves(arm, "validation_loss"))) for arm in search]
    drawn = [(arm, mean) for arm, mean in means if mean]
    longest = max((mean for _, mean in drawn), key=len, default=())
    middle = mean_curve([mean for _, mean in drawn])
    x = tuple(float(epoch) for epoch in range(1, len(longest) + 1))
    series = [Series(say("all candidates, mean"), "other", x, middle, dashed=True, runs=tuple(m for _, m in drawn))]
    chosen = next(((arm, mean) for arm, mean in reversed(drawn) if arm.recipe == recipe), None)
    if drawn:
        series.append(Series(arm_name(drawn[0][0].name), "baseline", x, drawn[0][1]))
    if chosen and chosen[0] is not drawn[0][0]:
        series.append(Series(say("chosen"), "winner", x, chosen[1]))
    title = say("All {count} candidates of the search, validation loss", count=len(drawn))
    return replace(_validation(series), title=title)


def gap_chart(arms: Sequence[Drawn]) -> Chart:
    """Validation loss minus training loss of every arm."""
    series = []
    for one in arms:
        pairs = zip(_curves(one.arm, "train_loss"), _curves(one.arm, "validation_loss"), strict=True)
        gaps = [tuple(v - t for t, v in zip(train, validation, strict=False)) for train, validation in pairs]
        series.append(_series(one.name, one.role, gaps, hue=one.hue))
    runs = [run for one in series for run in (one.mean, *one.runs)]
    values = [value for run in runs for value in run[len(run) // 10 :] if math.isfinite(value)]
    y_range = _padded(min(0.0, *values), max(0.0, *values)) if values else None
    return Chart(
        say("The gap: validation loss minus training loss"), say("epoch"), say("gap"), tuple(series), y_range=y_range
    )


def _curves(arm: Arm, name: str) -> list[tuple[float, ...]]:
    return [tuple(getattr(trial.history, name)) for trial in arm.trials]


def _series(
    name: Text,
    role: Role,
    runs: Sequence[tuple[float, ...]],
    *,
    dashed: bool = False,
    marks: tuple[Point, ...] = (),
    hue: int = 0,
) -> Series:
    kept = tuple(run for run in runs if run)
    means = mean_curve(kept)
    x = tuple(float(epoch) for epoch in range(1, len(means) + 1))
    return Series(name, role, x, means, dashed=dashed, runs=kept if len(kept) > 1 else (), marks=marks, hue=hue)


def robust_range(runs: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """The range that shows how a run ends: the first epochs' high losses run out at the top (zoom shows them)."""
    values = [value for run in runs for value in run if math.isfinite(value)]
    if not values:
        return None
    late = [value for run in runs for value in run[max(len(run) // 4, min(2, len(run) - 1)) :] if math.isfinite(value)]
    low, high = min(0.0, *values), max(late or values)
    return _padded(low, high)


def _padded(low: float, high: float) -> tuple[float, float]:
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return (low if low == 0 else low - room, high if high == 0 else high + room)
