"""The fingerprint of a task: by it a stored run is known again, and never taken for one of something else."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sukima.engines.torch.data import open_data
from sukima.engines.torch.seeding import generators_restored, seed_everything
from sukima.records.task import Task, setup_of, split_validation

__all__ = ["fingerprint"]


def fingerprint(task: Task) -> str:
    """What a run of the task depends on besides recipe and seed: its setup, its data, and its model when new."""
    digest = hashlib.sha256(json.dumps(setup_of(task), default=str).encode())
    for function in (task.loss, task.metric, task.optimizer):
        digest.update(_source(function).encode())
    train, validation = split_validation(task)
    for name, part in (("train", train), ("validation", validation), ("test", task.test)):
        if part is not None:
            _add_data(digest.update, name, part, task)
    with generators_restored():
        seed_everything(0)
        model = task.model()
    digest.update(repr(model).encode())
    for hook in model._forward_pre_hooks.values():  # what a variant adds
        digest.update(
            repr((getattr(getattr(hook, "func", hook), "__qualname__", ""), getattr(hook, "args", ()))).encode()
        )
    for name, value in model.state_dict().items():
        digest.update(name.encode())
        if isinstance(value, Tensor):
            digest.update(np.ascontiguousarray(value.detach().cpu().to(torch.float64).numpy()).tobytes())
    return digest.hexdigest()


def _source(function: Any) -> str:
    if isinstance(function, str) or function is None:
        return str(function)
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return getattr(function, "__qualname__", type(function).__qualname__)


def _add_data(update: Callable[[bytes], object], name: str, data: Any, task: Task) -> None:
    """All of an array, the first batch of anything else."""
    batches = open_data(name, data, task)
    inputs, targets = getattr(batches, "inputs", None), getattr(batches, "targets", None)
    if inputs is None:
        inputs, targets = next(batches.in_order())
    for part in (inputs, targets):
        update(part.cpu().numpy().tobytes() if isinstance(part, Tensor) else repr(part)[:10_000].encode())
