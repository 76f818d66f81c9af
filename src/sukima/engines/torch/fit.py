"""Fit: one training run of a recipe with one seed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from sukima.base.checks import check_count
from sukima.engines.progress import Progress, default_progress
from sukima.engines.seeds import derive_seed
from sukima.engines.torch.evaluate import evaluate
from sukima.engines.torch.metrics import make_metric
from sukima.engines.torch.optimizers import make_optimizer
from sukima.engines.torch.run import Run
from sukima.engines.torch.seeding import generators_restored, seed_everything
from sukima.engines.torch.threads import suitable_threads
from sukima.records.recipe import Recipe
from sukima.records.result import Trial
from sukima.records.task import Task

__all__ = ["Fitted", "Measure", "fit"]


@dataclass(frozen=True)
class Fitted:
    """A trained model, at its best-validation checkpoint, with the trial that made it."""

    model: nn.Module
    trial: Trial


Measure = Callable[[Fitted], dict[str, float]]
"""What an engine measures on a model that has just been trained, with its recipe in force; name → value."""


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
    with generators_restored(), progress:
        run = Run(task, recipe, check_count("seed", seed, minimum=0))
        try:
            with suitable_threads(run.model, run.example, task.batch_size):
                _train(run, progress)
        except KeyboardInterrupt:
            run.interrupted()
        return Fitted(run.model, run.finish(test=test))


def _train(run: Run, progress: Progress) -> None:
    task, model = run.task, run.model
    optimizer = make_optimizer(task, run.recipe, run.trainable)
    run.applied.attach(optimizer)
    model.train()
    seed_everything(derive_seed(run.seed, "masks"))
    for epoch in range(task.epochs):
        started = time.perf_counter()
        run.applied.progress(epoch / task.epochs)
        if (wrong := _one_epoch(run, epoch, optimizer)) is not None:
            run.diverged(wrong)
            return
        train = evaluate(model, run.train, run.plain_loss, make_metric(task))
        validation = evaluate(model, run.validation, run.plain_loss, make_metric(task))
        goes_on = run.record(train, validation, time.perf_counter() - started, model.state_dict)
        if run.history.epochs > epoch:
            progress.epoch(run.history, task.epochs)
        if not goes_on:
            return


def _one_epoch(run: Run, epoch: int, optimizer: torch.optim.Optimizer) -> float | None:
    """One pass over the training data; the loss where it was not finite, which ends the run."""
    for inputs, targets in run.train.shuffled(derive_seed(run.seed, "order", epoch)):
        loss = run.loss(run.model(inputs), targets)
        if run.recipe.penalties:
            loss = loss + run.applied.penalty()
        if not math.isfinite(value := float(loss.detach())):
            return value
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return None
