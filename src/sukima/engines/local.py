"""The local engine: trials one after another in this process."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from sukima.engines.progress import Progress, default_progress
from sukima.engines.torch.fit import fit
from sukima.records.recipe import Recipe
from sukima.records.result import Cost, Trial
from sukima.records.task import Task

__all__ = ["LocalEngine"]


class LocalEngine:
    """Runs trials and remembers them: the same recipe and seed are trained once.

    Ctrl-C during a trial raises ``KeyboardInterrupt``; that trial is discarded, those before it stay in `trials`.
    """

    def __init__(self, task: Task, progress: Progress | None = None) -> None:
        self.task, self.trials = task, dict[tuple[str, int, bool], Trial]()
        self.progress = progress or default_progress()
        self._started = time.perf_counter()

    def stage(self, name: str, trials: int) -> None:
        """A part of the work begins that takes about ``trials`` trials."""
        self.progress.stage(name, trials)

    def run(self, recipe: Recipe, seeds: Sequence[int], *, test: bool = False) -> tuple[Trial, ...]:
        """The trials of ``recipe``, one a seed, in their order; with ``test`` they measure the test data too."""
        return tuple(self._one(recipe, seed, test) for seed in seeds)

    def _one(self, recipe: Recipe, seed: int, test: bool) -> Trial:
        key = (recipe.to_json(), seed, test)
        if key not in self.trials:
            trial = fit(self.task, recipe, seed, test=test, progress=self.progress).trial
            if trial.history.status == "interrupted":
                raise KeyboardInterrupt
            self.trials[key] = trial
            self.progress.trial(trial)
        return self.trials[key]

    def cost(self) -> Cost:
        """What was spent so far."""
        return cost_of(self.trials.values(), time.perf_counter() - self._started)


def cost_of(trials: Iterable[Trial], seconds: float) -> Cost:
    """Trials and epochs, with the wall-clock seconds that they took."""
    trials = list(trials)
    return Cost(seconds=seconds, trials=len(trials), epochs=sum(trial.history.epochs for trial in trials))
