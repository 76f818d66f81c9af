"""What sukima asks of a framework (see `sukima.engines.choose.Framework`), for tasks with a torch model."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import torch

from sukima.engines.probe import Array
from sukima.engines.torch.candidates import train_candidates
from sukima.engines.torch.data import example_input
from sukima.engines.torch.fingerprint import fingerprint
from sukima.engines.torch.fit import fit
from sukima.engines.torch.inspect import check_recipes, inspect_model
from sukima.engines.torch.learned import learn_rates
from sukima.engines.torch.metrics import make_metric
from sukima.engines.torch.probe import Probe
from sukima.engines.torch.seeding import generators_restored
from sukima.engines.torch.threads import one_thread
from sukima.engines.torch.variants import CHANGES
from sukima.engines.torch.warm_up import warm_up
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
    with one_thread():
        train_candidates(task, *args, **kwargs)


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
    """Have compiled and loaded what the task's trainings use, see `warm_up`."""
    if torch.device(task.device).type == "cpu":
        with suppress(Exception), generators_restored(), one_thread():  # what is wrong shows where it is trained
            warm_up(task)


def survives_fork(task: Task) -> bool:
    """Whether the task may be trained in forked processes."""
    return torch.device(task.device).type == "cpu"


def worker_environment() -> dict[str, str]:
    """None."""
    return {}


def versions() -> list[str]:
    """What trains, with its version."""
    return [str(torch.__version__)]
