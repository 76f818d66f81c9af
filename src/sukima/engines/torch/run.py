"""One training run: its model, its data, and what is known of it epoch by epoch. The loop is elsewhere."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.engines.seeds import derive_seed
from sukima.engines.torch.data import TaskData
from sukima.engines.torch.evaluate import evaluate
from sukima.engines.torch.losses import make_loss
from sukima.engines.torch.metrics import make_metric
from sukima.engines.torch.model import new_model
from sukima.engines.torch.preflight import preflight
from sukima.engines.torch.seeding import seed_everything
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Score, Trial
from sukima.records.task import Task
from sukima.torch.apply import apply

_PACKAGE = str(Path(__file__).parents[2])

__all__ = ["Run", "described", "trial_of"]


class Run:
    """A new model with its recipe in force, and its history so far.

    ``data`` spares opening and checking the task's data again for each of many runs.
    """

    def __init__(self, task: Task, recipe: Recipe, seed: int, data: TaskData | None = None) -> None:
        self.task, self.recipe, self.seed = task, recipe, seed
        self.data = data or TaskData(task)
        self.train, self.validation, self.example = self.data.train, self.data.validation, self.data.example
        self.loss = make_loss(task.loss, label_smoothing=recipe.label_smoothing)
        self.plain_loss = make_loss(task.loss)
        seed_everything(derive_seed(seed, "weights"))
        self.model = new_model(task, recipe)
        if data is None:
            preflight(self.model, task, {"train": self.train, "validation": self.validation})
        self.applied = apply(self.model, recipe, self.example)
        self.trainable = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        if not self.trainable:
            raise InputError("model() must have parameters to train, got none")
        metric = make_metric(task)
        self.history = History(
            metric=_metric_name(task),
            metric_increases=metric is None or metric.increases,
            train_in_inference_mode=True,
        )
        self._best: dict[str, Tensor] = {}

    @property
    def patience(self) -> int | None:
        """Epochs without a better validation loss after which it stops."""
        return self.recipe.early_stopping or self.task.patience

    def record(self, train: Score, validation: Score, seconds: float, weights: Callable[[], dict[str, Tensor]]) -> bool:
        """Add an epoch; ``False`` if the run ends with it.

        ``weights`` gives the state dict in force, of which a copy is kept if the epoch is the best so far.
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
        best = self._best
        if grown.best_epoch == grown.epochs - 1:
            best = {name: value.detach().clone() for name, value in weights().items()}
        if self.patience is not None and grown.epochs - 1 - grown.best_epoch >= self.patience:
            grown.status = "early_stopped"
        self.history, self._best = grown, best  # at once: Ctrl-C may come at any moment
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

    def in_force(self) -> None:
        """Have the recipe on the model as `apply` puts it there; a stack takes out the dropout that was inserted."""
        self.applied.remove()
        self.applied = apply(self.model, self.recipe, self.example)

    def finish(self, *, test: bool) -> Trial:
        """Go back to the best epoch, measure the test data there if asked, and give the trial."""
        history, best = self.history, self.history.best_epoch
        if self._best:
            self.model.load_state_dict(self._best)
        self.model.eval()
        test_score = None
        if test and self.task.test is not None and best >= 0:
            test_score = evaluate(self.model, self.data.test(), self.plain_loss, make_metric(self.task))
        return trial_of(self.recipe, self.seed, history, test_score)


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


def _score_at(losses: list[float], metrics: list[float], epoch: int, history: History) -> Score:
    """Loss and metric at an epoch; the worst there can be where there was none."""
    if epoch < 0:
        worst = -math.inf if history.metric_increases else math.inf
        return Score(math.inf, worst if history.metric else None)
    return Score(losses[epoch], metrics[epoch] if metrics else None)


def _metric_name(task: Task) -> str:
    if callable(task.metric):
        return getattr(task.metric, "__name__", type(task.metric).__name__)
    return task.metric or ""
