"""What sukima asks of a framework (see `sukima.engines.choose.Framework`), for tasks with a torch model."""

from __future__ import annotations

from contextlib import suppress
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import nn

from sukima.engines.probe import Array
from sukima.engines.progress import Silent
from sukima.engines.stacked.fit import fit_stack
from sukima.engines.stacked.pooling import get_ready_to_pool
from sukima.engines.torch.candidates import train_candidates
from sukima.engines.torch.data import example_input
from sukima.engines.torch.fingerprint import fingerprint
from sukima.engines.torch.fit import fit
from sukima.engines.torch.inspect import check_recipes, inspect_model
from sukima.engines.torch.learned import learn_rates
from sukima.engines.torch.metrics import make_metric
from sukima.engines.torch.model import new_model
from sukima.engines.torch.probe import Probe
from sukima.engines.torch.seeding import generators_restored
from sukima.engines.torch.variants import CHANGES
from sukima.records.recipe import Recipe
from sukima.records.task import Task, split_validation

__all__ = [
    "check_recipes",
    "fingerprint",
    "fit",
    "get_ready",
    "inspect_model",
    "learn_rates",
    "metric_increases",
    "probe",
    "survives_fork",
    "train",
    "train_inputs",
    "vary",
    "versions",
    "worker_environment",
]


def train(task: Task, *args: Any, **kwargs: Any) -> None:
    """`train_candidates` with one thread, wherever it is: so a candidate has the same bits everywhere."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        train_candidates(task, *args, **kwargs)
    finally:
        torch.set_num_threads(threads)


def metric_increases(task: Task) -> bool:
    """Whether more of the task's metric is better."""
    metric = make_metric(task)
    return metric is None or metric.increases


def probe(task: Task) -> Probe:
    """What looks at the task's models."""
    return Probe(task)


def train_inputs(task: Task) -> Array | None:
    """The training inputs; a few of them where they are no arrays, ``None`` where they are no tensor."""
    train = split_validation(task)[0]
    inputs = torch.as_tensor(np.asarray(train[0])) if isinstance(train, tuple | list) else example_input(task)
    return inputs.cpu().numpy() if isinstance(inputs, torch.Tensor) else None


def vary(task: Task, change: str) -> Task:
    """The task with a changed model."""
    return CHANGES[change](task)


def get_ready(task: Task) -> None:
    """Kernels are compiled when first used on a machine, and libraries import much of themselves when first used."""
    if torch.device(task.device).type == "cpu":
        _get_ready()
        with suppress(Exception), generators_restored():  # what is wrong with the factory shows where it is trained
            for layer in new_model(task, Recipe()).modules():
                get_ready_to_pool(layer)


@cache
def _get_ready() -> None:
    rows = torch.zeros(4, 2), torch.zeros(4, dtype=torch.long)
    for layer in (nn.ReLU, nn.Tanh):  # a network whose steps are compiled, and another
        tiny = Task(model=partial(_tiny, layer), train=rows, validation=rows, epochs=1)
        fit_stack(tiny, [(Recipe(), 0), (Recipe(), 1)], test=False, progress=Silent())
    fit(tiny, progress=Silent())


def _tiny(layer: type[nn.Module]) -> nn.Module:
    return nn.Sequential(nn.Linear(2, 2), layer(), nn.Dropout(0.5), nn.Linear(2, 2))


def survives_fork(task: Task) -> bool:
    """Whether the task may be trained in forked processes."""
    return torch.device(task.device).type == "cpu"


def worker_environment() -> dict[str, str]:
    """None."""
    return {}


def versions() -> list[str]:
    """What trains, with its version."""
    return [str(torch.__version__)]
