"""Fit: one training run of a recipe with one seed."""

from __future__ import annotations

import contextlib
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sukima.base.checks import check_count
from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.engines.progress import Progress, default_progress
from sukima.engines.seeds import derive_seed
from sukima.engines.torch.data import example_input, open_data, split_validation
from sukima.engines.torch.evaluate import evaluate
from sukima.engines.torch.losses import make_loss
from sukima.engines.torch.metrics import make_metric
from sukima.engines.torch.optimizers import make_optimizer
from sukima.engines.torch.threads import suitable_threads
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Score, Trial
from sukima.records.task import Task
from sukima.torch.apply import apply
from sukima.torch.replace import replace

__all__ = ["Fitted", "fit", "new_model"]


@dataclass(frozen=True)
class Fitted:
    """A trained model, at its best-validation checkpoint, with the trial that made it."""

    model: nn.Module
    trial: Trial


def new_model(task: Task, recipe: Recipe) -> nn.Module:
    """A new model from the task's factory, with the recipe's options; torch's dropout in it is replaced by ours."""
    model = task.model(**recipe.options)
    if not isinstance(model, nn.Module):
        raise InputError("model() must give a torch.nn.Module, got {kind}", kind=type(model).__name__)
    return replace(model).to(task.device)


def fit(
    task: Task, recipe: Recipe | None = None, seed: int = 0, *, test: bool = False, progress: Progress | None = None
) -> Fitted:
    """Train a new model on ``task`` under ``recipe``.

    Initial weights, order of the data and masks are functions of ``seed`` alone, so that two recipes with one seed
    start from the same weights and see the same batches, and the same call gives the same result on one machine.
    Training and validation curves are both measured in inference mode after each epoch. The model ends with the
    weights of its lowest validation loss.

    A loss that is not finite stops the run, as does Ctrl-C; the history says so in ``status`` and ``note`` and keeps
    the epochs before it.

    Args:
        task: model, data and how to train.
        recipe: what regularizes; nothing by default.
        seed: a whole number of at least 0.
        test: whether to measure the test data, at the very end.
        progress: told of each epoch; by default a bar where there is a terminal or a notebook to show it.

    Returns:
        The trained model and its trial.
    """
    recipe = recipe or Recipe()
    progress = progress or default_progress()
    with _generators_restored(), progress:
        return _Run(task, recipe, check_count("seed", seed, minimum=0), progress).fitted(test)


