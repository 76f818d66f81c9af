"""One training run of a Keras model, an epoch at a time."""

from __future__ import annotations

import math
import time
from typing import Any

import keras
import numpy as np

from sukima.base.errors import InputError
from sukima.engines.curves import Curves, trial_of
from sukima.engines.keras.data import Data, Rows, TaskArrays
from sukima.engines.keras.losses import (
    by_rows,
    final_metric,
    gives_logits,
    loss_by_rows,
    metric_by_rows,
    metric_increases,
)
from sukima.engines.keras.model import make_optimizer, new_model
from sukima.engines.keras.seeding import generators_restored, seed_everything
from sukima.engines.seeds import derive_seed
from sukima.keras.apply import apply
from sukima.records.recipe import Recipe
from sukima.records.result import Score, Trial
from sukima.records.task import Task

__all__ = ["Run"]

_LOSS, _METRIC = "sukima_loss", "sukima_metric"


class _Loss(keras.losses.Loss):
    def __init__(self, function: Any) -> None:
        super().__init__(name="loss")
        self._function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """A number for each row."""
        return self._function(y_true, y_pred)


class _AfterSteps(keras.callbacks.Callback):
    def __init__(self, applied: Any) -> None:
        super().__init__()
        self._applied = applied

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Take the steps of proximal and decoupled penalties."""
        self._applied.step()


class Run(Curves):
    """A new model with its recipe in force, compiled, and its history so far.

    Initial weights, order of the data and masks are functions of ``seed``: two recipes with one seed start from the
    same weights and see the same batches.
    """

    def __init__(self, task: Task, recipe: Recipe, seed: int, data: TaskArrays | None = None) -> None:
        super().__init__(task, recipe, seed, metric_increases=metric_increases(task))
        self.data = data or TaskArrays(task)
        self._check_augmentation()
        with generators_restored():
            seed_everything(derive_seed(seed, "weights"))
            made = new_model(task, recipe, self.data.train)
            self.applied = apply(made, recipe)
        self.model = self.applied.model
        logits = gives_logits(self.model)
        metric = metric_by_rows(task, logits=logits)
        measured = [by_rows(loss_by_rows(task.loss, logits=logits), _LOSS)]
        measured += [] if metric is None else [by_rows(metric, _METRIC)]
        self.model.compile(
            optimizer=make_optimizer(task, recipe, self.model.trainable_variables),
            loss=_Loss(loss_by_rows(task.loss, logits=logits, label_smoothing=recipe.label_smoothing)),
            metrics=measured,
        )
        self._epoch = 0

    def _check_augmentation(self) -> None:
        if self.recipe.mixup:
            raise InputError("mixup must be 0 with a Keras model, got {value}", value=self.recipe.mixup)
        train = self.data.train
        if self.recipe.input_noise and not (isinstance(train, Rows) and train.inputs.dtype.kind == "f"):
            kind = train.inputs.dtype if isinstance(train, Rows) else type(train).__name__
            raise InputError(
                "input_noise needs an array of floating-point inputs with a Keras model, got {kind}", kind=kind
            )

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return self._epoch < self.task.epochs and self.history.status == "finished"

    def epoch(self) -> None:
        """Train for an epoch and measure, training and validation data both in inference mode."""
        started = time.perf_counter()
        loss = self.trained(self._epoch)
        self._epoch += 1
        if not math.isfinite(loss):
            self.diverged(loss)
            return
        scores = self.measured(self.data.train), self.measured(self.data.validation)
        self.record(*scores, time.perf_counter() - started, self.model.get_weights)

    def trained(self, epoch: int) -> float:
        """Train for the epoch of that number, and give the loss in training."""
        self.applied.progress(epoch / self.task.epochs)
        with generators_restored():
            given = self.data.train.to_train(derive_seed(self.seed, "order", epoch), self.task.batch_size)
            if self.recipe.input_noise:
                rng = np.random.default_rng(derive_seed(self.seed, "augmentation", epoch))
                noise = rng.standard_normal(given["x"].shape, np.float32)
                given["x"] = given["x"] + np.float32(self.recipe.input_noise) * noise
            done = self.model.fit(
                **given,
                epochs=1,
                verbose=0,
                callbacks=[_AfterSteps(self.applied)] if self.applied.has_steps else None,
            )
        return float(done.history["loss"][-1])

    def measured(self, data: Data) -> Score:
        """Loss, without penalties, and metric, with dropout off."""
        found = self.model.evaluate(**data.to_measure(self.task.batch_size), verbose=0, return_dict=True)
        metric = None if _METRIC not in found else final_metric(self.task, float(found[_METRIC]), data.targets)
        return Score(float(found[_LOSS]), metric)

    def finish(self, *, test: bool) -> Trial:
        """Go back to the best epoch, measure the test data there if asked, and give the trial."""
        score = None
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
            if test and self.data.test is not None:
                score = self.measured(self.data.test)
        return trial_of(self.recipe, self.seed, self.history, score)
