"""Variants of a task by name: what the framework can change of its model, and more data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sukima.base.messages import say
from sukima.engines.choose import framework
from sukima.engines.probe import Array
from sukima.engines.variant import UnavailableError
from sukima.records.task import Task, size_of, split_validation

__all__ = ["noise_for", "vary"]

_NOISE = 0.3
"""In standard deviations of the training inputs, over all features."""


def vary(task: Task, change: str) -> Task:
    """The task with ``more_data``, or with ``batch_norm``, ``smaller`` or ``augmentation`` in its model.

    Raises:
        UnavailableError: model or data do not allow it.
    """
    return _more_data(task) if change == "more_data" else framework(task).vary(task, change)


def noise_for(task: Task) -> float:
    """Noise that augments inputs which are no images: a part of the training inputs' deviation; 0 for others."""
    inputs = framework(task).train_inputs(task)
    if inputs is None or inputs.dtype.kind != "f" or inputs.ndim == 4:
        return 0.0
    return float(f"{_NOISE * inputs.std(ddof=1, dtype=np.float64):.3g}")


def _more_data(task: Task) -> Task:
    """Twice the training data, with rows from the task's ``spare`` data."""
    if task.spare is None:
        raise UnavailableError(say("the task has no spare data"))
    train, validation = split_validation(task)
    there, rows = size_of(task.spare), size_of(train)
    if there is None or rows is None or there < rows:
        raise UnavailableError(say("the task has {there} spare rows, and {rows} are needed", there=there, rows=rows))
    if not isinstance(train, tuple | list) or not isinstance(task.spare, tuple | list):
        raise UnavailableError(say("the data are not arrays"))
    inputs, targets = (
        np.concatenate([_array(own), _array(more)[:rows]]) for own, more in zip(train, task.spare, strict=True)
    )
    return replace(task, train=(inputs, targets), validation=validation)


def _array(values: Any) -> Array:
    return np.asarray(values.cpu() if hasattr(values, "cpu") else values)  # tensors may lie on a device