class _Run:
    """State of one training run."""

    def __init__(self, task: Task, recipe: Recipe, seed: int, progress: Progress) -> None:
        self.task, self.recipe, self.seed, self.progress = task, recipe, seed, progress
        train, validation = split_validation(task)
        self.train, self.validation = open_data("train", train, task), open_data("validation", validation, task)
        self.loss = make_loss(task.loss, label_smoothing=recipe.label_smoothing)
        self.plain_loss = make_loss(task.loss)
        _seed_everything(derive_seed(seed, "weights"))
        self.model = new_model(task, recipe)
        self._check_fit()
        self.applied = apply(self.model, recipe, example_input(task))
        trainable = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        if not trainable:
            raise InputError("model() must have parameters to train, got none")
        self.optimizer = make_optimizer(task, recipe, trainable)
        metric = make_metric(task)
        self.history = History(
            metric=_metric_name(task),
            metric_increases=metric is None or metric.increases,
            train_in_inference_mode=True,
        )
        self.best: dict[str, Tensor] = {}

    def _check_fit(self) -> None:
        """One batch through model and loss before anything long begins, so that an error can name the shapes."""
        inputs, targets = next(self.train.in_order())
        with torch.random.fork_rng(), torch.no_grad():
            self.model.eval()
            try:
                outputs = self.model(inputs)
            except (RuntimeError, TypeError, ValueError, IndexError) as error:
                raise InputError(
                    "model: expected to take inputs of {inputs}, got {kind}: {why}",
                    inputs=_shape(inputs),
                    kind=type(error).__name__,
                    why=_first_line(error),
                ) from error
            try:
                self.plain_loss(outputs, targets)
            except (RuntimeError, TypeError, IndexError, AttributeError) as error:
                raise InputError(
                    "loss: expected to take outputs of {outputs} and targets of {targets}, got {kind}: {why}",
                    outputs=_shape(outputs),
                    targets=_shape(targets),
                    kind=type(error).__name__,
                    why=_first_line(error),
                ) from error

    def fitted(self, test: bool) -> Fitted:
        """Train to the end, go back to the best epoch and measure there."""
        self.model.train()
        _seed_everything(derive_seed(self.seed, "masks"))
        try:
            with suitable_threads(self.model, self.task.batch_size):
                self._epochs()
        except KeyboardInterrupt:
            self.history.status = "interrupted"
            self.history.note = str(say("interrupted in epoch {epoch}", epoch=self.history.epochs + 1))
        if self.best:
            self.model.load_state_dict(self.best)
        self.model.eval()
        return Fitted(self.model, self._trial(test))

    def _epochs(self) -> None:
        patience = self.recipe.early_stopping or self.task.patience
        for epoch in range(self.task.epochs):
            started = time.perf_counter()
            self.applied.progress(epoch / self.task.epochs)
            if (wrong := self._train_one(epoch)) is not None or not self._measure(started):
                self.history.status = "diverged"
                self.history.note = str(
                    say("the loss became {value} in epoch {epoch}", value=wrong or math.nan, epoch=epoch + 1)
                )
                return
            self.progress.epoch(self.history, self.task.epochs)
            if patience is not None and epoch - self.history.best_epoch >= patience:
                self.history.status = "early_stopped"
                return

    def _train_one(self, epoch: int) -> float | None:
        """One pass over the training data; the loss where it was not finite, which ends it."""
        for inputs, targets in self.train.shuffled(derive_seed(self.seed, "order", epoch)):
            loss = self.loss(self.model(inputs), targets)
            if self.recipe.penalties:
                loss = loss + self.applied.penalty()
            if not math.isfinite(value := float(loss.detach())):
                return value
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        return None

    def _measure(self, started: float) -> bool:
        """Add an epoch to the history; ``False`` if a loss is not finite."""
        train = evaluate(self.model, self.train, self.plain_loss, make_metric(self.task))
        validation = evaluate(self.model, self.validation, self.plain_loss, make_metric(self.task))
        if not (math.isfinite(train.loss) and math.isfinite(validation.loss)):
            return False
        self.history.train_loss.append(train.loss)
        self.history.validation_loss.append(validation.loss)
        if train.metric is not None and validation.metric is not None:
            self.history.train_metric.append(train.metric)
            self.history.validation_metric.append(validation.metric)
        self.history.seconds.append(time.perf_counter() - started)
        if self.history.best_epoch == self.history.epochs - 1:
            self.best = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        return True

    def _trial(self, test: bool) -> Trial:
        history, best = self.history, self.history.best_epoch
        test_score = None
        if test and self.task.test is not None and best >= 0:
            data = open_data("test", self.task.test, self.task)
            test_score = evaluate(self.model, data, self.plain_loss, make_metric(self.task))
        return Trial(
            recipe=self.recipe,
            seed=self.seed,
            history=history,
            epoch=best + 1,
            train=_score_at(history.train_loss, history.train_metric, best, history),
            validation=_score_at(history.validation_loss, history.validation_metric, best, history),
            test=test_score,
        )


def _score_at(losses: list[float], metrics: list[float], epoch: int, history: History) -> Score:
    """Loss and metric at an epoch; the worst there can be where there was none."""
    if epoch < 0:
        worst = -math.inf if history.metric_increases else math.inf
        return Score(math.inf, worst if history.metric else None)
    return Score(losses[epoch], metrics[epoch] if metrics else None)


def _shape(value: Any) -> str:
    return f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def _metric_name(task: Task) -> str:
    if callable(task.metric):
        return getattr(task.metric, "__name__", type(task.metric).__name__)
    return task.metric or ""


def _seed_everything(seed: int) -> None:
    """Torch for the model; NumPy and Python for what a user's factory or data set may draw."""
    torch.manual_seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)
    random.seed(seed)


@contextlib.contextmanager
def _generators_restored() -> Iterator[None]:
    """Leave the process's generators as they were."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    with torch.random.fork_rng():
        try:
            yield
        finally:
            np.random.set_state(numpy_state)
            random.setstate(python_state)
