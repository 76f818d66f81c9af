"""Many candidates of one task: in stacks where that is possible, one after another where not.

What happens to each is told as it happens, so that nothing finished is lost when the work ends early.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from sukima.engines.candidate import Candidate, Listener, Measure, Terms
from sukima.engines.progress import Silent
from sukima.engines.stacked.fit import Stack
from sukima.engines.stacked.unstackable import UnstackableError
from sukima.engines.torch.alone import Alone
from sukima.engines.torch.data import TaskData
from sukima.engines.torch.run import Run, described, trial_of
from sukima.engines.torch.seeding import generators_restored
from sukima.records.history import History
from sukima.records.task import Task

__all__ = ["train_candidates"]


def train_candidates(
    task: Task,
    groups: Sequence[Mapping[int, Candidate]],
    listener: Listener,
    terms: Terms,
    measure: Measure | None = None,
) -> None:
    """Train the candidates of each group together, if they can be.

    A candidate that raises ends as a ``failed`` trial. Ctrl-C raises ``KeyboardInterrupt``; trials at work are lost.

    Args:
        task: what they are trained on.
        groups: candidates by their numbers; those of one group differ only in what a stack can bear.
        listener: told of everything.
        terms: what holds for all of them.
        measure: called with each model that was trained to its end.
    """
    with generators_restored():
        work = _Work(task, listener, terms, measure)
        if terms.rungs:
            work.side_by_side(groups)
        else:
            for group in groups:
                work.one_after_another(group)


class _Part:
    """Candidates that are trained together, as a stack or a single one, by their numbers."""

    def __init__(self, group: Stack | Alone, candidates: Mapping[int, Candidate], runs: Sequence[Run]) -> None:
        self.group, self.candidates = group, dict(candidates)
        self._numbers = dict(zip(runs, candidates, strict=True))

    def numbered(self) -> dict[int, Run]:
        """Those that were at work when it was last asked who has ended."""
        return {number: run for run, number in self._numbers.items()}

    def histories(self) -> dict[int, History]:
        """Of those that go on."""
        return {self._numbers[run]: run.history for run in self.group.active}

    def give_up(self, numbers: Collection[int]) -> None:
        """Train these no further."""
        active = self.group.active
        for run in active:
            if self._numbers[run] in numbers:
                run.pruned()
        self.group.select([i for i, run in enumerate(active) if self._numbers[run] not in numbers])

    def ended(self) -> Iterator[tuple[int, Run]]:
        """Those that have come to an end since the last call."""
        active = set(self.group.active)
        for run in [run for run in self._numbers if run not in active]:
            number = self._numbers.pop(run)
            del self.candidates[number]
            yield number, run


class _Work:
    def __init__(self, task: Task, listener: Listener, terms: Terms, measure: Measure | None) -> None:
        self._task, self._listener, self._terms, self._measure = task, listener, terms, measure
        self._data = TaskData(task, sampled=terms.sampled)

    def one_after_another(self, group: Mapping[int, Candidate]) -> None:
        """The group as a stack; where that is not possible its candidates in turn."""
        part = self._stack(group)
        while part is not None and part.group.active:
            if not self._epoch(part):
                group, part = part.candidates, None
                break
            self._hand_over(part)
        if part is None:
            for number, candidate in group.items():
                if (alone := self._alone(number, candidate)) is not None:
                    self._to_the_end(alone)

    def _to_the_end(self, alone: _Part) -> None:
        while alone.group.active:
            self._epoch(alone)
        self._hand_over(alone)

    def side_by_side(self, groups: Sequence[Mapping[int, Candidate]]) -> None:
        """All groups, an epoch at a time."""
        parts: list[_Part] = []
        for group in groups:
            part = self._stack(group)
            parts += [part] if part is not None else self._singles(group)
        for epoch in range(1, self._task.epochs + 1):
            parts = [moved for part in parts for moved in self._moved(part, epoch) if moved.group.active]
            if epoch in self._terms.rungs and epoch < self._task.epochs:
                histories = {number: history for part in parts for number, history in part.histories().items()}
                gone = self._listener.judge(epoch, histories)
                for part in parts:
                    part.give_up(gone)
                    self._hand_over(part)

    def _moved(self, part: _Part, epoch: int) -> list[_Part]:
        """The part after one more epoch; its candidates by themselves where the stack has failed."""
        if self._epoch(part):
            self._hand_over(part)
            return [part]
        singles = self._singles(part.candidates)
        for single in singles:
            for _ in range(epoch):
                if single.group.active:
                    self._epoch(single)
            self._hand_over(single)
        return singles

    def _epoch(self, part: _Part) -> bool:
        """Train and tell; ``False`` if a stack failed and its candidates must be trained again by themselves."""
        before = {number: run.history.epochs for number, run in part.numbered().items()}
        try:
            part.group.epoch()
        except Exception as error:  # a candidate's own code may raise anything
            if isinstance(part.group, Stack):
                self._tell_alone(part.candidates, error)
                return False
            part.group.run.failed(error)
        for number, run in part.numbered().items():
            if run.history.epochs > before[number]:
                self._listener.epoch(number, run.history)
        return True

    def _hand_over(self, part: _Part) -> None:
        for number, run in part.ended():
            whole = run.history.status not in ("pruned", "failed")
            trial = run.finish(test=self._terms.test and whole)
            if self._measure is not None and whole and trial.epoch:
                run.in_force()
                trial = replace(trial, effects=self._measure(run.model, trial))
            self._listener.trial(number, trial)

    def _stack(self, group: Mapping[int, Candidate]) -> _Part | None:
        try:
            runs = [Run(self._task, recipe, seed, self._data) for recipe, seed in group.values()]
            return _Part(Stack(runs, Silent()), group, runs)
        except Exception as error:  # where one of them is at fault, it shows when each is alone
            self._tell_alone(group, error)
        return None

    def _tell_alone(self, group: Mapping[int, Candidate], error: Exception) -> None:
        """Why these are not trained as a stack; of a single one nothing is expected."""
        if len(group) > 1:
            self._listener.alone(str(error) if isinstance(error, UnstackableError) else described(error))

    def _singles(self, group: Mapping[int, Candidate]) -> list[_Part]:
        made = (self._alone(number, candidate) for number, candidate in group.items())
        return [part for part in made if part is not None]

    def _alone(self, number: int, candidate: Candidate) -> _Part | None:
        recipe, seed = candidate
        try:
            run = Run(self._task, recipe, seed, self._data)
            return _Part(Alone(run, Silent()), {number: candidate}, [run])
        except Exception as error:
            failed = History(status="failed", note=described(error))
            self._listener.trial(number, trial_of(recipe, seed, failed))
            return None
