"""Fit: one training run of a recipe with one seed, of a Keras model."""

from __future__ import annotations

from sukima.base.checks import check_count
from sukima.engines.fitted import Fitted
from sukima.engines.keras.run import Run
from sukima.engines.progress import Progress, default_progress
from sukima.records.recipe import Recipe
from sukima.records.task import Task

__all__ = ["fit"]


def fit(
    task: Task, recipe: Recipe | None = None, seed: int = 0, *, test: bool = False, progress: Progress | None = None
) -> Fitted:
    """As `sukima.engines.torch.fit.fit`, for a task with a Keras model."""
    progress = progress or default_progress()
    run = Run(task, recipe or Recipe(), check_count("seed", seed, minimum=0))
    with progress:
        try:
            while run.active:
                before = run.history.epochs
                run.epoch()
                if run.history.epochs > before:
                    progress.epoch(run.history, task.epochs)
        except KeyboardInterrupt:
            run.interrupted()
    return Fitted(run.model, run.finish(test=test))
