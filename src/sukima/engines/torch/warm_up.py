"""Before trainings are timed: a step of each kind that the task's own model takes.

Kernels are compiled when first used on a machine and loaded when first used in a process, libraries import much of
themselves then, and workers begin as copies of the process that has done so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from torch import Tensor

from sukima.engines.candidate import Terms
from sukima.engines.torch.candidates import train_candidates
from sukima.engines.torch.data import open_data
from sukima.engines.torch.model import new_model
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Trial
from sukima.records.task import Task, split_validation
from sukima.torch.sites import sites

__all__ = ["warm_up"]

_RATE = 0.3


def warm_up(task: Task) -> None:
    """Train a stack and a single candidate for one batch, with dropout at each site; data must be arrays or give them.

    Generators are used as in any training, and what is wrong with model or data raises here as it does there.
    """
    train = next(open_data("train", split_validation(task)[0], task).in_order())
    if not all(isinstance(part, Tensor) for part in train):
        return
    inputs, targets = (part[: task.batch_size] for part in train)
    model = new_model(task, Recipe())
    rates = {name: _RATE for name, site in sites(model, inputs[:2]).items() if site.place != "output"}
    few = replace(task, train=(inputs, targets), validation=(inputs, targets), test=None, epochs=1)
    usual = Recipe(rates=rates)
    train_candidates(few, [{0: (usual, 0), 1: (usual, 1)}, {2: (usual, 0)}], _Deaf(), Terms())


class _Deaf:
    """Hears nothing of what becomes of candidates."""

    def epoch(self, number: int, history: History) -> None: ...

    def trial(self, number: int, trial: Trial) -> None: ...

    def judge(self, _epoch: int, _histories: Mapping[int, History]) -> Collection[int]:
        return ()

    def alone(self, reason: str) -> None: ...
