"""What all engines have in common: candidates in groups, and trials that are known."""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Self

from sukima.engines.batch import Batch, Job, Judge
from sukima.engines.candidate import Candidate, Measure, Terms, may_stack
from sukima.engines.crew import Crew
from sukima.engines.progress import Progress, default_progress
from sukima.records.recipe import Recipe
from sukima.records.result import Cost, Trial
from sukima.records.task import Task

__all__ = ["Engine", "Judge"]

_MOST = 24
"""Members of a stack; more save little, and an interruption loses what is in the stack at work."""

Key = tuple[str, int, bool]


class Engine:
    """Runs trials and remembers them: the same recipe and seed are trained once.

    Several are trained as one model where that is possible, and spread over workers, with the same results as one
    after another. A candidate that raises, or whose process is killed for want of memory, is a ``failed`` trial.

    Ctrl-C raises ``KeyboardInterrupt``; trials that were at work are discarded, those before stay in `trials`.
    An engine is a context manager: its workers end with it, if not before.

    Attributes:
        trials: what is known.
        why_not_stacked: why candidates are trained one after another; empty where they are not.
        on_trial: called with each trial that has ended, and whether it measured the test data.
        on_epoch: called after each epoch; what it raises ends the work.
        crew: the workers.
        measure: what is measured on each model that was trained, for its trial's effects, where it was trained. What
            it depends on must not change later: workers have it as it was when they were made.
    """

    def __init__(
        self, task: Task, crew: Crew[Job, Any], progress: Progress | None = None, measure: Measure | None = None
    ) -> None:
        self.task, self.trials = task, dict[Key, Trial]()
        self.progress = progress or default_progress()
        self.why_not_stacked = ""
        self.on_trial: Callable[[Trial, bool], None] = lambda _trial, _test: None
        self.on_epoch: Callable[[], None] = lambda: None
        self.crew, self.measure = crew, measure
        self._end = weakref.finalize(self, crew.close)
        self._started = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def get_ready(self) -> None:
        """Compile and load what training needs here, if it is done here, before anything is timed."""

    def stage(self, name: str, trials: int) -> None:
        """A part of the work begins that takes about ``trials`` trials."""
        self.progress.stage(name, trials)

    def run(self, recipe: Recipe, seeds: Sequence[int], *, test: bool = False) -> tuple[Trial, ...]:
        """The trials of ``recipe``, one a seed, in their order; with ``test`` they measure the test data too."""
        self.prepare([(recipe, seed) for seed in seeds], test=test)
        return tuple(self.trials[_key((recipe, seed), test)] for seed in seeds)

    def known(self, candidate: Candidate, *, test: bool = False) -> Trial | None:
        """Its trial, if it was trained to its end."""
        trial = self.trials.get(_key(candidate, test))
        return None if trial is None or trial.history.status == "pruned" else trial

    def prepare(
        self,
        candidates: Iterable[Candidate],
        *,
        test: bool = False,
        sampled: bool = False,
        rungs: Collection[int] = (),
        judge: Judge | None = None,
    ) -> None:
        """Train those of the candidates that are not known yet.

        With ``sampled``, for candidates whose training curves nobody judges, these may be of a sample of the rows:
        measuring them all takes up to a quarter of the time.

        With ``rungs``, all go side by side, and after each of these epochs ``judge`` says which are given up.
        """
        waiting: dict[int, Candidate] = {}
        keys = set[Key]()
        for place, candidate in enumerate(candidates):
            if (key := _key(candidate, test)) not in keys and self.known(candidate, test=test) is None:
                keys.add(key)
                waiting[place] = candidate
        if waiting:
            terms = Terms(test, sampled, rungs if judge is not None else ())
            self._train(Batch(self, waiting, terms, judge), self.groups(waiting))

    def _train(self, batch: Batch, groups: Sequence[Mapping[int, Candidate]]) -> None:
        batch.train_there(groups)

    def remember(self, trial: Trial, *, test: bool) -> None:
        """Take a trial that is known from elsewhere."""
        self.trials[_key((trial.recipe, trial.seed), test)] = trial

    def groups(self, candidates: Mapping[int, Candidate]) -> list[dict[int, Candidate]]:
        """The candidates in groups that may be stacks, as even as the number of workers suggests."""
        alike: list[dict[int, Candidate]] = []
        for number, candidate in candidates.items():
            group = next((g for g in alike if may_stack(next(iter(g.values()))[0], candidate[0])), None)
            if group is None or self.why_not_stacked:
                alike.append({number: candidate})
            else:
                group[number] = candidate
        return [part for group in alike for part in self._parts(group)]

    def _parts(self, group: dict[int, Candidate]) -> list[dict[int, Candidate]]:
        rounds = math.ceil(len(group) / (self.workers * _MOST))
        count = min(len(group), rounds * self.workers)
        numbers = list(group)
        return [{n: group[n] for n in numbers[first::count]} for first in range(count)]

    @property
    def workers(self) -> int:
        """How many candidates or stacks are trained at once."""
        return self.crew.most

    def cost(self) -> Cost:
        """What was spent so far."""
        epochs = sum(trial.history.epochs for trial in self.trials.values())
        return Cost(
            seconds=time.perf_counter() - self._started,
            trials=len(self.trials),
            epochs=epochs,
            full_trainings=round(epochs / self.task.epochs, 2),
        )


def _key(candidate: Candidate, test: bool = False) -> Key:
    recipe, seed = candidate
    return recipe.to_json(), seed, test
