"""Fit: one training run of a recipe with one seed."""

from __future__ import annotations

from sukima.base.checks import check_count
from sukima.engines.fitted import Fitted
from sukima.engines.progress import Progress, default_progress
from sukima.engines.torch.alone import Alone
from sukima.engines.torch.run import Run
from sukima.engines.torch.seeding import generators_restored
from sukima.engines.torch.threads import suitable_threads
from sukima.records.recipe import Recipe
from sukima.records.task import Task

__all__ = ["fit"]


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
                alone = Alone(run, progress)
                while alone.active:
                    alone.epoch()
        except KeyboardInterrupt:
            run.interrupted()
        return Fitted(run.model, run.finish(test=test))
