"""Many candidates of one task with a Keras model, one after another or side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sukima.engines.candidate import Candidate, Listener, Measure, Terms
from sukima.engines.curves import described, trial_of
from sukima.engines.keras.data import TaskArrays
from sukima.engines.keras.run import Run
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.task import Task

__all__ = ["train_candidates"]


def train_candidates(
    task: Task,
    groups: Sequence[Mapping[int, Candidate]],
    listener: Listener,
    terms: Terms,
    measure: Measure | None = None,
) -> None:
    """As `sukima.engines.torch.candidates.train_candidates`, but for two things.

    A group is no more than its candidates, and all rows are measured: for a sample of another shape a backend would
    compile anew, which takes longer than is saved.
    """
    work = _Work(task, listener, terms, measure)
    candidates = {number: candidate for group in groups for number, candidate in group.items()}
    if terms.rungs:
        work.side_by_side(candidates)
        return
    for number, candidate in candidates.items():
        if (run := work.begun(number, *candidate)) is not None:
            while run.active:
                work.epoch(number, run)
            work.end(number, run)


class _Work:
    def __init__(self, task: Task, listener: Listener, terms: Terms, measure: Measure | None) -> None:
        self._task, self._listener, self._terms, self._measure = task, listener, terms, measure
        self._data = TaskArrays(task)

    def begun(self, number: int, recipe: Recipe, seed: int) -> Run | None:
        """The run; ``None`` if it raised, which is a failed trial."""
        try:
            return Run(self._task, recipe, seed, self._data)
        except Exception as error:  # a candidate's own code may raise anything
            failed = History(status="failed", note=described(error))
            self._listener.trial(number, trial_of(recipe, seed, failed))
            return None

    def epoch(self, number: int, run: Run) -> None:
        """One more epoch, told."""
        before = run.history.epochs
        try:
            run.epoch()
        except Exception as error:  # as above
            run.failed(error)
        if run.history.epochs > before:
            self._listener.epoch(number, run.history)

    def end(self, number: int, run: Run) -> None:
        """Tell of the trial."""
        whole = run.history.status not in ("pruned", "failed")
        trial = run.finish(test=self._terms.test and whole)
        if self._measure is not None and whole and trial.epoch:
            trial = replace(trial, effects=self._measure(run.model, trial))
        self._listener.trial(number, trial)

    def side_by_side(self, candidates: Mapping[int, Candidate]) -> None:
        """All of them, an epoch at a time; the listener judges after each rung."""
        made = {number: self.begun(number, *candidate) for number, candidate in candidates.items()}
        runs = {number: run for number, run in made.items() if run is not None}
        for epoch in range(1, self._task.epochs + 1):
            for number, run in runs.items():
                self.epoch(number, run)
            if epoch in self._terms.rungs and epoch < self._task.epochs:
                histories = {number: run.history for number, run in runs.items() if run.active}
                for number in self._listener.judge(epoch, histories):
                    if number in histories:
                        runs[number].pruned()
            for number in [number for number, run in runs.items() if not run.active]:
                self.end(number, runs.pop(number))
