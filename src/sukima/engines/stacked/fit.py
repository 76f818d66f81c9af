"""Fit many: runs of one task trained as one model, each with the result that it would have alone."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sukima.engines.candidate import is_ordinary
from sukima.engines.progress import Progress
from sukima.engines.stacked.chain import Chain
from sukima.engines.stacked.unstackable import UnstackableError
from sukima.engines.torch.data import ArrayBatches, TaskData
from sukima.engines.torch.metrics import make_metric
from sukima.engines.torch.run import Run
from sukima.engines.torch.seeding import generators_restored
from sukima.engines.torch.threads import suitable_threads
from sukima.records.recipe import Recipe
from sukima.records.result import Trial
from sukima.records.task import Task

__all__ = ["Stack", "fit_stack"]


def fit_stack(task: Task, candidates: Sequence[tuple[Recipe, int]], *, test: bool, progress: Progress) -> list[Trial]:
    """The trials of these recipes with these seeds, in their order, trained as one `Stack` to their ends.

    Raises:
        UnstackableError: see `Stack`.
    """
    with generators_restored():
        data = TaskData(task)
        runs = [Run(task, recipe, seed, data) for recipe, seed in candidates]
        with suitable_threads(runs[0].model, runs[0].example, task.batch_size):
            stack = Stack(runs, progress)
            while stack.active:
                stack.epoch()
            return [run.finish(test=test) for run in runs]


class Stack:
    """Runs of one task trained as one model, an epoch at a time.

    Every history is the one that the run has alone: initial weights, order of the data and masks come from its own
    seed, and the layers are computed member by member to the bit. A member that stops early or diverges leaves the
    stack.

    Raises:
        UnstackableError: the model has a ``forward`` of its own, layers that share weights, or dropout of a kind that
            a stack does not know; or the data or the optimizer are not of the kinds that it knows; or there is a single
            run, which takes no less time here.
    """

    def __init__(self, runs: Sequence[Run], progress: Progress) -> None:
        self.task, self._progress, self._epoch = runs[0].task, progress, 0
        train = _check(runs)
        self._chains = [Chain(part, train) for part in _parts(runs)]
        if len(runs) == 1 and not self._chains[0].pays_alone:
            raise UnstackableError("there is but one candidate")

    @property
    def active(self) -> list[Run]:
        """The runs that go on."""
        return [run for chain in self._chains for run in chain.runs] if self._epoch < self.task.epochs else []

    def epoch(self) -> None:
        """Train every member for an epoch and measure."""
        started = time.perf_counter()
        for chain in self._chains:
            chain.train(self._epoch)
        active = [(chain, member) for chain in self._chains for member in range(len(chain.runs))]
        kept = [index for index, one in enumerate(active) if self._goes_on(*one, started, len(active))]
        self._epoch += 1
        if len(kept) < len(active):
            self.select(kept)

    def _goes_on(self, chain: Chain, member: int, started: float, members: int) -> bool:
        """Add an epoch to a member's history; whether it goes on."""
        run = chain.runs[member]
        if run.history.status != "finished":
            return False
        train = chain.measure(member, run.data.measured, make_metric(self.task))
        validation = chain.measure(member, run.validation, make_metric(self.task))
        epochs, seconds = run.history.epochs, (time.perf_counter() - started) / members
        goes_on = run.record(train, validation, seconds, run.model.state_dict)
        if run.history.epochs > epochs:
            self._progress.epoch(run.history, self.task.epochs)
        return goes_on

    def select(self, kept: Sequence[int]) -> None:
        """Go on with these of the active ones, with their part of the optimizer's state."""
        first, staying = 0, set(kept)
        for chain in self._chains:
            places = range(first, first + len(chain.runs))
            chain.select([place - first for place in places if place in staying])
            first = places.stop
        self._chains = [chain for chain in self._chains if chain.runs]


_CACHED = 12 << 20
"""Bytes of parameters, gradients and what the optimizer remembers that members may have together. Large members are
trained by themselves for an epoch at a time, so that they stay in the cache from step to step."""


def _parts(runs: Sequence[Run]) -> list[Sequence[Run]]:
    """The runs in chains, as even as can be."""
    parameters = list(runs[0].model.parameters())
    if parameters[0].device.type != "cpu":
        return [runs]
    each = sum(parameter.numel() * parameter.element_size() for parameter in parameters) * 4
    count = -(-len(runs) // max(1, _CACHED // each))
    return [runs[first::count] for first in range(count)]


def _check(runs: Sequence[Run]) -> ArrayBatches:
    """The training data, if a stack can do with task and recipes."""
    if not isinstance(runs[0].task.optimizer, str):
        raise UnstackableError("the optimizer is not given by name")
    if not all(is_ordinary(run.recipe) for run in runs):
        raise UnstackableError("a penalty acts on activities, or inputs are changed at random")
    train, validation = runs[0].train, runs[0].validation
    if not isinstance(train, ArrayBatches) or not isinstance(validation, ArrayBatches):
        raise UnstackableError("the data are not arrays")
    return train
