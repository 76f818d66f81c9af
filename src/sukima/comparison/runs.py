"""The file of finished runs, so that a comparison that was stopped goes on where it was.

A line is one run, as JSON; a line that a stop cut in half is passed over. What a run depends on (task, recipe, seed,
versions) decides its name, so that a file never hands out a run of something else.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor

import sukima
from sukima.comparison.plan import ArmPlan
from sukima.engines.torch.data import open_data, split_validation
from sukima.engines.torch.seeding import generators_restored, seed_everything
from sukima.records.files import check_writable, read_text
from sukima.records.result import Trial
from sukima.records.task import Task, setup_of

__all__ = ["RunFile", "fingerprint"]


class RunFile:
    """Finished runs by name: those of the file, and those that are added."""

    def __init__(self, path: str | Path | None) -> None:
        self.path = None if path is None else check_writable(path)
        self._trials: dict[str, Trial] = {}
        self._tasks: dict[int, str] = {}
        self._torn = False
        if self.path is not None and self.path.exists():
            text = read_text(self.path)
            self._torn = bool(text) and not text.endswith("\n")
            self._read(text)

    def _read(self, text: str) -> None:
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                self._trials[entry["run"]] = msgspec.convert(entry["trial"], Trial, strict=False)
            except (ValueError, KeyError, TypeError):
                continue

    def name(self, plan: ArmPlan, seed: int, *, effects: bool = True) -> str:
        """What decides the run, in a few characters."""
        if id(plan.task) not in self._tasks:
            self._tasks[id(plan.task)] = fingerprint(plan.task)
        parts = [
            self._tasks[id(plan.task)],
            plan.recipe.to_json(),
            plan.members,
            seed,
            effects,
            sukima.__version__,
            torch.__version__,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]

    def get(self, name: str) -> Trial | None:
        """The run of that name, if it is finished."""
        return self._trials.get(name)

    def add(self, name: str, trial: Trial) -> None:
        """Keep a run; it is in the file when this returns."""
        self._trials[name] = trial
        if self.path is not None:
            line = json.dumps({"run": name, "trial": _writable(msgspec.to_builtins(trial))})
            with self.path.open("a", encoding="utf-8") as file:
                file.write("\n" * self._torn + line + "\n")
            self._torn = False


def _writable(value: Any) -> Any:
    """JSON has no infinite numbers; a string of them is read as a number again."""
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _writable(entry) for key, entry in value.items()}
    return [_writable(entry) for entry in value] if isinstance(value, list | tuple) else value


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
