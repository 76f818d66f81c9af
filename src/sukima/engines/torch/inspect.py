"""What a search must know of a task's model before it begins."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from sukima.engines.inspected import Inspected
from sukima.engines.torch.data import example_input, open_data
from sukima.engines.torch.model import new_model
from sukima.engines.torch.optimizers import make_optimizer
from sukima.engines.torch.preflight import preflight
from sukima.engines.torch.run import Run
from sukima.engines.torch.seeding import generators_restored
from sukima.records.recipe import Recipe
from sukima.records.task import Task, split_validation
from sukima.torch.layers import describe
from sukima.torch.sites import sites
from sukima.torch.trace import functional_dropout

__all__ = ["Inspected", "check_recipes", "inspect_model"]


def inspect_model(task: Task) -> Inspected:
    """What is known of the model before any training; all data are checked on the way."""
    train, validation = split_validation(task)
    data = {"train": train, "validation": validation} | ({} if task.test is None else {"test": task.test})
    with torch.random.fork_rng():
        model = new_model(task, Recipe())
        preflight(model, task, {name: open_data(name, part, task) for name, part in data.items()})
    layers = [describe(module) for module in model.modules() if not any(module.children())]
    names = f"{type(model).__name__}: {' → '.join(layers)}"
    example = example_input(task)
    return Inspected(
        model=names if len(names) <= 200 else f"{names[:197]}…",
        sites=tuple(sites(model, example).values()),
        functional=tuple(functional_dropout(model, example)),
    )


def check_recipes(task: Task, recipes: Iterable[Recipe]) -> None:
    """Everything short of training, for each recipe: what does not fit the model shows before anything long begins."""
    with generators_restored():
        for recipe in recipes:
            run = Run(task, recipe, seed=0)
            make_optimizer(task, recipe, run.trainable)
