"""What every section needs to know of arms: whose they are, what they are called, their scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from sukima.base.messages import Message, say
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Comparison, Score, Trial
from sukima.reporting.blocks import Role
from sukima.reporting.numbers import alike, number
from sukima.reporting.text import Text

__all__ = [
    "Drawn",
    "arm_name",
    "best_arm",
    "data_name",
    "drawn_arms",
    "gap",
    "mean",
    "mean_text",
    "measure_name",
    "metric_name",
    "role",
    "scores",
    "winner_of",
]


@dataclass(frozen=True)
class Drawn:
    """An arm with the name and the colour that it has all over a report."""

    arm: Arm
    name: Text
    role: Role
    hue: int


def drawn_arms(comparison: Comparison, winner: Arm | None) -> list[Drawn]:
    """Every arm of a comparison, in its order."""
    return [
        Drawn(arm, arm_name(arm.name), role(arm, comparison, winner), hue) for hue, arm in enumerate(comparison.arms)
    ]


def arm_name(name: str) -> Text:
    """The name as shown: those that sukima gives in the reader's language, others as they are."""
    known = {
        "baseline": say("baseline"),
        "none": say("none"),
        "guideline": say("guideline"),
        "tuned": say("tuned"),
        "winner": say("winner"),
        "dropout": say("dropout"),
        "dropout + early stopping": say("dropout + early stopping"),
        "dropout + l2": say("dropout + L2"),
        "dropout + max-norm": say("dropout + max-norm"),
        "dropout + batch norm": say("dropout + batch norm"),
        "early stopping": say("early stopping"),
        "l1": say("L1"),
        "l2": say("L2"),
        "elastic net": say("elastic net"),
        "batch norm": say("batch norm"),
        "augmentation": say("augmentation"),
        "smaller model": say("smaller model"),
        "twice the data": say("twice the data"),
        "ensemble": say("ensemble"),
    }
    return known.get(name, name)


def role(arm: Arm, comparison: Comparison, winner: Arm | None) -> Role:
    """Whose colour an arm has."""
    if arm.name == comparison.baseline.name:
        return "baseline"
    if winner is not None and arm.name == winner.name:
        return "winner"
    return "guideline" if arm.name in ("guideline", "dropout") else "other"


def winner_of(comparison: Comparison, recipe: Recipe) -> Arm | None:
    """The arm that tried ``recipe``, the last one where several did; ``None`` if the recipe regularizes nothing."""
    if recipe.is_empty:
        return None
    return next((arm for arm in reversed(comparison.arms[1:]) if arm.recipe == recipe), None)


def best_arm(comparison: Comparison) -> Arm | None:
    """The arm with the largest gain among those that are better than the baseline beyond doubt."""
    better = [arm for arm in comparison.arms[1:] if _is_better(comparison, arm)]
    return max(better, key=lambda arm: comparison.differences[arm.name].mean, default=None)


def _is_better(comparison: Comparison, arm: Arm) -> bool:
    return arm.name in comparison.differences and comparison.differences[arm.name].outcome == "better"


def scores(arm: Arm, data: str) -> list[Score]:
    """The score of each seed on ``train``, ``validation`` or ``test`` data; fewer if some were not measured."""
    found = (getattr(trial, data) for trial in arm.trials)
    return [score for score in found if score is not None]


def gap(trial: Trial) -> float:
    """Validation loss minus training loss at the checkpoint that was judged."""
    return trial.validation.loss - trial.train.loss


def mean(values: Sequence[float | None]) -> float | None:
    """The mean of the finite values; ``None`` if there are none."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return fmean(finite) if finite else None


def mean_text(values: Sequence[float | None]) -> Text:
    """The mean over the seeds with their standard deviation, ``0.1163 ± 0.004``, and how many runs diverged."""
    measured = [value for value in values if value is not None]
    finite = [value for value in measured if math.isfinite(value)]
    text = number(fmean(finite)) if finite else "–"
    if len(finite) > 1:
        text += f" ± {alike(stdev(finite), text)}"
    lost = len(measured) - len(finite)
    return say("{mean} ({count} diverged)", mean=text, count=lost) if lost else text


def measure_name(by: str, metric: str) -> Text:
    """What is compared: the loss, or the metric by its name."""
    return say("loss") if by == "loss" else metric_name(metric)


def metric_name(metric: str) -> Text:
    """A metric's name as shown."""
    known: dict[str, Message] = {"accuracy": say("accuracy")}
    return known.get(metric, metric or say("metric"))


def data_name(data: str) -> Message:
    """Which data a score comes from."""
    names = {"train": say("training data"), "validation": say("validation data"), "test": say("test data")}
    return names[data]
