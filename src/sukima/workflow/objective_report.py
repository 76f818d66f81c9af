"""What an objective tells: of its epochs while it trains, and at its end."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from typing import Any

from sukima.base.checks import check_count, check_number
from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Score, Trial

__all__ = ["Objective", "Report", "trial_of"]


class Report:
    """What an objective tells of its epochs, and what it may ask.

    Attributes:
        seed: for whatever the objective draws: the same for all candidates of the search, fresh ones at the end.
        epochs: the values that were reported, by epoch.
    """

    def __init__(self, seed: int, heard: Callable[[int, float], bool]) -> None:
        self.seed, self._heard = seed, heard
        self.epochs: dict[int, float] = {}
        self.given_up = False

    def __call__(self, epoch: int, value: float) -> bool:
        """Tell the validation value after an epoch (from 1).

        Returns:
            Whether the candidate is not worth going on with: then return from the objective.
        """
        check_count("epoch", epoch)
        if not isinstance(value, numbers.Real):
            check_number("value", value)
        self.epochs[epoch] = float(value)
        self.given_up = self._heard(epoch, float(value)) or self.given_up
        return self.given_up


Objective = Callable[[Recipe, Report], "History | float | None"]
"""Trains with a recipe, and gives its history or the value to go by; ``None`` stands for the last that was reported."""


def trial_of(recipe: Recipe, seed: int, given: Any, report: Report, increases: bool) -> Trial:
    """A trial from what the objective gave: a history, a number, or nothing beyond what it reported.

    Raises:
        InputError: it gave something else.
    """
    reported = [report.epochs[epoch] for epoch in sorted(report.epochs)]
    if isinstance(given, History):
        history, value = given, _best(given, increases)
    else:
        if given is None:
            given = (max if increases else min)(reported, default=math.nan)
        if not isinstance(given, numbers.Real) or isinstance(given, bool):
            raise InputError("objective must give a History or a number, got {kind}", kind=type(given).__name__)
        value = float(given)
        curve = {"validation_metric": reported} if increases else {"validation_loss": reported}
        history = History(metric="value" if increases else "", metric_increases=increases, **curve)  # type: ignore[arg-type]  # one of two curves
    if history.status == "finished":
        if report.given_up:
            history.status = "pruned"
        elif math.isnan(value):
            history.status, history.note = "failed", str(say("the value is not a number"))
    worst = -math.inf if increases else math.inf
    score = (
        Score(math.nan, worst if math.isnan(value) else value)
        if increases
        else Score(worst if math.isnan(value) else value)
    )
    return Trial(recipe, seed, history, max(1, history.best_epoch + 1), Score(math.nan), score)


def _best(history: History, increases: bool) -> float:
    curve = history.validation_metric if increases else history.validation_loss
    return (max if increases else min)(curve, default=math.nan)
