"""The curves of a run, epoch by epoch, and the trial that they make: whatever the framework."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sukima.base.messages import say
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Score, Trial
from sukima.records.task import Task

__all__ = ["Curves", "described", "metric_name", "trial_of"]

_PACKAGE = str(Path(__file__).parents[1])


class Curves:
    """The history of a run so far, and the weights of its best epoch.

    Attributes:
        task: what it trains on.
        recipe: what regularizes it.
        seed: of initial weights, order of the data and masks.
        history: the curves.
        best_weights: as `record` was given them at the best epoch; ``None`` before the first.
    """

    def __init__(self, task: Task, recipe: Recipe, seed: int, *, metric_increases: bool) -> None:
        self.task, self.recipe, self.seed = task, recipe, seed
        self.history = History(
            metric=metric_name(task), metric_increases=metric_increases, train_in_inference_mode=True
        )
        self.best_weights: Any = None

    @property
    def patience(self) -> int | None:
        """Epochs without a better validation loss after which it stops."""
        return self.recipe.early_stopping or self.task.patience

    def record(self, train: Score, validation: Score, seconds: float, weights: Callable[[], Any]) -> bool:
        """Add an epoch; ``False`` if the run ends with it.

        ``weights`` gives a copy of those in force; it is asked if the epoch is the best so far.
        """
        if not (math.isfinite(train.loss) and math.isfinite(validation.loss)):
            self.diverged(math.nan)
            return False
        grown = self.history.copied()
        grown.train_loss.append(train.loss)
        grown.validation_loss.append(validation.loss)
        if train.metric is not None and validation.metric is not None:
            grown.train_metric.append(train.metric)
            grown.validation_metric.append(validation.metric)
        grown.seconds.append(seconds)
        best = self.best_weights
        if grown.best_epoch == grown.epochs - 1:
            best = weights()
        if self.patience is not None and grown.epochs - 1 - grown.best_epoch >= self.patience:
            grown.status = "early_stopped"
        self.history, self.best_weights = grown, best  # at once: Ctrl-C may come at any moment
        return grown.status == "finished"

    def diverged(self, loss: float) -> None:
        """The loss was not finite: the run ends, with the epochs before."""
        self.history.status = "diverged"
        epoch = self.history.epochs + 1
        self.history.note = str(say("the loss became {value} in epoch {epoch}", value=loss, epoch=epoch))

    def pruned(self) -> None:
        """A search gave it up: the run ends, with the epochs so far."""
        self.history.status = "pruned"
        self.history.note = str(say("given up after epoch {epoch}", epoch=self.history.epochs))

    def failed(self, error: Exception) -> None:
        """It raised: the run ends, with the epochs before."""
        self.history.status, self.history.note = "failed", described(error)

    def interrupted(self) -> None:
        """Ctrl-C: the run ends, with the epochs before."""
        self.history.status = "interrupted"
        self.history.note = str(say("interrupted in epoch {epoch}", epoch=self.history.epochs + 1))


def trial_of(recipe: Recipe, seed: int, history: History, test: Score | None = None) -> Trial:
    """The trial that a history makes, judged at its best epoch."""
    best = history.best_epoch
    return Trial(
        recipe=recipe,
        seed=seed,
        history=history,
        epoch=best + 1,
        train=_score_at(history.train_loss, history.train_metric, best, history),
        validation=_score_at(history.validation_loss, history.validation_metric, best, history),
        test=test,
    )


def described(error: Exception) -> str:
    """An error in a line, with the place in the user's own code that it came from."""
    text = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not any(part in frame.filename for part in ("site-packages", _PACKAGE))]
    return f"{text} ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else text


def metric_name(task: Task) -> str:
    """What reports call the task's metric; empty if it has none."""
    if callable(task.metric):
        return getattr(task.metric, "__name__", type(task.metric).__name__)
    return task.metric or ""


def _score_at(losses: list[float], metrics: list[float], epoch: int, history: History) -> Score:
    """Loss and metric at an epoch; the worst there can be where there was none."""
    if epoch < 0:
        worst = -math.inf if history.metric_increases else math.inf
        return Score(math.inf, worst if history.metric else None)
    return Score(losses[epoch], metrics[epoch] if metrics else None)
