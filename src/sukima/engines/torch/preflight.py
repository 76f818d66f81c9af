"""What can be found wrong with a task before anything long begins: shapes, classes, losses and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sukima.base.errors import InputError
from sukima.engines.torch.data import ArrayBatches, Batches
from sukima.engines.torch.losses import check_classes, classes_second, make_loss
from sukima.engines.torch.metrics import make_metric
from sukima.records.task import Task
from sukima.torch.modes import evaluating

__all__ = ["preflight"]

_FAULTS = (RuntimeError, TypeError, IndexError, AttributeError, KeyError, ValueError)


def preflight(model: nn.Module, task: Task, data: Mapping[str, Batches]) -> None:
    """One batch of each data set (by its name) through model, loss and metric; modes and generators stay.

    The classes of arrays are all looked at, since a wrong one may stand in the last row of the test data.
    """
    with evaluating(model), torch.random.fork_rng(), torch.no_grad():
        for name, batches in data.items():
            _check(model, task, name, batches)


def _check(model: nn.Module, task: Task, name: str, batches: Batches) -> None:
    inputs, targets = next(batches.in_order())
    try:
        outputs = model(inputs)
    except InputError:
        raise
    except _FAULTS as error:
        raise InputError(
            "model: expected to take {name} inputs of {inputs}, got {kind}: {why}",
            name=name,
            inputs=_shape(inputs),
            kind=type(error).__name__,
            why=_first_line(error),
        ) from error
    if isinstance(batches, ArrayBatches) and task.loss == "cross_entropy":
        _check_all_classes(f"{name} targets", outputs, targets, batches.targets)
    loss = _tried("loss", make_loss(task.loss), name, outputs, targets)
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        raise InputError("loss(outputs, targets) must give a tensor with one number, got {value}", value=_shape(loss))
    if (metric := make_metric(task)) is not None:
        _tried("metric", lambda o, t: metric.add(o, t, len(t)), name, outputs, targets)


def _tried(what: str, function: Any, name: str, outputs: Any, targets: Any) -> Any:
    try:
        return function(outputs, targets)
    except InputError:
        raise
    except _FAULTS as error:
        raise InputError(
            "{what}: expected to take outputs of {outputs} and {name} targets of {targets}, got {kind}: {why}",
            what=what,
            name=name,
            outputs=_shape(outputs),
            targets=_shape(targets),
            kind=type(error).__name__,
            why=_first_line(error),
        ) from error


def _check_all_classes(name: str, outputs: Any, targets: Tensor, every: Tensor) -> None:
    if isinstance(outputs, Tensor) and outputs.ndim > 1 and not every.is_floating_point():
        classes = classes_second(outputs, targets).shape[1]
        if classes > 1 and targets.shape != outputs.shape:
            check_classes(every, classes, name)


def _shape(value: Any) -> str:
    return f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
