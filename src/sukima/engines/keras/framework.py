"""What sukima asks of a framework (see `sukima.engines.choose.Framework`), for tasks with a Keras model."""

from __future__ import annotations

from importlib import import_module

import keras
import numpy as np

from sukima.engines.keras.candidates import train_candidates as train
from sukima.engines.keras.data import Rows, TaskArrays
from sukima.engines.keras.fit import fit
from sukima.engines.keras.inspect import check_recipes, fingerprint, inspect_model
from sukima.engines.keras.learned import learn_rates
from sukima.engines.keras.losses import metric_increases
from sukima.engines.keras.probe import Probe
from sukima.engines.keras.variants import CHANGES
from sukima.engines.probe import Array
from sukima.records.task import Task

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


def probe(task: Task) -> Probe:
    """What looks at the task's models."""
    return Probe(task)


def train_inputs(task: Task) -> Array | None:
    """The training inputs; those of a batch where they are no arrays, ``None`` where there are several."""
    train = TaskArrays(task).train
    inputs = train.inputs if isinstance(train, Rows) else next(train.in_order())[0]
    return inputs if isinstance(inputs, np.ndarray) else None


def vary(task: Task, change: str) -> Task:
    """The task with a changed model."""
    return CHANGES[change](task)


def survives_fork(_task: Task) -> bool:
    """TensorFlow and JAX do not."""
    return False


def get_ready(_task: Task) -> None:
    """Nothing: backends compile each model by itself."""


def worker_environment() -> dict[str, str]:
    """The backend: a worker would choose its own."""
    return {"KERAS_BACKEND": keras.backend.backend()}


def versions() -> list[str]:
    """Keras, and what it runs on."""
    backend = keras.backend.backend()
    return [f"keras {keras.__version__}", f"{backend} {import_module(backend).__version__}"]
